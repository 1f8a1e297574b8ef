"""What the targets of an instantiation add up to: conditions and status. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from treadle_operator.conditions import Condition, Told, shortened
from treadle_operator.model import Mode
from treadle_operator.model.peering import Runtime, State

READY: Final = "Ready"
RUNTIME: Final = "RuntimeReady"
INSTANTIATED: Final = "Instantiated"
DEVELOPER: Final = "DeveloperConnected"

# What runtime_observing tells the peer comes back as the runtime's message, and has no other way.
_TROUBLE: Final = tuple(
    (re.compile(text), reason)
    for text, reason in (
        (r"cannot fetch image ", "ImagePullFailed"),
        (r"the build |the builder |package: |store: ", "BuildFailed"),
        (r"dial: the chaincode server ", "ServerUnreachable"),
        (r"Peer \S+ runs no chaincode on servers ", "ServersNotAllowed"),
        (r"there is no Secret ", "SecretMissing"),
        (r"Secret \S+ is not for chaincode", "SecretNotReadable"),
        (r"container \S+ ended with exit code ", "CrashLoop"),
        (r"no node takes the pod", "Unschedulable"),
        (r"no pod can be made|cannot start container |output: |bridge: |dial: ", "PodNotStarted"),
    )
)
_ON_THE_WAY: Final = {
    State.REQUIRED: ("RuntimeRequired", "the chaincode is waiting to be built or started"),
    State.BUILDING: ("RuntimeBuilding", "the chaincode is being built"),
    State.STARTING: ("RuntimeStarting", "the chaincode is being started"),
    State.STOPPED: ("RuntimeStopped", "the runtime was released; it is asked for again"),
}
FAULTLESS: Final = frozenset(
    {reason for reason, _ in _ON_THE_WAY.values()}
    | {"PeerNotReady", "RuntimesUnknown", "PackageNotReady", "WaitingForOthers"}
    | {"Instantiating", "LedgerChanged", "DevelopmentOpening", "DeveloperNotConnected"}
)
"""Reasons that are no fault: something is on its way."""


class Stage(Enum):
    """What a problem of a target keeps from being true."""

    RUNTIME = "runtime"
    DEFINITION = "definition"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is in the way at one target."""

    stage: Stage
    reason: str
    message: str


@dataclass(slots=True)
class Target:
    """One peer, as far as it could be looked at; ``developer`` is who is connected since when."""

    peer: str
    mode: Mode | None = None
    registered: bool = False
    developer: str = ""
    initialised: bool = False
    problem: Problem | None = None

    def row(self) -> dict[str, object]:
        """As in ``status.targets``."""
        found: dict[str, object] = {"peer": self.peer}
        if self.mode is not None:
            found["mode"] = self.mode.value
        found |= {"registered": self.registered, "initialised": self.initialised}
        if self.problem is not None:
            # A chaincode's own words may be longer than what the API server takes.
            found["message"] = shortened(self.problem.message)
        return found


def runtime_problem(row: Runtime) -> Problem | None:
    """What the peer says of a runtime that is not registered; None for one that is."""
    if row.state is State.REGISTERED:
        return None
    if row.state is State.FAILED:
        found = (reason for text, reason in _TROUBLE if text.match(row.message))
        reason = next(found, "RuntimeFailed")
        return Problem(Stage.RUNTIME, reason, row.message or "the chaincode does not run")
    reason, sentence = _ON_THE_WAY[row.state]
    return Problem(Stage.RUNTIME, reason, row.message or sentence)


def conditions_of(targets: Sequence[Target], ccid: str, channel: str) -> list[Condition]:
    """Ready, Instantiated, and RuntimeReady or DeveloperConnected or both."""
    found = []
    if any(target.mode is not Mode.DEVELOPMENT for target in targets):
        produced = [target for target in targets if target.mode is not Mode.DEVELOPMENT]
        text = f"a process of {ccid} is registered at every peer"
        found.append(_part(RUNTIME, produced, Stage.RUNTIME, "Registered", text))
    if any(target.mode is Mode.DEVELOPMENT for target in targets):
        developed = [target for target in targets if target.mode is Mode.DEVELOPMENT]
        found.append(_part(DEVELOPER, developed, Stage.RUNTIME, "Connected", _who(developed, ccid)))
    text = f"{ccid} is on channel {channel}"
    if all(target.initialised for target in targets):
        instantiated = Condition(INSTANTIATED, True, "Committed", text)
    else:
        instantiated = _part(INSTANTIATED, targets, Stage.DEFINITION, "Committed", text)
    text = f"{ccid} can be invoked on channel {channel}"
    return [*found, instantiated, _ready(targets, text)]


def stopped_conditions(reason: str, message: str, *, known: bool) -> list[Condition]:
    """Of an instantiation that was not looked at any further; *known*: it was on the ledger."""
    return [
        Condition(READY, False, reason, message, told="Warning"),
        Condition(INSTANTIATED, None if known else False, reason, message, told=None),
    ]


def _ready(targets: Sequence[Target], text: str) -> Condition:
    problem = _first(targets, None)
    if problem is None:
        return Condition(READY, True, "ChaincodeReady", text)
    told: Told = "Normal" if problem.reason in FAULTLESS else "Warning"
    return Condition(READY, False, problem.reason, problem.message, told)


def _part(kind: str, targets: Sequence[Target], stage: Stage, reason: str, text: str) -> Condition:
    problem = _first(targets, stage)
    if problem is not None:
        return Condition(kind, False, problem.reason, problem.message, told=None)
    holds = (one.registered if stage is Stage.RUNTIME else one.initialised for one in targets)
    if all(holds):
        return Condition(kind, True, reason, text, told=None)
    other = _first(targets, None)
    why = other.message if other else "it has not been looked at yet"
    return Condition(kind, False, "Waiting", f"it waits: {why}", told=None)


def _who(targets: Sequence[Target], ccid: str) -> str:
    """Who is connected, as they say themselves."""
    told = [f"{target.peer}: {target.developer}" for target in targets if target.developer]
    text = f"a developer's process of {ccid} is connected"
    return f"{text} ({'; '.join(told)})" if told else text


def _first(targets: Sequence[Target], stage: Stage | None) -> Problem | None:
    """The first problem, faults before what is only on its way."""
    problems = [
        target.problem
        for target in targets
        if target.problem is not None and stage in (None, target.problem.stage)
    ]
    problems.sort(key=lambda problem: problem.reason in FAULTLESS)
    return problems[0] if problems else None
