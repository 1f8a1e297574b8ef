"""The committed state as block validation reads it: always the newest, only by the committer."""

from __future__ import annotations

from collections.abc import Iterator

from treadle_peer.ledger.families import STATE
from treadle_peer.ledger.keys import namespace_prefix, range_bounds, state_key
from treadle_peer.ledger.values import Version, VersionedValue, decode_version
from treadle_peer.storage import Database


class LiveState:
    """Implements mvcc.CommittedState on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """The content of *key*, or None."""
        stored = self._database.get(STATE, state_key(namespace, key))
        return None if stored is None else VersionedValue.decode(stored)

    def version(self, namespace: str, key: str) -> Version | None:
        """The version of *key*, or None."""
        stored = self._database.get(STATE, state_key(namespace, key))
        return None if stored is None else decode_version(stored)

    def versions(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, Version]]:
        """Keys with ``start <= key < end`` and their versions; an empty *end* is open."""
        prefix = len(namespace_prefix(namespace))
        first, last = range_bounds(namespace, start, end)
        for key, stored in self._database.scan(STATE, start=first, end=last):
            yield key[prefix:].decode(), decode_version(stored)
