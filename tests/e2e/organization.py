"""A Peer's administrator at this machine: the real Fabric CLI through a port-forward."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.kubectl import Kubectl
from harness.fabric_cli import FabricCli
from treadle_operator.names import peer_names

PLACES = {
    "cacert.pem": "cacerts/cacert.pem",
    "signcert.pem": "signcerts/cert.pem",
    "key.pem": "keystore/key.pem",
    "config.yaml": "config.yaml",
    "tlscacert.pem": "tlscacerts/tlscacert.pem",
}


def secret(kubectl: Kubectl, name: str) -> dict[str, bytes]:
    """The contents of a Secret."""
    data = kubectl.get("secret", name)["data"]
    return {key: base64.b64decode(value) for key, value in data.items()}


def admin_folder(kubectl: Kubectl, peer: str, msp_id: str, folder: Path) -> Path:
    """The administrator's MSP as Fabric's tools want it."""
    for name, content in secret(kubectl, peer_names(peer, msp_id).admin_secret).items():
        if name in PLACES:
            path = folder / PLACES[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


@contextmanager
def fabric_cli(
    kubectl: Kubectl, *, binaries: Path, sample: Path, peer: str = "peer0", msp_id: str = "Org1MSP"
) -> Iterator[FabricCli]:
    """``peer …`` as the administrator of the Peer's organisation, at the peer's own ports."""
    folder = kubectl.folder / f"{kubectl.namespace}-{peer}"
    msp = admin_folder(kubectl, peer, msp_id, folder / "msp")
    root = folder / "tls.pem"
    root.write_bytes(secret(kubectl, peer_names(peer, msp_id).tls_secret)["ca.crt"])
    with kubectl.forward(f"pod/{peer}-0", 7051, 7050) as (peer_port, orderer_port):
        yield FabricCli(
            binary=binaries / "peer",
            config=sample,
            msp_id=msp_id,
            msp_folder=msp,
            peer_address=f"localhost:{peer_port}",
            orderer_address=f"localhost:{orderer_port}",
            tls_root=root,
        )
