"""The peer's chaincode side: serves chaincode streams and runs calls on them.

``serve`` is called by the transport for every stream, ``execute`` by the endorser for every call.
Texts are Fabric 2.5's (fabric-wire.md §1.6, §2.7).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.admission import Admission, AdmissionRules
from treadle_peer.chaincode.crowd import Crowd
from treadle_peer.chaincode.errors import Ending, RegistrationRefused, StreamEnded
from treadle_peer.chaincode.instances import Instance
from treadle_peer.chaincode.launching import STOPPING, Launcher, Launches
from treadle_peer.chaincode.modes import Mode, Modes
from treadle_peer.chaincode.observing import Observer
from treadle_peer.chaincode.outbox import Outbox
from treadle_peer.chaincode.registry import Connected, Registry, RuntimeRow, RuntimeState
from treadle_peer.chaincode.serving import Served
from treadle_peer.chaincode.session import Session, TxKey, outcome_of
from treadle_peer.chaincode.startlines import start_line
from treadle_peer.chaincode.streams import ChaincodeStream, StreamPeer
from treadle_peer.chaincode.turns import Turns
from treadle_peer.execution import (
    Call,
    CallKind,
    ChaincodeInvoker,
    ExecutionError,
    Outcome,
)
from treadle_peer.logs import Repeats

log = logging.getLogger(__name__)

_MOST_NAMES = 10_000
"""Admitted chaincodes whose ends are told apart; each is installed or defined."""


def _plain_start_line(ccid: str) -> str:
    return start_line(ccid=ccid, language="", address="127.0.0.1:7052", files=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportConfig:
    """Settings of the chaincode side; all times in seconds.

    ``development_execute_timeout`` is ``None`` by default: a developer may stand at a breakpoint.
    ``set_timeout(ccid)`` is what was set for this chaincode alone, or ``None``.
    ``start_line(ccid)`` is what a developer types to start that process.
    ``stall_timeout`` bounds how long a managed chaincode may leave a full stream unread,
    ``max_calls`` how many calls of one ccid are under way; 0 does not.
    """

    startup_timeout: float = 300.0
    execute_timeout: float | None = 30.0
    development_execute_timeout: float | None = None
    total_query_limit: int = 100_000
    stall_timeout: float = 60.0
    max_calls: int = 0
    set_timeout: Callable[[str], float | None] = lambda ccid: None
    start_line: Callable[[str], str] = _plain_start_line


class _LaunchFailed(ExecutionError):
    """No process could be found; legacy ``Init`` reports this without the outer wrap."""


class ChaincodeSupport:
    """Implements ChaincodeExecutor.

    *invoker* is asked for when a chaincode calls another one; a callable, because the invoker
    itself needs this object. Without a *launcher* nothing can run in production mode.
    """

    def __init__(
        self,
        *,
        config: SupportConfig,
        modes: Modes,
        rules: AdmissionRules,
        invoker: Callable[[], ChaincodeInvoker],
        launcher: Launcher | None = None,
        observer: Observer | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self._modes = modes
        self._refused = rules.refused
        self._invoker = invoker
        self._observer = observer or Observer()
        self._now = now
        self._registry = Registry(rules.is_leaving)
        self._launches = (
            None
            if launcher is None
            else Launches(
                launcher=launcher,
                startup_timeout=config.startup_timeout,
                report=self._launch_over,
                observer=self._observer,
            )
        )
        self._admission = Admission(
            rules=rules,
            modes=modes,
            registry=self._registry,
            launcher=launcher,
            launches=self._launches,
            now=now,
        )
        self._crowd = Crowd(config.max_calls)
        self._turns = Turns()
        self._stopping = False
        self._repeats = Repeats(log)
        self._ends = Repeats(log, most=_MOST_NAMES)

    async def serve(self, stream: ChaincodeStream, caller: StreamPeer) -> None:
        """Serve one chaincode stream to its end.

        Returns when the chaincode closes it; raises StreamEnded (RegistrationRefused among others)
        with the sentence and code that the stream must end with.
        """
        if self._stopping:
            raise StreamEnded(STOPPING, Ending.UNAVAILABLE)
        instance = Instance(
            stream=stream,
            caller=caller,
            invoker=self._invoker(),
            session=Session(total_query_limit=self._config.total_query_limit),
            outbox=Outbox(),
            observer=self._observer,
            turns=self._turns,
        )
        service = Served(instance, self._admission, self._stall_timeout)
        self._admission.connected(instance)
        try:
            await instance.run(service)
        except StreamEnded as ended:
            name = service.ccid or "without a name"
            line = f"stream of chaincode {name} ({caller.remote}) ended: {ended.sentence}"
            if instance.admitted:
                self._ends.warning(line, about=service.ccid)
            else:  # a stranger chooses the name
                self._repeats.warning(line)
                if service.ccid:
                    self._refused(service.ccid, ended.sentence, caller.remote)
            self._registry.fault(service.ccid, ended.sentence)
            raise

    async def execute(self, call: Call) -> Outcome:
        """Run *call* to its end; see ChaincodeExecutor."""
        try:
            message = await self.run(call)
        except _LaunchFailed as failure:
            if call.kind is CallKind.INIT:
                raise
            raise ExecutionError(_failed(call, failure)) from None
        except ExecutionError as failure:
            raise ExecutionError(_failed(call, failure)) from None
        return outcome_of(call, message)

    async def run(self, call: Call) -> ChaincodeMessage:
        """The chaincode's final message itself, as a calling chaincode gets it (wire §1.10).

        Raises ExecutionError without the prefix ``failed to execute transaction ..``.
        """
        if self._stopping:
            raise ExecutionError(STOPPING)
        try:
            with self._crowd.member(call.ccid):
                message = await self._run(call)
        except ExecutionError as failure:
            self._registry.count(call.ccid, str(failure))
            raise
        failed = message.type == ChaincodeMessage.ERROR
        text = message.payload.decode(errors="replace") if failed else None
        self._registry.count(call.ccid, text)
        return message

    def status(self) -> list[RuntimeRow]:
        """The active registry, ordered by ccid."""
        return self._registry.rows()

    def installed(self, ccid: str) -> None:
        """A package or definition for *ccid* arrived: parked processes are admitted."""
        self._admission.installed(ccid)

    def set_mode(self, ccid: str, mode: Mode | None) -> None:
        """Put one chaincode into another mode than the peer; ``None`` returns to the default."""
        self._modes.set(ccid, mode)
        self._admission.mode_changed(ccid)

    def evict(self, chosen: Callable[[str, StreamPeer], bool], sentence: str) -> None:
        """End every stream that *chosen(ccid, caller)* names, because it may not be any more."""
        self._admission.end(chosen, RegistrationRefused(sentence, Ending.PERMISSION_DENIED))

    def runtime_exited(self, ccid: str, sentence: str) -> None:
        """A launched process ended (``container exited with 1``); its waiters fail at once."""
        self._registry.fault(ccid, sentence)
        if self._launches is not None:
            self._launches.failed(ccid, sentence)

    async def drain(self, *, timeout_seconds: float) -> bool:
        """Wait until no call runs; ``False`` when the time was over first."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._crowd.gone()
        except TimeoutError:
            return False
        return True

    async def end_launches(self) -> None:
        """Give up builds and launches, and begin none: a peer that stops does not wait for them."""
        if self._launches is not None:
            await self._launches.close()

    async def stop_all(self) -> None:
        """Take no more streams and calls, end all there are."""
        self._stopping = True
        await self.end_launches()
        ended = StreamEnded(STOPPING, Ending.UNAVAILABLE)
        self._admission.end(lambda ccid, caller: True, ended)

    async def _run(self, call: Call) -> ChaincodeMessage:
        key = TxKey(call.channel_id, call.tx_id)
        if self._registry.running(call.ccid, key):
            # Also when another process of the same chaincode could take it: a chaincode that
            # calls itself must fail everywhere or nowhere.
            raise ExecutionError(f"error sending: txid: {call.tx_id}({call.channel_id}) exists")
        instance = self._registry.least_busy(call.ccid)
        if instance is None:
            instance = await self._launch(call)
        try:
            return await instance.execute(call, timeout_seconds=self._timeout(call.ccid))
        except ExecutionError as failure:
            raise ExecutionError(f"error sending: {failure}") from None

    async def _launch(self, call: Call) -> Connected:
        ccid = call.ccid
        mode = self._modes.of(ccid)
        if mode is Mode.DEVELOPMENT or self._launches is None:
            raise _LaunchFailed(
                f"could not launch chaincode {ccid}: no chaincode process is connected; "
                f"start yours with: {self._config.start_line(ccid)}"
            )
        if not self._launches.launching(ccid):
            self._note(ccid, RuntimeState.LAUNCHING)
        try:
            async with asyncio.timeout_at(call.answer_by):
                await self._launches.join(ccid)
        except ExecutionError as failure:
            raise _LaunchFailed(f"could not launch chaincode {ccid}: {failure}") from None
        except TimeoutError:
            patience = self._launches.patience(ccid)
            raise _LaunchFailed(f"could not launch chaincode {ccid}: {patience}") from None
        instance = self._registry.least_busy(ccid)
        if instance is None:
            raise _LaunchFailed(
                f"claimed to start chaincode container for {ccid} but could not find handler"
            )
        return instance

    def _timeout(self, ccid: str) -> float | None:
        own = self._config.set_timeout(ccid)
        if own is not None:
            return own
        if self._modes.of(ccid) is Mode.DEVELOPMENT:
            return self._config.development_execute_timeout
        return self._config.execute_timeout

    def _stall_timeout(self, ccid: str) -> float | None:
        # A process at a breakpoint reads nothing either, so development has no such bound.
        development = self._modes.of(ccid) is Mode.DEVELOPMENT
        return None if development else self._config.stall_timeout

    def _launch_over(self, ccid: str, failure: str | None) -> None:
        if failure is None:
            self._note(ccid, RuntimeState.STOPPED)
            return
        self._note(ccid, RuntimeState.FAILED)
        self._registry.fault(ccid, failure)

    def _note(self, ccid: str, state: RuntimeState) -> None:
        owner = self._modes.of(ccid).owner
        self._registry.note(ccid, state=state, owner=owner, now=self._now())


def _failed(call: Call, failure: ExecutionError) -> str:
    return f"failed to execute transaction {call.tx_id}: {failure}"
