"""Whether bytes are the usual encoding of a message: what is signed or hashed has its own order."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from treadle_fabric.wire import WireError
from treadle_fabric.wire.missing import delimited_spans


def encodes(message: Message, data: bytes) -> bool:
    """Whether *data* is the usual encoding of *message*: fields by number, then unknown ones.

    Only the entries of one map that follow one another may be in any order, as Go writes them.
    """
    again = message.SerializeToString(deterministic=True)
    if again == data:
        return True
    if len(again) != len(data):
        return False
    kind = message.DESCRIPTOR
    try:
        return _with_sorted_maps(kind, again) == _with_sorted_maps(kind, data)
    except WireError:
        return False


def reordered(data: bytes) -> bytes | None:
    """The same message with its first length-delimited field last; None if there are no others."""
    try:
        spans = list(delimited_spans(data))
    except WireError:
        return None
    if len({number for number, *_ in spans}) < 2:
        return None
    _, start, _, end = spans[0]
    return data[:start] + data[end:] + data[start:end]


def _with_sorted_maps(kind: Descriptor, data: bytes) -> bytes:
    """*data* with every run of entries of one map sorted, at any depth; nothing else moves."""
    parts: list[bytes] = []
    run: list[bytes] = []
    at = of = 0  # what is copied so far; the field that the run belongs to
    for number, start, content, end in delimited_spans(data):
        field = kind.fields_by_number.get(number)
        inner = field.message_type if field is not None else None
        is_entry = inner is not None and inner.GetOptions().map_entry
        if start != at or number != of or not is_entry:
            parts += [*sorted(run), data[at:start]]
            run = []
        within = data[content:end] if inner is None else _with_sorted_maps(inner, data[content:end])
        whole = data[start:content] + within
        if is_entry:
            run.append(whole)
        else:
            parts.append(whole)
        at, of = end, number
    return b"".join([*parts, *sorted(run), data[at:]])
