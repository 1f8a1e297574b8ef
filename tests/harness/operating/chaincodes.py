"""ChaincodePackages and ChaincodeInstantiations as the API server stores them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from treadle_operator.model import (
    ChaincodeInstantiation,
    ChaincodePackage,
    parse_instantiation,
    parse_package,
)

BARE_PACKAGE_SPEC: dict[str, Any] = {
    "name": "asset",
    "version": "1.0",
    "language": "python",
    "source": {"files": {"chaincode.py": "print()\n"}},
    "peers": [{"name": "peer0"}],
    "deletionPolicy": "Keep",
}
BARE_INSTANTIATION_SPEC: dict[str, Any] = {
    "packageRef": {"name": "asset-1.0"},
    "channel": "mychannel",
}


def stored_package(name: str = "asset-1.0", /, **spec: object) -> dict[str, Any]:
    """The body; *spec* replaces fields of the minimal one, None removes them."""
    return _stored("ChaincodePackage", name, BARE_PACKAGE_SPEC, spec)


def package(name: str = "asset-1.0", /, **spec: object) -> ChaincodePackage:
    return parse_package(stored_package(name, **spec))


def stored_instantiation(
    name: str = "asset", created: str = "2026-11-01T12:00:00Z", /, **spec: object
) -> dict[str, Any]:
    """The body; *spec* as in ``stored_package``."""
    body = _stored("ChaincodeInstantiation", name, BARE_INSTANTIATION_SPEC, spec)
    body["metadata"]["creationTimestamp"] = created
    return body


def instantiation(
    name: str = "asset", created: str = "2026-11-01T12:00:00Z", /, **spec: object
) -> ChaincodeInstantiation:
    return parse_instantiation(stored_instantiation(name, created, **spec))


def _stored(
    kind: str, name: str, bare: Mapping[str, object], spec: Mapping[str, object]
) -> dict[str, Any]:
    fields = copy.deepcopy(dict(bare)) | copy.deepcopy(dict(spec))
    return {
        "apiVersion": "treadle.dev/v1alpha1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "trade",
            "uid": f"uid-of-{name}",
            "generation": 1,
            "creationTimestamp": "2026-11-01T12:00:00Z",
        },
        "spec": {key: value for key, value in fields.items() if value is not None},
    }
