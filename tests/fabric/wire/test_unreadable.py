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


def test_large_rubbish_is_not_searched():
    assert why_unreadable(GetState, b"\x0a\x01\xff" * 30_000) == MALFORMED
