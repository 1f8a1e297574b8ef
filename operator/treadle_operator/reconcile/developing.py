"""How a developer starts the process that a Peer in mode Development waits for. Pure."""

from __future__ import annotations

from typing import Final

from treadle_operator.model import Peer
from treadle_operator.names import peer_names
from treadle_operator.resources.config import DATA_FOLDER

_CERTIFICATE: Final = "chaincode/authority/development"
"""Below the peer's data folder: what the peer's own start line names, too."""


def how_to_connect(peer: Peer, ccid: str) -> str:
    """A sentence with the commands, in the order in which they are typed."""
    pod = peer_names(peer.meta.name, peer.spec.msp_id).pod
    forward = f"kubectl port-forward pod/{pod} 7052"
    dial = "<chaincode> -peer.address 127.0.0.1:7052"
    if not peer.spec.tls.enabled:
        start = f"CORE_CHAINCODE_ID_NAME={ccid} CORE_PEER_TLS_ENABLED=false {dial}"
        return f"run {forward} and start yours: {start}"
    copy = f"kubectl cp {peer.meta.namespace}/{pod}:{DATA_FOLDER}/{_CERTIFICATE} development"
    variables = (
        f"CORE_CHAINCODE_ID_NAME={ccid} CORE_PEER_TLS_ENABLED=true "
        "CORE_PEER_TLS_ROOTCERT_FILE=development/peer.crt "
        "CORE_TLS_CLIENT_KEY_PATH=development/client.key "
        "CORE_TLS_CLIENT_CERT_PATH=development/client.crt"
    )
    return (
        f"fetch the development certificate: {copy}; run {forward}; start yours: {variables} {dial}"
    )
