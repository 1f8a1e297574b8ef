"""The session's states, transactions and deadlines (wire §1.2, §1.5, §1.6, Appendix A)."""

from __future__ import annotations

import pytest
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState
from harness.chaincode_talk import sent
from treadle_peer.chaincode import Ending, ProtocolViolation, RegistrationRefused
from treadle_peer.chaincode.session import (
    CancelInvoke,
    Failed,
    Finished,
    Register,
    Session,
    SessionState,
    TxKey,
    outcome_of,
)
from treadle_peer.execution import CallKind, ExecutionError

KEY = TxKey("ch", "t1")


def test_registration_is_answered_with_registered_then_ready_both_empty(say):
    session = Session()
    assert session.receive(say.register("probe:1")) == [Register("probe:1")]
    assert session.state is SessionState.ESTABLISHED
    greetings = sent(session.admit())
    assert greetings == [Msg(type=Msg.REGISTERED), Msg(type=Msg.READY)]
    assert session.state is SessionState.READY


def test_an_unreadable_registration_is_refused_with_a_sentence(say):
    with pytest.raises(RegistrationRefused, match="no ChaincodeID"):
        Session().receive(say.message(Msg.REGISTER, b"\xff\xff"))


def test_an_empty_name_is_refused_with_fabrics_words(say):
    with pytest.raises(RegistrationRefused, match="chaincodeID name is empty") as refusal:
        Session().receive(say.register(""))
    assert refusal.value.code is Ending.INVALID_ARGUMENT


def test_first_message_must_be_register(say):
    with pytest.raises(ProtocolViolation) as violation:
        Session().receive(say.message(Msg.GET_STATE, GetState(key="a"), tx="t"))
    assert violation.value.sentence == (
        "error handling message, ending stream: [t] Fabric side handler cannot handle message "
        "(GET_STATE) while in created state"
    )


def test_nothing_but_keepalive_is_taken_while_admission_is_pending(say):
    session = Session()
    session.receive(say.register())
    assert session.receive(say.message(Msg.KEEPALIVE)) == []
    with pytest.raises(ProtocolViolation, match="invalid state established for transaction t1"):
        session.receive(say.message(Msg.GET_STATE))


@pytest.mark.parametrize(
    ("kind", "word"),
    [(12, "12"), (Msg.REGISTER, "REGISTER"), (Msg.RESPONSE, "RESPONSE"), (99, "99"), (24, "24")],
)
def test_an_unexpected_type_in_ready_state_ends_the_stream(session, say, world, kind, word):
    session.begin(world.call(), deadline=None)
    with pytest.raises(ProtocolViolation, match=rf"\({word}\) while in ready state"):
        session.receive(say.message(kind))
    assert session.end() == [Failed(KEY, "chaincode stream terminated")]


def test_keepalive_is_never_answered(session, say):
    assert session.receive(say.message(Msg.KEEPALIVE)) == []


@pytest.mark.parametrize(
    ("kind", "wire"), [(CallKind.INVOKE, Msg.TRANSACTION), (CallKind.INIT, Msg.INIT)]
)
def test_a_call_is_one_message_with_input_and_proposal(session, world, kind, wire):
    call = world.call(kind=kind)
    [started] = sent(session.begin(call, deadline=None))
    assert started.type == wire
    assert ChaincodeInput.FromString(started.payload) == call.input
    assert (started.txid, started.channel_id) == ("t1", "ch")
    assert started.proposal == call.signed_proposal
    assert not started.HasField("timestamp")


def test_completed_ends_the_transaction_once(session, say, world):
    session.begin(world.call(), deadline=None)
    final = say.completed()
    assert session.receive(final) == [Finished(KEY, final)]
    assert session.receive(final) == []
    assert session.in_flight == 0


def test_final_messages_of_unknown_transactions_are_ignored(session, say):
    assert session.receive(say.completed(tx="nope")) == []
    assert session.receive(say.message(Msg.ERROR, b"boom", tx="nope")) == []


def test_a_running_key_cannot_begin_again(session, world):
    session.begin(world.call(), deadline=None)
    with pytest.raises(ExecutionError, match=r"^txid: t1\(ch\) exists$"):
        session.begin(world.call(), deadline=None)


def test_the_same_id_on_another_channel_is_another_transaction(session, say, world):
    session.begin(world.call(), deadline=None)
    session.begin(world.call(channel_id="other"), deadline=None)
    [done] = session.receive(say.completed(channel="other"))
    assert done.key == TxKey("other", "t1")


def test_a_request_without_transaction_is_refused(session, say):
    [reply] = sent(session.receive(say.message(Msg.GET_STATE, GetState(key="a"), tx="deadbeef")))
    assert reply.type == Msg.ERROR
    assert reply.payload == b"GET_STATE failed: transaction ID: deadbeef: no ledger context"
    assert (reply.txid, reply.channel_id) == ("deadbeef", "ch")


