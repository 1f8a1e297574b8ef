"""A message taken apart to its last field, and the same message with one field changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from harness.differential.encoding import encodes
from harness.differential.schema import Place, inner_type

Way = tuple[Place, ...]
_TEXT, _BYTES = FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES
_MESSAGE = FieldDescriptor.TYPE_MESSAGE


def leaves(message: Message, hints: Sequence[str] = (), way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every field that has a value, with the way to it; an empty message is a leaf (None) too.

    Bytes that hold a message are entered where that message is all they hold.
    """
    empty = True
    for field, key, value in entries(message):
        empty = False
        here = (*way, Place(message, field.name, key))
        inner = value if field.type == _MESSAGE else opened(here, value, hints)
        if isinstance(inner, Message):
            yield from leaves(inner, hints, here)
        else:
            yield here, value
    for index, unknown in enumerate(UnknownFieldSet(message)):
        empty = False
        yield (*way, Place(message, f"unknown {unknown.field_number}", index)), unknown.data
    if empty:
        yield (*way, Place(message, "nothing")), None


def opened(way: Way, value: Any, hints: Sequence[str]) -> Message | None:
    """The message inside the bytes at the end of *way*, when its encoding is the usual one."""
    kind = inner_type(way, hints) if isinstance(value, bytes) else None
    if kind is None or (not value and way[-1].key is None):
        return None
    try:
        inner = kind.FromString(value)
    except DecodeError:
        return None
    return inner if encodes(inner, value) else None


def path(way: Way) -> str:
    """``payload.extension.results.ns_rwset[0].namespace``."""
    parts = []
    for place in way:
        key = "" if place.key is None else f"[{place.key}]"
        parts.append(f"{place.field}{key}")
    return ".".join(parts)


Wanted = Callable[[str], bool]


def mutations(
    message: Message, hints: Sequence[str] = (), wanted: Wanted = bool
) -> Iterator[tuple[str, Message]]:
    """*message* again and again, each time with one leaf changed, or an unknown field added.

    Only leaves whose path is *wanted* (all by default). Fields removed, doubled or moved are in
    harness.differential.rearranging.
    """
    for where, mutant in _mutated(message, hints, (), wanted):
        yield path(where), mutant


def _mutated(
    message: Message, hints: Sequence[str], way: Way, wanted: Wanted
) -> Iterator[tuple[Way, Message]]:
    for field, key, value in entries(message):
        here = (*way, Place(message, field.name, key))
        inner = value if field.type == _MESSAGE else opened(here, value, hints)
        if not isinstance(inner, Message):
            if wanted(path(here)):
                yield here, replaced(message, field, key, _other(field, value))
            continue
        for where, mutant in _mutated(inner, hints, here, wanted):
            within = mutant.SerializeToString(deterministic=True) if inner is not value else mutant
            yield where, replaced(message, field, key, within)
    unknown = (*way, Place(message, "unknown 2047"))
    if wanted(path(unknown)):
        added = type(message)()
        added.MergeFromString(message.SerializeToString() + b"\xf8\x7f\x01")  # field 2047: 1
        yield unknown, added


def entries(message: Message) -> Iterator[tuple[Any, int | str | None, Any]]:
    """Field (a MapField for a map), index or key, and value of everything that is set."""
    for field, value in message.ListFields():
        if field.label != FieldDescriptor.LABEL_REPEATED:
            yield field, None, value
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"]
            for key in sorted(value):
                yield MapField(field, inner), key, value[key]
        else:
            for index, each in enumerate(value):
                yield field, index, each


class MapField:
    """A map's field, with the type of its values."""

    __slots__ = ("name", "type")

    def __init__(self, field: FieldDescriptor, value: FieldDescriptor) -> None:
        self.name, self.type = field.name, value.type


def replaced(message: Message, field: Any, key: int | str | None, value: Any) -> Message:
    """A copy of *message* with another *value* in one place of ``entries``."""
    copy = type(message)()
    copy.CopyFrom(message)
    if key is None:
        if isinstance(value, Message):
            getattr(copy, field.name).CopyFrom(value)
        else:
            setattr(copy, field.name, value)
        return copy
    holder: Any = getattr(copy, field.name)
    if isinstance(value, Message):
        holder[key].CopyFrom(value)
    else:
        holder[key] = value
    return copy


def _other(field: Any, value: Any) -> Any:
    """Another value that the field can hold."""
    if field.type == _BYTES:
        return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\x00"
    if field.type == _TEXT:
        return f"{value}?"
    if isinstance(value, bool):
        return not value
    if field.type == FieldDescriptor.TYPE_ENUM:
        return value + 1
    return value ^ 1 if isinstance(value, int) else value + 1
