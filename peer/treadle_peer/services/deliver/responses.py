"""Marshalled deliver responses.

Blocks are large and stored marshalled, so a response is framed around their bytes instead of
being parsed and marshalled again. ``orderer.DeliverResponse`` and ``protos.DeliverResponse`` agree
on fields 1 (status) and 2 (block).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from fabric_protos.common.common_pb2 import (
    Block,
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    Status,
)
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.events_pb2 import (
    DeliverResponse,
    FilteredBlock,
    FilteredChaincodeAction,
    FilteredTransaction,
    FilteredTransactionActions,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TransactionAction,
    TxValidationCode,
)
from treadle_fabric.wire import WireError, get_transactions_filter, parse

_BLOCK_TAG = b"\x12"  # field 2, length-delimited
_PRIVATE_TAG = b"\x22"  # field 4
_INNER_BLOCK_TAG = b"\x0a"  # field 1 of BlockAndPrivateData


class Content(Enum):
    """What a stream carries; the value is Fabric's ``data_type`` label."""

    BLOCK = "block"
    FILTERED = "filtered_block"
    PRIVATE = "block_and_pvtdata"


def status_response(status: Status.ValueType) -> bytes:
    """A response that carries only a status."""
    return DeliverResponse(status=status).SerializeToString()


def block_response(block: bytes, content: Content) -> bytes:
    """The response for one marshalled block.

    Raises WireError when a transaction inside cannot be read for the filtered form. Without
    private data its map is empty.
    """
    match content:
        case Content.BLOCK:
            return _BLOCK_TAG + _varint(len(block)) + block
        case Content.PRIVATE:
            inner = _INNER_BLOCK_TAG + _varint(len(block)) + block
            return _PRIVATE_TAG + _varint(len(inner)) + inner
        case Content.FILTERED:
            filtered = filter_block(parse(Block, block))
            return DeliverResponse(filtered_block=filtered).SerializeToString()


def filter_block(block: Block) -> FilteredBlock:
    """Transaction ids, types, validation codes and events without payload (§5.7)."""
    codes = get_transactions_filter(block)
    filtered = FilteredBlock(number=block.header.number)
    for index, data in enumerate(block.data.data):
        payload = _payload(data)
        if payload is None:
            continue
        header = parse(ChannelHeader, payload.header.channel_header)
        filtered.channel_id = header.channel_id
        code = codes[index] if index < len(codes) else TxValidationCode.INVALID_OTHER_REASON
        filtered.filtered_transactions.append(_filter_transaction(payload, header, code))
    return filtered


def _payload(data: bytes) -> Payload | None:
    try:
        envelope = parse(Envelope, data)
    except WireError:
        return None  # an unreadable entry is left out, as Fabric does
    payload = parse(Payload, envelope.payload)
    return payload if payload.HasField("header") else None


def _filter_transaction(payload: Payload, header: ChannelHeader, code: int) -> FilteredTransaction:
    filtered = FilteredTransaction(txid=header.tx_id)
    # Codes and types of another release than ours are open enum numbers.
    filtered.type = HeaderType.ValueType(header.type)
    filtered.tx_validation_code = TxValidationCode.ValueType(code)
    if header.type == HeaderType.ENDORSER_TRANSACTION:
        actions = FilteredTransactionActions(chaincode_actions=_events(payload.data))
        filtered.transaction_actions.CopyFrom(actions)
    return filtered


def _events(transaction: bytes) -> Iterator[FilteredChaincodeAction]:
    for action in parse(Transaction, transaction).actions:
        event = _event(action)
        if event is not None and event.chaincode_id:
            bare = ChaincodeEvent(
                chaincode_id=event.chaincode_id, tx_id=event.tx_id, event_name=event.event_name
            )
            yield FilteredChaincodeAction(chaincode_event=bare)


def _event(action: TransactionAction) -> ChaincodeEvent | None:
    payload = parse(ChaincodeActionPayload, action.payload)
    if not payload.HasField("action"):
        return None
    response = parse(ProposalResponsePayload, payload.action.proposal_response_payload)
    return parse(ChaincodeEvent, parse(ChaincodeAction, response.extension).events)


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
