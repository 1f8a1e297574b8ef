"""The books of a session: what ran, what waits, what may stay open. It has to agree with them.

The events come from a fuzzer's input; the simulators are real, on a real ledger.
"""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetHistoryForKey,
    GetQueryResult,
    GetState,
    GetStateByRange,
    GetStateMetadata,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    QueryMetadata,
    QueryResponse,
    QueryStateClose,
    QueryStateNext,
    StateMetadata,
)
from fabric_protos.peer.proposal_response_pb2 import Response
from fuzz.layers import edit
from fuzz.octets import Octets
from fuzz.world import small_ledger
from google.protobuf.message import DecodeError, Message
from treadle_fabric.wire import WireError, parse
from treadle_peer.chaincode.session import (
    CancelInvoke,
    Effect,
    Failed,
    Finished,
    Invoke,
    Register,
    Send,
    Session,
    SessionState,
    TxKey,
    outcome_of,
)
from treadle_peer.execution import Call, CallKind, ExecutionError
from treadle_peer.ledger import Simulator

Msg = ChaincodeMessage
REQUESTS = frozenset({8, 9, 10, 11, 14, 15, 16, 17, 19, 20, 21, 22, 23})
_TX_IDS, _CHANNELS = ("t1", "t2", ""), ("ch", "other", "")
_KEYS = ("r0001", "r0100", "r", "s", "", "\U0010ffff", "\0", "r0249\0")
_KINDS: dict[int, type[Message]] = {
    Msg.REGISTER: ChaincodeID,
    Msg.GET_STATE: GetState,
    Msg.PUT_STATE: PutState,
    Msg.DEL_STATE: DelState,
    Msg.INVOKE_CHAINCODE: ChaincodeSpec,
    Msg.GET_STATE_BY_RANGE: GetStateByRange,
    Msg.GET_QUERY_RESULT: GetQueryResult,
    Msg.QUERY_STATE_NEXT: QueryStateNext,
    Msg.QUERY_STATE_CLOSE: QueryStateClose,
    Msg.GET_HISTORY_FOR_KEY: GetHistoryForKey,
    Msg.GET_STATE_METADATA: GetStateMetadata,
    Msg.PUT_STATE_METADATA: PutStateMetadata,
    Msg.GET_PRIVATE_DATA_HASH: GetState,
    Msg.PURGE_PRIVATE_DATA: PurgePrivateState,
    Msg.COMPLETED: Response,
}
TYPES = (*sorted(_KINDS), Msg.ERROR, Msg.READY, Msg.KEEPALIVE, Msg.TRANSACTION, 12, 99)


