"""What all kinds share: group, keys, metadata, references. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from treadle_operator.errors import InvalidObject
from treadle_operator.model.access import integer_at, mapping_at, text_at

GROUP: Final = "treadle.dev"
VERSION: Final = f"{GROUP}/v1alpha1"
PEER_LABEL: Final = f"{GROUP}/peer"
PACKAGE_LABEL: Final = f"{GROUP}/package"
"""An object belongs to this ChaincodePackage."""
CCID_ANNOTATION: Final = f"{GROUP}/ccid"
"""Beside PEER_LABEL: an object belongs to this runtime of the peer, not to the peer itself."""
MANAGER: Final = "treadle-operator"
"""The field manager, and the value of app.kubernetes.io/managed-by."""

Manifest: TypeAlias = dict[str, object]
"""A Kubernetes object as JSON."""


class Kind(StrEnum):
    """What a reconcile can be about: our kinds, and what is on peers.

    A runtime is no object of its own; its name is ``<peer>/<ccid>``. Nor are the registrations that
    a peer has refused, and the chaincodes that it leaves to developers; theirs is the peer's.
    """

    PEER = "Peer"
    PACKAGE = "ChaincodePackage"
    INSTANTIATION = "ChaincodeInstantiation"
    RUNTIME = "Runtime"
    REFUSALS = "Refusals"
    DEVELOPMENTS = "Developments"


class Mode(StrEnum):
    """Who owns the chaincode processes."""

    PRODUCTION = "Production"
    DEVELOPMENT = "Development"


class Key(NamedTuple):
    """What a reconcile is about."""

    kind: Kind
    namespace: str
    name: str


DEFINITION: Final = "Definition"


class Reference(NamedTuple):
    """What a reconcile has looked at, by kind and name: an event there asks for another look.

    ``kind`` is that of an object, or Kind.RUNTIME (``<peer>/<ccid>``), or DEFINITION
    (``<peer>/<channel>/<chaincode>``).
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Ref:
    """An object of the same namespace."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """The metadata that reconciling looks at; ``created`` is the API server's text."""

    namespace: str
    name: str
    uid: str
    generation: int
    deleting: bool
    created: str
    labels: Mapping[str, str]


def parse_meta(body: Mapping[str, object]) -> Meta:
    """Metadata of a stored object; raises InvalidObject when it is none."""
    meta = mapping_at(body, "metadata")
    for name in ("namespace", "name", "uid"):
        if not text_at(meta, name):
            raise InvalidObject(f"metadata.{name}", "it is missing; only stored objects have it")
    labels = mapping_at(meta, "labels")
    return Meta(
        namespace=text_at(meta, "namespace"),
        name=text_at(meta, "name"),
        uid=text_at(meta, "uid"),
        generation=integer_at(meta, "generation"),
        deleting=bool(meta.get("deletionTimestamp")),
        created=text_at(meta, "creationTimestamp"),
        labels={key: value for key, value in labels.items() if isinstance(value, str)},
    )
