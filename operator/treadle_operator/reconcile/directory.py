"""Who wants what in a namespace: its instantiations and packages, listed once per change.

Five hundred instantiations are reconciled one by one, and each asks who was there first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from treadle_operator.errors import InvalidObject
from treadle_operator.kube import INSTANTIATIONS, PACKAGES, Kube
from treadle_operator.model import (
    ChaincodeInstantiation,
    ChaincodePackage,
    Manifest,
    parse_instantiation,
    parse_package,
)


@dataclass(frozen=True, slots=True)
class Entries:
    """What a namespace has; objects that cannot be understood want nothing new, but what those of
    the instantiations (``unreadable``) have on a ledger runs on.
    """

    instantiations: tuple[ChaincodeInstantiation, ...]
    packages: tuple[ChaincodePackage, ...]
    unreadable: tuple[Manifest, ...] = ()


@dataclass(slots=True)
class Directory:
    """Specs as they were at the last change that was told. Statuses in it may be older."""

    _entries: dict[str, Entries] = field(default_factory=dict)
    _changes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def changed(self, namespace: str) -> None:
        """A spec there is new, another one, or gone."""
        self._changes[namespace] += 1
        self._entries.pop(namespace, None)

    async def entries(self, kube: Kube, namespace: str) -> Entries:
        """At least as new as the last change that was told; raises KubeError."""
        found = self._entries.get(namespace)
        if found is not None:
            return found
        change = self._changes[namespace]
        found = await list_entries(kube, namespace)
        if self._changes[namespace] == change:
            self._entries[namespace] = found
        return found


async def list_entries(kube: Kube, namespace: str) -> Entries:
    """What the API server has now; raises KubeError."""
    instantiations = await kube.list(INSTANTIATIONS, namespace)
    return read_entries(instantiations, await kube.list(PACKAGES, namespace))


def read_entries(instantiations: Iterable[Manifest], packages: Iterable[Manifest]) -> Entries:
    """Stored objects as they are understood."""
    read: list[ChaincodeInstantiation] = []
    unreadable: list[Manifest] = []
    known: list[ChaincodePackage] = []
    for body in instantiations:
        try:
            read.append(parse_instantiation(body))
        except InvalidObject:
            unreadable.append(body)
    for body in packages:
        try:
            known.append(parse_package(body))
        except InvalidObject:
            continue
    return Entries(tuple(read), tuple(known), tuple(unreadable))
