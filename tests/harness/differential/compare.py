"""Two recordings of one conversation, field by field, and the differences that are meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.differential.events import Recording
from harness.differential.normal import Plain, normal

MISSING = "(nothing)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliberate:
    """A difference that is meant: one field of one conversation, and why it is better so.

    ``ours`` is exactly what Treadle says there, after normalisation; anything else is unexplained.
    """

    conversation: str
    field: str
    ours: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that the two peers say differently."""

    conversation: str
    field: str
    real: str
    ours: str

    def __str__(self) -> str:
        return f"{self.conversation}: {self.field}\n    real: {self.real}\n    ours: {self.ours}"


def differences(key: str, real: Recording | Plain, ours: Recording | Plain) -> list[Difference]:
    """Every field of either that the other does not have alike."""
    one = normal(real) if isinstance(real, Recording) else real
    other = normal(ours) if isinstance(ours, Recording) else ours
    found = []
    for field in [*one, *(field for field in other if field not in one)]:
        values = one.get(field, MISSING), other.get(field, MISSING)
        if values[0] != values[1]:
            found.append(Difference(conversation=key, field=field, real=values[0], ours=values[1]))
    return found


def broken(key: str, real: Recording | Plain, ours: Recording) -> list[Difference]:
    """A script that could not go on, with either peer: never equal, never explained."""
    said = _broken(real), _broken(ours)
    if not any(said):
        return []
    return [Difference(conversation=key, field="broken", real=said[0], ours=said[1])]


def _broken(recording: Recording | Plain) -> str:
    if isinstance(recording, Recording):
        return recording.broken
    return recording.get("script[0] details", "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``unexplained`` must be empty, and so must ``idle``: deliberate ones that are not there."""

    unexplained: list[Difference]
    explained: list[Difference]
    idle: list[Deliberate]


def judge(
    real: Mapping[str, Recording | Plain],
    ours: Mapping[str, Recording],
    deliberate: Iterable[Deliberate],
) -> Verdict:
    """Compare all conversations that ours were held with; a broken script is unexplained."""
    meant = {(each.conversation, each.field, each.ours): each for each in deliberate}
    verdict = Verdict([], [], [])
    used = set()
    for key, recording in ours.items():
        verdict.unexplained.extend(broken(key, real[key], recording))
        for found in differences(key, real[key], recording):
            place = (key, found.field, found.ours)
            explained = place in meant
            used.add(place)
            (verdict.explained if explained else verdict.unexplained).append(found)
    verdict.idle.extend(
        each for place, each in meant.items() if place not in used and place[0] in ours
    )
    return verdict
