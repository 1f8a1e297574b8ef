"""Messages as Go prints them; the expected texts come from the real command."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeSpec
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from hypothesis import given
from hypothesis import strategies as st
from treadle_cli.peer.gotext import go_text


def test_a_response_reads_as_in_the_real_command() -> None:
    assert go_text(Response(status=200, payload=b"ok")) == 'status:200 payload:"ok" '
    assert go_text(Response(status=500, message="as asked")) == ('status:500 message:"as asked" ')


def test_nothing_is_nil() -> None:
    assert go_text(None) == "<nil>"


def test_nested_messages_stand_in_angle_brackets() -> None:
    response = ProposalResponse(version=1, response=Response(status=200))
    assert go_text(response) == "version:1 response:<status:200 > "


def test_enums_are_named_and_unknown_ones_are_digits() -> None:
    spec = ChaincodeSpec(type=ChaincodeSpec.NODE, chaincode_id=ChaincodeID(name="a"))
    assert go_text(spec) == 'type:NODE chaincode_id:<name:"a" > '
    spec.type = 5  # type: ignore[assignment]
    assert go_text(spec).startswith("type:5 ")


def test_bytes_are_escaped_as_in_go() -> None:
    text = go_text(Response(payload=b'a"\\\n\t\r\x00\xffz'))
    assert text == 'payload:"a\\"\\\\\\n\\t\\r\\000\\377z" '


@given(st.binary(min_size=1))
def test_any_payload_is_printable_ascii_on_one_line(payload: bytes) -> None:
    text = go_text(Response(payload=payload))
    assert text.isascii()
    assert text.isprintable()
