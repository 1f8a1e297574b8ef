"""Messages that Fabric has and ``fabric_protos`` lacks, encoded by hand (fabric-wire.md §8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.message import Message

from treadle_fabric.wire.messages import Octets, WireError, serialize

_VARINT = 0
_FIXED64 = 1
_LENGTH_DELIMITED = 2
_FIXED32 = 5
_NUMBERS = 1 << 29  # field numbers are below

_TYPE_URL_PREFIX = "type.googleapis.com/"


def encode_signed_cds_data(code_hash: bytes, metadata_hash: bytes, signature_hash: bytes) -> bytes:
    """SignedCDSData{hash 1, metadatahash 2, signaturehash 3}: the data of a signed package."""
    return _field(1, code_hash) + _field(2, metadata_hash) + _field(3, signature_hash)


def encode_status(code: int, message: str, details: Sequence[Message] = ()) -> bytes:
    """google.rpc.Status, the content of the trailer ``grpc-status-details-bin``."""
    encoded = _tag(1, _VARINT) + _varint(code) if code else b""
    encoded += _field(2, message.encode())
    return encoded + b"".join(_field(3, _any(detail), keep_empty=True) for detail in details)


def has_payload_visibility(extension: bytes) -> bool:
    """Whether a marshalled ChaincodeHeaderExtension carries the withdrawn field 1.

    Fabric 1.4 refuses such a proposal: ``invalid payload visibility field``.
    """
    return any(number == 1 and value for number, value in length_delimited_fields(extension))


def length_delimited_fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each length-delimited field; raises WireError on malformed bytes."""
    for number, _, content, end in delimited_spans(data):
        yield number, data[content:end]


MOST_FIELDS = 4_000


def delimited_spans(data: Octets) -> Iterator[tuple[int, int, int, int]]:
    """Number, start, start of the content and end of each length-delimited field.

    Raises WireError on malformed bytes, for groups, and for more fields of any kind than an
    honest message has: a megabyte of empty ones would keep Python busy for seconds, layer by
    layer.
    """
    position = fields = 0
    while position < len(data):
        start = position
        fields += 1
        if fields > MOST_FIELDS:
            raise WireError(f"more than {MOST_FIELDS} fields")
        key, position = _read_varint(data, position)
        size, position = _field_size(key & 7, data, position)
        if not 0 < key >> 3 < _NUMBERS or position + size > len(data):
            raise WireError("proto: cannot parse invalid wire-format data")
        if key & 7 == _LENGTH_DELIMITED:
            yield key >> 3, start, position, position + size
        position += size


def _field_size(kind: int, data: Octets, position: int) -> tuple[int, int]:
    if kind == _LENGTH_DELIMITED:
        return _read_varint(data, position)
    if kind == _VARINT:
        return 0, _read_varint(data, position)[1]
    if kind in (_FIXED64, _FIXED32):
        return (8 if kind == _FIXED64 else 4), position
    raise WireError("proto: cannot parse invalid wire-format data")


def length_delimited_start(number: int, size: int) -> bytes:
    """What precedes the *size* bytes of content of field *number*."""
    return _tag(number, _LENGTH_DELIMITED) + _varint(size)


def _any(message: Message) -> bytes:
    url = _TYPE_URL_PREFIX + message.DESCRIPTOR.full_name
    return _field(1, url.encode()) + _field(2, serialize(message))


def _field(number: int, value: bytes, *, keep_empty: bool = False) -> bytes:
    if not value and not keep_empty:
        return b""
    return length_delimited_start(number, len(value)) + value


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _read_varint(data: Octets, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        octet = data[position]
        value |= (octet & 0x7F) << shift
        position += 1
        if not octet & 0x80:
            return value, position
        shift += 7
    raise WireError("proto: cannot parse invalid wire-format data")
