"""A real operator process."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from harness.operating.account import Account
from harness.processes import Started
from harness.real_peer import free_port

IMAGE = "registry.example.com/treadle/peer:test"
_START = "from treadle_operator.main import main; main()"
_WITH_NAMES = 'mount --bind "$0" /etc/hosts && exec "$@"'


class OperatorProcess:
    """``treadle-operator`` in a process of its own, watching one namespace; a context manager.

    One of the same *identity* need not wait for the lease of another that was killed. With
    *hosts*, a file, it finds the names of Services as pods of a process node do.
    """

    def __init__(
        self, account: Account, folder: Path, *, server: str, name: str = "op",
        identity: str = "operator", image: str = IMAGE, hosts: Path | None = None,
        flags: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        kubeconfig = account.kubeconfig(folder / f"{name}.kubeconfig", server=server)
        command = [
            *(sys.executable, "-c", _START),
            *("--namespaces", account.namespace, "--peer-image", image),
            *("--listen", f"127.0.0.1:{self.port}", "--identity", identity),
            *flags,
        ]
        if hosts is not None:
            own = ["unshare", "--mount", "--propagation", "private"]
            command = [*own, "/bin/sh", "-c", _WITH_NAMES, str(hosts), *command]
        environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self.started = Started(command, output=folder / f"{name}.log", environment=environment)

    @property
    def pid(self) -> int:
        return self.started.pid

    @property
    def most_memory(self) -> int:
        """Bytes that it has had at once."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.started.stop()
