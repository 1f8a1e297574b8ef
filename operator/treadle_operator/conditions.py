"""Conditions of a status, and which of their changes deserve an Event. Pure.

The rules are those of Kubernetes' API conventions: one condition per type, and
``lastTransitionTime`` moves only when ``status`` changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

_LONGEST_MESSAGE: Final = 1024
Told = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. ``status`` None means Unknown; ``told`` is the type of the Event that a
    transition to it makes, None for none.
    """

    type: str
    status: bool | None
    reason: str
    message: str
    told: Told | None = "Normal"


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of status or reason. ``since`` identifies what was before it."""

    condition: Condition
    told: Told
    since: str


def status_text(status: bool | None) -> str:
    """``True``, ``False`` or ``Unknown``."""
    return "Unknown" if status is None else str(status)


def time_text(moment: datetime) -> str:
    """A time as Kubernetes writes it, in whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def merge(
    previous: Sequence[Mapping[str, object]],
    wanted: Sequence[Condition],
    *,
    generation: int,
    now: datetime,
) -> list[dict[str, object]]:
    """The conditions to write, sorted by type; types that are not *wanted* any more go."""
    before = {str(item.get("type")): item for item in previous}
    return [
        _merged(before.get(condition.type, {}), condition, generation=generation, now=now)
        for condition in sorted(wanted, key=lambda condition: condition.type)
    ]


def _merged(
    previous: Mapping[str, object], condition: Condition, *, generation: int, now: datetime
) -> dict[str, object]:
    status = status_text(condition.status)
    since = previous.get("lastTransitionTime") if previous.get("status") == status else None
    return {
        "type": condition.type,
        "status": status,
        "reason": condition.reason,
        "message": shortened(condition.message),
        "lastTransitionTime": since or time_text(now),
        "observedGeneration": generation,
    }


def transitions(
    previous: Sequence[Mapping[str, object]], wanted: Sequence[Condition]
) -> list[Transition]:
    """What deserves an Event: conditions whose status or reason is not what it was."""
    before = {str(item.get("type")): item for item in previous}
    found = []
    for condition in sorted(wanted, key=lambda condition: condition.type):
        old = before.get(condition.type, {})
        now = (status_text(condition.status), condition.reason)
        if condition.told is not None and (old.get("status"), old.get("reason")) != now:
            since = f"{old.get('status')}/{old.get('reason')}/{old.get('lastTransitionTime')}"
            found.append(Transition(condition, condition.told, since))
    return found


def shortened(text: str) -> str:
    """*text*, cut to what an Event and a condition can hold."""
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"
