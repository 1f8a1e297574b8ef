"""One target of an instantiation: its peer, its runtime there, and the definition on its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from treadle_operator.claims import Claim, conflict, mode_of
from treadle_operator.definitions import are_collections, is_policy
from treadle_operator.errors import Blocked, InvalidObject, PeerRefused, PeerUnavailable
from treadle_operator.kube import PEERS
from treadle_operator.model import (
    ChaincodePackage,
    Mode,
    Peer,
    at,
    items_at,
    parse_peer,
    text_at,
)
from treadle_operator.model.peering import State
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.deploying import Looked, Wish, execute_timeout, init_seconds
from treadle_operator.reconcile.developing import check_mode, look_for_developer
from treadle_operator.reconcile.requiring import require
from treadle_operator.reconcile.verdicts import Problem, Stage, Target, runtime_problem
from treadle_operator.reconcile.world import World

LEGACY_CAPABILITY: Final = "V1_4_2"


async def look(world: World, wish: Wish, name: str, claims: Sequence[Claim]) -> Looked:
    """Look at one target, and require its runtime; raises KubeError."""
    found = Looked(Target(name, initialised=wish.was_initialised(name)))
    try:
        peer = await _peer(world, wish, name)
        mode = found.target.mode = mode_of(claims, peer)
        bound = execute_timeout(wish, peer, mode)
        found.within = init_seconds(peer, bound, mode)
        _check(wish, peer, claims)
        link = found.link = await world.peers.link(peer.meta.namespace, name)
        await _check_channel(link, wish, peer)
        found.upgrade, differing = await _compare(link, wish)
        found.target.initialised = found.upgrade is None and differing is None
        if mode is Mode.DEVELOPMENT:
            await look_for_developer(link, wish, peer, found)
        else:
            await _require(world, link, wish, found, bound)
        found.target.problem = differing or found.target.problem
    except PeerUnavailable as error:
        found.target.problem = Problem(Stage.DEFINITION, "PeerUnavailable", str(error))
        found.link = None
    except PeerRefused as error:
        message = f"Peer {name} refuses: {error.message}"
        found.target.problem = Problem(Stage.DEFINITION, "PeerRefused", message)
        found.link = None
    except _InTheWay as stop:
        found.target.problem = stop.problem
        found.link = None
    except Blocked as stop:
        found.target.problem = Problem(Stage.RUNTIME, stop.reason, stop.message)
        found.link = None
    return found


class _InTheWay(Exception):
    def __init__(self, stage: Stage, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(stage, reason, message)


async def _peer(world: World, wish: Wish, name: str) -> Peer:
    namespace = wish.instantiation.meta.namespace
    body = await world.kube.find(PEERS, namespace, name)
    if body is None:
        text = f"there is no Peer {name} in namespace {namespace}; create it"
        raise _InTheWay(Stage.RUNTIME, "PeerMissing", text)
    try:
        peer = parse_peer(body)
    except InvalidObject as error:
        text = f"Peer {name} is not valid: {error}"
        raise _InTheWay(Stage.RUNTIME, "PeerNotReady", text) from error
    for condition in items_at(peer.status, "conditions"):
        if text_at(condition, "type") == "Ready" and text_at(condition, "status") == "True":
            break
    else:
        told = next(
            (
                text_at(one, "message")
                for one in items_at(peer.status, "conditions")
                if text_at(one, "type") == "Ready"
            ),
            "",
        )
        text = f"Peer {name} is not ready: {told or 'it has just been created'}"
        raise _InTheWay(Stage.RUNTIME, "PeerNotReady", text)
    for row in items_at(wish.package.status, "targets"):
        if text_at(row, "peer") == name and at(row, "installed") is True:
            return peer
    package = wish.package.meta.name
    text = f"ChaincodePackage {package} is not installed on Peer {name} yet"
    raise _InTheWay(Stage.RUNTIME, "PackageNotReady", _with_reason(text, wish.package, name))


def _with_reason(text: str, package: ChaincodePackage, peer: str) -> str:
    for row in items_at(package.status, "targets"):
        told = text_at(row, "message")
        if text_at(row, "peer") == peer and told:
            return f"{text}: {told}"
    return text


def _check(wish: Wish, peer: Peer, claims: Sequence[Claim]) -> None:
    """What no waiting changes; raises Blocked."""
    one = wish.instantiation
    check_mode(one, peer)
    other = conflict(
        one.meta.name, claims, mode=peer.spec.mode, defaults=peer.spec.chaincode.runtime_defaults
    )
    if other is not None:
        older, field = other
        raise Blocked(
            "RuntimeConflict",
            f"ChaincodeInstantiation {older.meta.name} runs {wish.ccid} on Peer {peer.meta.name} "
            f"already, and its spec.{field} is another one; all who share a runtime have to want "
            "the same: change one of the two",
        )


async def _check_channel(link: PeerLink, wish: Wish, peer: Peer) -> None:
    channel = wish.instantiation.spec.channel
    for known in peer.spec.channels:
        if known.name != channel:
            continue
        if known.capability != LEGACY_CAPABILITY:
            raise Blocked(
                "NotSupported",
                f"channel {channel} has capabilities {known.capability}, which know no "
                f"instantiate; this version instantiates on channels with {LEGACY_CAPABILITY}",
            )
        return
    if channel not in await link.channels():
        names = ", ".join(known.name for known in peer.spec.channels) or "none"
        raise _InTheWay(
            Stage.DEFINITION,
            "ChannelMissing",
            f"Peer {peer.meta.name} is not in channel {channel}; add it to spec.channels of the "
            f"Peer, or name one of its channels in another ChaincodeInstantiation ({names})",
        )


async def _compare(link: PeerLink, wish: Wish) -> tuple[bool | None, Problem | None]:
    """None: the ledger has it; False: it has no such chaincode; True: another version. And what
    is in the way of this version.
    """
    channel, spec = wish.instantiation.spec.channel, wish.package.spec
    committed = await link.definition(channel, spec.name)
    if committed is None:
        return False, None
    if committed.version != spec.version:
        return True, None
    members = await link.members(channel) if wish.definition.policy is None else ()
    differs = [
        field
        for field, same in (
            ("endorsementPolicy", is_policy(committed, wish.definition, members)),
            ("collections", are_collections(committed, wish.definition)),
        )
        if not same
    ]
    if not differs:
        return None, None
    return None, Problem(
        Stage.DEFINITION,
        "NewVersionRequired",
        f"{wish.ccid} is on channel {channel} with another {' and other '.join(differs)}; "
        "under the legacy lifecycle these change only together with the version: put them "
        "back, or create a ChaincodePackage with a new version and name it in packageRef",
    )


async def _require(
    world: World, link: PeerLink, wish: Wish, found: Looked, bound: timedelta | None
) -> None:
    row, found.due = await require(link, wish.ccid, world.now(), execute_timeout=bound)
    if row is None:
        text = f"Peer {found.target.peer} has not told yet which runtimes it has"
        found.target.problem = Problem(Stage.RUNTIME, "RuntimesUnknown", text)
        return
    found.target.registered = row.state is State.REGISTERED
    found.target.problem = runtime_problem(row)
