"""A real API server with its etcd on loopback: by itself without nodes and controllers."""

from __future__ import annotations

import http.client
import random
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API server listens, and the command that enters the namespaces it runs in."""

    address: str = "127.0.0.1"
    service_addresses: str = SERVICE_ADDRESSES
    service_address: str = "10.0.0.1"
    enter: tuple[str, ...] = ()
    flags: tuple[str, ...] = (
        "--endpoint-reconciler-type=none",
        "--disable-admission-plugins=ServiceAccount",
    )


class ControlPlane:
    """etcd and kube-apiserver in *folder*, on ports that were free; a context manager.

    ``api`` and ``kubeconfig`` act as a member of system:masters. Where *place* says nothing else,
    pods can be created without the service accounts that a controller would have made.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Path,
        flags: Sequence[str] = (),
        place: Place = Place(),
    ) -> None:
        self.folder = folder
        self.port = quiet_port()
        self.kubeconfig = folder / "admin.kubeconfig"
        self.binaries = binaries
        self.certificates = Certificates(folder / "certificates")
        self.admin = self.certificates.issue("admin", groups=["system:masters"])
        self.service_accounts = self.certificates.signing_keys("service-accounts")
        self.processes: dict[str, Started] = {}
        self._flags = flags
        self._place = place
        self._store = f"http://127.0.0.1:{quiet_port()}"
        self.api = self.connection()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def begin(self) -> None:
        """Start both and wait for the API server; nothing runs any more when this fails."""
        try:
            self.start("etcd", self._etcd())
            self.start("kube-apiserver", self._apiserver())
            self.write_kubeconfig(self.kubeconfig, self.admin)
            wait_until(self._ready, within=READY_SECONDS, what="the API server being ready")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        self.api.close()
        for process in reversed(list(self.processes.values())):
            process.stop()

    def connection(self) -> Api:
        """One more connection as the administrator: each thread needs its own."""
        return Api(
            port=self.port,
            authority=self.certificates.authority,
            identity=self.admin,
            address=self._place.address,
        )

    def issue(self, common_name: str, *, hosts: Sequence[str]) -> tuple[Path, Path]:
        """Certificate and key of a server at *hosts*."""
        return self.certificates.issue(common_name, hosts=hosts)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What the real kubectl prints; AssertionError with its error when it fails."""
        done = subprocess.run(
            [str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig),
             "--cache-dir", str(self.folder / "kubectl-cache"), *arguments],
            input=stdin, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def start(self, name: str, command: Sequence[str]) -> None:
        """One more process beside the API server, in the same namespaces; it ends before it."""
        entered = [*self._place.enter, *command]
        self.processes[name] = Started(entered, output=self.folder / f"{name}.log")

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
        place = self._place
        hosts = ["localhost", "kubernetes.default.svc", place.address, place.service_address]
        certificate, key = self.certificates.issue("kube-apiserver", hosts=hosts)
        public, private = self.service_accounts
        return [
            str(self.binaries / "kube-apiserver"),
            f"--etcd-servers={self._store}",
            f"--bind-address={place.address}",
            f"--advertise-address={place.address}",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self.certificates.authority}",
            f"--kubelet-client-certificate={self.admin[0]}",
            f"--kubelet-client-key={self.admin[1]}",
            "--kubelet-preferred-address-types=InternalIP",
            "--authorization-mode=Node,RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={public}",
            f"--service-account-signing-key-file={private}",
            f"--service-cluster-ip-range={place.service_addresses}",
            *place.flags,
            *self._flags,
        ]

    def _ready(self) -> bool:
        for process in self.processes.values():
            if not process.running():
                raise Deadline(f"{process.command[0]} ended:\n{process.text()[-4000:]}")
        try:
            return self.api.get("/readyz").accepted
        except (OSError, http.client.HTTPException):
            return False

    def write_kubeconfig(self, path: Path, identity: tuple[Path, Path]) -> None:
        """How a program reaches this API server as the holder of *identity*."""
        certificate, key = identity
        cluster = {
            "server": f"https://{self._place.address}:{self.port}",
            "certificate-authority": str(self.certificates.authority),
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
        path.write_text(yaml.safe_dump(config))
