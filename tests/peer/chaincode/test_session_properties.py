"""Whatever a chaincode sends: no crash, one reply per request, one end per transaction."""

from __future__ import annotations

from collections import Counter

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetState,
    GetStateByRange,
    PutState,
    QueryStateClose,
    QueryStateNext,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from treadle_peer.chaincode import StreamEnded
from treadle_peer.chaincode.session import (
    CancelInvoke,
    Failed,
    Finished,
    Invoke,
    Send,
    Session,
    SessionState,
    TxKey,
)
from treadle_peer.execution import ExecutionError

IDS = st.sampled_from(["t1", "t2", "t3"])
CHANNELS = st.sampled_from(["ch", "other", ""])
REQUESTS = frozenset({8, 9, 10, 11, 14, 15, 16, 17, 19, 20, 21, 22, 23})

PAYLOADS = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [
            GetState(key="r0001"),
            GetState(key="k", collection="c"),
            PutState(key="k", value=b"v"),
            GetStateByRange(startKey="r", endKey="s"),
            GetStateByRange(metadata=b"\x08\x03"),
            QueryStateNext(id="nope"),
            QueryStateClose(id="nope"),
            ChaincodeSpec(chaincode_id=ChaincodeID(name="other")),
        ]
    ).map(lambda message: message.SerializeToString()),
)
MESSAGES = st.builds(
    lambda kind, payload, tx, channel: Msg(type=kind, payload=payload, txid=tx, channel_id=channel),
    st.one_of(st.sampled_from(sorted(REQUESTS)), st.integers(0, 30)),
    PAYLOADS,
    IDS,
    CHANNELS,
)
STEPS = st.one_of(
    st.tuples(st.just("receive"), MESSAGES),
    st.tuples(st.just("begin"), st.tuples(IDS, CHANNELS, st.none() | st.integers(0, 20))),
    st.tuples(st.just("answer"), st.booleans()),
    st.tuples(st.just("abandon"), st.tuples(IDS, CHANNELS)),
    st.tuples(st.just("tick"), st.integers(1, 5)),
)


class Witness:
    """Drives a session and keeps the books that the session must agree with."""

    def __init__(self, world, *, ledger):
        self.session = Session()
        self.world = world
        self.ledger = ledger
        self.now = 0
        self.running = set()
        self.waiting = {}
        self.ended = False

    def apply(self, effects, *, finished=None):
        for effect in effects:
            match effect:
                case Finished(key, _) | Failed(key, _):
                    assert key in self.running, "a transaction ends once"
                    self.running.remove(key)
                case Invoke(token, call, _):
                    self.waiting[token] = TxKey(call.channel_id, call.tx_id)
                case CancelInvoke(token):
                    key = self.waiting.pop(token)
                    assert key not in self.waiting.values()
                case Send(message):
                    assert not self.ended
                    assert message.type != Msg.KEEPALIVE

    def receive(self, message):
        key = TxKey(message.channel_id, message.txid)
        busy = key in self.waiting.values()
        effects = self.session.receive(message)
        replies = [e.message for e in effects if isinstance(e, Send)]
        invokes = [e for e in effects if isinstance(e, Invoke)]
        if message.type in REQUESTS:
            assert len(replies) + len(invokes) == (0 if busy and key in self.running else 1)
            for reply in replies:
                assert reply.type in {Msg.RESPONSE, Msg.ERROR}
                assert (reply.txid, reply.channel_id) == (message.txid, message.channel_id)
        else:
            assert not replies
        self.apply(effects)

    def begin(self, tx_id, channel, timeout):
        call = self.world.call(tx_id, channel_id=channel, ledger=self.ledger, simulator=self.shared)
        deadline = None if timeout is None else self.now + timeout
        key = TxKey(channel, tx_id)
        try:
            effects = self.session.begin(call, deadline=deadline)
        except ExecutionError:
            assert key in self.running
            return
        self.running.add(key)
        [start] = effects
        assert start.message.type == Msg.TRANSACTION

    def answer(self, well):
        if not self.waiting:
            return
        token = next(iter(self.waiting))
        key = self.waiting.pop(token)
        final = Msg(type=Msg.COMPLETED)
        answered = self.session.answer(token, final) if well else self.session.refuse(token, "no")
        [reply] = answered
        assert (reply.message.channel_id, reply.message.txid) == key

    def abandon(self, tx_id, channel):
        key = TxKey(channel, tx_id)
        effects = self.session.abandon(key)
        assert not any(isinstance(e, (Finished, Failed)) for e in effects)
        self.running.discard(key)
        self.apply(effects)

    def tick(self, seconds):
        self.now += seconds
        self.apply(self.session.expire(self.now))
        due = self.session.next_deadline()
        assert due is None or due > self.now

    def end(self):
        effects = self.session.end()
        self.ended = True
        self.apply(effects)
        assert not self.running
        assert not self.waiting
        assert self.session.end() == []


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, max_size=60), ledger=st.booleans())
def test_any_conversation_keeps_the_books(small_world, steps, ledger):
    witness = Witness(small_world, ledger=ledger)
    witness.shared = small_world.ledger.simulator("shared") if ledger else None
    witness.session.receive(
        Msg(type=Msg.REGISTER, payload=ChaincodeID(name="p:1").SerializeToString())
    )
    witness.session.admit()
    try:
        for name, argument in steps:
            if name == "receive":
                witness.receive(argument)
            elif name == "begin":
                witness.begin(*argument)
            elif name == "abandon":
                witness.abandon(*argument)
            else:
                getattr(witness, name)(argument)
            assert witness.session.in_flight == len(witness.running)
    except StreamEnded:
        assert witness.session.state is SessionState.READY
    witness.end()
    if witness.shared is not None:
        witness.shared.close()


@settings(max_examples=300, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=8))
def test_any_beginning_is_a_registration_or_an_end(messages):
    session = Session()
    kinds = Counter()
    try:
        for message in messages:
            kinds.update(type(effect).__name__ for effect in session.receive(message))
    except StreamEnded:
        assert session.in_flight == 0
    assert set(kinds) <= {"Register"}
    assert kinds["Register"] <= 1
