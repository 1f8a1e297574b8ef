"""ChaincodeInstantiations in development without an operator: objects, Secrets, forwarded pods."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.developing import DevelopmentPeer
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.kubelets import ForwardingKubelet
from harness.kubernetes.resources import API, CRDS, PLURALS, collection
from harness.processes import wait_until

PORTS = {7050: "ordering", 7051: "peer", 7052: "chaincode"}


@dataclass(frozen=True, slots=True)
class DevelopmentCluster:
    """*namespace* of *plane*; pods are ports of *kubelet*'s node that lead to peers of the host."""

    plane: ControlPlane
    kubelet: ForwardingKubelet
    namespace: str

    @classmethod
    def on(
        cls, plane: ControlPlane, kubelet: ForwardingKubelet, namespace: str
    ) -> DevelopmentCluster:
        """With our definitions and a new namespace."""
        plane.kubectl("apply", "--server-side", "-f", str(CRDS))
        wait_until(
            lambda: all(plane.api.get(collection(kind)).accepted for kind in PLURALS),
            within=30,
            what="the custom resources being served",
        )
        plane.api.create("/api/v1/namespaces", {"metadata": {"name": namespace}}).expect()
        return cls(plane, kubelet, namespace)

    def pod_of(self, name: str, peer: DevelopmentPeer) -> None:
        """The pod of the Peer *name*: its ports are those of *peer*, also after a restart."""
        self.kubelet.pod(self.namespace, f"{name}-0")
        for port, listener in PORTS.items():
            self.kubelet.ports[f"{name}-0", port] = peer.process.addresses[listener]

    def instantiation(self, name: str, *, mode: str = "Development") -> None:
        """A ChaincodeInstantiation, as a user applies it."""
        spec = {"packageRef": {"name": name}, "channel": "mychannel", "mode": mode}
        body = {
            "apiVersion": "treadle.dev/v1alpha1",
            "kind": "ChaincodeInstantiation",
            "metadata": {"name": name},
            "spec": spec,
        }
        plural = PLURALS["ChaincodeInstantiation"]
        path = f"{API}/namespaces/{self.namespace}/{plural}"
        self.plane.api.create(path, body).expect()

    def secret(self, name: str, data: Mapping[str, bytes]) -> None:
        """A Secret of the namespace."""
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        path = f"/api/v1/namespaces/{self.namespace}/secrets"
        self.plane.api.create(path, {"metadata": {"name": name}, "data": encoded}).expect()

    def development(
        self, name: str, peers: Mapping[str, DevelopmentPeer], *, language: str = "golang"
    ) -> None:
        """``<name>-dev`` as the operator writes it, of what the peers keep for developers."""
        rows: list[dict[str, Any]] = []
        data: dict[str, bytes] = {
            "ccid": f"{name}:1".encode(),
            "language": language.encode(),
            "channel": b"mychannel",
            "msp_id": b"Org1MSP",
        }
        for peer_name, peer in peers.items():
            rows.append(
                {
                    "peer": peer_name,
                    "pod": f"{peer_name}-0",
                    "port": 7052,
                    "server_name": "localhost" if peer.tls else "",
                    "tls": peer.tls,
                }
            )
            data |= _certificates(peer_name, peer) if peer.tls else {}
        first = next(iter(peers.values()))
        data |= _user(first.process.data / "client")
        self.secret(f"{name}-dev", {**data, "peers.json": json.dumps(rows).encode()})

    def user(self, name: str, folder: Path) -> Path:
        """The kubeconfig of a user without any right."""
        file = folder / f"{name}.kubeconfig"
        self.plane.write_kubeconfig(file, self.plane.certificates.issue(name))
        return file


def _certificates(name: str, peer: DevelopmentPeer) -> dict[str, bytes]:
    folder = peer.process.data / "chaincode" / "authority" / "development"
    files = {"ca.crt": "peer.crt", "client.crt": "client_pem.crt", "client.key": "client_pem.key"}
    return {f"{name}.{key}": (folder / file).read_bytes() for key, file in files.items()}


def _user(client: Path) -> dict[str, bytes]:
    (certificate,) = (client / "msp" / "signcerts").iterdir()
    (key,) = (client / "msp" / "keystore").iterdir()
    found = {"user.crt": certificate.read_bytes(), "user.key": key.read_bytes()}
    root = client / "tls" / "ca.crt"
    return found | ({"tls_ca.crt": root.read_bytes()} if root.exists() else {})
