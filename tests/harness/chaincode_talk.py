"""What a chaincode's session says, asked message by message."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, RangeQueryInfo
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    QueryResponse,
)
from google.protobuf.message import Message
from harness.memory_streams import Say
from treadle_peer.chaincode.session import Effect, Send, Session
from treadle_peer.execution import Call


def sent(effects: Sequence[Effect]) -> list[Msg]:
    """The messages of Send effects; nothing else may be there."""
    assert all(isinstance(effect, Send) for effect in effects), effects
    return [effect.message for effect in effects if isinstance(effect, Send)]


class Chat:
    """A chaincode's conversation within one transaction."""

    def __init__(self, say: type[Say], call: Call, *, total_query_limit: int = 100_000) -> None:
        self._say = say
        self.simulator = call.simulator
        self.session = Session(total_query_limit=total_query_limit)
        self.session.receive(say.register())
        self.session.admit()
        self.session.begin(call, deadline=None)

    def ask(self, kind: Msg.Type.ValueType, payload: Message | bytes = b"") -> Msg:
        """The one reply to a request."""
        [message] = sent(self.session.receive(self._say.message(kind, payload)))
        return message

    def value(self, kind: Msg.Type.ValueType, payload: Message | bytes = b"") -> bytes:
        """The payload of a RESPONSE."""
        reply = self.ask(kind, payload)
        assert reply.type == Msg.RESPONSE, reply.payload
        assert (reply.txid, reply.channel_id) == ("t1", "ch")
        return reply.payload

    def error(self, kind: Msg.Type.ValueType, payload: Message | bytes = b"") -> str:
        """The cause of an ERROR."""
        reply = self.ask(kind, payload)
        assert reply.type == Msg.ERROR
        text = reply.payload.decode()
        prefix = f"{Msg.Type.Name(kind)} failed: transaction ID: t1: "
        assert text.startswith(prefix)
        return text.removeprefix(prefix)

    def query(self, kind: Msg.Type.ValueType, payload: Message | bytes = b"") -> QueryResponse:
        """A QueryResponse."""
        return QueryResponse.FromString(self.value(kind, payload))

    def range_info(self) -> Sequence[RangeQueryInfo]:
        """The recorded ranges of the read-write set."""
        assert self.simulator is not None
        [namespace] = TxReadWriteSet.FromString(self.simulator.results()).ns_rwset
        return KVRWSet.FromString(namespace.rwset).range_queries_info
