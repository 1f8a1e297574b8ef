"""Who may connect to a peer's pod, and where it may connect to. Pure.

A port-forward comes from the pod's own loopback and passes by every NetworkPolicy.
"""

from __future__ import annotations

from treadle_operator.model import PEER_LABEL, Manifest, Peer
from treadle_operator.names import PeerNames
from treadle_operator.resources import ports
from treadle_operator.resources.metadata import child, selector_labels


def network_policy(peer: Peer, names: PeerNames) -> Manifest:
    """Clients from anywhere; chaincode and operator each to their port; out to DNS and pods of
    the namespace (chaincode servers), or anywhere for an external ordering service.
    """
    clients = [ports.PEER] + ([ports.ORDERING] if peer.spec.ordering is None else [])
    chaincodes: Manifest = {
        "podSelector": {
            "matchLabels": {PEER_LABEL: peer.meta.name},
            "matchExpressions": [
                {
                    "key": "app.kubernetes.io/component",
                    "operator": "In",
                    "values": ["chaincode", "builder"],
                }
            ],
        }
    }
    operator: Manifest = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "treadle-operator"}},
    }
    inside: list[Manifest] = [
        {"ports": _tcp(ports.CHAINCODE, ports.LAUNCHED), "from": [chaincodes]},
        {"ports": _tcp(ports.RUNTIME), "from": [operator]},
    ]
    return {
        **child(
            peer,
            api_version="networking.k8s.io/v1",
            kind="NetworkPolicy",
            name=names.network_policy,
        ),
        "spec": {
            "podSelector": {"matchLabels": selector_labels(peer.meta.name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"ports": _tcp(*clients)},
                *(inside if peer.spec.tls.enabled else []),
                {"ports": _tcp(ports.OPERATIONS), "from": [{"namespaceSelector": {}}]},
            ],
            "egress": _egress(peer),
        },
    }


def _egress(peer: Peer) -> list[object]:
    domain: Manifest = {"ports": [{"protocol": "UDP", "port": 53}, *_tcp(53)]}
    rules: list[object] = [domain, {"to": [{"podSelector": {}}]}]
    if peer.spec.ordering is not None:
        numbers = sorted({int(each.rpartition(":")[2]) for each in peer.spec.ordering.endpoints})
        rules.append({"ports": _tcp(*numbers)})
    return rules


def _tcp(*numbers: int) -> list[object]:
    return [{"protocol": "TCP", "port": number} for number in numbers]
