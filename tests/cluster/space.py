"""Namespaces of a cluster's own: its links, rules, mounts and processes end with one process.

The holder is process 1 of a fresh process namespace, so the kernel ends everything that was ever
started there when the holder ends; with the last process go the mounts and the network.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cluster.layout import Layout
from harness.processes import Started, wait_until

CGROUPS = Path("/sys/fs/cgroup")

# Children of nobody are reaped by a process that ignores their end. The kubelet, containerd and
# the CNI plugins write to fixed places below /run and /var: not to the host's.
_HOLDER = """
set -e
mkdir -p "$1/var" "$1/var-work"
mount -t overlay -o "lowerdir=/var,upperdir=$1/var,workdir=$1/var-work" var /var
mount -t tmpfs run /run
mount --make-rshared /
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
trap '' CHLD
echo ready
exec sleep infinity
"""


def hold(layout: Layout) -> int:
    """Start the holder; its pid on the host."""
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    script = ["sh", "-c", _HOLDER, "sh", str(layout.folder)]
    outer = Started([*command, *script], output=layout.folder / "holder.log")
    outer.wait_for_text("ready", within=20)
    return child_of(outer.pid)


def namespace_of(pid: int) -> str:
    """The process namespace that *pid* is in; empty when there is no such process."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def living(namespace: str) -> list[int]:
    """The processes in a process namespace."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if namespace_of(pid) == namespace]


def enter(holder: int) -> tuple[str, ...]:
    """The command that runs what follows it inside."""
    return ("nsenter", f"--target={holder}", "--net", "--mount", "--pid", "--")


def child_of(pid: int) -> int:
    """The only child of *pid*, once it is there."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    wait_until(lambda: children.read_text().split(), within=10, what=f"a child of {pid}")
    return int(children.read_text().split()[0])


def free_number() -> int:
    """Of no link that is there; OSError when there are too many."""
    links = run("ip", "-oneline", "link")
    for number in range(250):
        if f"treadle{number}:" not in links and f"treadle{number}@" not in links:
            return number
    raise OSError("250 local clusters are there already")


def link(layout: Layout, holder: int) -> None:
    """A cable between host and cluster: its API server is reached from the host, nothing else."""
    inside = f"{layout.name}n"
    run("ip", "link", "add", layout.name, "type", "veth", "peer", "name", inside)
    run("ip", "link", "set", inside, "netns", str(holder))
    run("ip", "address", "add", f"{layout.host_address}/30", "dev", layout.name)
    run("ip", "link", "set", layout.name, "up")
    within = enter(holder)
    run(*within, "ip", "link", "set", inside, "name", "eth0")
    run(*within, "ip", "address", "add", f"{layout.node_address}/30", "dev", "eth0")
    run(*within, "ip", "link", "set", "eth0", "up")
    # What is outside answers at once that it cannot be reached: builds are offline.
    run(*within, "ip", "route", "add", "unreachable", "default")


def make_cgroups(layout: Layout) -> None:
    """One group for all pods, in every hierarchy."""
    for hierarchy in _hierarchies():
        group = hierarchy / layout.name
        group.mkdir(exist_ok=True)
        if hierarchy.name == "cpuset":  # a new group of cpuset is empty, and takes no process
            for name in ("cpuset.cpus", "cpuset.mems"):
                (group / name).write_text((hierarchy / name).read_text())


def remove_cgroups(layout: Layout) -> None:
    """Remove the groups of ended pods, innermost first."""
    for hierarchy in _hierarchies():
        found = [group for group in (hierarchy / layout.name).rglob("*") if group.is_dir()]
        for group in [*sorted(found, reverse=True), hierarchy / layout.name]:
            if group.exists():
                wait_until(lambda one=group: _removed(one), within=20, what=f"{group} being empty")


def left(layout: Layout, namespace: str) -> list[str]:
    """What of the cluster is still on the host, in words."""
    found = [f"process {pid}" for pid in living(namespace)]
    mounts = Path("/proc/mounts").read_text().splitlines()
    found += [f"mount {line}" for line in mounts if str(layout.folder) in line]
    found += [f"link {layout.name}"] * (f"{layout.name}@" in run("ip", "-oneline", "link"))
    return found + [f"cgroup {one}" for one in _hierarchies() if (one / layout.name).exists()]


def run(*command: str, within: float = 60) -> str:
    """What it prints; AssertionError with its error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}{done.stdout}"
    return done.stdout


def _hierarchies() -> list[Path]:
    """Mounted hierarchies of version 1, or the only one of version 2."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    names = [one for one in CGROUPS.iterdir() if (one / "cgroup.procs").exists()]
    return [one for one in names if not one.is_symlink()]


def _removed(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
