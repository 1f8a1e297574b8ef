"""The suite against itself: one thing heard is changed, and the comparison must notice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from google.protobuf.message import DecodeError
from harness.differential.events import Event, Recording
from harness.differential.fields import mutations
from harness.differential.normal import normal_event
from harness.differential.schema import TYPES


def mutants(event: Event) -> Iterator[tuple[str, Event]]:
    """*event* with each of its fields changed in turn, and what was changed."""
    if event.kind != "message":
        yield "kind", replace(event, kind="message", type="common.Envelope")
        if event.kind == "end":
            yield "code", replace(event, code=f"{event.code}?")
        if event.kind != "silence":
            yield "details", replace(event, details=f"{event.details}?")
        return
    other = "common.Payload" if event.type == "common.Envelope" else "common.Envelope"
    yield "type", replace(event, type=other)
    try:
        message = TYPES[event.type].FromString(event.data)
    except DecodeError:
        yield "data", replace(event, data=event.data + b"\0")
        return
    for where, mutant in mutations(message, event.hint.split(",")):
        yield where, replace(event, data=mutant.SerializeToString())


def unnoticed(recording: Recording) -> tuple[int, list[str]]:
    """How many mutants of a recording's events there are, and those that nobody would notice.

    Events lost, doubled or out of order change the index in the field's name, which needs no
    mutant to be seen.
    """
    count, missed = 0, []
    for index, event in enumerate(recording.events):
        before = normal_event(event, recording)
        for what, mutant in mutants(event):
            count += 1
            if normal_event(mutant, recording) == before:
                missed.append(f"{recording.conversation}: event {index}, {event.source}: {what}")
    return count, missed
