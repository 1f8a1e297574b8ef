"""A disk that is full, or cannot be written, below a running peer."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.peers import PEER_COMMAND, PeerProcess
from harness.processes import Started

_MEGABYTES = 32


class MountRefused(Exception):
    """Why there can be no small disk on this machine."""


class SmallDisk:
    """A file system of its own at *folder* (what is there moves in); unmounted by ``end``.

    *limited*: none, but ``fill`` limits the size of the files of the running peer: the kernel
    refuses its writes too, in other words, until the peer is started anew. Raises MountRefused.
    """

    def __init__(self, folder: Path, *, limited: bool = False) -> None:
        self.folder = folder
        self.mounted = False
        if not limited:
            self._mount(folder)

    def _mount(self, folder: Path) -> None:
        content = folder.with_name(f".{folder.name}.moving")
        shutil.copytree(folder, content)
        flags = ["-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "tmpfs", str(folder)]
        done = subprocess.run(["mount", *flags], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            self.mounted = True
            shutil.copytree(content, folder, dirs_exist_ok=True)
        shutil.rmtree(content)
        if not self.mounted:
            raise MountRefused(done.stderr.strip())

    @property
    def refusal(self) -> str:
        """What the kernel says to a write when it is full."""
        return "No space left on device" if self.mounted else "File too large"

    def fill(self, peer: PeerProcess, *, leave: int) -> None:
        """Let *peer* write about *leave* more bytes."""
        if not self.mounted:
            largest = max(file.stat().st_size for file in self.folder.rglob("*.log"))
            limits = (largest + leave, largest + leave)
            resource.prlimit(peer.process.pid, resource.RLIMIT_FSIZE, limits)
            return
        self._fill(leave)

    @contextmanager
    def full(self, *, leave: int) -> Iterator[None]:
        """Full but for *leave* bytes; not of a limited one."""
        self._fill(leave)
        try:
            yield
        finally:
            self.make_room()

    def make_room(self) -> None:
        """As much as before ``fill``."""
        self._hog.unlink(missing_ok=True)

    def end(self) -> None:
        """Unmount; harmless when it was not mounted."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=True)
            self.mounted = False

    def _fill(self, leave: int) -> None:
        state = os.statvfs(self.folder)
        self._hog.write_bytes(bytes(state.f_bavail * state.f_frsize - leave))

    @property
    def _hog(self) -> Path:
        return self.folder / "hog"


def read_only(folder: Path) -> bool:
    """Make *folder* one that cannot be written, also by root; False where that is not allowed."""
    for flags in (["--bind", str(folder), str(folder)], ["-o", "remount,ro,bind", str(folder)]):
        if subprocess.run(["mount", *flags], capture_output=True, check=False).returncode:
            return False
    return True


def launched_read_only(peer: PeerProcess) -> Started:
    """Start *peer* where the kernel answers as on a read-only file system to its first write."""
    peer.starts += 1
    file = peer.data / "LOCK"
    tracer = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=openat"]
    return Started(
        [*tracer, "-P", str(file), "--inject=openat:error=EROFS", *PEER_COMMAND, "node", "start"],
        output=peer.folder / f"output.{peer.starts}",
        environment=peer.environment,
        cwd=peer.folder,
    )


def writable(folder: Path) -> None:
    """Undo ``read_only``."""
    subprocess.run(["umount", "-l", str(folder)], check=True)
