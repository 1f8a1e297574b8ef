"""What a valid transaction changes: values, deletions, metadata (fabric-wire.md §5.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from treadle_peer.ledger.mvcc import CommittedState
from treadle_peer.ledger.transactions import NamespaceSet
from treadle_peer.ledger.updates import BlockUpdates, Update
from treadle_peer.ledger.values import Version, encode_metadata

_UPSERT = 1
_METADATA_UPDATE = 2
_METADATA_DELETE = 4
_DELETE = 8


@dataclass(slots=True)
class _KeyChange:
    """What one transaction does to one key.

    Fabric *adds* flags up, so a (forged) set that names a key twice means something else than
    it says; peers must agree on that too.
    """

    flags: int = 0
    value: bytes = b""
    metadata: bytes = b""


def apply_writes(
    sets: Sequence[NamespaceSet],
    *,
    version: Version,
    state: CommittedState,
    updates: BlockUpdates,
) -> None:
    """Add the effects of a valid transaction to *updates*."""
    for (namespace, key), change in _changes(sets).items():
        update = _effect(change, _Current(namespace, key, state, updates), version)
        if update is not None:
            updates.put(namespace, key, update)


@dataclass(frozen=True, slots=True)
class _Current:
    """A key as the transactions before have left it."""

    namespace: str
    key: str
    state: CommittedState
    updates: BlockUpdates

    def content(self) -> tuple[bytes | None, bytes]:
        """Value (None: missing) and metadata."""
        update = self.updates.get(self.namespace, self.key)
        if update is not None:
            return update.value, update.metadata
        found = self.state.get(self.namespace, self.key)
        return (None, b"") if found is None else (found.value, found.metadata)


def _effect(change: _KeyChange, current: _Current, version: Version) -> Update | None:
    flags = change.flags & 0xFF
    if flags & _DELETE:
        return Update(None, version)
    if flags & _UPSERT and flags & (_METADATA_UPDATE | _METADATA_DELETE):
        return Update(change.value, version, change.metadata)
    value, metadata = current.content()
    if flags == _UPSERT:
        return Update(change.value, version, metadata)
    # Metadata alone: a new version of the key as it is; nothing when the key is missing.
    return None if value is None else Update(value, version, change.metadata)


def _changes(sets: Sequence[NamespaceSet]) -> dict[tuple[str, str], _KeyChange]:
    changes: dict[tuple[str, str], _KeyChange] = {}
    for each in sets:
        for write in each.content.writes:
            change = changes.setdefault((each.namespace, write.key), _KeyChange())
            if write.is_delete or not write.value:
                change.flags += _DELETE
            else:
                change.flags += _UPSERT
                change.value = write.value
        for entry in each.content.metadata_writes:
            change = changes.setdefault((each.namespace, entry.key), _KeyChange())
            if entry.entries:
                change.flags += _METADATA_UPDATE
                change.metadata = encode_metadata(entry.entries)
            else:
                change.flags += _METADATA_DELETE
    return changes
