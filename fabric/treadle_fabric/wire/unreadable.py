"""Why a message cannot be read, in the words of Go's protobuf library."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from treadle_fabric.wire.messages import Octets, WireError
from treadle_fabric.wire.missing import delimited_spans

_MALFORMED = "proto: cannot parse invalid wire-format data"
_NO_TEXT = "string field contains invalid UTF-8"

# Python needs 30 ms for so many bytes of small fields; who sends rubbish shall not cost more.
_MOST_BYTES = 1 << 16
_DEEPEST = 100


def why_unreadable(kind: type[Message], data: Octets) -> str:
    """The text for *data* that protobuf refuses as *kind*: what is wrong first in it.

    Larger data than 64 KiB is called malformed without looking.
    """
    if len(data) > _MOST_BYTES:
        return _MALFORMED
    return _first_fault(kind.DESCRIPTOR, data, _DEEPEST) or _MALFORMED


def _first_fault(kind: Descriptor, data: Octets, depth: int) -> str | None:
    try:
        for number, _, start, end in delimited_spans(data):
            field = kind.fields_by_number.get(number)
            if field is not None and (fault := _fault_in(field, data[start:end], depth)):
                return fault
    except WireError:
        return _MALFORMED
    return None


def _fault_in(field: FieldDescriptor, content: Octets, depth: int) -> str | None:
    if field.message_type is not None:
        return _first_fault(field.message_type, content, depth - 1) if depth else _MALFORMED
    if field.type != FieldDescriptor.TYPE_STRING:
        return None
    try:
        bytes(content).decode()
    except UnicodeDecodeError:
        return _NO_TEXT
    return None
