"""``core.yaml`` of a peer in a pod, in the ConfigMap that holds it. Pure."""

from __future__ import annotations

from typing import Final

import yaml

from treadle_operator.model import Manifest, Mode, Peer
from treadle_operator.names import PeerNames
from treadle_operator.resources import ports
from treadle_operator.resources.metadata import child

FILE: Final = "core.yaml"
CONFIG_FOLDER: Final = "/etc/treadle/config"
MSP_FOLDER: Final = "/etc/treadle/msp"
TLS_FOLDER: Final = "/etc/treadle/tls"
RUNTIME_FOLDER: Final = "/etc/treadle/runtime"
DATA_FOLDER: Final = "/var/lib/treadle"
DRAIN_SECONDS: Final = 10


def config_map(peer: Peer, names: PeerNames) -> Manifest:
    """The ConfigMap with the peer's core.yaml."""
    text = yaml.safe_dump(core_yaml(peer, names), sort_keys=True)
    manifest = child(peer, api_version="v1", kind="ConfigMap", name=names.config_map)
    return {**manifest, "data": {FILE: text}}


def core_yaml(peer: Peer, names: PeerNames) -> Manifest:
    """The configuration. Channels are not in it: they are made through the peer's API."""
    host = f"{names.service}.{peer.meta.namespace}.svc"
    return {
        "peer": {
            "id": peer.meta.name,
            "networkId": peer.meta.namespace,
            "fileSystemPath": DATA_FOLDER,
            "localMspId": peer.spec.msp_id,
            "mspConfigPath": MSP_FOLDER,
            "listenAddress": f"0.0.0.0:{ports.PEER}",
            "address": f"{host}:{ports.PEER}",
            **_chaincode_addresses(peer, names),
            "tls": _tls(peer),
        },
        "chaincode": _chaincode(peer),
        "operations": {"listenAddress": f"0.0.0.0:{ports.OPERATIONS}"},
        "treadle": {
            "channel": "",
            "chaincode": {
                "buildTimeout": peer.spec.chaincode.build_timeout,
                **_launching(peer, names),
                **_development(peer),
            },
            "ordering": {
                "listenAddress": f"0.0.0.0:{ports.ORDERING}",
                "address": f"{host}:{ports.ORDERING}",
            },
            "stop": {"drainTimeout": f"{DRAIN_SECONDS}s"},
            **_runtime(peer),
        },
    }


def _chaincode_addresses(peer: Peer, names: PeerNames) -> Manifest:
    """Without TLS nobody but a developer's port-forward may reach the chaincode port."""
    if not peer.spec.tls.enabled:
        address = f"127.0.0.1:{ports.CHAINCODE}"
        return {"chaincodeListenAddress": address, "chaincodeAddress": address}
    return {
        "chaincodeListenAddress": f"0.0.0.0:{ports.CHAINCODE}",
        "chaincodeAddress": f"{names.internal}.{peer.meta.namespace}.svc:{ports.CHAINCODE}",
    }


def launched_address(peer: Peer, names: PeerNames) -> str:
    """host:port that chaincode pods dial."""
    return f"{names.internal}.{peer.meta.namespace}.svc:{ports.LAUNCHED}"


def _launching(peer: Peer, names: PeerNames) -> Manifest:
    """Without TLS there are only processes of developers: nothing is built or started."""
    if not peer.spec.tls.enabled:
        return {}
    return {
        "launcher": "operator",
        "launchedListenAddress": f"0.0.0.0:{ports.LAUNCHED}",
        "launchedAddress": launched_address(peer, names),
    }


def _development(peer: Peer) -> Manifest:
    """Whether single chaincodes may be opened; in mode Development all are developers' anyway."""
    allowed = peer.spec.allow_development or peer.spec.mode is Mode.DEVELOPMENT
    return {} if allowed else {"allowDevelopment": False}


def _runtime(peer: Peer) -> Manifest:
    if not peer.spec.tls.enabled:
        return {}
    files: Manifest = {
        "cert": {"file": f"{RUNTIME_FOLDER}/tls.crt"},
        "key": {"file": f"{RUNTIME_FOLDER}/tls.key"},
        "clientRootCAs": {"files": [f"{RUNTIME_FOLDER}/ca.crt"]},
    }
    return {"runtime": {"listenAddress": f"0.0.0.0:{ports.RUNTIME}", "tls": files}}


def _tls(peer: Peer) -> Manifest:
    if not peer.spec.tls.enabled:
        return {"enabled": False}
    return {
        "enabled": True,
        "cert": {"file": f"{TLS_FOLDER}/tls.crt"},
        "key": {"file": f"{TLS_FOLDER}/tls.key"},
        "rootcert": {"file": f"{TLS_FOLDER}/ca.crt"},
        "clientRootCAs": {"files": [f"{TLS_FOLDER}/ca.crt"]},
    }


def _chaincode(peer: Peer) -> Manifest:
    settings = peer.spec.chaincode
    found: Manifest = {
        "mode": "dev" if peer.spec.mode is Mode.DEVELOPMENT else "net",
        "startuptimeout": settings.startup_timeout,
    }
    if settings.execute_timeout is not None:
        found["executetimeout"] = settings.execute_timeout
    return found
