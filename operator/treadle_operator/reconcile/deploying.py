"""The transaction that puts a definition on one target's ledger, and what its failures mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from treadle_operator.claims import ccid_of
from treadle_operator.definitions import Wanted
from treadle_operator.errors import PeerRefused, PeerUnavailable
from treadle_operator.model import (
    ChaincodeInstantiation,
    ChaincodePackage,
    Key,
    Kind,
    Mode,
    Peer,
    at,
    items_at,
    text_at,
)
from treadle_operator.model.peering import Deployment
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.developments import development_timeout
from treadle_operator.reconcile.verdicts import Problem, Stage, Target
from treadle_operator.reconcile.world import World
from treadle_operator.resources.durations import seconds

_LEAST: Final = 60.0
_ANSWERS: Final = 30.0  # of a busy peer, after the end of Init
_AT_A_BREAKPOINT: Final = 3600.0
_SOON: Final = timedelta(seconds=1)

# The peer's words, all but the second as Fabric has them.
_SIMULATION: Final = "error in simulation: "
_OWN_WORDS: Final = ("transaction returned with failure: ", "Init answered with status ")
_TIMED_OUT: Final = "timeout expired while executing transaction"
_INTERRUPTED: Final = ("chaincode stream terminated", "could not launch chaincode ")
_OVERTAKEN: Final = (
    "another transaction has changed the definition meanwhile, so nothing was written; the ledger "
    "is read again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be on each target."""

    instantiation: ChaincodeInstantiation
    package: ChaincodePackage
    definition: Wanted

    @property
    def ccid(self) -> str:
        """The runtime."""
        return ccid_of(self.package)

    @property
    def key(self) -> Key:
        """The instantiation."""
        meta = self.instantiation.meta
        return Key(Kind.INSTANTIATION, meta.namespace, meta.name)

    def was_initialised(self, peer: str) -> bool:
        """Whether the status says so: what is known of a peer that cannot be asked now."""
        status = self.instantiation.status
        return text_at(status, "legacyID") == self.ccid and any(
            text_at(row, "peer") == peer and at(row, "initialised") is True
            for row in items_at(status, "targets")
        )


@dataclass(slots=True)
class Looked:
    """A target as it was found. ``upgrade`` None: the definition is there; ``link`` None: the
    peer could not be asked; ``due`` is when a failed runtime is to be tried again; ``within`` is
    how many seconds its Init has, ``opened`` the peer when it leaves the chaincode to developers,
    ``opening`` what it calls that.
    """

    target: Target
    link: PeerLink | None = None
    upgrade: bool | None = None
    due: datetime | None = None
    within: float = 0.0
    opened: Peer | None = None
    opening: str = ""


def execute_timeout(wish: Wish, peer: Peer, mode: Mode) -> timedelta | None:
    """How long a transaction of the chaincode may take there; None: as long as the peer lets any.

    Peers take nothing below a second.
    """
    if mode is Mode.DEVELOPMENT:
        return development_timeout(wish.instantiation)
    settings = wish.instantiation.spec.runtime.over(peer.spec.chaincode.runtime_defaults)
    given = None if settings.execute_timeout is None else seconds(settings.execute_timeout)
    return None if given is None else timedelta(seconds=max(given, 1.0))


def init_seconds(peer: Peer, own: timedelta | None, mode: Mode) -> float:
    """How long a deploy may take there, where the chaincode has its *own* bound or none: the peer
    itself ends an Init that takes too long, and that is told; only a peer that never answers is
    given up from here.
    """
    if own is not None:
        return max(own.total_seconds() + _ANSWERS, _LEAST)
    timeout = peer.spec.chaincode.execute_timeout
    if mode is Mode.DEVELOPMENT and peer.spec.mode is not mode:
        timeout = None  # a peer's default is for its own processes
    if timeout is None:
        return _AT_A_BREAKPOINT if mode is Mode.DEVELOPMENT else _LEAST
    return max((seconds(timeout) or 0.0) + _ANSWERS, _LEAST)


async def deploy(world: World, found: Looked, wish: Wish) -> None:
    """Instantiate or upgrade at a target where everything is ready for it; what takes long goes
    on when this has returned.
    """
    channel = wish.instantiation.spec.channel
    link, upgrade = found.link, found.upgrade
    if link is None or upgrade is None:
        return
    deployment = _deployment(wish)
    peer = found.target.peer
    try:
        done = await world.errands.done(
            wish.key,
            peer,
            what=(channel, deployment, upgrade),
            work=lambda: link.deploy(channel, deployment, upgrade=upgrade, within=found.within),
        )
    except PeerUnavailable as error:
        found.target.problem = Problem(Stage.DEFINITION, "PeerUnavailable", str(error))
    except PeerRefused as error:
        if is_overtaken(error):
            found.target.problem = Problem(Stage.DEFINITION, "LedgerChanged", _OVERTAKEN)
            found.due = world.now() + _SOON
        else:
            found.target.problem = refusal(error)
    else:
        if done:
            found.target.initialised, found.upgrade = True, None
        else:
            text = f"Init of {wish.ccid} on channel {channel} runs at Peer {peer}"
            found.target.problem = Problem(Stage.DEFINITION, "Instantiating", text)


def _deployment(wish: Wish) -> Deployment:
    package = wish.package.spec
    return Deployment(
        name=package.name,
        version=package.version,
        language=package.language or "golang",
        args=tuple(text.encode() for text in wish.instantiation.spec.init or ()),
        policy=wish.definition.policy or b"",
        collections=wish.definition.collections,
    )


def refusal(error: PeerRefused) -> Problem:
    """What a deploy that the peer has not accepted is called."""
    said = error.message
    if not said.startswith(_SIMULATION):
        return Problem(Stage.DEFINITION, "InstantiationRefused", said)
    said = said.removeprefix(_SIMULATION).strip()
    if said.startswith(_OWN_WORDS):
        text = f"Init failed, so nothing was written to the ledger: {said}"
        return Problem(Stage.DEFINITION, "InitFailed", text)
    if said.endswith(_TIMED_OUT):
        text = f"Init took longer than executeTimeout lets it; raise that: {said}"
        return Problem(Stage.DEFINITION, "InitTimedOut", text)
    if any(words in said for words in _INTERRUPTED):
        text = f"the chaincode's process went away during Init, which is tried again: {said}"
        return Problem(Stage.DEFINITION, "InitInterrupted", text)
    return Problem(Stage.DEFINITION, "InstantiationRefused", said)


def is_overtaken(error: PeerRefused) -> bool:
    """Whether another transaction was first: another client's, or one of ours that was ordered
    before its operator was killed.
    """
    return error.code == "MVCC_READ_CONFLICT"
