"""Taking messages apart: nothing is lost, and every part can be changed."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import BlockHeader
from fabric_protos.common.configtx_pb2 import Config, ConfigGroup, ConfigValue
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from harness.differential.encoding import encodes, reordered
from harness.differential.fields import leaves, mutations, path

ACTION = ChaincodeAction(results=b"\x08\x01", response=Response(status=200))
PAYLOAD = ProposalResponsePayload(proposal_hash=b"h", extension=ACTION.SerializeToString())
RESPONSE = ProposalResponse(
    version=1, payload=PAYLOAD.SerializeToString(), endorsement=Endorsement()
)


def paths(message: object) -> list[str]:
    return [path(way) for way, _ in leaves(message)]  # type: ignore[arg-type]


def test_bytes_that_hold_a_message_are_entered() -> None:
    assert "payload.extension.response.status" in paths(RESPONSE)


def test_an_empty_message_is_told_from_an_absent_one() -> None:
    assert "endorsement.nothing" in paths(RESPONSE)
    assert paths(ProposalResponse()) == ["nothing"]


def test_unknown_fields_are_seen() -> None:
    known = BlockHeader(number=1)
    strange = BlockHeader.FromString(known.SerializeToString() + b"\xf8\x7f\x01")
    assert paths(strange) == ["number", "unknown 2047[0]"]


def test_unknown_fields_of_one_number_are_told_apart() -> None:
    strange = BlockHeader.FromString(b"\xf8\x7f\x01\xf8\x7f\x02\xf8\x7f\x01")
    assert len(set(paths(strange))) == 3


def test_fields_in_another_order_stay_bytes() -> None:
    inner = PAYLOAD.SerializeToString()
    moved = reordered(inner)
    assert ProposalResponsePayload.FromString(moved) == PAYLOAD  # type: ignore[arg-type]
    assert paths(ProposalResponse(payload=moved)) == ["payload"]


def test_a_map_may_come_in_any_order() -> None:
    values = {key: ConfigValue(version=1) for key in ("a", "b")}
    group = ConfigGroup(values=values, mod_policy="Admins")
    head, first, second, tail = _four(Config(channel_group=group).SerializeToString())
    assert encodes(Config(channel_group=group), head + second + first + tail)
    assert not encodes(Config(channel_group=group), head + first + tail + second)


def _four(config: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Up to the first entry of the map, two entries, and what follows."""
    size = len(ConfigGroup(values={"a": ConfigValue(version=1)}).SerializeToString())
    start = 2  # tag and length of the group
    ends = (start, start + size, start + 2 * size)
    return config[:start], config[start : ends[1]], config[ends[1] : ends[2]], config[ends[2] :]


def test_bytes_in_an_unusual_encoding_stay_bytes() -> None:
    padded = ProposalResponse(payload=b"\x0a\x81\x00h")  # a length in two bytes
    assert paths(padded) == ["payload"]


def test_every_leaf_is_changed_once_and_nothing_else_with_it() -> None:
    before = {path(way): value for way, value in leaves(RESPONSE)}
    changed = dict(mutations(RESPONSE))
    assert {leaf for leaf in before if not leaf.endswith("nothing")} <= set(changed)
    for leaf in ("version", "payload.proposal_hash", "payload.extension.response.status"):
        after = {path(way): value for way, value in leaves(changed[leaf])}
        assert {name for name in before if after.get(name) != before[name]} == {leaf}
