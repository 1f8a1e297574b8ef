"""A message with one part lost, doubled or moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from harness.differential.encoding import reordered
from harness.differential.fields import MapField, Way, entries, opened, path, replaced
from harness.differential.normal import UNORDERED
from harness.differential.schema import Place

Wanted = Callable[[str], bool]


def rearrangements(
    message: Message, wanted: Wanted, hints: Sequence[str] = (), way: Way = ()
) -> Iterator[tuple[str, Message]]:
    """Each part removed, list elements doubled and swapped, fields of inner bytes reordered.

    Only mutants whose name is *wanted* are made: there are as many as the message has parts.
    """
    for field, key, value in entries(message):
        here = (*way, Place(message, field.name, key))
        for what, make in _kinds(message, field, key):
            if wanted(name := f"{path(here)} {what}"):
                yield name, make()
        inner = value if field.type == FieldDescriptor.TYPE_MESSAGE else opened(here, value, hints)
        if not isinstance(inner, Message):
            continue
        moved = reordered(value) if inner is not value else None
        if moved is not None and wanted(name := f"{path(here)} fields reordered"):
            yield name, replaced(message, field, key, moved)
        for name, mutant in rearrangements(inner, wanted, hints, here):
            within = mutant if inner is value else mutant.SerializeToString(deterministic=True)
            yield name, replaced(message, field, key, within)


def _kinds(
    message: Message, field: Any, key: int | str | None
) -> Iterator[tuple[str, Callable[[], Message]]]:
    if key is None:
        yield "removed", lambda: _cleared(message, field.name)
    elif isinstance(field, MapField):
        yield "removed", lambda: _without_entry(message, field.name, key)
    else:
        values = list(getattr(message, field.name))
        after = int(key) + 1
        here, rest = values[:after], values[after:]
        yield "removed", lambda: _listing(message, field.name, [*here[:-1], *rest])
        yield "doubled", lambda: _listing(message, field.name, [*here, here[-1], *rest])
        if (
            rest
            and rest[0] != here[-1]
            and f"{message.DESCRIPTOR.full_name}.{field.name}" not in (UNORDERED)
        ):
            swapped = [*here[:-1], rest[0], here[-1], *rest[1:]]
            yield "swapped", lambda: _listing(message, field.name, swapped)


def _cleared(message: Message, field: str) -> Message:
    copy = _copy(message)
    copy.ClearField(field)
    return copy


def _without_entry(message: Message, field: str, key: int | str) -> Message:
    copy = _copy(message)
    del getattr(copy, field)[key]
    return copy


def _listing(message: Message, field: str, values: Sequence[Any]) -> Message:
    copy = _copy(message)
    copy.ClearField(field)
    getattr(copy, field).extend(values)
    return copy


def _copy(message: Message) -> Message:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
