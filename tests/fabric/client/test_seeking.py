"""Block positions and seek requests."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import HeaderType
from fabric_protos.orderer.ab_pb2 import SeekInfo
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.client import FOREVER, position, seek_request
from treadle_fabric.wire import parse, unpack_payload


class Signer:
    """Signs by reversing; the request's shape is what is tested."""

    def serialize(self) -> bytes:
        return b"me"

    def sign(self, message: bytes) -> bytes:
        return message[::-1]


@given(st.integers(min_value=0, max_value=FOREVER))
def test_every_block_number_is_a_position(number: int) -> None:
    assert position(number).specified.number == number


@pytest.mark.parametrize("wrong", [-1, FOREVER + 1, "latest", ""])
def test_anything_else_is_refused_with_what_is_wanted(wrong: int | str) -> None:
    with pytest.raises(ValueError, match="want oldest, newest or a block number"):
        position(wrong)


def test_a_request_names_channel_range_and_connection() -> None:
    envelope = seek_request(signer=Signer(), channel_id="ch", start="newest", tls_cert_hash=b"hash")
    payload = unpack_payload(envelope)
    seek = parse(SeekInfo, payload.data)
    assert payload.channel_header.type == HeaderType.DELIVER_SEEK_INFO
    assert payload.channel_header.tls_cert_hash == b"hash"
    assert payload.channel_id == "ch"
    assert seek.start.WhichOneof("Type") == "newest"
    assert seek.stop.specified.number == FOREVER
    assert seek.behavior == SeekInfo.BLOCK_UNTIL_READY
    assert envelope.signature == envelope.payload[::-1]


def test_best_effort_is_asked_for_only_on_demand() -> None:
    for best_effort, expected in ((True, SeekInfo.BEST_EFFORT), (False, SeekInfo.STRICT)):
        envelope = seek_request(
            signer=Signer(), channel_id="ch", start=0, stop=0, best_effort=best_effort
        )
        assert parse(SeekInfo, unpack_payload(envelope).data).error_response == expected
