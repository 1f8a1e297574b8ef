"""Reading around one field against protobuf's own parser, for small and large messages."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.common.common_pb2 import Envelope, Payload
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)
from fuzz.octets import Octets
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from treadle_fabric.wire import (
    WireError,
    has_payload_visibility,
    length_delimited_fields,
    length_delimited_start,
    parse_apart,
    parse_around,
    serialize,
)

_CASES: tuple[tuple[type[Message], str], ...] = (
    (Envelope, "payload"),
    (Payload, "data"),
    (Transaction, "actions"),
    (TransactionAction, "payload"),
    (ChaincodeActionPayload, "action"),
    (ChaincodeEndorsedAction, "proposal_response_payload"),
    (ProposalResponsePayload, "extension"),
    (ChaincodeAction, "results"),
    (TxReadWriteSet, "ns_rwset"),
    (NsReadWriteSet, "rwset"),
)
_LARGE = 1 << 16
# A field that nobody knows makes any message large enough to be read in place.
_PADDING = length_delimited_start(1000, _LARGE) + bytes(_LARGE)


def seeds() -> Iterator[bytes]:
    """Each case: its field once, twice, beside others, with an unknown field or a group."""
    for number, (kind, field) in enumerate(_CASES):
        own = length_delimited_start(kind.DESCRIPTOR.fields_by_name[field].number, 2) + b"\x0a\x00"
        for place in range(3):
            yield bytes((number, place)) + own
            yield bytes((number, place)) + own + own
            yield bytes((number, place)) + b"\x22\x01x" + own + b"\x28\x01"
            yield bytes((number, place)) + own + b"\x53\x54"


def one_input(data: bytes) -> None:
    """Both readings agree: the rest, the contents, or that it is unreadable."""
    octets = Octets(data)
    kind, field = octets.pick(_CASES)
    place = octets.byte() % 3
    raw = octets.rest()
    _check_fields(raw)
    if place == 1:
        raw = _PADDING + raw
    elif place == 2:
        raw = raw + _PADDING
    _check(kind, field, raw)


def _check(kind: type[Message], field: str, raw: bytes) -> None:
    try:
        whole = kind.FromString(raw)
    except DecodeError:
        whole = None
    try:
        rest, contents = parse_around(kind, raw, field)
    except WireError:
        assert whole is None, "protobuf reads it"
        return
    # A spoilt message inside the field is found when that is read, not before.
    if whole is None:
        assert _is_message(kind, field), "protobuf does not read it"
        assert not _readable(kind, field, contents)
        return
    assert not getattr(rest, field) if not _is_single(kind, field) else not rest.HasField(field)
    _check_contents(kind, field, whole, contents=contents)
    whole.ClearField(field)
    assert serialize(rest) == serialize(whole)
    if not _is_message(kind, field):
        assert bytes(parse_apart(kind, raw, field)[1]) == bytes(contents[-1] if contents else b"")


def _check_contents(
    kind: type[Message], field: str, whole: Message, *, contents: list[bytes | memoryview]
) -> None:
    value = getattr(whole, field)
    if not _is_message(kind, field):
        assert bytes(contents[-1] if contents else b"") == value
    elif _is_single(kind, field):
        assert len(contents) <= 1
        assert whole.HasField(field) is bool(contents)
        assert serialize(type(value).FromString(b"".join(contents))) == serialize(value)
    else:
        inner = kind.DESCRIPTOR.fields_by_name[field].message_type._concrete_class
        read = [serialize(inner.FromString(bytes(each))) for each in contents]
        assert read == [serialize(each) for each in value]


def _readable(kind: type[Message], field: str, contents: list[bytes | memoryview]) -> bool:
    inner = kind.DESCRIPTOR.fields_by_name[field].message_type._concrete_class
    joined = [b"".join(contents)] if _is_single(kind, field) else [bytes(each) for each in contents]
    try:
        for each in joined:
            inner.FromString(each)
    except DecodeError:
        return False
    return True


def _is_message(kind: type[Message], field: str) -> bool:
    return kind.DESCRIPTOR.fields_by_name[field].message_type is not None


def _is_single(kind: type[Message], field: str) -> bool:
    descriptor = kind.DESCRIPTOR.fields_by_name[field]
    return (
        descriptor.message_type is not None and descriptor.label != FieldDescriptor.LABEL_REPEATED
    )


def _check_fields(raw: bytes) -> None:
    try:
        found = list(length_delimited_fields(raw))
    except WireError:
        return
    assert sum(len(content) for _, content in found) <= len(raw)
    assert has_payload_visibility(raw) == any(n == 1 and content for n, content in found)
