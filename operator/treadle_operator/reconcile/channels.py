"""What a Peer gets once its process runs: its channels; and what is told of its runtimes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from treadle_operator.claims import claims
from treadle_operator.conditions import Condition
from treadle_operator.errors import PeerRefused, PeerUnavailable
from treadle_operator.kube import PEERS
from treadle_operator.model import Mode, Peer, items_at, mapping_at, text_at
from treadle_operator.model.developing import Development
from treadle_operator.model.peering import Origin, Runtime, State
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.directory import Entries, list_entries
from treadle_operator.reconcile.status import Told, tell
from treadle_operator.reconcile.world import World

CHANNELS: Final = "ChannelsReady"

_SECONDS: Final = 30.0
"""How long one reconcile makes channels; those that are left are for the next one."""

_Rows = list[dict[str, object]]


@dataclass(slots=True)
class Served:
    """What a running peer was found to have. ``reason`` is empty when nothing is in the way."""

    channels: _Rows = field(default_factory=list)
    runtimes: _Rows = field(default_factory=list)
    reason: str = ""
    message: str = ""

    @property
    def condition(self) -> Condition:
        """ChannelsReady."""
        if self.reason:
            return Condition(CHANNELS, False, self.reason, self.message, told=None)
        text = "the peer is in all of its channels"
        return Condition(CHANNELS, True, "Joined", text, told=None)


def not_asked(peer: Peer) -> tuple[Served, Condition]:
    """Of a peer that does not run now: what was known, and a condition that says so."""
    known = Served(
        channels=[dict(row) for row in _rows(peer, "channels")],
        runtimes=[dict(row) for row in _rows(peer, "runtimes")],
    )
    message = "the peer does not run, so it cannot be asked"
    return known, Condition(CHANNELS, None, "PeerNotRunning", message, told=None)


async def serve_peer(world: World, peer: Peer) -> Served:
    """Make the missing channels, release what nobody claims, and tell what there is.

    Raises KubeError.
    """
    served = Served()
    try:
        link = await world.peers.refresh(peer.meta.namespace, peer.meta.name)
        joined = await _join(link, peer, served)
        served.channels = [
            {"name": channel.name, "joined": channel.name in joined}
            for channel in peer.spec.channels
        ]
        if link.synced:
            await _release(world, link, peer)
    except PeerUnavailable as error:
        served, _ = not_asked(peer)
        served.reason, served.message = "PeerUnavailable", str(error)
        return served
    except PeerRefused as error:
        served, _ = not_asked(peer)
        served.reason, served.message = "PeerRefused", f"the peer refuses: {error.message}"
        return served
    if link.synced:
        served.runtimes = runtime_rows(link.runtimes, link.developments)
    else:
        served.runtimes = not_asked(peer)[0].runtimes
    return served


async def _join(link: PeerLink, peer: Peer, served: Served) -> frozenset[str]:
    joined = await link.channels()
    loop = asyncio.get_running_loop()
    end = loop.time() + _SECONDS
    for channel in peer.spec.channels:
        if channel.name in joined:
            continue
        if loop.time() > end:
            served.reason = served.reason or "ChannelsBeingMade"
            served.message = served.message or f"{len(joined)} channels are there, others follow"
            break
        try:
            await link.create_channel(channel.name, channel.capability)
        except PeerRefused as error:
            served.reason = "ChannelRefused"
            served.message = f"channel {channel.name} cannot be made: {error.message}"
        else:
            joined |= {channel.name}
    return joined


async def _release(world: World, link: PeerLink, peer: Peer) -> None:
    """Withdraw what we have required and nobody claims, also if nobody saw the claim go."""
    # Read before the claims: whoever has required one of these was there by then.
    ours = [one.ccid for one in link.runtimes.values() if one.origin is Origin.OPERATOR]
    if not ours:
        return
    entries = await list_entries(world.kube, peer.meta.namespace)
    for ccid in unclaimed(peer.meta.name, ours, entries):
        await _say_released(world, peer, link.runtimes.get(ccid))
        await link.release(ccid)


async def _say_released(world: World, peer: Peer, row: Runtime | None) -> None:
    """Before it is done: an interruption between the two neither loses nor doubles the Event."""
    if row is None:
        return
    told = Told(
        reason="RuntimeReleased",
        message=f"no ChaincodeInstantiation names {row.ccid} any more, so its processes end; its "
        "definitions stay on their channels, and who invokes it is told to create one",
        kind="Normal",
        action="Release",
        identity=f"released\0{row.ccid}\0{row.attempt}",
    )
    await tell(world.kube, PEERS, peer.meta, told, world.now())


def unclaimed(peer: str, ccids: Collection[str], entries: Entries) -> list[str]:
    """Which of the runtimes *ccids* nobody needs any more.

    What an instantiation has on the ledger it needs until an upgrade is there, too, and also
    while its package is missing or its own spec is one that this version does not understand.
    """
    present = [one.status for one in entries.instantiations if not one.meta.deleting]
    present += [
        mapping_at(body, "status")
        for body in entries.unreadable
        if not mapping_at(body, "metadata").get("deletionTimestamp")
    ]
    held = {
        text_at(status, "legacyID")
        for status in present
        if peer in {text_at(target, "peer") for target in items_at(status, "targets")}
    }
    return [
        ccid
        for ccid in sorted(ccids)
        if ccid not in held and not claims(peer, ccid, entries.instantiations, entries.packages)
    ]


def runtime_rows(runtimes: Mapping[str, Runtime], developments: Mapping[str, Development]) -> _Rows:
    """``status.runtimes``: only what changes by transition. A process that finishes what it was at
    when its chaincode became a developer's is not told.
    """
    produced: _Rows = [
        {
            "ccid": ccid,
            "state": row.state.value,
            "origin": row.origin.value,
            "mode": Mode.PRODUCTION.value,
        }
        for ccid, row in runtimes.items()
        if ccid not in developments
    ]
    developed: _Rows = [
        {
            "ccid": ccid,
            "state": (State.REGISTERED if row.connected else State.REQUIRED).value,
            "mode": Mode.DEVELOPMENT.value,
        }
        for ccid, row in developments.items()
    ]
    return sorted([*produced, *developed], key=lambda row: str(row["ccid"]))


def _rows(peer: Peer, name: str) -> list[Mapping[str, object]]:
    return [row for row in items_at(peer.status, name) if isinstance(row, Mapping)]