class Books:
    """Drives a session and keeps the books that it must agree with."""

    def __init__(self, octets: Octets) -> None:
        self._octets = octets
        self._session = Session(total_query_limit=octets.pick((100_000, 1, 101)))
        self._calls: dict[TxKey, Call] = {}
        self._simulators: list[Simulator] = []
        self._waiting: dict[int, TxKey] = {}
        self._query_ids = ["", "nope"]
        self._now = 0.0

    def register(self) -> None:
        """As every shim does first."""
        name = ChaincodeID(name="probe:1").SerializeToString()
        [effect] = self._session.receive(Msg(type=Msg.REGISTER, payload=name))
        assert isinstance(effect, Register)

    def admit(self) -> None:
        """The peer greets."""
        assert len(self._session.admit()) == 2

    def step(self) -> None:
        """One event, chosen by the input."""
        match self._octets.below(8):
            case 1:
                self._begin()
            case 2:
                self._answer()
            case 3:
                self._take(self._session.abandon(self._key()), abandoned=True)
            case 4:
                self._expire()
            case 5 if self._simulators:
                self._octets.pick(self._simulators).results()
            case _:
                self._receive()
        assert self._session.in_flight == len(self._calls)
        assert set(self._waiting.values()) <= set(self._calls)

    def end(self) -> None:
        """The stream ends: everything that ran fails, nothing is left."""
        effects = self._session.end()
        assert not [effect for effect in effects if isinstance(effect, Send)]
        self._take(effects)
        assert not self._calls
        assert not self._waiting
        assert self._session.end() == []
        assert self._session.state is SessionState.ENDED
        assert self._session.next_deadline() is None
        for simulator in self._simulators:
            _check_released(simulator)

    def _key(self) -> TxKey:
        return TxKey(self._octets.pick(_CHANNELS), self._octets.pick(_TX_IDS))

    def _begin(self) -> None:
        key, options = self._key(), self._octets.byte()
        timeout = self._octets.below(6)
        simulator = None if options & 1 else self._simulator(key.tx_id)
        call = small_ledger().call(
            key.tx_id,
            channel_id=key.channel_id,
            kind=CallKind.INIT if options & 2 else CallKind.INVOKE,
            simulator=simulator,
            ledger=simulator is not None,
            history=not options & 4,
            key_level_endorsement=not options & 8,
            purge_private_data=bool(options & 16),
        )
        try:
            effects = self._session.begin(call, deadline=self._now + timeout if timeout else None)
        except ExecutionError:
            assert key in self._calls or self._session.state is not SessionState.READY
            return
        assert key not in self._calls
        self._calls[key] = call
        [start] = effects
        assert isinstance(start, Send)

    def _simulator(self, tx_id: str) -> Simulator:
        made = small_ledger().ledger.simulator(tx_id)
        self._simulators.append(made)
        return made

    def _answer(self) -> None:
        well, right = self._octets.flag(), self._octets.flag()
        token = next(iter(self._waiting), 0) if right else self._octets.byte()
        known = self._waiting.pop(token, None)
        final = Msg(type=Msg.COMPLETED, payload=b"x")
        session = self._session
        effects = session.answer(token, final) if well else session.refuse(token, "no")
        assert len(effects) == (known is not None)
        for effect in effects:
            assert isinstance(effect, Send)
            assert (effect.message.channel_id, effect.message.txid) == known

    def _expire(self) -> None:
        self._now += self._octets.below(4)
        self._take(self._session.expire(self._now))
        due = self._session.next_deadline()
        assert due is None or due > self._now

    def _receive(self) -> None:
        message = self._message()
        key = TxKey(message.channel_id, message.txid)
        busy = key in self._waiting.values()
        effects = self._session.receive(message)
        replies = [effect.message for effect in effects if isinstance(effect, Send)]
        invokes = [effect for effect in effects if isinstance(effect, Invoke)]
        if message.type not in REQUESTS:
            assert not replies
            assert not invokes
        else:
            assert len(replies) + len(invokes) == (0 if busy else 1)
        for reply in replies:
            _check_reply(message, reply)
            self._learn(reply)
        self._take(effects)

    def _message(self) -> ChaincodeMessage:
        octets = self._octets
        kind = octets.pick(TYPES)
        key = self._key()
        raw = self._payload(kind)
        message = Msg(type=kind, payload=raw, txid=key.tx_id, channel_id=key.channel_id)
        if octets.below(16) != 15:
            return message
        try:
            return parse(Msg, edit(Msg, message.SerializeToString(), octets))
        except WireError:
            return message

    def _payload(self, kind: int) -> bytes:
        """Sensible, edited, or anything."""
        octets, shape = self._octets, _KINDS.get(kind)
        way = octets.below(4)
        if shape is None or way == 2:
            return octets.short()
        raw = self._sensible(shape).SerializeToString()
        return edit(shape, raw, octets) if way == 1 else raw

    def _sensible(self, shape: type[Message]) -> Message:
        octets = self._octets
        first, second = octets.pick(_KEYS), octets.pick(_KEYS)
        if shape is GetStateByRange:
            page = octets.pick((0, 3, -1, 2**31 - 1))
            paging = QueryMetadata(pageSize=page, bookmark=second if octets.below(4) == 3 else "")
            return GetStateByRange(
                startKey=first,
                endKey="" if octets.flag() else second,
                metadata=paging.SerializeToString() if page else b"",
            )
        if shape in (QueryStateNext, QueryStateClose):
            return shape(id=self._query_ids[-1 - octets.below(len(self._query_ids))])
        if shape is PutState:
            return PutState(key=first, value=octets.short())
        if shape is PutStateMetadata:
            entry = StateMetadata(metakey=octets.text(), value=octets.short())
            return PutStateMetadata(key=first, metadata=entry)
        if shape is ChaincodeSpec:
            return ChaincodeSpec(chaincode_id=ChaincodeID(name="other" if octets.flag() else ""))
        if shape is ChaincodeID:
            return ChaincodeID(name="probe:1")
        if shape in (GetQueryResult, Response):
            return shape()
        return shape(key=first)

    def _learn(self, reply: ChaincodeMessage) -> None:
        try:
            opened = QueryResponse.FromString(reply.payload)
        except DecodeError:
            return
        if reply.type == Msg.RESPONSE and opened.has_more:
            self._query_ids.append(opened.id)

    def _take(self, effects: Sequence[Effect], *, abandoned: bool = False) -> None:
        for effect in effects:
            match effect:
                case Finished(key, message):
                    call = self._calls.pop(key)
                    _check_outcome(call, message)
                case Failed(key, cause):
                    assert not abandoned
                    assert cause
                    del self._calls[key]
                case Invoke(token, call, _):
                    assert token not in self._waiting
                    self._waiting[token] = TxKey(call.channel_id, call.tx_id)
                case CancelInvoke(token):
                    del self._waiting[token]
                case Send(message):
                    assert message.type in {Msg.RESPONSE, Msg.ERROR}
        if abandoned:
            gone = [key for key in self._calls if not self._session.running(key)]
            assert len(gone) <= 1
            for key in gone:
                del self._calls[key]


def _check_reply(request: ChaincodeMessage, reply: ChaincodeMessage) -> None:
    assert reply.type in {Msg.RESPONSE, Msg.ERROR}
    assert (reply.txid, reply.channel_id) == (request.txid, request.channel_id)
    # What no handler foresaw is answered, too, but it is a defect.
    assert reply.type == Msg.RESPONSE or b"panic during execution" not in reply.payload
    assert reply.type == Msg.RESPONSE or reply.payload.decode()


def _check_outcome(call: Call, message: ChaincodeMessage) -> None:
    try:
        outcome = outcome_of(call, message)
    except ExecutionError as error:
        text = str(error)
    else:
        assert outcome.event is None or outcome.event.tx_id == call.tx_id
        return
    assert text.encode()


def _check_released(simulator: Simulator) -> None:
    """Whatever was asked of it, it gives results once, and nothing of it stays open."""
    assert simulator.results() == simulator.results()
    simulator.close()
    assert all(next(query.cursor, None) is None for query in simulator._queries)
