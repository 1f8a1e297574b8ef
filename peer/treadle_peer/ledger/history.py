"""All values that a key ever had: which transactions wrote it, newest first."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KeyModification

from treadle_peer.ledger.blocks import BlockStore
from treadle_peer.ledger.errors import LedgerError
from treadle_peer.ledger.families import HISTORY
from treadle_peer.ledger.keys import history_end, history_prefix, read_position
from treadle_peer.ledger.transactions import read_entry, read_results, read_sets
from treadle_peer.storage import Database


class HistoryReader:
    """History of the blocks below *height*; the values come from the blocks themselves."""

    def __init__(self, database: Database, *, height: int) -> None:
        self._database = database
        self._blocks = BlockStore(database)
        self._height = height

    def history(self, namespace: str, key: str) -> Iterator[KeyModification]:
        """Modifications of *key* by valid transactions, newest first.

        Close the generator to stop early. Deletions have ``is_delete``; changes of metadata alone
        are not part of it, as in Fabric.
        """
        rows = self._database.scan(
            HISTORY,
            start=history_prefix(namespace, key),
            end=history_end(namespace, key),
            reverse=True,
        )
        try:
            for row, _ in rows:
                block, tx = read_position(row)
                if block < self._height:
                    yield self._modification(namespace, key, block=block, tx=tx)
        finally:
            rows.close()

    def _modification(self, namespace: str, key: str, *, block: int, tx: int) -> KeyModification:
        entry = read_entry(self._blocks.envelope(block, tx))
        results = read_results(entry)
        for each in read_sets(results) if results is not None else ():
            for write in each.content.writes if each.namespace == namespace else ():
                if write.key == key:
                    return KeyModification(
                        tx_id=entry.tx_id,
                        value=write.value,
                        timestamp=entry.timestamp,
                        is_delete=write.is_delete or not write.value,
                    )
        raise LedgerError(
            f"no namespace or key is found for namespace {namespace} and key {key} with decoded "
            f"blockNum {block} and tranNum {tx}"
        )