def test_a_request_in_a_call_without_ledger_is_refused(session, say, world):
    session.begin(world.call(ledger=False), deadline=None)
    [reply] = sent(session.receive(say.message(Msg.GET_STATE, GetState(key="a"))))
    assert reply.payload.endswith(b": no ledger context")


def test_a_call_expires_at_its_deadline_and_the_stream_lives_on(session, say, world):
    session.begin(world.call(), deadline=30.0)
    session.begin(world.call("t2"), deadline=40.0)
    assert session.next_deadline() == 30.0
    assert session.expire(29.9) == []
    assert session.expire(30.0) == [Failed(KEY, "timeout expired while executing transaction")]
    assert session.next_deadline() == 40.0
    assert session.receive(say.completed()) == []
    [late] = sent(session.receive(say.message(Msg.PUT_STATE)))
    assert late.payload == b"PUT_STATE failed: transaction ID: t1: no ledger context"


def test_deadlines_of_finished_transactions_are_forgotten(session, say, world):
    session.begin(world.call(), deadline=30.0)
    session.receive(say.completed())
    assert session.next_deadline() is None
    session.begin(world.call(), deadline=90.0)
    assert session.expire(60.0) == []
    assert session.next_deadline() == 90.0


def test_a_call_without_deadline_never_expires(session, world):
    session.begin(world.call(), deadline=None)
    assert session.next_deadline() is None
    assert session.expire(1e9) == []


def test_error_without_channel_is_matched_by_id_when_only_one_fits(session, say, world):
    session.begin(world.call(), deadline=None)
    [done] = session.receive(say.message(Msg.ERROR, b"boom", channel=""))
    assert done.key == KEY


def test_error_without_channel_is_ignored_when_two_fit(session, say, world):
    session.begin(world.call(), deadline=None)
    session.begin(world.call(channel_id="other"), deadline=None)
    assert session.receive(say.message(Msg.ERROR, b"boom", channel="")) == []


def test_completed_without_channel_is_not_guessed(session, say, world):
    session.begin(world.call(), deadline=None)
    assert session.receive(say.completed(channel="")) == []


def test_iterators_die_with_their_transaction(session, say, world):
    world.put({f"k{n:03}": b"v" for n in range(150)})
    simulator = world.simulator()
    session.begin(world.call(simulator=simulator), deadline=None)
    session.receive(say.message(Msg.GET_STATE_BY_RANGE))
    session.receive(say.completed())
    assert session.in_flight == 0
    session.begin(world.call(simulator=simulator), deadline=None)
    [reply] = sent(session.receive(say.message(Msg.QUERY_STATE_NEXT)))
    assert reply.payload.endswith(b"query iterator not found")


def test_an_abandoned_call_can_no_longer_read(session, say, world):
    session.begin(world.call(), deadline=5.0)
    assert session.abandon(KEY) == []
    assert session.next_deadline() is None
    [reply] = sent(session.receive(say.message(Msg.GET_STATE)))
    assert reply.payload.endswith(b"no ledger context")


def test_the_end_fails_everything_once_and_sends_nothing(session, say, world):
    session.begin(world.call(), deadline=None)
    session.begin(world.call("t2"), deadline=None)
    [invoke] = session.receive(say.invocation())
    effects = session.end()
    assert effects == [
        CancelInvoke(invoke.token),
        Failed(KEY, "chaincode stream terminated"),
        Failed(TxKey("ch", "t2"), "chaincode stream terminated"),
    ]
    assert session.end() == []
    with pytest.raises(ExecutionError, match="chaincode stream terminated"):
        session.begin(world.call("t3"), deadline=None)


def test_the_event_speaks_in_the_name_of_its_chaincode(say, world):
    final = say.completed(payload=b"done")
    event = ChaincodeEvent(chaincode_id="other", tx_id="x", event_name="e", payload=b"p")
    final.chaincode_event.CopyFrom(event)
    outcome = outcome_of(world.call(), final)
    assert outcome.response.payload == b"done"
    assert outcome.event == ChaincodeEvent(
        chaincode_id="probe", tx_id="t1", event_name="e", payload=b"p"
    )


def test_no_event_stays_none(say, world):
    assert outcome_of(world.call(), say.completed(status=0)).event is None


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        (Msg.ERROR, b"boom", "transaction returned with failure: boom"),
        (Msg.COMPLETED, b"\xff", "failed to unmarshal response for transaction t1"),
        (Msg.RESPONSE, b"", "unexpected response type 13 for transaction t1"),
    ],
)
def test_unusable_answers_are_errors_in_fabrics_words(say, world, kind, payload, text):
    with pytest.raises(ExecutionError, match=text):
        outcome_of(world.call(), say.message(kind, payload))
