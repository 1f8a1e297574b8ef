"""Reading large messages without copying them: one field stays where it is, the rest is parsed.

A protobuf message owns copies of its fields, and every access to a bytes field makes another. A
transaction is six messages deep, so a value of 8 MiB would be there a dozen times at once.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from treadle_fabric.wire.messages import Octets, WireError, parse, serialize
from treadle_fabric.wire.missing import delimited_spans

_M = TypeVar("_M", bound=Message)

# Below, protobuf is faster than looking at single fields in Python.
_LARGE = 1 << 16


def parse_apart(kind: type[_M], data: Octets, field: str) -> tuple[_M, Octets]:
    """*data* as *kind* without *field*, bytes or a single message, and that field's content.

    Of a large message the content is a view into *data*. Raises WireError like ``parse``.
    """
    message, contents = parse_around(kind, data, field)
    return message, contents[-1] if contents else b""


def parse_around(kind: type[_M], data: Octets, field: str) -> tuple[_M, list[Octets]]:
    """*data* as *kind* without the bytes or message field *field*, and each occurrence of that.

    Occurrences of a message are marshalled and not yet parsed; there is at most one, unless the
    field is a repeated one. Raises WireError when the rest is unreadable.
    """
    if len(data) < _LARGE:
        return _cut_out(parse(kind, data), field)
    try:
        rest, contents = _split(memoryview(data), kind.DESCRIPTOR.fields_by_name[field].number)
    except WireError:
        # Groups, or rubbish: protobuf knows.
        return _cut_out(parse(kind, data), field)
    if len(contents) > 1 and _is_single_message(kind.DESCRIPTOR, field):
        # Protobuf merges them, if each is readable by itself; two halves must not make a whole.
        return _cut_out(parse(kind, data), field)
    return parse(kind, rest), contents


def _split(data: memoryview, number: int) -> tuple[bytes, list[Octets]]:
    """Everything but the length-delimited fields *number*; their contents."""
    rest: list[memoryview] = []
    contents: list[Octets] = []
    kept = 0
    for found, start, content, end in delimited_spans(data):
        if found == number:
            rest.append(data[kept:start])
            contents.append(data[content:end])
            kept = end
    rest.append(data[kept:])
    return b"".join(rest), contents


def _cut_out(message: _M, field: str) -> tuple[_M, list[Octets]]:
    repeated, is_bytes = _shape(message.DESCRIPTOR, field)
    value = getattr(message, field)
    present = is_bytes or repeated or message.HasField(field)
    values = list(value) if repeated else [value] * present
    contents = values if is_bytes else [serialize(each) for each in values]
    message.ClearField(field)
    return message, contents


def _is_single_message(kind: Descriptor, field: str) -> bool:
    repeated, is_bytes = _shape(kind, field)
    return not repeated and not is_bytes


@cache
def _shape(kind: Descriptor, field: str) -> tuple[bool, bool]:
    """Whether *field* is repeated, and whether it is bytes; asked for every small message."""
    descriptor = kind.fields_by_name[field]
    repeated = descriptor.label == FieldDescriptor.LABEL_REPEATED
    return repeated, descriptor.message_type is None
