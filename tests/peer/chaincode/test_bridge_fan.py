"""One chaincode process called by two peers: the rules without I/O."""

from __future__ import annotations

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from treadle_peer.chaincode import ProtocolViolation
from treadle_peer.chaincode.bridge import Record, ToPeer, ToShim
from treadle_peer.chaincode.bridge.fan import Fan

FIRST, SECOND = 0, 1


def start(tx="t1", channel="ch"):
    return Msg(type=Msg.TRANSACTION, txid=tx, channel_id=channel)


@pytest.fixture
def fan(say):
    """Registered at both peers and greeted by the first."""
    made = Fan(2, clock=lambda: 0.0)
    made.peer_up(FIRST)
    made.peer_up(SECOND)
    assert made.from_shim(say.register()) == [
        (FIRST, ToPeer(say.register())),
        (SECOND, ToPeer(say.register())),
    ]
    for kind in (Msg.REGISTERED, Msg.READY):
        made.from_peer(FIRST, Msg(type=kind))
    return made


def without_records(effects):
    return [effect for effect in effects if not isinstance(effect[1], Record)]


def test_the_chaincode_is_greeted_once_by_whichever_peer_is_first(fan):
    assert fan.from_peer(SECOND, Msg(type=Msg.REGISTERED)) == []
    assert fan.from_peer(SECOND, Msg(type=Msg.READY)) == []


def test_transactions_of_two_peers_run_side_by_side_and_answers_find_their_peer(fan, say):
    assert fan.from_peer(FIRST, start("t1")) == [(FIRST, ToShim(start("t1")))]
    assert fan.from_peer(SECOND, start("t2")) == [(SECOND, ToShim(start("t2")))]
    request = say.message(Msg.GET_STATE, tx="t2")
    assert fan.from_shim(request) == [(SECOND, ToPeer(request))]
    final = say.completed("t1")
    assert without_records(fan.from_shim(final)) == [(FIRST, ToPeer(final))]


def test_the_same_transaction_of_a_second_peer_waits_for_the_firsts_end(fan, say):
    fan.from_peer(FIRST, start())
    assert fan.from_peer(SECOND, start()) == []
    final = say.completed()
    assert without_records(fan.from_shim(final)) == [
        (FIRST, ToPeer(final)),
        (SECOND, ToShim(start())),
    ]
    request = say.message(Msg.GET_STATE)
    assert fan.from_shim(request) == [(SECOND, ToPeer(request))]
    assert without_records(fan.from_shim(final)) == [(SECOND, ToPeer(final))]


def test_three_peers_take_turns_in_the_order_they_came(say):
    fan = Fan(3, clock=lambda: 0.0)
    for index in range(3):
        fan.peer_up(index)
    fan.from_shim(say.register())
    for index in range(3):
        fan.from_peer(index, start())
    started = []
    for _ in range(3):
        effects = fan.from_shim(say.completed())
        started += [index for index, effect in effects if isinstance(effect, ToShim)]
    assert started == [1, 2]


def test_what_waits_for_a_lost_peer_is_forgotten(fan, say):
    fan.from_peer(FIRST, start())
    fan.from_peer(SECOND, start())
    fan.peer_down(SECOND)
    final = say.completed()
    assert without_records(fan.from_shim(final)) == [(FIRST, ToPeer(final))]


def test_a_transaction_of_a_lost_peer_holds_the_seconds_back_until_the_chaincode_ends_it(fan, say):
    fan.from_peer(FIRST, start())
    fan.peer_down(FIRST)
    assert fan.from_peer(SECOND, start()) == []
    assert without_records(fan.from_shim(say.completed())) == [(SECOND, ToShim(start()))]


def test_an_error_without_a_channel_ends_the_only_transaction_of_its_id(fan):
    fan.from_peer(SECOND, start())
    effects = without_records(fan.from_shim(Msg(type=Msg.ERROR, txid="t1", payload=b"no")))
    [(index, effect)] = effects
    assert (index, effect.message.channel_id) == (SECOND, "ch")
    assert fan.from_peer(FIRST, start()) == [(FIRST, ToShim(start()))]


def test_a_second_registration_is_a_violation(fan, say):
    with pytest.raises(ProtocolViolation):
        fan.from_shim(say.register())
