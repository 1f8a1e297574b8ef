"""Writing the status of an object, and telling people what has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from treadle_operator.conditions import (
    Condition,
    Transition,
    merge,
    shortened,
    time_text,
    transitions,
)
from treadle_operator.conditions import Told as EventKind
from treadle_operator.errors import Conflict, NotFound
from treadle_operator.kube import Kube, Resource
from treadle_operator.model import MANAGER, Manifest, Meta, items_at

_Items = Sequence[Mapping[str, object]]


async def write_status(
    kube: Kube,
    resource: Resource,
    meta: Meta,
    *,
    previous: Mapping[str, object],
    conditions: Sequence[Condition],
    facts: Mapping[str, object],
    now: datetime,
) -> None:
    """Write the status unless it is there already; before it, Events for what it changes.

    ``facts`` are the fields of the status beside observedGeneration and conditions; those that
    are None or empty are left out.

    Events come first and have names that tell what they are about: an interruption between the
    two neither loses nor doubles them.
    """
    before: _Items = [
        item for item in items_at(previous, "conditions") if isinstance(item, Mapping)
    ]
    status: Manifest = {
        "observedGeneration": meta.generation,
        "conditions": merge(before, conditions, generation=meta.generation, now=now),
        **{key: value for key, value in facts.items() if value not in (None, "", [], {})},
    }
    if status == dict(previous):
        return
    for transition in transitions(before, conditions):
        await _tell(kube, resource, meta, transition, now)
    place = {"namespace": meta.namespace, "name": meta.name}
    body: Manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": place}
    # Only the object that was looked at: a new one of the same name has another uid.
    try:
        await kube.apply(
            {**body, "metadata": {**place, "uid": meta.uid}, "status": status}, part="status"
        )
    except (NotFound, Conflict):
        return


async def _tell(
    kube: Kube, resource: Resource, meta: Meta, transition: Transition, now: datetime
) -> None:
    condition = transition.condition
    await tell(
        kube,
        resource,
        meta,
        Told(
            reason=condition.reason,
            message=condition.message,
            kind=transition.told,
            action=condition.type,
            identity=f"{condition.type}\0{condition.status}\0{condition.reason}\0{transition.since}",
        ),
        now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An Event. Two of the same *identity* about one object are the same Event."""

    reason: str
    message: str
    kind: EventKind
    action: str
    identity: str


async def tell(kube: Kube, resource: Resource, meta: Meta, told: Told, now: datetime) -> None:
    """Make the Event unless it is there already."""
    digest = hashlib.sha256(f"{meta.uid}\0{told.identity}".encode()).hexdigest()[:16]
    event: Manifest = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": meta.namespace, "name": f"{meta.name}.{digest}"},
        "involvedObject": {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
        },
        "reason": told.reason,
        "message": shortened(told.message),
        "type": told.kind,
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "reportingInstance": MANAGER,
        "action": told.action,
        "firstTimestamp": time_text(now),
        "lastTimestamp": time_text(now),
        "count": 1,
    }
    try:
        await kube.create(event)
    except Conflict:
        return
