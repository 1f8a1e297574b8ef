"""The objects that the specs apply."""

from __future__ import annotations

from typing import Any

API = "treadle.dev/v1alpha1"


def namespace(name: str) -> dict[str, Any]:
    """One that allows only what the restricted Pod Security Standard does."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }


def peer(name: str = "peer0", **spec: Any) -> dict[str, Any]:
    """A Peer of Org1MSP with a small volume."""
    given = {"mspID": "Org1MSP", "storage": {"size": "1Gi"}, **spec}
    return {"apiVersion": API, "kind": "Peer", "metadata": {"name": name}, "spec": given}


def instantiation(name: str, package: str, *arguments: str) -> dict[str, Any]:
    """The chaincode of a package on the channel mychannel."""
    spec = {
        "packageRef": {"name": package},
        "channel": "mychannel",
        "init": {"args": list(arguments)},
    }
    metadata = {"name": name}
    return {"apiVersion": API, "kind": "ChaincodeInstantiation", "metadata": metadata, "spec": spec}
