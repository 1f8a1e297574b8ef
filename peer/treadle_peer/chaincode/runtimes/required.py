"""The registry of required runtimes: what there must be, how far it is, who waits for its build.

Everything here runs on the event loop; what a restart must not forget is on disk before anyone is
told. How a runtime fares is reported by the operator, and by the processes that register.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from treadle_peer.chaincode.runtimes.model import (
    Contents,
    Origin,
    Output,
    Phase,
    Record,
    Report,
    Runtime,
    RuntimeState,
)
from treadle_peer.chaincode.runtimes.records import RuntimeRecords
from treadle_peer.chaincode.runtimes.watching import Watch, Watchers
from treadle_peer.execution import ExecutionError, PackageError, PackageStore

_log = logging.getLogger(__name__)

_ANEW = "create a ChaincodeInstantiation for it, or call RequireRuntime"
_WAITING = {
    RuntimeState.REQUIRED: "still waiting for the operator",
    RuntimeState.BUILDING: "still building",
    RuntimeState.STARTING: "still starting",
}


@dataclass(slots=True)
class _Entry:
    """One runtime of this run of the peer. *waiting* are launches that need the build's end."""

    record: Record
    contents: Contents
    reached: RuntimeState
    since: datetime
    entered: float
    message: str = ""
    instances: int = 0
    waiting: set[asyncio.Future[None]] = field(default_factory=set)

    @property
    def state(self) -> RuntimeState:
        if self.record.stopped:
            return RuntimeState.STOPPED
        return RuntimeState.REGISTERED if self.instances else self.reached


