"""Messages read without one of their fields: the same as protobuf reads them, without copies."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope, Header, Payload
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import (
    WireError,
    block_frame,
    marshal_block,
    new_block,
    parse,
    parse_apart,
    parse_around,
)
from treadle_fabric.wire.missing import MOST_FIELDS, delimited_spans

LARGE = 1 << 16

pieces = st.sampled_from(
    (
        Envelope(payload=b"p" * LARGE).SerializeToString(),
        Envelope(payload=b"q", signature=b"s").SerializeToString(),
        b"\x0a\x00",  # an empty payload
        b"\x08\x07",  # field 1 as a number
        b"\x1d1234",  # an unknown field
        b"\x0b\x0a\x01x\x0c",  # a group
        b"\x8a\x00\x01x",  # a tag that is longer than it need be
        b"\x0a\x81\x00x",  # such a length
    )
)


@given(st.lists(pieces, max_size=6), st.binary(max_size=3))
def test_a_bytes_field_is_what_protobuf_says(parts: list[bytes], tail: bytes) -> None:
    data = b"".join(parts) + tail
    try:
        expected = parse(Envelope, data)
    except WireError:
        with pytest.raises(WireError):
            parse_apart(Envelope, data, "payload")
        return
    rest, payload = parse_apart(Envelope, data, "payload")
    assert payload == expected.payload
    expected.ClearField("payload")
    assert (rest.signature, rest.payload) == (expected.signature, b"")


@pytest.mark.parametrize("size", [3, LARGE])
@pytest.mark.parametrize(
    ("kind", "field"), [(Payload, "header"), (TxReadWriteSet, "ns_rwset"), (Block, "data")]
)
def test_message_fields_are_given_marshalled(kind: type[Message], field: str, size: int) -> None:
    content = b"c" * size
    message = {
        Payload: Payload(header=Header(channel_header=content), data=b"d"),
        TxReadWriteSet: TxReadWriteSet(
            ns_rwset=[NsReadWriteSet(namespace="a"), NsReadWriteSet(namespace="b", rwset=content)]
        ),
        Block: new_block(1, b"", [content, b""]),
    }[kind]
    rest, parts = parse_around(kind, message.SerializeToString(), field)
    value = getattr(message, field)
    expected = list(value) if kind is TxReadWriteSet else [value]
    assert [type(each).FromString(bytes(part)) for each, part in zip(expected, parts, strict=True)]
    assert [bytes(part) for part in parts] == [each.SerializeToString() for each in expected]
    message.ClearField(field)
    assert rest == message


@pytest.mark.parametrize("size", [3, LARGE])
def test_a_message_field_that_is_not_there_has_no_parts(size: int) -> None:
    data = ChaincodeActionPayload(chaincode_proposal_payload=b"c" * size).SerializeToString()
    assert parse_around(ChaincodeActionPayload, data, "action")[1] == []


def test_of_a_large_message_the_content_is_a_view() -> None:
    data = Envelope(payload=b"p" * LARGE).SerializeToString()
    _, content = parse_apart(Envelope, data, "payload")
    assert isinstance(content, memoryview)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_a_block_marshalled_around_its_data_is_the_same(data: list[bytes]) -> None:
    frame = block_frame(7, b"before", data)
    assert marshal_block(frame, data) == new_block(7, b"before", data).SerializeToString()


def test_a_message_of_countless_fields_is_left_to_protobuf() -> None:
    data = Envelope(payload=b"p" * LARGE).SerializeToString() + b"\x7a\x00" * MOST_FIELDS
    with pytest.raises(WireError, match="more than"):
        list(delimited_spans(data))
    envelope, payload = parse_apart(Envelope, data, "payload")
    assert payload == b"p" * LARGE
    assert envelope.payload == b""
