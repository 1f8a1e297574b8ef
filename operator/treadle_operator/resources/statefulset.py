"""The StatefulSet of a Peer: one replica, its volume, its pod. Pure.

There is no PodDisruptionBudget: with one replica it would either allow everything or block every
drain of a node for good.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from treadle_operator.model import DeletionPolicy, Manifest, Peer
from treadle_operator.names import CLAIM_TEMPLATE, PeerNames
from treadle_operator.resources import ports
from treadle_operator.resources.config import (
    CONFIG_FOLDER,
    DATA_FOLDER,
    DRAIN_SECONDS,
    MSP_FOLDER,
    RUNTIME_FOLDER,
    TLS_FOLDER,
)
from treadle_operator.resources.metadata import (
    FINGERPRINT,
    MSP_ID,
    child,
    peer_labels,
    selector_labels,
)
from treadle_operator.resources.msp import MSPFiles

_USER: Final = 10001
# Clients, transactions, ordering and commits share the drain timeout; then files are closed. Not
# more: a namespace is looked at again after half of it at the earliest.
_GRACE_SECONDS: Final = DRAIN_SECONDS + 20
_READ_ONLY: Final = 0o440  # for the group that fsGroup gives, which is not the owner
_DEFAULT_RESOURCES: Final[Manifest] = {"requests": {"cpu": "100m", "memory": "256Mi"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedWith:
    """What the pod starts with; ``fingerprint`` is that of the mounted Secrets."""

    image: str
    msp: str
    msp_files: MSPFiles
    tls: str | None
    runtime: str | None
    fingerprint: str
    configuration: Manifest
    claim_size: str

    @property
    def digest(self) -> str:
        """Changes with every file that a running peer has read only once."""
        data = json.dumps(self.configuration["data"], sort_keys=True)
        return hashlib.sha256(f"{self.fingerprint}\0{data}".encode()).hexdigest()[:16]


def statefulset(peer: Peer, names: PeerNames, started: StartedWith) -> Manifest:
    """The manifest.

    Parallel, because an ordered StatefulSet never replaces a pod that does not become ready.
    """
    keep = peer.spec.deletion_policy is DeletionPolicy.RETAIN
    manifest = child(peer, api_version="apps/v1", kind="StatefulSet", name=names.statefulset)
    return {
        **manifest,
        "spec": {
            "replicas": 1,
            "serviceName": names.internal,
            "podManagementPolicy": "Parallel",
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector_labels(peer.meta.name)},
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Retain" if keep else "Delete",
                "whenScaled": "Retain",
            },
            "template": {
                "metadata": {
                    "labels": peer_labels(peer.meta.name),
                    "annotations": {FINGERPRINT: started.digest},
                },
                "spec": _pod(peer, names, started),
            },
            "volumeClaimTemplates": [_claim(peer, started.claim_size)],
        },
    }


def _claim(peer: Peer, size: str) -> Manifest:
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if peer.spec.storage.storage_class is not None:
        spec["storageClassName"] = peer.spec.storage.storage_class
    return {
        "metadata": {
            "name": CLAIM_TEMPLATE,
            "labels": peer_labels(peer.meta.name),
            "annotations": {MSP_ID: peer.spec.msp_id},
        },
        "spec": spec,
    }


def _pod(peer: Peer, names: PeerNames, started: StartedWith) -> Manifest:
    settings = peer.spec.pod
    pod: Manifest = {
        "serviceAccountName": names.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            # A ledger has many files; walking them at every start would take minutes.
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(peer, started)],
        "volumes": _volumes(names, started),
    }
    optional = {
        "nodeSelector": dict(settings.node_selector),
        "tolerations": list(settings.tolerations),
        "affinity": dict(settings.affinity),
        "imagePullSecrets": list(settings.image_pull_secrets),
    }
    return {**pod, **{name: value for name, value in optional.items() if value}}


def _container(peer: Peer, started: StartedWith) -> Manifest:
    return {
        "name": "peer",
        "image": started.image,
        "args": ["peer", "node", "start"],
        "env": [
            {"name": "FABRIC_CFG_PATH", "value": CONFIG_FOLDER},
            {"name": "HOME", "value": "/tmp"},  # noqa: S108 - a volume of the pod's own
        ],
        "ports": _ports(peer),
        "resources": dict(peer.spec.pod.resources) or _DEFAULT_RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **_probes(),
        "volumeMounts": _mounts(started),
    }


def _ports(peer: Peer) -> list[object]:
    found = {"peer": ports.PEER}
    if peer.spec.ordering is None:
        found["ordering"] = ports.ORDERING
    if peer.spec.tls.enabled:
        found["chaincode"] = ports.CHAINCODE
        found |= {"launched": ports.LAUNCHED, "runtime": ports.RUNTIME}
    found["operations"] = ports.OPERATIONS
    return [
        {"name": name, "containerPort": number, "protocol": "TCP"} for name, number in found.items()
    ]


def _probes() -> Manifest:
    """Started and alive: it answers at all. Ready: it says that it is healthy.

    An unhealthy peer is not restarted for it: a full disk or a broken block stays what it is.
    """
    return {
        # Opening a large ledger after a crash takes a while: up to half an hour.
        "startupProbe": {**_get("/version"), "periodSeconds": 2, "failureThreshold": 900},
        "livenessProbe": {
            **_get("/version"),
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
        "readinessProbe": {
            **_get("/healthz"),
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 2,
        },
    }


def _get(path: str) -> Manifest:
    return {"httpGet": {"path": path, "port": "operations", "scheme": "HTTP"}}


def _mounts(started: StartedWith) -> list[object]:
    found = {CLAIM_TEMPLATE: DATA_FOLDER, "tmp": "/tmp"}  # noqa: S108 - a volume of its own
    read_only = {"config": CONFIG_FOLDER, "msp": MSP_FOLDER}
    if started.tls is not None:
        read_only["tls"] = TLS_FOLDER
    if started.runtime is not None:
        read_only["runtime"] = RUNTIME_FOLDER
    return [
        *({"name": name, "mountPath": path} for name, path in found.items()),
        *({"name": name, "mountPath": path, "readOnly": True} for name, path in read_only.items()),
    ]


def _volumes(names: PeerNames, started: StartedWith) -> list[object]:
    items = [{"key": key, "path": path} for key, path in started.msp_files.places]
    found: list[object] = [
        {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "config", "configMap": {"name": names.config_map}},
        {"name": "msp", "secret": _secret(started.msp, items)},
    ]
    for name, secret in (("tls", started.tls), ("runtime", started.runtime)):
        if secret is not None:
            keys = [{"key": key, "path": key} for key in ("ca.crt", "tls.crt", "tls.key")]
            found.append({"name": name, "secret": _secret(secret, keys)})
    return found


def _secret(name: str, items: list[dict[str, str]]) -> Manifest:
    return {"secretName": name, "defaultMode": _READ_ONLY, "items": items}
