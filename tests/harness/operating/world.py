"""One namespace as an operator leaves it: what is there, and what stands for controllers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from harness.kubernetes.api import Api
from harness.kubernetes.resources import API

KINDS = {
    "Peer": API,
    "ChaincodePackage": API,
    "ChaincodeInstantiation": API,
    "StatefulSet": "/apis/apps/v1",
    "Deployment": "/apis/apps/v1",
    "NetworkPolicy": "/apis/networking.k8s.io/v1",
    "Job": "/apis/batch/v1",
    "Service": "/api/v1",
    "ConfigMap": "/api/v1",
    "ServiceAccount": "/api/v1",
    "Secret": "/api/v1",
    "PersistentVolumeClaim": "/api/v1",
    "Pod": "/api/v1",
    "Event": "/api/v1",
}
PLURALS = {kind: f"{kind.lower()}s" for kind in KINDS} | {"NetworkPolicy": "networkpolicies"}
_CHANGING = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "namespace")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Namespace:
    """Objects of one namespace, by an administrator's eyes."""

    api: Api
    name: str

    def path(self, kind: str, name: str = "", part: str = "") -> str:
        pieces = (KINDS[kind], "namespaces", self.name, PLURALS[kind], name, part)
        return "/".join(piece for piece in pieces if piece)

    def all(self, kind: str) -> list[Body]:
        items: list[Body] = self.api.get(self.path(kind)).expect()["items"]
        return items

    def get(self, kind: str, name: str) -> Body:
        found: Body = self.api.get(self.path(kind, name)).expect()
        return found

    def find(self, kind: str, name: str) -> Body | None:
        answer = self.api.get(self.path(kind, name))
        return None if answer.code == 404 else answer.expect()

    def create_peer(self, name: str = "peer0", **spec: object) -> Body:
        manifest = {
            "apiVersion": "treadle.dev/v1alpha1",
            "kind": "Peer",
            "metadata": {"name": name},
            "spec": {"mspID": "Org1MSP", **spec},
        }
        made: Body = self.api.create(self.path("Peer"), manifest).expect()
        return made

    def create_package(self, name: str = "asset-1.0", /, **spec: object) -> Body:
        """A small Python package for peer0; *spec* replaces fields, None removes them."""
        bare = {
            "name": "asset",
            "version": "1.0",
            "language": "python",
            "source": {"files": {"chaincode.py": "print()\n"}},
            "peers": [{"name": "peer0"}],
        }
        fields = {key: value for key, value in (bare | spec).items() if value is not None}
        manifest = {
            "apiVersion": "treadle.dev/v1alpha1",
            "kind": "ChaincodePackage",
            "metadata": {"name": name},
            "spec": fields,
        }
        made: Body = self.api.create(self.path("ChaincodePackage"), manifest).expect()
        return made

    def create_instantiation(self, name: str = "asset", **spec: object) -> Body:
        """Of the package asset-1.0 on mychannel; *spec* replaces fields."""
        manifest = {
            "apiVersion": "treadle.dev/v1alpha1",
            "kind": "ChaincodeInstantiation",
            "metadata": {"name": name},
            "spec": {"packageRef": {"name": "asset-1.0"}, **spec},
        }
        made: Body = self.api.create(self.path("ChaincodeInstantiation"), manifest).expect()
        return made

    def condition(
        self, kind: str = "Ready", peer: str = "peer0", *, of: str = "Peer"
    ) -> tuple[str, str, str]:
        """status, reason and message of a condition; empty texts where there is none.

        *peer* is the name of the object of kind *of*.
        """
        conditions = self.get(of, peer).get("status", {}).get("conditions", [])
        for found in conditions:
            if found["type"] == kind:
                return found["status"], found["reason"], found["message"]
        return "", "", ""

    def pod_becomes_ready(self, peer: str = "peer0") -> None:
        """What the StatefulSet's controller would write."""
        live = self.get("StatefulSet", peer)
        status = {
            "observedGeneration": live["metadata"]["generation"],
            "replicas": 1,
            "readyReplicas": 1,
            "currentRevision": "r",
            "updateRevision": "r",
        }
        self.api.merge(self.path("StatefulSet", peer, "status"), {"status": status}).expect()

    def dump(self) -> dict[str, Body]:
        """Everything, without what differs between two runs that did the same."""
        found: dict[str, Body] = {}
        for kind in KINDS:
            for body in self.all(kind):
                if not _of_cluster(body):
                    found[_free_name(found, kind, body)] = _stable(kind, body)
        text = json.dumps(found).replace(self.name, "NAMESPACE")
        stable: dict[str, Body] = json.loads(text)
        return stable


def secret_bytes(secret: Body) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in secret["data"].items()}


def _of_cluster(body: Body) -> bool:
    """What the control plane or the test itself puts into a namespace."""
    if body.get("involvedObject", {}).get("kind", "Peer") != "Peer":
        return True
    return body["metadata"]["name"] in {"kube-root-ca.crt", "default", "treadle-operator"}


def _free_name(found: dict[str, Body], kind: str, body: Body) -> str:
    """The name of an Event is a hash of uids: its reason, and how many there are of it."""
    if kind != "Event":
        return f"{kind} {body['metadata']['name']}"
    name = f"{kind} {body['reason']}"
    return f"{name} {sum(each.startswith(name) for each in found)}"


def _stable(kind: str, body: Body) -> Body:
    metadata = {k: v for k, v in body["metadata"].items() if k not in _CHANGING}
    metadata["owners"] = [owner["name"] for owner in metadata.pop("ownerReferences", [])]
    metadata.pop("name", None)
    annotations = dict(metadata.get("annotations", {}))
    # Both are hashes of what is issued with fresh keys.
    for name in ("treadle.dev/applied", "treadle.dev/fingerprint"):
        annotations.pop(name, None)
    found = {**body, "metadata": {**metadata, "annotations": annotations}}
    if kind == "Secret":
        found["data"] = dict(_described(body))
    return _without(found)


def _described(secret: Body) -> Iterator[tuple[str, str]]:
    for key, value in secret_bytes(secret).items():
        if value.startswith(b"-----BEGIN CERTIFICATE"):
            certificate = x509.load_pem_x509_certificate(value)
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            issuer = certificate.issuer.rfc4514_string()
            yield key, f"{names[0].value} by {issuer}"
        else:
            yield key, "key" if b"PRIVATE KEY" in value else value.decode()


_VOLATILE = frozenset({
    "lastTransitionTime", "firstTimestamp", "lastTimestamp", "uid", "resourceVersion",
    "clusterIP", "clusterIPs", "treadle.dev/fingerprint", "creationTimestamp", "namespace",
    "generation", "observedGeneration", "nodePort", "healthCheckNodePort",
})  # fmt: skip


def _without(node: Any) -> Any:
    """Without times, addresses and identifiers, at any depth."""
    if isinstance(node, dict):
        return {key: _without(value) for key, value in node.items() if key not in _VOLATILE}
    return [_without(item) for item in node] if isinstance(node, list) else node
