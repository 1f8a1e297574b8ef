"""The active registry: which chaincode processes the peer knows, and how they fare.

Pure bookkeeping, keyed by ccid; ``support`` decides, ``/runtimes`` and ``treadle ps`` show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.errors import StreamEnded
from treadle_peer.chaincode.session import TxKey
from treadle_peer.chaincode.streams import StreamPeer
from treadle_peer.execution import Call


class RuntimeState(Enum):
    """What one row of the registry is about."""

    REGISTERED = "registered"
    WAITING = "waiting for install"
    LAUNCHING = "launching"
    STOPPED = "stopped"
    FAILED = "failed"


class Connected(Protocol):
    """One connected chaincode process; ``instances.Instance`` in real life."""

    @property
    def caller(self) -> StreamPeer:
        """Who is at the other end."""

    @property
    def in_flight(self) -> int:
        """Transactions that it works on."""

    def running(self, key: TxKey) -> bool:
        """Whether it works on this one."""

    def admit(self) -> None:
        """Greet it."""

    def close(self, reason: StreamEnded) -> None:
        """End its stream."""

    def finish(self, reason: StreamEnded, *, within: float) -> None:
        """End its stream once nothing runs on it, or when *within* seconds are over."""

    async def execute(self, call: Call, *, timeout_seconds: float | None) -> ChaincodeMessage:
        """Run a call on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRow:
    """One line of the registry: a connected process, or a ccid without any.

    ``instance`` numbers the processes of a ccid in order of arrival; 0 when there is none. The
    counters belong to the ccid and run since the peer started: ``errors`` counts transactions
    without a usable answer, ``restarts`` registrations after the first. ``since`` is when the
    row's state began (UTC). ``developer`` is who a developer's tool says it is.
    """

    ccid: str
    instance: int
    state: RuntimeState
    owner: str
    remote: str
    developer: str
    since: datetime
    in_flight: int
    transactions: int
    errors: int
    restarts: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One process in the registry, ready or waiting."""

    ccid: str
    instance: Connected
    number: int
    state: RuntimeState
    owner: str
    since: datetime


@dataclass(slots=True)
class Runtime:
    """What is known about one ccid; ``lasting`` once it was admitted or launched.

    A name that only ever waited comes from whoever reaches the port and is forgotten with its
    last stream.
    """

    ccid: str
    owner: str
    state: RuntimeState
    since: datetime
    registrations: list[Registration] = field(default_factory=list)
    arrivals: int = 0
    transactions: int = 0
    errors: int = 0
    last_error: str = ""
    lasting: bool = False


class Registry:
    """All runtimes, and which processes serve them. ``is_leaving(ccid, caller)``: whether a process
    is about to be ended.
    """

    def __init__(self, is_leaving: Callable[[str, StreamPeer], bool]) -> None:
        self._is_leaving = is_leaving
        self._runtimes: dict[str, Runtime] = {}

    def runtime(self, ccid: str, *, owner: str, now: datetime) -> Runtime:
        """The record of *ccid*, made when it is new."""
        runtime = self._runtimes.get(ccid)
        if runtime is None:
            runtime = Runtime(ccid, owner, RuntimeState.STOPPED, now)
            self._runtimes[ccid] = runtime
        return runtime

    def add(
        self, ccid: str, instance: Connected, *, state: RuntimeState, owner: str, now: datetime
    ) -> Registration:
        """Enter a process as REGISTERED or WAITING; an earlier entry of it is replaced."""
        runtime = self.runtime(ccid, owner=owner, now=now)
        runtime.lasting |= state is RuntimeState.REGISTERED
        earlier = self.of(instance)
        self.remove(instance, now=now)
        if earlier is None:
            runtime.arrivals += 1
        registration = Registration(
            ccid=ccid,
            instance=instance,
            number=runtime.arrivals if earlier is None else earlier.number,
            state=state,
            owner=owner,
            since=now,
        )
        runtime.owner = owner
        runtime.registrations.append(registration)
        return registration

    def remove(self, instance: Connected, *, now: datetime) -> Registration | None:
        """Take a process out. Only its own entry goes: a refused stream owns none."""
        registration = self.of(instance)
        if registration is None:
            return None
        runtime = self._runtimes[registration.ccid]
        runtime.registrations.remove(registration)
        if not runtime.registrations:
            runtime.state = RuntimeState.STOPPED
            runtime.since = now
            if not runtime.lasting:
                del self._runtimes[registration.ccid]
        return registration

    def note(self, ccid: str, *, state: RuntimeState, owner: str, now: datetime) -> None:
        """Record what happens to a ccid without a process."""
        runtime = self.runtime(ccid, owner=owner, now=now)
        runtime.state, runtime.owner, runtime.since = state, owner, now
        runtime.lasting = True

    def of(self, instance: Connected) -> Registration | None:
        """The entry that *instance* owns."""
        for runtime in self._runtimes.values():
            for registration in runtime.registrations:
                if registration.instance is instance:
                    return registration
        return None

    def all(self) -> list[Registration]:
        """Every process of every ccid."""
        return [r for runtime in self._runtimes.values() for r in runtime.registrations]

    def ready(self, ccid: str) -> list[Registration]:
        """The processes of *ccid* that take transactions."""
        return self._in_state(ccid, RuntimeState.REGISTERED)

    def waiting(self, ccid: str) -> list[Registration]:
        """The processes that arrived before their package."""
        return self._in_state(ccid, RuntimeState.WAITING)

    @property
    def all_waiting(self) -> int:
        """How many processes of all ccids arrived before their packages."""
        return sum(one.state is RuntimeState.WAITING for one in self.all())

    def least_busy(self, ccid: str) -> Connected | None:
        """The process that should get the next transaction: one that is about to be ended gets it
        only when there is no other.
        """
        ready = self.ready(ccid)
        if not ready:
            return None
        return min(ready, key=self._burden).instance

    def _burden(self, registration: Registration) -> tuple[bool, int]:
        instance = registration.instance
        return self._is_leaving(registration.ccid, instance.caller), instance.in_flight

    def running(self, ccid: str, key: TxKey) -> bool:
        """Whether any process of *ccid* works on this transaction."""
        return any(registration.instance.running(key) for registration in self.ready(ccid))

    def count(self, ccid: str, error: str | None) -> None:
        """Count a finished transaction, with its error if it gave no usable answer."""
        runtime = self._runtimes.get(ccid)
        if runtime is None:
            return
        runtime.transactions += 1
        if error is not None:
            runtime.errors += 1
            runtime.last_error = error

    def fault(self, ccid: str, sentence: str) -> None:
        """Remember what went wrong with the process itself."""
        runtime = self._runtimes.get(ccid)
        if runtime is not None:
            runtime.last_error = sentence

    def rows(self) -> list[RuntimeRow]:
        """The whole registry, ordered by ccid, then instance."""
        rows: list[RuntimeRow] = []
        for ccid in sorted(self._runtimes):
            runtime = self._runtimes[ccid]
            rows += [_row(runtime, one) for one in runtime.registrations]
            if not runtime.registrations:
                rows.append(_row(runtime, None))
        return rows

    def _in_state(self, ccid: str, state: RuntimeState) -> list[Registration]:
        runtime = self._runtimes.get(ccid)
        if runtime is None:
            return []
        return [one for one in runtime.registrations if one.state is state]


def _row(runtime: Runtime, one: Registration | None) -> RuntimeRow:
    return RuntimeRow(
        ccid=runtime.ccid,
        instance=0 if one is None else one.number,
        state=runtime.state if one is None else one.state,
        owner=runtime.owner if one is None else one.owner,
        remote="" if one is None else one.instance.caller.remote,
        developer="" if one is None else one.instance.caller.who,
        since=runtime.since if one is None else one.since,
        in_flight=0 if one is None else one.instance.in_flight,
        transactions=runtime.transactions,
        errors=runtime.errors,
        restarts=max(0, runtime.arrivals - 1),
        last_error=runtime.last_error,
    )
