"""A real API server with its etcd on loopback: no nodes, no controllers, nothing runs pods."""

from __future__ import annotations

import http.client
import random
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import yaml
from harness.kubernetes.api import Api
from harness.kubernetes.certificates import Certificates
from harness.processes import Deadline, Started, wait_until

READY_SECONDS = 120.0
SERVICE_ADDRESSES = "10.0.0.0/24"


def quiet_port() -> int:
    """A free port outside of the range that outgoing connections use.

    These servers cannot choose a port themselves, and between the choice and their start a busy
    machine opens many connections.
    """
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port between 20000 and 32000")


class ControlPlane:
    """etcd and kube-apiserver in *folder*, on ports that were free; a context manager.

    ``api`` and ``kubeconfig`` act as a member of system:masters. Pods can be created without the
    service accounts that a controller would have made.
    """

    def __init__(self, folder: Path, *, binaries: Path, flags: Sequence[str] = ()) -> None:
        self.folder = folder
        self.port = quiet_port()
        self.kubeconfig = folder / "admin.kubeconfig"
        self._binaries = binaries
        self._flags = flags
        self._store = f"http://127.0.0.1:{quiet_port()}"
        self._certificates = Certificates(folder / "certificates")
        self._admin = self._certificates.issue("admin", groups=["system:masters"])
        self.api = Api(port=self.port, authority=self._certificates.authority, identity=self._admin)
        self._processes: list[Started] = []

    def __enter__(self) -> Self:
        try:
            self._start("etcd", self._etcd())
            self._start("kube-apiserver", self._apiserver())
            self._write_kubeconfig()
            wait_until(self._ready, within=READY_SECONDS, what="the API server being ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()
        for process in reversed(self._processes):
            process.stop()

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What the real kubectl prints; AssertionError with its error when it fails."""
        done = subprocess.run(
            [str(self._binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig),
             "--cache-dir", str(self.folder / "kubectl-cache"), *arguments],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def _start(self, name: str, command: Sequence[str]) -> None:
        self._processes.append(Started(command, output=self.folder / f"{name}.log"))

    def _etcd(self) -> list[str]:
        peers = f"http://127.0.0.1:{quiet_port()}"
        return [
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={self._store}",
            f"--advertise-client-urls={self._store}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
        ]

    def _apiserver(self) -> list[str]:
        hosts = ["127.0.0.1", "localhost", "kubernetes.default.svc", "10.0.0.1"]
        certificate, key = self._certificates.issue("kube-apiserver", hosts=hosts)
        public, private = self._certificates.signing_keys("service-accounts")
        return [
            str(self._binaries / "kube-apiserver"),
            f"--etcd-servers={self._store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self._certificates.authority}",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={public}",
            f"--service-account-signing-key-file={private}",
            f"--service-cluster-ip-range={SERVICE_ADDRESSES}",
            "--disable-admission-plugins=ServiceAccount",
            *self._flags,
        ]

    def _ready(self) -> bool:
        for process in self._processes:
            if not process.running():
                raise Deadline(f"{process.command[0]} ended:\n{process.text()[-4000:]}")
        try:
            return self.api.get("/readyz").accepted
        except (OSError, http.client.HTTPException):
            return False

    def _write_kubeconfig(self) -> None:
        certificate, key = self._admin
        cluster = {
            "server": f"https://127.0.0.1:{self.port}",
            "certificate-authority": str(self._certificates.authority),
        }
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        context = {"cluster": "tests", "user": "admin", "namespace": "default"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "tests", "context": context}],
            "current-context": "tests",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))
