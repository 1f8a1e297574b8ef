"""The suite against itself: one thing heard is changed, and the comparison must notice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from google.protobuf.message import DecodeError
from harness.differential.compare import judge
from harness.differential.deliberate import DELIBERATE
from harness.differential.events import Event, Recording
from harness.differential.fields import mutations
from harness.differential.normal import Plain, assembled, normal_event
from harness.differential.rearranging import rearrangements
from harness.differential.schema import TYPES

Found = tuple[int, list[str]]
"""How many mutants there were, and those that nobody would notice."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Takes ``most`` mutants of each kind: of equal names but for indices and keys."""

    most: int
    taken: Counter[str] = field(default_factory=Counter)

    def wanted(self, name: str) -> bool:
        """Whether this one is among them."""
        kind = re.sub(r"\[[^]]*\]", "[]", name)
        self.taken[kind] += 1
        return self.taken[kind] <= self.most


def mutants(event: Event, sample: Sample) -> Iterator[tuple[str, Event]]:
    """*event* with each field that *sample* takes changed, removed, doubled or moved; and what."""
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
    hints = event.hint.split(",")

    def wanted(name: str) -> bool:
        return sample.wanted(f"{event.type} {name}")

    for where, mutant in mutations(message, hints, wanted):
        yield where, replace(event, data=mutant.SerializeToString())
    for what, mutant in rearrangements(message, wanted, hints):
        yield what, replace(event, data=mutant.SerializeToString())


def unnoticed(recording: Recording, sample: Sample) -> Found:
    """Mutants of single events, by the fields of the event alone."""
    count, missed = 0, []
    for index, event in enumerate(recording.events):
        before = normal_event(event, recording)
        for what, mutant in mutants(event, sample):
            count += 1
            if normal_event(mutant, recording) == before:
                missed.append(f"{recording.conversation}: event {index}, {event.source}: {what}")
    return count, missed


def unnoticed_losses(recording: Recording) -> Found:
    """Each event lost, and each doubled, by the fields of the whole recording."""
    heard = [(event.source, normal_event(event, recording)) for event in recording.events]
    before = assembled(heard)
    count, missed = 0, []
    for index, event in enumerate(heard):
        lost = [*heard[:index], *heard[index + 1 :]]
        doubled = [*heard[: index + 1], event, *heard[index + 1 :]]
        for what, mutant in (("lost", lost), ("doubled", doubled)):
            count += 1
            if assembled(mutant) == before:
                missed.append(f"{recording.conversation}: event {index}, {event[0]}: {what}")
    return count, missed


def unjudged(key: str, real: Mapping[str, Recording | Plain], ours: Recording, most: int) -> Found:
    """Mutants of *ours* that the verdict, with all that is deliberate, would let pass.

    *most* changed fields spread over the recording, and its last event lost.
    """
    made = list(_changed(ours, Sample(1)))
    chosen = [*made[:: max(1, len(made) // most)], replace(ours, events=ours.events[:-1])]
    missed = []
    for number, mutant in enumerate(chosen):
        verdict = judge(real, {key: mutant}, DELIBERATE)
        if not verdict.unexplained:
            missed.append(f"{key}: mutant {number} of {len(chosen)}")
    return len(chosen), missed


def _changed(recording: Recording, sample: Sample) -> Iterator[Recording]:
    for index, event in enumerate(recording.events):
        for _, mutant in mutants(event, sample):
            events = [*recording.events[:index], mutant, *recording.events[index + 1 :]]
            yield replace(recording, events=events)
