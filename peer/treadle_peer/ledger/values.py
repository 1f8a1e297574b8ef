"""Versions, and what the state keeps under a key."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVMetadataEntry, KVMetadataWrite

_HEADER = struct.Struct(">QII")


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """Who wrote a value: the block, and the transaction's index among all of that block."""

    block: int
    tx: int


@dataclass(frozen=True, slots=True)
class VersionedValue:
    """A value, its version and its metadata (marshalled entries, empty when there are none)."""

    value: bytes
    version: Version
    metadata: bytes = b""

    def encode(self) -> bytes:
        """As stored in the state."""
        version = self.version
        return (
            _HEADER.pack(version.block, version.tx, len(self.metadata)) + self.metadata + self.value
        )

    @classmethod
    def decode(cls, stored: bytes) -> VersionedValue:
        """The inverse of ``encode``."""
        block, tx, length = _HEADER.unpack_from(stored)
        start = _HEADER.size + length
        return cls(stored[start:], Version(block, tx), stored[_HEADER.size : start])


def decode_version(stored: bytes) -> Version:
    """Only the version of a stored value."""
    block, tx, _ = _HEADER.unpack_from(stored)
    return Version(block, tx)


def encode_metadata(entries: Iterable[KVMetadataEntry]) -> bytes:
    """Metadata entries of a write as the state keeps them."""
    return KVMetadataWrite(entries=entries).SerializeToString()


def decode_metadata(metadata: bytes) -> Mapping[str, bytes]:
    """Name to value; the last entry of a name wins, as in Fabric."""
    return {entry.name: entry.value for entry in KVMetadataWrite.FromString(metadata).entries}
