"""From a Peer resource to the peer's own settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from treadle_cli.play.models import Mode, PeerModel

_LISTENERS = {
    "CORE_PEER_LISTENADDRESS": 7051,
    "CORE_PEER_ADDRESS": 7051,
    "CORE_PEER_CHAINCODELISTENADDRESS": 7052,
    "CORE_OPERATIONS_LISTENADDRESS": 9443,
    "CORE_TREADLE_ORDERING_LISTENADDRESS": 7050,
}


def peer_settings(peer: PeerModel, *, data: Path, free_ports: bool) -> Mapping[str, str]:
    """The ``CORE_*`` variables of *peer* on loopback, with *data* as its folder."""
    first = peer.channels[0]
    settings = {name: f"127.0.0.1:{0 if free_ports else port}" for name, port in _LISTENERS.items()}
    settings |= {
        "CORE_PEER_FILESYSTEMPATH": str(data),
        "CORE_PEER_ID": peer.name,
        "CORE_PEER_LOCALMSPID": peer.msp_id,
        "CORE_PEER_TLS_ENABLED": str(peer.tls).lower(),
        "CORE_CHAINCODE_MODE": "dev" if peer.mode is Mode.DEVELOPMENT else "net",
        "CORE_TREADLE_CHANNEL": first.name,
        "CORE_TREADLE_CHANNELCAPABILITY": first.capability,
    }
    timeouts = {
        "CORE_CHAINCODE_EXECUTETIMEOUT": peer.execute_timeout,
        "CORE_CHAINCODE_STARTUPTIMEOUT": peer.startup_timeout,
        "CORE_TREADLE_CHAINCODE_BUILDTIMEOUT": peer.build_timeout,
    }
    return settings | {
        name: f"{seconds:g}s" for name, seconds in timeouts.items() if seconds is not None
    }
