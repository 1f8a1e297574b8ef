"""The launchers that build and run chaincode themselves: ``process`` and ``docker`` (design §4).

Implements ``chaincode.launching.Launcher``. When and how often to launch again is decided there;
here every launch is a fresh process with a fresh certificate, and all of them end with the peer,
also with one that was killed. Where they run is the workshop's.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import admission
from treadle_peer.chaincode.launch.builders import BuildError
from treadle_peer.chaincode.launch.launches import Exit, Launch, LaunchStatus, Phase
from treadle_peer.chaincode.launch.settings import LaunchSettings
from treadle_peer.chaincode.launch.starting import exit_sentence, prepare_launch
from treadle_peer.chaincode.launch.workshop import Made, Workshop
from treadle_peer.chaincode.streams import StreamPeer
from treadle_peer.execution import ExecutionError, PackageError, PackageStore

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Runtime:
    """What is known of a ccid, over all its launches."""

    ccid: str
    phase: Phase = Phase.ENDED
    since: float = 0.0
    starts: int = 0
    last_error: str = ""
    launch: Launch | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def live(self) -> Launch | None:
        """The launch whose process runs."""
        return self.launch if self.launch is not None and self.launch.running else None

    def enter(self, phase: Phase) -> None:
        """Note that *phase* begins."""
        self.phase = phase
        self.since = asyncio.get_running_loop().time()


class PeerLauncher:
    """Launches production chaincode in a workshop."""

    def __init__(
        self,
        *,
        settings: LaunchSettings,
        packages: PackageStore,
        authority: ChaincodeAuthority,
        workshop: Callable[[], Workshop],
        endpoint: Callable[[], str],
        needed: Callable[[], Iterable[str]],
        on_exit: Callable[[Exit], None],
    ) -> None:
        """Take the launcher's folder, then open the *workshop*, which ends what was left over.

        Raises OSError when another peer uses the folder, and what *workshop* raises; may block for
        seconds in that. *endpoint* tells the address (host:port) that chaincode dials
        (fabric-wire.md §2.4), *needed* which ccids the channels define: their builds are kept.
        *on_exit* is called whenever a launched process ends by itself, never before the ``launch``
        that started it has returned.
        """
        self._lock_file = _lock(settings.folder)
        self._settings = settings
        self._packages = packages
        self._authority = authority
        self._workshop = workshop()
        self._endpoint = endpoint
        self._needed = needed
        self._on_exit = on_exit
        self._runtimes: dict[str, _Runtime] = {}
        self._launching: set[asyncio.Task[object]] = set()
        self._tidying: asyncio.Task[None] | None = None

    async def launch(self, ccid: str) -> None:
        """Build if needed and start, replacing a process that is still there.

        Returns when the process runs (a server: when it was reached). Raises ExecutionError with
        the text of fabric-wire.md §2.7 inside ``could not launch chaincode``.
        """
        runtime = self._runtimes.setdefault(ccid, _Runtime(ccid))
        try:
            with self._cancelled_at_close():
                async with runtime.lock:
                    await self._replace(runtime)
        finally:
            self._tidy_soon()

    async def stop(self, ccid: str, *, withdrawn: bool = False) -> None:
        """End what runs for *ccid*; nothing to do is fine."""
        runtime = self._runtimes.get(ccid)
        if runtime is not None:
            await self._end_current(runtime)

    async def close(self) -> None:
        """End every launched process and give the folder back. Idempotent."""
        for task in self._launching:
            task.cancel()
        await asyncio.gather(*self._launching, return_exceptions=True)
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await asyncio.gather(*map(self._end_current, self._runtimes.values()))
        await self._workshop.close()
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    def admit(self, ccid: str, caller: StreamPeer) -> str | None:
        """None when *caller* is what was launched for *ccid*, else the sentence of refusal."""
        runtime = self._runtimes.get(ccid)
        live = runtime.live if runtime is not None else None
        sentence = self._refusal(ccid, live, caller)
        if runtime is not None and live is not None and sentence is None:
            live.admitted = True
            runtime.enter(Phase.REGISTERED)
        return sentence

    def status(self, ccid: str) -> LaunchStatus | None:
        """How far *ccid* has come; None when it was never launched."""
        runtime = self._runtimes.get(ccid)
        return None if runtime is None else _status(runtime)

    def patience(self, ccid: str) -> str:
        """``still building (42 s); try again`` while *ccid* launches, else empty."""
        runtime = self._runtimes.get(ccid)
        return "" if runtime is None else _status(runtime).patience

    def _refusal(self, ccid: str, live: Launch | None, caller: StreamPeer) -> str | None:
        if caller.fingerprint is not None:
            if live is not None and live.fingerprint == caller.fingerprint:
                return None
            return admission.wrong_certificate(ccid, caller.fingerprint, self._authority)
        if live is None or live.program is None:
            return admission.not_launched(ccid)
        if self._settings.tls:
            return admission.no_certificate(ccid)
        port = int(self._endpoint().rpartition(":")[2])
        return admission.foreign_socket(ccid, caller, members=live.program.members(), port=port)

    async def _replace(self, runtime: _Runtime) -> None:
        try:
            await self._end_current(runtime)
            await self._bring_up(runtime)
        except BaseException as error:
            runtime.enter(Phase.FAILED)
            runtime.last_error = str(error)
            raise

    async def _bring_up(self, runtime: _Runtime) -> None:
        runtime.enter(Phase.BUILDING)
        made = await self._make(runtime.ccid)
        runtime.enter(Phase.STARTING)
        launch = runtime.launch = prepare_launch(self._settings, self._authority, runtime.ccid)
        try:
            await made.start(launch, self._endpoint())
        except BaseException:
            await launch.end(self._authority, grace=self._settings.stop_grace)
            raise
        runtime.starts += 1
        launch.watcher = asyncio.create_task(self._watch(runtime, launch))

    async def _make(self, ccid: str) -> Made:
        name, _, version = ccid.partition(":")
        try:
            return await self._workshop.make(self._packages.get(name, version))
        except PackageError as error:
            raise ExecutionError(f"error building chaincode: {error}") from error
        except BuildError as error:
            text = f"error building chaincode: error building image: {error}"
            raise ExecutionError(text) from error

    def _tidy_soon(self) -> None:
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.create_task(self._tidy())

    async def _tidy(self) -> None:
        try:
            await self._workshop.tidy(self._kept, self._packages)
        except OSError as error:
            _LOG.warning("old builds are not removed: %s", error)

    def _kept(self) -> Iterator[str]:
        """Whose builds must stay."""
        yield from self._needed()
        for runtime in self._runtimes.values():
            if runtime.lock.locked() or runtime.live is not None:
                yield runtime.ccid

    async def _watch(self, runtime: _Runtime, launch: Launch) -> None:
        """Tell when the process ends by itself."""
        assert launch.program is not None  # noqa: S101 - it was started before it is watched
        code = await launch.program.exited()
        if launch.ending is not None:
            return
        await launch.end(self._authority, grace=self._settings.stop_grace)
        sentence = exit_sentence(code, launch.log)
        _LOG.warning("chaincode %s: %s", launch.ccid, sentence)
        if runtime.launch is launch:
            runtime.enter(Phase.ENDED)
            runtime.last_error = sentence
        try:
            self._on_exit(Exit(ccid=launch.ccid, sentence=sentence, registered=launch.admitted))
        except Exception:
            _LOG.exception("telling of the end of %s failed", launch.ccid)

    async def _end_current(self, runtime: _Runtime) -> None:
        launch = runtime.launch
        if launch is None:
            return
        await launch.end(self._authority, grace=self._settings.stop_grace)
        if launch.watcher is not None:
            await launch.watcher
        if runtime.launch is launch:
            runtime.launch = None
            runtime.enter(Phase.ENDED)

    @contextmanager
    def _cancelled_at_close(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - launch is a coroutine
        self._launching.add(task)
        try:
            yield
        finally:
            self._launching.discard(task)


def _status(runtime: _Runtime) -> LaunchStatus:
    live = runtime.live
    return LaunchStatus(
        ccid=runtime.ccid,
        phase=runtime.phase,
        seconds=asyncio.get_running_loop().time() - runtime.since,
        pid=live.program.pid if live is not None and live.program is not None else 0,
        starts=runtime.starts,
        last_error=runtime.last_error,
    )


def _lock(folder: Path) -> int:
    """Hold *folder* until the descriptor is closed or the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise OSError(f"{folder} is used by another running peer") from error
    return descriptor
