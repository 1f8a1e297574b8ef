"""The custom resources of this repository: definitions, examples, and paths in the API."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
CRDS = ROOT / "crds"
API = "/apis/treadle.dev/v1alpha1"
PLURALS = {
    "Peer": "peers",
    "ChaincodePackage": "chaincodepackages",
    "ChaincodeInstantiation": "chaincodeinstantiations",
}
REMOVED = object()


BARE_PEER_SPEC: dict[str, Any] = {
    "mspID": "Org1MSP",
    "mode": "Production",
    "deletionPolicy": "Retain",
    "tls": {"enabled": True},
    "ordering": {"embedded": {}},
    "channels": [{"name": "mychannel"}],
    "storage": {"size": "10Gi"},
    "chaincode": {
        "startupTimeout": "5m",
        "buildTimeout": "10m",
        "allowExternalServers": False,
        "builders": {},
        "runtimeDefaults": {"replicas": 1},
    },
}
"""What the API server stores of a Peer without any field in its spec."""


@cache
def definitions() -> dict[str, dict[str, Any]]:
    """Kind to its CustomResourceDefinition, as the files have it; not to be changed."""
    loaded = [yaml.safe_load(file.read_text()) for file in sorted(CRDS.glob("*.yaml"))]
    return {one["spec"]["names"]["kind"]: one for one in loaded}


def schema(kind: str) -> dict[str, Any]:
    """The schema of the only version of *kind*."""
    (version,) = definitions()[kind]["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def example(kind: str, size: str = "minimal") -> dict[str, Any]:
    """crds/examples/<kind>-<size>.yaml."""
    text = (CRDS / "examples" / f"{kind.lower()}-{size}.yaml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def collection(kind: str, namespace: str = "default") -> str:
    """Where objects of *kind* are created."""
    return f"{API}/namespaces/{namespace}/{PLURALS[kind]}"


def changed(manifest: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """A copy with other values at dotted paths; REMOVED takes a field away."""
    result = copy.deepcopy(dict(manifest))
    for path, value in changes.items():
        *around, last = path.split(".")
        node = result
        for part in around:
            node = node.setdefault(part, {})
        if value is REMOVED:
            del node[last]
        else:
            node[last] = value
    return result


def fields(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every named field below a schema node with its dotted path; items and values included."""
    for name, inner in node.get("properties", {}).items():
        yield f"{path}.{name}".lstrip("."), inner
        yield from fields(inner, f"{path}.{name}")
    for below in ("items", "additionalProperties"):
        if isinstance(node.get(below), Mapping):
            yield from fields(node[below], path)


def rules(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str, bool]]:
    """Every CEL rule: the field it points at, its sentence, whether it is about a change."""
    for rule in node.get("x-kubernetes-validations", []):
        place = f"{path}{rule.get('fieldPath', '')}".lstrip(".")
        yield place, rule["message"], "oldSelf" in rule["rule"]
    for name, inner in node.get("properties", {}).items():
        yield from rules(inner, f"{path}.{name}")
    for below in ("items", "additionalProperties"):
        if isinstance(node.get(below), Mapping):
            yield from rules(node[below], path)
