"""Marshalled deliver responses.

Blocks are large and stored marshalled, so a response is framed around their bytes instead of
being parsed and marshalled again. ``orderer.DeliverResponse`` and ``protos.DeliverResponse`` agree
on fields 1 (status) and 2 (block).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from enum import Enum

from fabric_protos.common.common_pb2 import (
    Block,
    BlockData,
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
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.wire import (
    Octets,
    WireError,
    get_transactions_filter,
    parse,
    parse_action_payload,
    parse_actions,
    parse_apart,
    parse_around,
)

_log = logging.getLogger(__name__)

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

    Where a transaction inside cannot be read for the filtered form, a status takes the block's
    place, and the next block follows (Fabric: filteredBlockResponseSender). Without private data
    its map is empty.
    """
    match content:
        case Content.BLOCK:
            return b"".join((_BLOCK_TAG, _varint(len(block)), block))
        case Content.PRIVATE:
            start = _INNER_BLOCK_TAG + _varint(len(block))
            size = _varint(len(start) + len(block))
            return b"".join((_PRIVATE_TAG, size, start, block))
        case Content.FILTERED:
            try:
                filtered = filter_block(block)
            except WireError as error:
                _log.warning("cannot filter a block: %s", error)
                return status_response(Status.BAD_REQUEST)
            return DeliverResponse(filtered_block=filtered).SerializeToString()


def filter_block(block: bytes) -> FilteredBlock:
    """Transaction ids, types, validation codes and events without payload (§5.7).

    Raises WireError when a transaction cannot be read.
    """
    frame, parts = parse_around(Block, block, "data")
    entries = [entry for part in parts for entry in parse_around(BlockData, part, "data")[1]]
    codes = get_transactions_filter(frame)
    filtered = FilteredBlock(number=frame.header.number)
    for index, entry in enumerate(entries):
        found = _payload(entry)
        if found is None:
            continue
        payload, data = found
        header = parse(ChannelHeader, payload.header.channel_header)
        filtered.channel_id = header.channel_id
        code = codes[index] if index < len(codes) else TxValidationCode.INVALID_OTHER_REASON
        filtered.filtered_transactions.append(_filter_transaction(data, header, code))
    return filtered


def _payload(entry: Octets) -> tuple[Payload, Octets] | None:
    """The payload without its data, and that."""
    try:
        _, raw = parse_apart(Envelope, entry, "payload")
    except WireError:
        return None  # an unreadable entry is left out, as Fabric does
    payload, data = parse_apart(Payload, raw, "data")
    return (payload, data) if payload.HasField("header") else None


def _filter_transaction(data: Octets, header: ChannelHeader, code: int) -> FilteredTransaction:
    filtered = FilteredTransaction(txid=header.tx_id)
    # Codes and types of another release than ours are open enum numbers.
    filtered.type = HeaderType.ValueType(header.type)
    filtered.tx_validation_code = TxValidationCode.ValueType(code)
    if header.type == HeaderType.ENDORSER_TRANSACTION:
        actions = FilteredTransactionActions(chaincode_actions=_events(data))
        filtered.transaction_actions.CopyFrom(actions)
    return filtered


def _events(transaction: Octets) -> Iterator[FilteredChaincodeAction]:
    for _, payload in parse_actions(transaction):
        event = _event(payload)
        if event is not None and event.chaincode_id:
            bare = ChaincodeEvent(
                chaincode_id=event.chaincode_id, tx_id=event.tx_id, event_name=event.event_name
            )
            yield FilteredChaincodeAction(chaincode_event=bare)


def _event(action: Octets) -> ChaincodeEvent | None:
    _, _, raw = parse_action_payload(action)
    _, extension = parse_apart(ProposalResponsePayload, raw, "extension")
    action_, _ = parse_apart(ChaincodeAction, extension, "results")
    return parse(ChaincodeEvent, action_.events)


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
