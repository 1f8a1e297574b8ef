"""Messages as Go prints them on one line, because scripts compare that text.

``status:200 payload:"ok" ``: every field ends with a blank, nested messages stand in angle
brackets.
"""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_ESCAPES = {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def go_text(message: Message | None) -> str:
    """*message* in Go's compact text form; ``<nil>`` for None."""
    if message is None:
        return "<nil>"
    return "".join(
        _field(field, value)
        for field, values in message.ListFields()
        for value in (values if field.label == FieldDescriptor.LABEL_REPEATED else [values])
    )


def _field(field: FieldDescriptor, value: object) -> str:
    if isinstance(value, Message):
        return f"{field.name}:<{go_text(value)}> "
    return f"{field.name}:{_scalar(field, value)} "


def _scalar(field: FieldDescriptor, value: object) -> str:
    if isinstance(value, bytes):
        return _quoted(value)
    if isinstance(value, str):
        return _quoted(value.encode())
    if isinstance(value, bool):
        return str(value).lower()
    if field.enum_type is not None:
        known = field.enum_type.values_by_number
        return known[value].name if value in known else str(value)
    return str(value)


def _quoted(value: bytes) -> str:
    return '"' + "".join(_escaped(byte) for byte in value) + '"'


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
