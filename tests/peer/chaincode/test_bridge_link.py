"""The bridge's rules: one registration, one greeting, and no stray message (design §2)."""

from __future__ import annotations

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState
from hypothesis import given, settings
from hypothesis import strategies as st
from treadle_peer.chaincode import ProtocolViolation
from treadle_peer.chaincode.bridge import Link, Record, ToPeer, ToShim

START = Msg(
    type=Msg.TRANSACTION,
    txid="t1",
    channel_id="ch",
    payload=ChaincodeInput(args=[b"transfer", b"a"]).SerializeToString(),
)
LOST = "the connection to the peer was lost, the transaction has ended there"


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def link(say, clock):
    """A link whose chaincode is registered and greeted."""
    made = Link(clock=clock)
    made.from_shim(say.register())
    made.peer_up()
    for kind in (Msg.REGISTERED, Msg.READY):
        made.from_peer(Msg(type=kind))
    return made


def reply(tx="t1", kind=Msg.RESPONSE, payload=b"v"):
    return Msg(type=kind, txid=tx, channel_id="ch", payload=payload)


@pytest.mark.parametrize("peer_first", [True, False])
def test_registration_is_forwarded_whoever_comes_first(say, clock, peer_first):
    link = Link(clock=clock)
    effects = [*link.peer_up(), *link.from_shim(say.register())] if peer_first else []
    if not peer_first:
        effects = [*link.from_shim(say.register()), *link.peer_up()]
    assert effects == [ToPeer(say.register())]


def test_the_shim_is_greeted_once_in_its_life(say, clock):
    link = Link(clock=clock)
    link.from_shim(say.register())
    link.peer_up()
    registered, ready = Msg(type=Msg.REGISTERED), Msg(type=Msg.READY)
    assert link.from_peer(registered) == [ToShim(registered)]
    link.peer_down()
    assert link.peer_up() == [ToPeer(say.register())]
    assert link.from_peer(registered) == []
    assert link.from_peer(ready) == [ToShim(ready)]
    link.peer_down()
    link.peer_up()
    assert [*link.from_peer(registered), *link.from_peer(ready)] == []


def test_a_transaction_passes_with_its_requests(link, say, clock):
    request = say.message(Msg.GET_STATE, GetState(key="a"))
    final = say.completed()
    assert link.from_peer(START) == [ToShim(START)]
    assert link.from_shim(request) == [ToPeer(request)]
    assert link.from_peer(reply()) == [ToShim(reply())]
    clock.now += 0.25
    forwarded, record = link.from_shim(final)
    assert forwarded == ToPeer(final)
    told = record.record
    assert (told.function, told.seconds, told.status, told.requests, told.delivered) == (
        "transfer",
        0.25,
        200,
        {"GET_STATE": 1},
        True,
    )


def test_losing_the_peer_answers_what_the_shim_waits_for(link, say):
    link.from_peer(START)
    link.from_peer(Msg(type=Msg.TRANSACTION, txid="t2", channel_id="ch"))
    link.from_shim(say.message(Msg.GET_STATE))
    [lost] = link.peer_down()
    assert lost.message.type == Msg.ERROR
    assert lost.message.payload.decode() == f"GET_STATE failed: transaction ID: t1: {LOST}"
    assert link.peer_down() == []


def test_a_transaction_without_peer_fails_at_its_next_request_and_its_end_goes_nowhere(link, say):
    link.from_peer(START)
    link.peer_down()
    [lost] = link.from_shim(say.message(Msg.PUT_STATE))
    assert lost.message.payload.decode() == f"PUT_STATE failed: transaction ID: t1: {LOST}"
    link.peer_up()
    assert isinstance(link.from_shim(say.message(Msg.PUT_STATE))[0], ToShim)
    [record] = link.from_shim(say.message(Msg.ERROR, b"PUT_STATE failed"))
    assert record.record.delivered is False
    assert record.record.status is None
    assert link.from_shim(say.completed()) == []


