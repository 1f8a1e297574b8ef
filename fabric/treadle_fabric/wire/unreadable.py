"""Why a message cannot be read, in the words of Go's protobuf library."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from treadle_fabric.wire.messages import Octets, WireError
from treadle_fabric.wire.missing import MOST_FIELDS, delimited_spans

_MALFORMED = "proto: cannot parse invalid wire-format data"
_NO_TEXT = "string field contains invalid UTF-8"

# Python needs 30 ms for so many fields; who sends rubbish shall not cost more.
_MOST_FIELDS_IN_ALL = 1 << 15
_DEEPEST = 100


def why_unreadable(kind: type[Message], data: Octets) -> str:
    """The text for *data* that protobuf refuses as *kind*: what is wrong first in it.

    What has very many fields is called malformed once so many of them have been looked at.
    """
    return _Search().first_fault(kind.DESCRIPTOR, data) or _MALFORMED


class _Search:
    """Looks at the fields of one message and of those in it, as long as there are not too many."""

    def __init__(self) -> None:
        self._left = _MOST_FIELDS_IN_ALL

    def first_fault(self, kind: Descriptor, data: Octets, depth: int = _DEEPEST) -> str | None:
        """What is wrong in *data*; each message counts as many fields as it can have at most."""
        self._left -= min(len(data) // 2, MOST_FIELDS) + 1
        if self._left < 0 or not depth:
            return _MALFORMED
        try:
            for number, _, start, end in delimited_spans(data):
                field = kind.fields_by_number.get(number)
                if field is not None and (fault := self._fault_in(field, data[start:end], depth)):
                    return fault
        except WireError:
            return _MALFORMED
        return None

    def _fault_in(self, field: FieldDescriptor, content: Octets, depth: int) -> str | None:
        if field.message_type is not None:
            return self.first_fault(field.message_type, content, depth - 1)
        if field.type != FieldDescriptor.TYPE_STRING:
            return None
        try:
            bytes(content).decode()
        except UnicodeDecodeError:
            return _NO_TEXT
        return None
