"""Read-write sets as validation sees them: which namespace writes what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import HashedRWSet, KVRWSet
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.channelconfig import Capabilities
from treadle_fabric.wire import NamespaceBytes, WireError, parse

from treadle_peer.commit.errors import InvalidTransaction


@dataclass(frozen=True, slots=True)
class NamespaceSet:
    """One namespace's share of a transaction; ``collections`` pairs a name with its hashes."""

    name: str
    public: KVRWSet
    collections: tuple[tuple[str, HashedRWSet], ...]

    def writes(self, capabilities: Capabilities) -> bool:
        """Whether it changes anything, as far as the channel's capabilities know (§5.5)."""
        if self.public.writes:
            return True
        if capabilities.key_level_endorsement and self.public.metadata_writes:
            return True
        if not capabilities.private_data:
            return False
        return any(
            hashed.hashed_writes or (capabilities.key_level_endorsement and hashed.metadata_writes)
            for _, hashed in self.collections
        )

    def written_keys(self) -> Iterator[tuple[str, str]]:
        """(collection, key) of all writes, public first; private keys are hex of their hash."""
        for write in self.public.writes:
            yield "", write.key
        for change in self.public.metadata_writes:
            yield "", change.key
        for collection, hashed in self.collections:
            for hidden in hashed.hashed_writes:
                yield collection, hidden.key_hash.hex()
        for collection, hashed in self.collections:
            for hidden_change in hashed.metadata_writes:
                yield collection, hidden_change.key_hash.hex()

    def metadata_keys(self) -> Iterator[tuple[str, str]]:
        """(collection, key) of all changes of metadata."""
        for change in self.public.metadata_writes:
            yield "", change.key
        for collection, hashed in self.collections:
            for hidden_change in hashed.metadata_writes:
                yield collection, hidden_change.key_hash.hex()


def namespace_sets(namespaces: Iterable[NamespaceBytes]) -> tuple[NamespaceSet, ...]:
    """All namespaces in order; raises InvalidTransaction BAD_RWSET when one is unreadable."""
    try:
        return tuple(_namespace_set(entry) for entry in namespaces)
    except WireError as error:
        raise InvalidTransaction(TxValidationCode.BAD_RWSET, str(error)) from error


def _namespace_set(entry: NamespaceBytes) -> NamespaceSet:
    return NamespaceSet(
        name=entry.rest.namespace,
        public=parse(KVRWSet, entry.public),
        collections=tuple(
            (hashed.collection_name, parse(HashedRWSet, hashed.hashed_rwset))
            for hashed in entry.rest.collection_hashed_rwset
        ),
    )
