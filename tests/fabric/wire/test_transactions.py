"""Transactions: assembled from responses, taken apart with the code of every defect."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TxValidationCode,
)
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import (
    TransactionError,
    WireError,
    assemble_transaction,
    build_proposal,
    build_proposal_response_payload,
    compute_tx_id,
    sign_endorsement,
    sign_envelope,
    unpack_endorsed,
    unpack_envelope,
    unpack_proposal,
    unpack_results,
    unpack_transaction,
)


@pytest.fixture
def built(signer):
    return build_proposal(
        signer=signer, channel_id="ch", chaincode_name="cc", args=[b"f"], transient={"k": b"v"}
    )


@pytest.fixture
def payload(built):
    return build_proposal_response_payload(
        proposal_hash=unpack_proposal(built.signed).hash,
        response=Response(status=200, message="ok", payload=b"result"),
        results=TxReadWriteSet().SerializeToString(),
        events=b"",
        chaincode_name="cc",
        chaincode_version="1",
    )


def response(payload, endorser, *, status=200):
    return ProposalResponse(
        version=1,
        response=Response(status=status, message="text"),
        payload=payload,
        endorsement=sign_endorsement(endorser, payload),
    )


@pytest.fixture
def envelope(built, payload, signer, other_signer):
    assembled = assemble_transaction(
        proposal=built.proposal_bytes,
        responses=[response(payload, other_signer), response(payload, signer)],
    )
    return sign_envelope(signer, assembled)


def test_an_assembled_transaction_unpacks(built, payload, envelope, signer, other_signer):
    transaction = unpack_transaction(envelope.SerializeToString())
    assert transaction.envelope.channel_header.tx_id == built.tx_id
    assert transaction.envelope.signature == signer.sign(envelope.payload)
    assert transaction.proposal_response_payload_bytes == payload
    assert [entry.endorser for entry in transaction.endorsements] == [b"other", b"creator"]
    first = transaction.endorsements[0]
    assert first.signature == other_signer.sign(payload + b"other")
    results = unpack_results(transaction)
    assert results.extension.chaincode_id.name == "cc"
    assert results.action.chaincode_id.version == "1"
    assert results.action.response.payload == b"result"
    assert results.namespaces == ()


def test_the_transaction_repeats_the_proposals_headers(built, envelope):
    proposal = unpack_proposal(built.signed)
    transaction = unpack_envelope(envelope.SerializeToString())
    assert transaction.channel_header_bytes == proposal.channel_header_bytes
    assert transaction.signature_header_bytes == proposal.signature_header_bytes


def test_transient_data_never_enters_the_transaction(envelope):
    transaction = unpack_transaction(envelope.SerializeToString())
    assert b"\x12\x06\n\x01k\x12\x01v" not in transaction.proposal_payload_bytes


def test_an_endorser_counts_once(built, payload, signer):
    answers = [response(payload, signer), response(payload, signer)]
    assembled = assemble_transaction(proposal=built.proposal_bytes, responses=answers)
    transaction = unpack_transaction(Envelope(payload=assembled).SerializeToString())
    assert len(transaction.endorsements) == 1


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([], "at least one proposal response is required"),
        ([(200, b"")], "no endorsements"),
        ([(500, b"e")], "proposal response was not successful, error code 500, msg text"),
        ([(199, b"e")], "proposal response was not successful, error code 199, msg text"),
    ],
)
def test_responses_that_make_no_transaction(built, answers, text):
    responses = []
    for status, endorser in answers:
        answer = ProposalResponse(response=Response(status=status, message="text"))
        if endorser:
            answer.endorsement.CopyFrom(Endorsement(endorser=endorser))
        responses.append(answer)
    with pytest.raises(WireError, match=text):
        assemble_transaction(proposal=built.proposal_bytes, responses=responses)


def test_differing_responses_are_shown(built, payload, signer, other_signer):
    answers = [response(payload, signer), response(b"different", other_signer)]
    with pytest.raises(WireError, match=r"ProposalResponsePayloads do not match \(base64\): 'ZGl"):
        assemble_transaction(proposal=built.proposal_bytes, responses=answers)


def code_of(data):
    with pytest.raises(TransactionError) as error:
        unpack_transaction(data)
    return error.value.code


def changed(envelope, *, channel=None, creator=None, nonce=None, data=None):
    payload = Payload.FromString(envelope.payload)
    header = ChannelHeader.FromString(payload.header.channel_header)
    if channel is not None:
        channel(header)
    payload.header.channel_header = header.SerializeToString()
    if creator is not None or nonce is not None:
        signed = SignatureHeader.FromString(payload.header.signature_header)
        signed.creator = signed.creator if creator is None else creator
        signed.nonce = signed.nonce if nonce is None else nonce
        payload.header.signature_header = signed.SerializeToString()
    if data is not None:
        payload.data = data(payload.data)
    return Envelope(payload=payload.SerializeToString()).SerializeToString()


def edit_action(edit):
    def change(data):
        transaction = Transaction.FromString(data)
        edit(transaction)
        return transaction.SerializeToString()

    return change


def edit_payload(edit):
    def change(transaction):
        payload = ChaincodeActionPayload.FromString(transaction.actions[0].payload)
        edit(payload)
        transaction.actions[0].payload = payload.SerializeToString()

    return edit_action(change)


def other_hash(payload):
    changed = ProposalResponsePayload.FromString(payload.action.proposal_response_payload)
    changed.proposal_hash = b"other"
    payload.action.proposal_response_payload = changed.SerializeToString()


def test_defects_of_the_outer_layers(envelope):
    assert code_of(b"\xff") == TxValidationCode.INVALID_OTHER_REASON
    assert code_of(Envelope(payload=b"\xff").SerializeToString()) == TxValidationCode.BAD_PAYLOAD
    assert code_of(b"") == TxValidationCode.BAD_COMMON_HEADER


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"channel": lambda h: setattr(h, "type", 0)}, "BAD_COMMON_HEADER"),
        ({"channel": lambda h: setattr(h, "type", 99)}, "BAD_COMMON_HEADER"),
        ({"channel": lambda h: setattr(h, "epoch", 1)}, "BAD_COMMON_HEADER"),
        ({"creator": b""}, "BAD_COMMON_HEADER"),
        ({"nonce": b""}, "BAD_COMMON_HEADER"),
        ({"channel": lambda h: setattr(h, "type", 1)}, "UNSUPPORTED_TX_PAYLOAD"),
        ({"channel": lambda h: setattr(h, "tx_id", "x")}, "BAD_PROPOSAL_TXID"),
        ({"creator": b"somebody else"}, "BAD_PROPOSAL_TXID"),
        ({"data": lambda d: b"\xff"}, "INVALID_ENDORSER_TRANSACTION"),
        ({"data": lambda d: b""}, "INVALID_ENDORSER_TRANSACTION"),
        ({"data": lambda d: d + d}, "INVALID_ENDORSER_TRANSACTION"),
        (
            {"data": edit_action(lambda t: setattr(t.actions[0], "header", b""))},
            "INVALID_ENDORSER_TRANSACTION",
        ),
        (
            {"data": edit_payload(lambda p: p.ClearField("action"))},
            "INVALID_ENDORSER_TRANSACTION",
        ),
        ({"data": edit_payload(other_hash)}, "INVALID_ENDORSER_TRANSACTION"),
        (
            {"data": edit_payload(lambda p: setattr(p, "chaincode_proposal_payload", b"x"))},
            "INVALID_ENDORSER_TRANSACTION",
        ),
    ],
)
def test_every_defect_has_its_code(envelope, change, code):
    assert code_of(changed(envelope, **change)) == TxValidationCode.Value(code)


def test_more_than_one_action_is_refused_in_words(envelope):
    with pytest.raises(TransactionError, match="only one action per transaction is supported, tx"):
        unpack_transaction(changed(envelope, data=lambda data: data + data))


def resulting(built, signer, *, action):
    """A transaction whose endorsed part is *action*."""
    unpacked = unpack_proposal(built.signed)
    payload = ProposalResponsePayload(proposal_hash=unpacked.hash, extension=action)
    raw = payload.SerializeToString()
    assembled = assemble_transaction(
        proposal=built.proposal_bytes, responses=[response(raw, signer)]
    )
    return unpack_transaction(Envelope(payload=assembled).SerializeToString())


def test_defects_of_the_endorsed_part(built, signer):
    bad_rwset = ChaincodeAction(results=b"\xff").SerializeToString()
    for action, code in ((b"\xff", "BAD_RESPONSE_PAYLOAD"), (bad_rwset, "BAD_RWSET")):
        with pytest.raises(TransactionError) as error:
            unpack_results(resulting(built, signer, action=action))
        assert error.value.code == TxValidationCode.Value(code)


def test_config_transactions_stop_after_the_first_stage(envelope):
    def to_config(header):
        header.type = HeaderType.CONFIG

    unpacked = unpack_envelope(changed(envelope, channel=to_config))
    assert unpacked.channel_header.type == HeaderType.CONFIG
    with pytest.raises(TransactionError):
        unpack_endorsed(unpacked)


def test_the_id_check_uses_nonce_and_creator(envelope):
    unpacked = unpack_envelope(envelope.SerializeToString())
    expected = compute_tx_id(unpacked.signature_header.nonce, unpacked.creator)
    assert unpacked.channel_header.tx_id == expected


@given(st.binary(max_size=80))
def test_garbage_raises_nothing_but_the_transaction_error(data):
    try:
        unpack_results(unpack_transaction(data))
    except TransactionError:
        return
