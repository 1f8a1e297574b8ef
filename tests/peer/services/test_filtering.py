"""Filtered blocks: what events show of a transaction."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Block, HeaderType, Status
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.ordering import CHANNEL, Network
from treadle_fabric.wire import (
    assemble_transaction,
    build_envelope,
    build_proposal,
    build_proposal_response_payload,
    new_block,
    set_transactions_filter,
    sign_endorsement,
    sign_envelope,
    unpack_proposal,
)
from treadle_peer.services.deliver import Content, block_response, filter_block


def endorsed(network: Network, event: ChaincodeEvent | None) -> tuple[str, bytes]:
    """A transaction as clients send it, and its id."""
    built = build_proposal(
        signer=network.client, channel_id=CHANNEL, chaincode_name="mycc", args=[b"invoke"]
    )
    payload = build_proposal_response_payload(
        proposal_hash=unpack_proposal(built.signed).hash,
        response=Response(status=200),
        results=b"",
        events=event.SerializeToString() if event else b"",
        chaincode_name="mycc",
        chaincode_version="1",
    )
    answer = ProposalResponse(
        response=Response(status=200),
        payload=payload,
        endorsement=sign_endorsement(network.client, payload),
    )
    transaction = assemble_transaction(proposal=built.proposal_bytes, responses=[answer])
    return built.tx_id, sign_envelope(network.client, transaction).SerializeToString()


def test_events_lose_their_payload_and_transactions_keep_id_type_and_code(
    network: Network,
) -> None:
    event = ChaincodeEvent(chaincode_id="mycc", tx_id="t", event_name="paid", payload=b"secret")
    with_event, first = endorsed(network, event)
    without, second = endorsed(network, None)
    config = build_envelope(
        signer=network.client, header_type=HeaderType.CONFIG, channel_id=CHANNEL, data=b""
    ).SerializeToString()
    block = new_block(7, b"", [first, second, config])
    codes = [TxValidationCode.VALID, TxValidationCode.MVCC_READ_CONFLICT, TxValidationCode.VALID]
    set_transactions_filter(block, codes)

    filtered = filter_block(block.SerializeToString())

    assert (filtered.channel_id, filtered.number) == (CHANNEL, 7)
    one, two, three = filtered.filtered_transactions
    assert (one.txid, one.type, one.tx_validation_code) == (
        with_event,
        HeaderType.ENDORSER_TRANSACTION,
        TxValidationCode.VALID,
    )
    (action,) = one.transaction_actions.chaincode_actions
    assert action.chaincode_event == ChaincodeEvent(
        chaincode_id="mycc", tx_id="t", event_name="paid"
    )
    assert (two.txid, two.tx_validation_code) == (without, TxValidationCode.MVCC_READ_CONFLICT)
    assert two.HasField("transaction_actions")
    assert not two.transaction_actions.chaincode_actions
    assert three.type == HeaderType.CONFIG
    assert b"secret" not in block_response(block.SerializeToString(), Content.FILTERED)


def test_an_unreadable_entry_is_left_out(network: Network) -> None:
    _, good = endorsed(network, None)
    block = new_block(1, b"", [b"\xff\xff", good, b""])
    set_transactions_filter(block, [255, 0, 1])
    (only,) = filter_block(block.SerializeToString()).filtered_transactions
    assert only.tx_validation_code == TxValidationCode.VALID


def test_a_block_of_any_size_is_framed_without_being_parsed() -> None:
    for size in (0, 1, 127, 128, 16383, 16384, 1 << 21):
        block = bytes(size)
        framed = block_response(block, Content.BLOCK)
        assert framed.endswith(block)
    empty = Block().SerializeToString()
    assert block_response(empty, Content.BLOCK) == b"\x12\x00"


def test_a_status_takes_the_place_of_a_block_that_cannot_be_filtered(network: Network) -> None:
    nonsense = build_envelope(
        signer=network.client,
        header_type=HeaderType.ENDORSER_TRANSACTION,
        channel_id=CHANNEL,
        data=b"\xff",
    )
    block = new_block(1, b"", [nonsense.SerializeToString()])
    answer = DeliverResponse.FromString(block_response(block.SerializeToString(), Content.FILTERED))
    assert answer.status == Status.BAD_REQUEST
