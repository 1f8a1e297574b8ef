"""GET_HISTORY_FOR_KEY (fabric-wire.md §1.4, §1.7): newest first, as 2.5 answers."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KeyModification
from fabric_protos.peer.chaincode_shim_pb2 import GetHistoryForKey

from treadle_peer.chaincode.session.replies import RequestFailed, parse
from treadle_peer.chaincode.session.requests import Request


def get_history_for_key(request: Request) -> bytes:
    """First batch of a key's modifications."""
    reader = request.call.history
    if reader is None:
        raise RequestFailed("history database is not enabled")
    key = parse(GetHistoryForKey, request.payload).key
    results = EncodedHistory(reader.history(request.namespace, key))
    opened = request.transaction.queries.start(results, request.total_query_limit)
    return opened.SerializeToString()


class EncodedHistory:
    """A history iterator whose results are marshalled ``queryresult.KeyModification``."""

    def __init__(self, results: Iterator[KeyModification]) -> None:
        self._results = results

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._results).SerializeToString()

    def close(self) -> None:
        """Release the ledger's iterator."""
        if isinstance(self._results, Generator):
            self._results.close()