class RequiredRuntimes:
    """All runtimes. *packages* tells what there is to run.

    *on_failed* gets ccid and sentence of every failure that is reported.
    """

    def __init__(
        self,
        *,
        records: RuntimeRecords,
        packages: PackageStore,
        on_failed: Callable[[str, str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take up what *records* hold; raises StorageError. Needs the running loop."""
        self._records = records
        self._packages = packages
        self._on_failed = on_failed
        self._now = now
        self.watchers = self._watchers = Watchers()
        self.refusals = self._watchers.refusals
        self._entries: dict[str, _Entry] = {}
        for record in records.load():
            self._take_up(record)

    def get(self, ccid: str) -> Runtime | None:
        """The runtime, also a stopped one."""
        entry = self._entries.get(ccid)
        return None if entry is None else _seen(entry)

    def rows(self) -> list[Runtime]:
        """All runtimes, ordered by ccid."""
        return [_seen(self._entries[ccid]) for ccid in sorted(self._entries)]

    def require(self, ccid: str, origin: Origin) -> Runtime:
        """There must be *ccid*: a new one, or a failed or stopped one anew. Raises PackageError.

        An operator that requires what a client caused adopts it.
        """
        entry = self._entries.get(ccid)
        if entry is None:
            contents = self._contents(ccid)
            record = Record(ccid=ccid, origin=origin, built=contents.prebuilt is not None)
            self._records.save(record)
            entry = self._enter(record, contents)
            self._watchers.changed(ccid)
        elif entry.state in (RuntimeState.STOPPED, RuntimeState.FAILED):
            self._want_anew(entry, origin)
        elif origin is Origin.OPERATOR and entry.record.origin is not origin:
            self._keep(entry, replace(entry.record, origin=origin))
        return _seen(entry)

    def bound(self, ccid: str, seconds: float | None) -> Runtime:
        """One transaction of the required *ccid* may take so long; None: what the peer allows."""
        entry = self._entries[ccid]
        self._keep(entry, replace(entry.record, execute_timeout=seconds))
        return _seen(entry)

    def begin(self, ccid: str, origin: Origin) -> None:
        """Somebody's transaction needs *ccid*; raises ExecutionError when it cannot have it."""
        entry = self._entries.get(ccid)
        if entry is not None and entry.record.stopped:
            raise ExecutionError(f"nobody wants a runtime for {ccid} any more; {_ANEW}")
        try:
            self.require(ccid, origin)
        except PackageError as error:
            raise ExecutionError(f"error building chaincode: {error}") from error

    async def built(self, ccid: str) -> None:
        """Return once *ccid* only has to be started; raises ExecutionError when its build fails."""
        entry = self._entries[ccid]
        if entry.record.built:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry.waiting.add(waiting)
        try:
            await waiting
        finally:
            entry.waiting.discard(waiting)

    def report(self, ccid: str, report: Report) -> Runtime | None:
        """Take what the operator tells; None when *ccid* is not required."""
        entry = self._entries.get(ccid)
        if entry is None or entry.record.stopped:
            return None
        if report.pods:
            self._keep(entry, replace(entry.record, pods=report.pods))
        if report.phase is Phase.FAILED:
            self._fail(entry, report.sentence)
        elif report.phase is Phase.BUILDING:
            self._move(entry, RuntimeState.BUILDING, report.message)
        else:
            self._build_is_over(entry, entry.record)
            self._move(entry, RuntimeState.STARTING, report.message)
        return _seen(entry)

    def output_stored(self, ccid: str, output: Output) -> None:
        """Its build has succeeded."""
        entry = self._entries[ccid]
        self._build_is_over(entry, replace(entry.record, output=output))
        self._move(entry, RuntimeState.STARTING, "")

    def connected(self, ccid: str, instances: int) -> None:
        """That many processes of *ccid* take transactions now."""
        entry = self._entries.get(ccid)
        if entry is None or entry.instances == instances:
            return
        lost = instances == 0
        if not entry.instances or lost:
            self._stamp(entry)
        entry.instances = instances
        entry.reached = RuntimeState.STARTING
        entry.message = "no process is connected" if lost else ""
        if not entry.record.stopped:
            self._build_is_over(entry, entry.record)
        self._watchers.changed(ccid)

    def give_up(self, ccid: str, sentence: str) -> None:
        """A launch ended without a registration."""
        entry = self._entries.get(ccid)
        if entry is not None and entry.state in _WAITING:
            self._move(entry, RuntimeState.FAILED, sentence)

    def release(self, ccid: str) -> None:
        """Nobody wants *ccid* any more; who waits for it is told. Idempotent."""
        entry = self._entries.get(ccid)
        if entry is None or entry.record.stopped:
            return
        self._keep(entry, replace(entry.record, stopped=True, pods=()))
        self._stamp(entry)
        entry.message = "released"
        sentence = f"the runtime of {ccid} was released; {_ANEW}"
        _settle(entry, ExecutionError(sentence))
        self._on_failed(ccid, sentence)

    def patience(self, ccid: str) -> str:
        """``still building (42 s); try again`` while *ccid* is on its way, else empty."""
        entry = self._entries.get(ccid)
        waiting = None if entry is None else _WAITING.get(entry.state)
        if entry is None or waiting is None:
            return ""
        seconds = asyncio.get_running_loop().time() - entry.entered
        return f"{waiting} ({seconds:.0f} s); try again"

    def watch(self) -> Watch:
        """A watch that begins with everything required; end it with ``unwatch``."""
        return self._watchers.open(self._required, sorted(self._entries))

    def unwatch(self, watch: Watch) -> None:
        """Nobody reads *watch* any more."""
        self._watchers.remove(watch)

    @property
    def watched(self) -> bool:
        """Whether an operator is there."""
        return len(self._watchers) > 0

    def _required(self, ccid: str) -> Runtime | None:
        entry = self._entries.get(ccid)
        return None if entry is None or entry.record.stopped else _seen(entry)

    def _take_up(self, record: Record) -> None:
        try:
            contents = self._contents(record.ccid)
        except PackageError as error:
            _log.warning("the package of the required runtime %s: %s", record.ccid, error)
            contents = Contents()
        self._enter(record, contents)

    def _enter(self, record: Record, contents: Contents) -> _Entry:
        entry = self._entries[record.ccid] = _Entry(
            record=record,
            contents=contents,
            reached=RuntimeState.STARTING if record.built else RuntimeState.REQUIRED,
            since=self._now(),
            entered=asyncio.get_running_loop().time(),
        )
        return entry

    def _contents(self, ccid: str) -> Contents:
        name, _, version = ccid.partition(":")
        return Contents.of(self._packages.get(name, version))

    def _want_anew(self, entry: _Entry, origin: Origin) -> None:
        kept = entry.record
        adopted = Origin.OPERATOR if Origin.OPERATOR in (origin, kept.origin) else kept.origin
        self._keep(entry, replace(kept, origin=adopted, attempt=kept.attempt + 1, stopped=False))
        self._move(entry, RuntimeState.REQUIRED, "")

    def _fail(self, entry: _Entry, sentence: str) -> None:
        if entry.instances:
            entry.message = sentence
            self._watchers.changed(entry.record.ccid)
        else:
            self._move(entry, RuntimeState.FAILED, sentence)
        if not entry.record.built:
            text = f"error building chaincode: error building image: {sentence}"
            _settle(entry, ExecutionError(text))
        _log.warning("the operator reports of chaincode %s: %s", entry.record.ccid, sentence)
        self._on_failed(entry.record.ccid, sentence)

    def _build_is_over(self, entry: _Entry, record: Record) -> None:
        self._keep(entry, replace(record, built=True))
        _settle(entry, None)

    def _move(self, entry: _Entry, reached: RuntimeState, message: str) -> None:
        if entry.reached is not reached:
            entry.reached = reached
            self._stamp(entry)
        entry.message = message
        self._watchers.changed(entry.record.ccid)

    def _stamp(self, entry: _Entry) -> None:
        entry.since = self._now()
        entry.entered = asyncio.get_running_loop().time()

    def _keep(self, entry: _Entry, record: Record) -> None:
        if entry.record != record:
            self._records.save(record)
            entry.record = record
        self._watchers.changed(record.ccid)


def _settle(entry: _Entry, failure: ExecutionError | None) -> None:
    for waiting in entry.waiting:
        if waiting.done():
            continue
        if failure is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(failure)


def _seen(entry: _Entry) -> Runtime:
    return Runtime(
        record=entry.record,
        contents=entry.contents,
        state=entry.state,
        message=entry.message,
        instances=entry.instances,
        since=entry.since,
    )