def test_a_transaction_that_still_runs_is_not_started_twice(link, say):
    link.from_peer(START)
    link.peer_down()
    link.peer_up()
    [refusal] = link.from_peer(START)
    assert isinstance(refusal, ToPeer)
    assert refusal.message.type == Msg.ERROR
    assert refusal.message.payload == (
        b"the chaincode still works on this transaction from before the connection was lost"
    )
    link.from_shim(say.completed())
    assert link.from_peer(START) == [ToShim(START)]


def test_stray_replies_and_keepalives_never_reach_the_shim(link, say):
    assert link.from_peer(reply()) == []
    link.from_peer(START)
    assert link.from_peer(reply()) == []
    assert link.from_peer(reply(kind=Msg.ERROR)) == []
    assert link.from_peer(Msg(type=Msg.KEEPALIVE)) == []
    assert link.from_shim(say.message(Msg.KEEPALIVE)) == []


def test_requests_of_no_transaction_are_answered_here(link, say):
    [state] = link.from_shim(say.message(Msg.GET_STATE, tx="x"))
    [invoke] = link.from_shim(say.message(Msg.INVOKE_CHAINCODE, tx="x"))
    assert state.message.payload.endswith(b"x: no ledger context")
    assert invoke.message.payload.endswith(b"x: could not get valid transaction")


def test_an_error_without_channel_gets_its_channel(link, say):
    link.from_peer(START)
    forwarded, _ = link.from_shim(say.message(Msg.ERROR, b"boom", channel=""))
    assert (forwarded.message.channel_id, forwarded.message.payload) == ("ch", b"boom")


def test_the_first_message_must_be_register_and_only_the_first(link, say, clock):
    with pytest.raises(ProtocolViolation, match="while in created state"):
        Link(clock=clock).from_shim(say.completed())
    with pytest.raises(ProtocolViolation, match="while in ready state"):
        link.from_shim(say.register())


IDS = st.sampled_from(["t1", "t2"])
KINDS = st.integers(0, 25)
EVENTS = st.one_of(
    st.sampled_from([("up",), ("down",)]),
    st.tuples(st.just("peer"), KINDS, IDS),
    st.tuples(st.just("shim"), KINDS.filter(lambda kind: kind != Msg.REGISTER), IDS),
)


@settings(max_examples=300, deadline=None)
@given(events=st.lists(EVENTS, max_size=60))
def test_a_shim_hears_only_what_it_expects(events):
    link = Link(clock=lambda: 0.0)
    link.from_shim(Msg(type=Msg.REGISTER))
    connected, running, waiting, greeted = False, set(), set(), set()
    for event in events:
        if event[0] in {"up", "down"}:
            connected = event[0] == "up"
            effects = link.peer_up() if connected else link.peer_down()
        elif event[0] == "peer":
            if not connected:
                continue
            effects = link.from_peer(Msg(type=event[1], txid=event[2], channel_id="ch"))
        else:
            message = Msg(type=event[1], txid=event[2], channel_id="ch")
            if message.type in {Msg.COMPLETED, Msg.ERROR}:
                running.discard(message.txid)
                waiting.discard(message.txid)
            elif message.type != Msg.KEEPALIVE and message.txid not in waiting:
                waiting.add(message.txid)
            effects = link.from_shim(message)
        for effect in effects:
            if isinstance(effect, Record):
                continue
            kind, tx = effect.message.type, effect.message.txid
            if isinstance(effect, ToPeer):
                assert connected
            elif kind in {Msg.REGISTERED, Msg.READY}:
                assert kind not in greeted
                greeted.add(kind)
            elif kind in {Msg.INIT, Msg.TRANSACTION}:
                assert tx not in running
                running.add(tx)
            else:
                assert kind in {Msg.RESPONSE, Msg.ERROR}
                assert tx in waiting
                waiting.remove(tx)
    link.peer_down()
    assert not waiting & running or all(
        isinstance(e, ToShim) for e in link.from_shim(Msg(type=Msg.GET_STATE, txid="t9"))
    )
