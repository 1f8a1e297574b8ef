"""Calls from one chaincode to another, as the caller's session runs them (fabric-wire.md §1.9)."""

from __future__ import annotations

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.chaincode_talk import sent
from treadle_peer.chaincode.session import (
    CancelInvoke,
    Finished,
    Invoke,
    TxKey,
)

KEY = TxKey("ch", "t1")


def test_a_callee_is_run_and_its_whole_message_becomes_the_payload(session, say, world):
    call = world.call()
    session.begin(call, deadline=None)
    [invoke] = session.receive(say.invocation())
    assert isinstance(invoke, Invoke)
    assert invoke.call is call
    assert invoke.spec.chaincode_id.name == "other"
    final = say.completed(payload=b"from the callee")
    [reply] = sent(session.answer(invoke.token, final))
    assert reply.type == Msg.RESPONSE
    assert Msg.FromString(reply.payload) == final
    assert session.answer(invoke.token, final) == []


def test_a_callee_that_cannot_run_is_an_error(session, say, world):
    session.begin(world.call(), deadline=None)
    [invoke] = session.receive(say.invocation())
    cause = "execute failed: error sending: txid: t1(ch) exists"
    [reply] = sent(session.refuse(invoke.token, cause))
    assert reply.type == Msg.ERROR
    assert reply.payload.decode() == f"INVOKE_CHAINCODE failed: transaction ID: t1: {cause}"


def test_a_second_request_beside_a_running_callee_gets_no_reply(session, say, world):
    session.begin(world.call(), deadline=None)
    [invoke] = session.receive(say.invocation())
    assert session.receive(say.message(Msg.GET_STATE)) == []
    assert session.receive(say.invocation()) == []
    assert len(session.answer(invoke.token, say.completed())) == 1
    assert len(session.receive(say.message(Msg.GET_STATE))) == 1


def test_no_reply_reaches_a_chaincode_that_has_finished(session, say, world):
    session.begin(world.call(), deadline=None)
    [invoke] = session.receive(say.invocation())
    final = say.completed()
    assert session.receive(final) == [CancelInvoke(invoke.token), Finished(KEY, final)]
    assert session.answer(invoke.token, say.completed()) == []


def test_a_late_answer_does_not_reach_a_later_transaction_of_the_same_id(session, say, world):
    session.begin(world.call(), deadline=None)
    [first] = session.receive(say.invocation())
    session.receive(say.completed())
    session.begin(world.call(), deadline=None)
    [second] = session.receive(say.invocation())
    assert session.answer(first.token, say.completed()) == []
    assert len(session.answer(second.token, say.completed())) == 1


def test_an_expiring_caller_gets_its_error_and_its_callee_is_cancelled(session, say, world):
    session.begin(world.call(), deadline=1.0)
    [invoke] = session.receive(say.invocation())
    cancel, reply, failed = session.expire(1.0)
    assert cancel == CancelInvoke(invoke.token)
    assert reply.message.payload.decode() == (
        "INVOKE_CHAINCODE failed: transaction ID: t1: execute failed: error sending: "
        "timeout expired while executing transaction"
    )
    assert failed.key == KEY


@pytest.mark.parametrize(
    ("channel", "name", "cause"),
    [
        ("ch", "other", "could not get valid transaction"),
        ("", "other", "could not get valid transaction"),
        ("", "qscc:1/ch", "failed to get transaction context"),
    ],
)
def test_a_callee_without_transaction_is_refused(session, say, channel, name, cause):
    [reply] = sent(session.receive(say.invocation(name, tx="deadbeef", channel=channel)))
    assert reply.payload.decode() == (f"INVOKE_CHAINCODE failed: transaction ID: deadbeef: {cause}")
    assert reply.channel_id == channel


def test_a_bare_input_instead_of_a_spec_is_refused(session, say, world):
    session.begin(world.call(), deadline=None)
    bare = ChaincodeInput(args=[b"query"])
    [reply] = sent(session.receive(say.message(Msg.INVOKE_CHAINCODE, bare)))
    assert reply.type == Msg.ERROR
    assert b"names no chaincode" in reply.payload
