"""Start a cluster that stays when its starter ends, and end it by what was written down."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from cluster import images, parts, space
from cluster.layout import API_SERVICE, NODE, SERVICES, Layout
from cluster.objects import objects
from harness.kubernetes.control_plane import ControlPlane, Place
from harness.kubernetes.controllers import start_controllers
from harness.processes import Deadline, Started, wait_until

READY_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """What was written down at the start: the namespaces, their holder, every process by name.

    Pids are those of the host; ``commands`` is how each process was started.
    """

    layout: Layout
    holder: int
    namespace: str
    processes: Mapping[str, int]
    commands: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, folder: Path, binaries: Path) -> Cluster:
        """Of a cluster that was started in *folder*; FileNotFoundError when there is none."""
        record = json.loads((folder / "cluster.json").read_text())
        layout = Layout(folder=folder.resolve(), binaries=binaries, number=record.pop("number"))
        return cls(layout=layout, **record)

    def write(self) -> None:
        record = {
            "number": self.layout.number,
            "holder": self.holder,
            "namespace": self.namespace,
            "processes": dict(self.processes),
            "commands": {name: list(command) for name, command in self.commands.items()},
        }
        self.layout.write("cluster.json", json.dumps(record, indent=2))

    def load(self, archive: Path) -> list[str]:
        """Import the images of an archive; their names."""
        return images.load(self.layout, self.holder, archive)

    def kill(self, name: str) -> None:
        """End a process as a crash would; LookupError when it does not run."""
        pid = self.processes[name]
        if space.namespace_of(pid) != self.namespace:
            raise LookupError(f"{name} does not run")
        os.kill(pid, signal.SIGKILL)
        ended = f"the end of {name}"
        wait_until(lambda: space.namespace_of(pid) != self.namespace, within=20, what=ended)

    def start(self, name: str) -> Cluster:
        """Start a killed process again, by the same command; what is to be known from then on."""
        output = self.layout.folder / f"{name}.log"
        started = Started([*space.enter(self.holder), *self.commands[name]], output=output)
        pids = {**self.processes, name: space.child_of(started.pid)}
        cluster = replace(self, processes=pids)
        cluster.write()
        return cluster

    def down(self) -> list[str]:
        """End everything and remove it, logs excepted; what is left all the same, in words."""
        if space.namespace_of(self.holder) == self.namespace:
            os.kill(self.holder, signal.SIGKILL)
        ended = f"the end of all processes in {self.namespace}"
        wait_until(lambda: not space.living(self.namespace), within=60, what=ended)
        space.remove_cgroups(self.layout)
        for path in self.layout.folder.iterdir():
            if path.suffix == ".log":
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        return space.left(self.layout, self.namespace)


def up(folder: Path, binaries: Path) -> Cluster:
    """A cluster of one node, ready for pods; one that does not come up is ended again.

    FileExistsError when there is one in *folder* already.
    """
    if (folder / "cluster.json").exists():
        raise FileExistsError(f"there is a cluster in {folder} already; make cluster-down ends it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    layout = Layout(folder=folder.resolve(), binaries=binaries, number=space.free_number())
    space.make_cgroups(layout)
    holder = space.hold(layout)
    namespace = space.namespace_of(holder)
    try:
        Cluster(layout, holder, namespace, {}, {}).write()
        space.link(layout, holder)
        plane = _control_plane(layout, holder)
        _start_node(layout, plane, holder)
        _wait_for_node(layout, plane)
        pids = {name: space.child_of(one.pid) for name, one in plane.processes.items()}
        entered = len(space.enter(holder))
        commands = {name: one.command[entered:] for name, one in plane.processes.items()}
        cluster = Cluster(layout, holder, namespace, pids, commands)
        cluster.write()
    except BaseException:
        Cluster(layout, holder, namespace, {}, {}).down()
        raise
    return cluster


def _control_plane(layout: Layout, holder: int) -> ControlPlane:
    """The started API server; it and all others go on when this program ends."""
    policy = layout.write("audit-policy.yaml", yaml.safe_dump(parts.AUDIT_POLICY))
    flags = (
        "--allow-privileged=true",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={layout.audit_log}",
    )
    place = Place(
        address=layout.node_address,
        service_addresses=SERVICES,
        service_address=API_SERVICE,
        enter=space.enter(holder),
        flags=flags,
    )
    plane = ControlPlane(layout.folder, binaries=layout.binaries, place=place)
    plane.begin()
    return plane


def _start_node(layout: Layout, plane: ControlPlane, holder: int) -> None:
    plane.start("containerd", parts.containerd(layout))
    wait_until(layout.containerd_socket.exists, within=30, what="containerd's socket")
    archive = layout.folder / "tools.tar"
    images.write_tools(archive)
    images.load(layout, holder, archive)
    plane.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(objects(layout)))
    start_controllers(plane)
    plane.start("kubelet", parts.kubelet(layout, plane))
    plane.start("kube-proxy", parts.kube_proxy(layout, plane))
    plane.start("coredns", parts.coredns(layout, plane))
    plane.start("local-path-provisioner", parts.provisioner(layout, plane))


def _wait_for_node(layout: Layout, plane: ControlPlane) -> None:
    """Node Ready, names answered, and the service account that pods of namespace default get."""

    def ready() -> bool:
        for name, process in plane.processes.items():
            if not process.running():
                raise Deadline(f"{name} ended:\n{process.text()[-4000:]}")
        node = plane.api.get(f"/api/v1/nodes/{NODE}")
        conditions = node.body.get("status", {}).get("conditions", []) if node.accepted else []
        account = plane.api.get("/api/v1/namespaces/default/serviceaccounts/default")
        return (
            any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
            and account.accepted
            and _names_are_served(layout)
        )

    wait_until(ready, within=READY_SECONDS, what="the node being Ready and names being served")


def _names_are_served(layout: Layout) -> bool:
    connection = http.client.HTTPConnection(layout.node_address, 8181, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
