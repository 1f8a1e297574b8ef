"""Peers as the API server stores them, with the defaults of the schema filled in."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from harness.kubernetes.resources import BARE_PEER_SPEC
from hypothesis import strategies as st
from treadle_operator.model import Peer, parse_peer
from treadle_operator.resources import MSPFiles, PeerSecrets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
"""Any JSON, small."""

SECRETS = PeerSecrets(
    msp="peer0-msp",
    msp_files=MSPFiles(
        (
            ("cacert.pem", "cacerts/cacert.pem"),
            ("config.yaml", "config.yaml"),
            ("key.pem", "keystore/priv_sk"),
            ("signcert.pem", "signcerts/cert.pem"),
        )
    ),
    tls="peer0-tls",
    runtime="peer0-runtime",
    fingerprint="0123456789abcdef",
)


def stored_peer(name: str = "peer0", spec: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The body; *spec* replaces fields of the minimal one, None removes them."""
    fields = copy.deepcopy(BARE_PEER_SPEC) | copy.deepcopy(dict(spec or {}))
    return {
        "apiVersion": "treadle.dev/v1alpha1",
        "kind": "Peer",
        "metadata": {
            "name": name,
            "namespace": "trade",
            "uid": f"uid-of-{name}",
            "generation": 1,
            "creationTimestamp": "2026-11-01T12:00:00Z",
        },
        "spec": {key: value for key, value in fields.items() if value is not None},
    }


def peer(name: str = "peer0", **spec: object) -> Peer:
    return parse_peer(stored_peer(name, spec))


FULL: dict[str, object] = {
    "mspID": "Org2MSP",
    "mode": "Production",
    "allowDevelopment": True,
    "deletionPolicy": "Delete",
    "identity": {"mspSecretRef": {"name": "our-msp"}, "adminSecretRef": {"name": "our-admin"}},
    "tls": {"enabled": True, "secretRef": {"name": "our-tls"}},
    "channels": [{"name": "trade", "capabilities": "V2_5"}],
    "storage": {"size": "50Gi", "storageClassName": "fast"},
    "external": {"host": "peer1.example.com:443", "service": {"type": "LoadBalancer"}},
    "chaincode": {"executeTimeout": "45s", "startupTimeout": "2m", "buildTimeout": "1h30m"},
    "image": "registry.example.com/treadle/peer:1",
    "resources": {"requests": {"cpu": "1000m"}, "limits": {"memory": "1Gi"}},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {}},
    "imagePullSecrets": [{"name": "registry"}],
}
