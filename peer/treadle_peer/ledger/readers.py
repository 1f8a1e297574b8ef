"""Reading committed state without simulating: for validation, system chaincodes, tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType

from treadle_peer.ledger.keys import namespace_prefix, range_bounds, state_key
from treadle_peer.ledger.simulator import KeyValue
from treadle_peer.ledger.values import VersionedValue, decode_metadata
from treadle_peer.ledger.views import StateView


class StateReader:
    """A read-only view of one height. Close it, or use it as a context manager.

    Reads raise LedgerError when the view is too old and what they touch has changed.
    """

    def __init__(self, view: StateView) -> None:
        self._view = view
        self._closed = False

    @property
    def height(self) -> int:
        """How many blocks the reader knows."""
        return self._view.height

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Value, version and metadata of *key*, or None."""
        stored = self._view.get(state_key(namespace, key))
        return None if stored is None else VersionedValue.decode(stored)

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The value of *key*, or None."""
        found = self.get(namespace, key)
        return None if found is None else found.value

    def get_state_metadata(self, namespace: str, key: str) -> Mapping[str, bytes]:
        """The metadata of *key* by name, empty when there is none."""
        found = self.get(namespace, key)
        return {} if found is None else decode_metadata(found.metadata)

    def range(self, namespace: str, start: str, end: str) -> Iterator[KeyValue]:
        """Results with ``start <= key < end``; an empty *end* is the end of the namespace."""
        prefix = len(namespace_prefix(namespace))
        for key, stored in self._view.scan(*range_bounds(namespace, start, end)):
            yield KeyValue(namespace, key[prefix:].decode(), VersionedValue.decode(stored).value)

    def close(self) -> None:
        """Free the view; harmless when done already."""
        if not self._closed:
            self._closed = True
            self._view.release()

    def __enter__(self) -> StateReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
