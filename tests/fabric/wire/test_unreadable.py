"""The words of Go's protobuf library for what cannot be read."""

from __future__ import annotations

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from google.protobuf.message import DecodeError
from treadle_fabric.wire import why_unreadable

MALFORMED = "proto: cannot parse invalid wire-format data"
NO_TEXT = "string field contains invalid UTF-8"
DEEP = b"\x12\x01\xff"  # ChaincodeID.name within ChaincodeSpec.chaincode_id


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (GetState, b"\xff", MALFORMED),
        (GetState, b"\x0a\x05a", MALFORMED),
        (GetState, b"\x0a\x01\xff", NO_TEXT),
        (GetState, b"\x12\x01\xff\x0a\x05a", NO_TEXT),
        (PutState, b"\x12\x01\xff\x0a\x05a", MALFORMED),
        (ChaincodeSpec, bytes((0x12, len(DEEP))) + DEEP, NO_TEXT),
        (ChaincodeSpec, b"\x12\x02\x0a\x05" + bytes((0x12, len(DEEP))) + DEEP, MALFORMED),
    ],
)
def test_what_is_wrong_first_is_said(kind, data, text):
    with pytest.raises(DecodeError):
        kind.FromString(data)
    assert why_unreadable(kind, data) == text


def test_a_large_text_that_is_no_text_is_told_apart():
    long = b"\x0a" + b"\xf0\xa2\x04" + b"a" * 70_000
    assert why_unreadable(GetState, long + b"\x12\x01\xff") == NO_TEXT
    inner = b"\x12" + b"\xf8\xa2\x04" + b"\x12" + b"\xf4\xa2\x04" + b"a" * 69_999 + b"\xff" * 5
    assert why_unreadable(ChaincodeSpec, inner) == NO_TEXT


def test_countless_fields_are_not_searched():
    assert why_unreadable(GetState, b"\x0a\x00" * 30_000 + b"\x0a\x01\xff") == MALFORMED


def test_countless_messages_within_are_not_searched():
    inner = b"\x0a\x00" * 3_000
    entry = b"\x12" + b"\xf0\x2e" + inner
    assert why_unreadable(ChaincodeSpec, entry * 3 + b"\x12\x03\x0a\x01\xff") == NO_TEXT
    assert why_unreadable(ChaincodeSpec, entry * 3_000 + b"\x12\x03\x0a\x01\xff") == MALFORMED
