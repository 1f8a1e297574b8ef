"""Services of a Peer, and the names by which it is dialled. Pure."""

from __future__ import annotations

from treadle_operator.model import Manifest, Peer
from treadle_operator.names import PeerNames
from treadle_operator.resources import ports
from treadle_operator.resources.metadata import child, selector_labels


def client_service(peer: Peer, names: PeerNames) -> Manifest:
    """``<peer>``: clients in the cluster, and whoever watches the peer's health."""
    found = [*_client_ports(peer), _port("operations", ports.OPERATIONS)]
    return _service(peer, names.service, {"type": "ClusterIP", "ports": found})


def internal_service(peer: Peer, names: PeerNames) -> Manifest:
    """``<peer>-internal``: chaincodes and the operator, which come before the peer is ready.

    Without TLS the chaincode port listens on the pod's loopback only, and the others not at all:
    then this Service only names the pod.
    """
    found = {
        "chaincode": ports.CHAINCODE,
        "launched": ports.LAUNCHED,
        "runtime": ports.RUNTIME,
    }
    spec: Manifest = {"clusterIP": "None", "publishNotReadyAddresses": True}
    if peer.spec.tls.enabled:
        spec["ports"] = [_port(name, number) for name, number in found.items()]
    return _service(peer, names.internal, spec)


def external_service(peer: Peer, names: PeerNames) -> Manifest | None:
    """``<peer>-external``: clients outside of the cluster; never the operations port.

    None when something else, such as an ingress, leads to the peer.
    """
    external = peer.spec.external
    if external is None or external.service_type == "ClusterIP":
        return None
    spec: Manifest = {"type": external.service_type, "ports": _client_ports(peer)}
    return _service(peer, names.external, spec)


def server_names(peer: Peer, names: PeerNames) -> tuple[str, ...]:
    """Every host name that the certificate of the client port has to carry."""
    namespace = peer.meta.namespace
    found = [names.service]
    for service in (names.service, names.internal):
        host = f"{service}.{namespace}"
        found += [host, f"{host}.svc", f"{host}.svc.cluster.local"]
    if peer.spec.external is not None:
        found.append(peer.spec.external.host)
    # A port-forward arrives on loopback.
    return tuple(dict.fromkeys([*found, "localhost", "127.0.0.1"]))


def _client_ports(peer: Peer) -> list[object]:
    found: list[object] = [_port("peer", ports.PEER)]
    if peer.spec.ordering is None:
        found.append(_port("ordering", ports.ORDERING))
    return found


def _port(name: str, number: int) -> Manifest:
    return {"name": name, "port": number, "protocol": "TCP", "targetPort": name}


def _service(peer: Peer, name: str, spec: Manifest) -> Manifest:
    return {
        **child(peer, api_version="v1", kind="Service", name=name),
        "spec": {**spec, "selector": selector_labels(peer.meta.name)},
    }
