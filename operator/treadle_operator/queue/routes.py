"""Whom an event concerns: the owner named by a label, and who refers to the object. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from treadle_operator.model import PEER_LABEL, Key, Kind


@dataclass(slots=True)
class Routes:
    """Who refers to which Secret, kept up to date by the events of the objects that refer."""

    _references: dict[Key, frozenset[str]] = field(default_factory=dict)
    _referrers: defaultdict[tuple[str, str], set[Key]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def refer(self, key: Key, secrets: Iterable[str]) -> None:
        """*key* refers to exactly these Secrets of its namespace."""
        self.drop(key)
        self._references[key] = frozenset(secrets)
        for name in self._references[key]:
            self._referrers[key.namespace, name].add(key)

    def drop(self, key: Key) -> None:
        """*key* refers to nothing any more."""
        for name in self._references.pop(key, ()):
            referrers = self._referrers[key.namespace, name]
            referrers.discard(key)
            if not referrers:
                del self._referrers[key.namespace, name]

    def of_secret(self, namespace: str, name: str) -> frozenset[Key]:
        """Everyone who refers to this Secret."""
        return frozenset(self._referrers.get((namespace, name), ()))

    def of_labels(self, namespace: str, labels: Mapping[str, str]) -> frozenset[Key]:
        """The Peer that an object says it belongs to."""
        owner = labels.get(PEER_LABEL)
        return frozenset({Key(Kind.PEER, namespace, owner)} if owner else ())
