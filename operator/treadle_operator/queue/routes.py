"""Whom an event concerns: the owner named by labels, and who refers to the object. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from treadle_operator.model import PACKAGE_LABEL, PEER_LABEL, Key, Kind, Reference


@dataclass(slots=True)
class Routes:
    """Who refers to what, kept up to date by the reconciles of those who refer."""

    _references: dict[Key, frozenset[Reference]] = field(default_factory=dict)
    _referrers: defaultdict[tuple[str, Reference], set[Key]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def refer(self, key: Key, references: Iterable[Reference]) -> frozenset[Reference]:
        """*key* refers to exactly these of its namespace; returns what is new or gone."""
        before = self.drop(key)
        self._references[key] = frozenset(references)
        for reference in self._references[key]:
            self._referrers[key.namespace, reference].add(key)
        return before ^ self._references[key]

    def drop(self, key: Key) -> frozenset[Reference]:
        """*key* refers to nothing any more; returns what it referred to."""
        before = self._references.pop(key, frozenset())
        for reference in before:
            referrers = self._referrers[key.namespace, reference]
            referrers.discard(key)
            if not referrers:
                del self._referrers[key.namespace, reference]
        return before

    def references(self, key: Key) -> frozenset[Reference]:
        """What *key* refers to."""
        return self._references.get(key, frozenset())

    def of(self, namespace: str, reference: Reference) -> frozenset[Key]:
        """Everyone who refers to it."""
        return frozenset(self._referrers.get((namespace, reference), ()))

    def of_labels(
        self, namespace: str, labels: Mapping[str, str], ccid: str = ""
    ) -> frozenset[Key]:
        """The Peer, its runtime *ccid*, or the package that an object says it belongs to."""
        package = labels.get(PACKAGE_LABEL)
        if package:
            return frozenset({Key(Kind.PACKAGE, namespace, package)})
        owner = labels.get(PEER_LABEL)
        if not owner:
            return frozenset()
        if ccid:
            return frozenset({Key(Kind.RUNTIME, namespace, f"{owner}/{ccid}")})
        return frozenset({Key(Kind.PEER, namespace, owner)})
