"""The Secret ``<instantiation>-dev``: what a developer needs to connect a process. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from treadle_operator.model import (
    GROUP,
    MANAGER,
    VERSION,
    ChaincodeInstantiation,
    Kind,
    Manifest,
    mapping_at,
    text_at,
)
from treadle_operator.resources.secrets import secret_data

RENEW_AT: Final = f"{GROUP}/renew-at"
"""Annotation: when what the Secret holds is to be replaced."""
ISSUED: Final = f"{GROUP}/issued-for"
"""Annotation: the chaincode, and the peers' openings, that the certificates are for."""
PAIR: Final = ("client.crt", "client.key", "ca.crt")
"""What opens a peer with TLS, under its name."""
_INSTANTIATION: Final = f"{GROUP}/instantiation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a peer lets developers in: ``server_name`` is the name in its certificate there."""

    peer: str
    pod: str
    port: int
    server_name: str
    tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a Secret has of one peer: its ``files`` are those of ``PAIR``, none without TLS, and
    ``opening`` is what they are for.
    """

    door: Door
    opening: str
    files: Mapping[str, bytes]

    @property
    def is_whole(self) -> bool:
        """Whether it has all that opens the peer."""
        return not self.door.tls or all(self.files.get(key) for key in PAIR)


def development_name(instantiation: str) -> str:
    """The Secret's name."""
    return f"{instantiation}-dev"


def start_line(namespace: str, instantiation: str) -> str:
    """What a developer types."""
    return f"treadle dev connect {instantiation} -n {namespace} -- <command>"


def development_secret(
    one: ChaincodeInstantiation,
    *,
    data: Mapping[str, bytes],
    issued_for: str,
    renew_at: datetime,
) -> Mapping[str, object]:
    """Its metadata; it goes with the instantiation. What is in *data* makes no difference."""
    return {
        "name": development_name(one.meta.name),
        "namespace": one.meta.namespace,
        "labels": _labels(one.meta.name),
        "annotations": {
            ISSUED: issued_for,
            RENEW_AT: renew_at.replace(microsecond=0).isoformat(),
        },
        "ownerReferences": [
            {
                "apiVersion": VERSION,
                "kind": Kind.INSTANTIATION.value,
                "name": one.meta.name,
                "uid": one.meta.uid,
                "controller": True,
            }
        ],
    }


def is_of_instantiation(live: Manifest, name: str) -> bool:
    """Whether a stored Secret says that it was made for the instantiation of this name."""
    labels = mapping_at(live, "metadata", "labels")
    return all(labels.get(key) == value for key, value in _labels(name).items())


def renew_at(live: Manifest | None) -> datetime | None:
    """When it is to be replaced; None when it does not say so."""
    try:
        at = datetime.fromisoformat(text_at(live, "metadata", "annotations", RENEW_AT))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def issued_for(ccid: str, entries: Sequence[Entry]) -> str:
    """The annotation's text."""
    return " ".join([ccid, *(f"{each.door.peer}/{each.opening}" for each in entries)])


def stored_entries(live: Manifest | None, ccid: str) -> dict[str, Entry]:
    """What a stored Secret has, by peer; nothing where it is of another chaincode or damaged."""
    first, *told = text_at(live, "metadata", "annotations", ISSUED).split(" ")
    if live is None or first != ccid:
        return {}
    openings = dict(each.split("/", 1) for each in told if "/" in each)
    data = secret_data(live)
    try:
        doors = [Door(**row) for row in json.loads(data.get("peers.json", b""))]
    except (ValueError, TypeError):
        return {}
    return {
        door.peer: Entry(
            door=door,
            opening=openings[door.peer],
            files={key: data[name] for key in PAIR if (name := f"{door.peer}.{key}") in data},
        )
        for door in doors
        if door.peer in openings
    }


def doors_json(doors: Sequence[Door]) -> bytes:
    """``peers.json``."""
    return json.dumps([asdict(door) for door in doors], indent=1).encode() + b"\n"


def _labels(name: str) -> dict[str, object]:
    return {
        "app.kubernetes.io/name": "treadle-development",
        "app.kubernetes.io/part-of": "treadle",
        "app.kubernetes.io/managed-by": MANAGER,
        _INSTANTIATION: name[:63].rstrip("-."),
    }
