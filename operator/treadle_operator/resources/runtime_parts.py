"""What all pods of chaincode have in common. Pure.

They hold no token, run as nobody, and write only into volumes of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from treadle_operator.model import (
    CCID_ANNOTATION,
    GROUP,
    MANAGER,
    PEER_LABEL,
    VERSION,
    ChaincodeInstantiation,
    Kind,
    Manifest,
    Peer,
    Prebuilt,
    Variable,
    mapping_at,
)
from treadle_operator.names import peer_names, runtime_name
from treadle_operator.resources.config import launched_address
from treadle_operator.resources.metadata import owner_reference

RUNTIME_LABEL: Final = f"{GROUP}/runtime"
"""Of everything that belongs to one runtime: its name, which is no ccid."""
CERTIFICATE_FOLDER: Final = "/treadle/certificate"
BUILDER: Final = "builder"
CHAINCODE: Final = "chaincode"

_USER: Final = 10001
_READ_ONLY: Final = 0o440


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeOf:
    """The runtime *ccid* of a peer, and who wants it; nobody: the peer itself.

    ``prebuilt`` is what its package only names.
    """

    peer: Peer
    ccid: str
    language: str
    claimed_by: Sequence[ChaincodeInstantiation]
    prebuilt: Prebuilt | None = None

    @property
    def name(self) -> str:
        """Of its objects."""
        return runtime_name(self.peer.meta.name, self.ccid)

    @property
    def peer_address(self) -> str:
        """host:port that its pods dial."""
        names = peer_names(self.peer.meta.name, self.peer.spec.msp_id)
        return launched_address(self.peer, names)


def runtime_labels(peer: str, ccid: str, component: str) -> dict[str, object]:
    """Labels of everything that belongs to one runtime."""
    name = runtime_name(peer, ccid)
    return {
        "app.kubernetes.io/name": "treadle-chaincode",
        "app.kubernetes.io/instance": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "treadle",
        "app.kubernetes.io/managed-by": MANAGER,
        PEER_LABEL: peer,
        RUNTIME_LABEL: name,
    }


def runtime_metadata(
    runtime: RuntimeOf, *, name: str, component: str, annotations: Mapping[str, str] | None = None
) -> Manifest:
    """Metadata of a child. It goes with the last who claims the runtime, or with the peer."""
    meta = runtime.peer.meta
    owners = [_claim(one) for one in runtime.claimed_by]
    return {
        "name": name,
        "namespace": meta.namespace,
        "labels": runtime_labels(meta.name, runtime.ccid, component),
        "annotations": {**(annotations or {}), CCID_ANNOTATION: runtime.ccid},
        "ownerReferences": owners or [owner_reference(runtime.peer, controller=False)],
    }


def _claim(one: ChaincodeInstantiation) -> dict[str, object]:
    return {
        "apiVersion": VERSION,
        "kind": Kind.INSTANTIATION.value,
        "name": one.meta.name,
        "uid": one.meta.uid,
    }


def is_of_runtime(live: Manifest, name: str) -> bool:
    """Whether a stored object says that it was made for the runtime of this name."""
    labels = mapping_at(live, "metadata", "labels")
    managed = labels.get("app.kubernetes.io/managed-by") == MANAGER
    return managed and labels.get(RUNTIME_LABEL) == name


def digest(*parts: object) -> str:
    """A hash that changes with any of the parts, for annotations."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def pod_spec(
    runtime: RuntimeOf,
    *,
    init: Sequence[Manifest],
    containers: Sequence[Manifest],
    volumes: Sequence[Manifest],
    placement: Mapping[str, object],
) -> Manifest:
    """The spec of a pod; of *placement* what is not empty counts."""
    names = peer_names(runtime.peer.meta.name, runtime.peer.spec.msp_id)
    pod = nobodys_pod(init=init, containers=containers, volumes=volumes, placement=placement)
    # The peer's own account: no token is mounted, and it may do nothing.
    return {"serviceAccountName": names.service_account, **pod}


def nobodys_pod(
    *,
    init: Sequence[Manifest],
    containers: Sequence[Manifest],
    volumes: Sequence[Manifest],
    placement: Mapping[str, object],
) -> Manifest:
    """The spec of a pod that runs as nobody and holds no token."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"initContainers": list(init)} if init else {}),
        "containers": list(containers),
        "volumes": list(volumes),
        **{key: value for key, value in placement.items() if value},
    }


def container(
    name: str,
    *,
    image: str,
    command: Sequence[str] = (),
    env: Sequence[Manifest],
    mounts: Mapping[str, str],
    read_only: Mapping[str, str],
    resources: Mapping[str, object],
) -> Manifest:
    """A container that may nothing; *mounts* and *read_only* are volumes and their places.

    Without a *command* the image's own runs. A container that says nothing at its end is spoken for
    by the end of its log.
    """
    places = [{"name": volume, "mountPath": path} for volume, path in mounts.items()]
    seen = [
        {"name": volume, "mountPath": path, "readOnly": True} for volume, path in read_only.items()
    ]
    return {
        "name": name,
        "image": image,
        # The API server stores no empty list.
        **({"command": list(command)} if command else {}),
        **({"env": list(env)} if env else {}),
        "resources": dict(resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [*places, *seen],
    }


def own_env(runtime: RuntimeOf, **more: str) -> list[Manifest]:
    """What every program of ours reads."""
    variables = {
        "TREADLE_PEER_ADDRESS": runtime.peer_address,
        "TREADLE_CCID": runtime.ccid,
        "TREADLE_LANGUAGE": runtime.language,
        "CORE_PEER_LOCALMSPID": runtime.peer.spec.msp_id,
        **more,
    }
    return [{"name": name, "value": value} for name, value in variables.items()]


def given_env(variables: Iterable[Variable]) -> list[Manifest]:
    """What people set, literally or from a Secret."""
    found: list[Manifest] = []
    for one in variables:
        if one.secret is None:
            found.append({"name": one.name, "value": one.value})
        else:
            key = {"name": one.secret.name, "key": one.secret.key}
            found.append({"name": one.name, "valueFrom": {"secretKeyRef": key}})
    return found


def empty(name: str, *, limit: str) -> Manifest:
    """A volume of the pod's own."""
    return {"name": name, "emptyDir": {"sizeLimit": limit}}


def certificate_volume(secret: str) -> Manifest:
    """The certificate by which the peer knows the pod."""
    return {"name": "certificate", "secret": {"secretName": secret, "defaultMode": _READ_ONLY}}
