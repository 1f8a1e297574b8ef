"""Telling people who was refused by a peer: one Event on the Peer that counts, written seldom."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Final

from treadle_operator.conditions import shortened, time_text
from treadle_operator.kube import EVENTS, PEERS, Kube
from treadle_operator.model import MANAGER, Key, Manifest, Meta, integer_at, parse_meta, text_at
from treadle_operator.model.peering import Refusal
from treadle_operator.reconcile.world import Outcome, World

PAUSE: Final = 30.0
"""Seconds between two writes of one Event: a flood must not become one at the API server."""


async def reconcile_refusals(key: Key, world: World) -> Outcome:
    """Make the Event say what the peer has counted. Raises KubeError and PeerUnavailable."""
    body = await world.kube.find(PEERS, key.namespace, key.name)
    meta = None if body is None else parse_meta(body)
    if meta is None or meta.deleting:
        return Outcome(exists=False)
    rows = (await world.peers.link(key.namespace, key.name)).refusals
    if not rows:
        return Outcome(exists=False)
    wanted = _event(meta, rows)
    name = text_at(wanted, "metadata", "name")
    stored = await world.kube.find(EVENTS, key.namespace, name)
    if stored is not None and integer_at(stored, "count") >= integer_at(wanted, "count"):
        return Outcome(exists=False)
    left = _seconds_left(stored, world.now())
    if left > 0:
        return Outcome(again=left)
    await _write(world.kube, wanted, world.now())
    return Outcome(exists=False)


def _seconds_left(stored: Manifest | None, now: datetime) -> float:
    """Until the Event may be written again."""
    written = text_at(stored, "lastTimestamp")
    if not written:
        return 0.0
    return PAUSE - (now - datetime.fromisoformat(written)).total_seconds()


async def _write(kube: Kube, event: Manifest, now: datetime) -> None:
    await kube.apply({**event, "lastTimestamp": time_text(now)})


def _event(meta: Meta, rows: Collection[Refusal]) -> Manifest:
    """One for each run of the peer, which counts from its start."""
    last = max(rows, key=lambda row: (row.count, row.since))
    begun = min(row.since for row in rows)
    total = sum(row.count for row in rows)
    digest = hashlib.sha256(f"{meta.uid}\0refused\0{begun.isoformat()}".encode()).hexdigest()[:16]
    kinds = "" if len(rows) == 1 else f" of {len(rows)} kinds"
    message = (
        f"{total} registrations{kinds} refused since {time_text(begun)}; most as {last.ccid}, the "
        f"last of them from {last.remote}: {last.reason}"
    )
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"namespace": meta.namespace, "name": f"{meta.name}.{digest}"},
        "involvedObject": {
            "apiVersion": PEERS.api_version,
            "kind": PEERS.kind,
            "namespace": meta.namespace,
            "name": meta.name,
            "uid": meta.uid,
        },
        "reason": "RegistrationRefused",
        "message": shortened(message),
        "type": "Warning",
        "source": {"component": MANAGER},
        "reportingComponent": MANAGER,
        "reportingInstance": MANAGER,
        "action": "Register",
        "firstTimestamp": time_text(begun),
        "count": total,
    }
