"""The operator: what is seen becomes work, and work is done, a few keys at a time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from treadle_operator.errors import KubeError, PeerUnavailable
from treadle_operator.leading import Leading
from treadle_operator.model import DEFINITION, Key, Kind, Reference
from treadle_operator.queue import Routes, WorkQueue
from treadle_operator.reconcile import (
    Outcome,
    World,
    reconcile_developments,
    reconcile_instantiation,
    reconcile_package,
    reconcile_peer,
    reconcile_refusals,
    reconcile_runtime,
)
from treadle_operator.watch import Seen, watch

_log: Final = logging.getLogger(__name__)

_AT_A_TIME: Final = 16
_RESYNC_SECONDS: Final = 300.0
_LONGEST_RECONCILE: Final = 120.0
_DRAIN_SECONDS: Final = 10.0
_LAST_SECONDS: Final = 5.0

Reconcile = Callable[[Key, World], Awaitable[Outcome]]
_RECONCILES: Final[dict[Kind, Reconcile]] = {
    Kind.PEER: reconcile_peer,
    Kind.PACKAGE: reconcile_package,
    Kind.INSTANTIATION: reconcile_instantiation,
    Kind.RUNTIME: reconcile_runtime,
    Kind.REFUSALS: reconcile_refusals,
    Kind.DEVELOPMENTS: reconcile_developments,
}
_OWN: Final = {kind.value: kind for kind in (Kind.PEER, Kind.PACKAGE, Kind.INSTANTIATION)}


class Observer(Protocol):
    """Who counts what the operator does."""

    def reconciled(self, kind: str, outcome: str, seconds: float) -> None:
        """A reconcile has ended: ``done``, ``blocked``, ``unavailable``, ``gone``, ``error`` or
        ``interrupted``.
        """
        ...

    def waiting(self, count: int) -> None:
        """So many keys could be worked on or are in work."""
        ...


@dataclass(slots=True)
class Operator:
    """Watches namespaces and reconciles what is in them, for as long as ``run`` runs.

    Where another operator leads, it watches and lets the keys wait.
    """

    world: World
    namespaces: Collection[str]
    leading: Leading
    observer: Observer
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _queue: WorkQueue[Key] = field(default_factory=lambda: WorkQueue(is_first=_is_waited_for))
    _routes: Routes = field(default_factory=Routes)
    _generations: dict[Key, int] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _running: dict[Key, float] = field(default_factory=dict)
    _tasks: dict[asyncio.Task[None], Key] = field(default_factory=dict)
    _parked: set[Key] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop* is set; what is begun then has fifteen seconds to end.

        Raises what ends the watching.
        """
        watching = asyncio.create_task(watch(self.namespaces, self.seen, ready=self.ready))
        working = asyncio.create_task(self._work())
        stopping = asyncio.create_task(stop.wait())
        self.leading.changed = self.term_changed
        self.world.errands.ended = self.told
        leading = asyncio.create_task(self.leading.run())
        every = {watching, working, leading, stopping}
        try:
            await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_DRAIN_SECONDS)
            await self.world.errands.close(within=_LAST_SECONDS)
        finally:
            tasks = (watching, working, leading)
            ended = [task for task in tasks if task.done() and not task.cancelled()]
            begun = (*every, *self._tasks)
            for task in begun:
                task.cancel()
            await asyncio.gather(*begun, return_exceptions=True)
            await self.leading.release()
        for task in ended:
            task.result()

    def term_changed(self, namespace: str, leads: bool) -> None:
        """Begin with everything that is known there, or stop what is in work."""
        if leads:
            self._wake({key for key in self._parked if key.namespace == namespace})
            known = [key for key in self._generations if key.namespace == namespace]
            self._wake(known)
            self._wake(_developments(key) for key in known if key.kind is Kind.PEER)
            self._parked = {key for key in self._parked if key.namespace != namespace}
        else:
            for task, key in list(self._tasks.items()):
                if key.namespace == namespace:
                    task.cancel()
            self.world.errands.stop(namespace)
        self._changed.set()

    def stuck(self) -> str | None:
        """A sentence when a reconcile does not come to its end."""
        now = asyncio.get_running_loop().time()
        for key, since in self._running.items():
            if now - since > _LONGEST_RECONCILE:
                return f"the reconcile of {_called(key)} runs for {now - since:.0f} s"
        return None

    def seen(self, seen: Seen) -> None:
        """Queue whomever the event concerns."""
        kind = _OWN.get(seen.kind)
        if kind is not None:
            self._seen_own(Key(kind, seen.namespace, seen.name), seen)
        else:
            self._wake(self._routes.of_labels(seen.namespace, seen.labels, seen.ccid))
        self._wake(self._routes.of(seen.namespace, Reference(seen.kind, seen.name)))
        self._changed.set()

    def told(self, key: Key) -> None:
        """Queue *key* and whoever refers to it: a peer has told something new."""
        self._queue.wake(key)
        if key.kind is Kind.RUNTIME:
            self._queue.wake(Key(Kind.PEER, key.namespace, key.name.partition("/")[0]))
        self._wake(self._routes.of(key.namespace, Reference(key.kind, key.name)))
        self._changed.set()

    def _seen_own(self, key: Key, seen: Seen) -> None:
        """Only a new spec cuts a delay short: our own writes of the status come by here, too."""
        before = self._generations.get(key)
        if seen.gone:
            self._generations.pop(key, None)
        elif before == seen.generation:
            self._queue.add(key)
            return
        else:
            self._generations[key] = seen.generation
        self.world.directory.changed(key.namespace)
        self._queue.wake(key)
        if key.kind is Kind.PEER:
            self._queue.wake(_developments(key))
        if before is not None:
            self._wake_rivals(key, self._routes.references(key))

    def _wake_rivals(self, key: Key, references: Iterable[Reference]) -> None:
        """What *key* claims goes to others when it goes, and by what it wants it may be in their
        way: they are to look again, and so is the runtime itself.
        """
        for reference in references:
            if reference.kind in {Kind.RUNTIME, Kind.PEER}:
                self._queue.wake(Key(Kind(reference.kind), key.namespace, reference.name))
            if reference.kind == Kind.PEER:
                self._queue.wake(Key(Kind.DEVELOPMENTS, key.namespace, reference.name))
            if reference.kind in {Kind.RUNTIME, DEFINITION}:
                self._wake(self._routes.of(key.namespace, reference) - {key})

    def _wake_affected(self, key: Key, references: Iterable[Reference]) -> None:
        """*key* has begun or ended to refer to these."""
        for reference in references:
            if reference.kind == Kind.RUNTIME:
                peer = reference.name.partition("/")[0]
                self._queue.wake(Key(Kind.RUNTIME, key.namespace, reference.name))
                self._queue.wake(Key(Kind.PEER, key.namespace, peer))
                self._queue.wake(Key(Kind.DEVELOPMENTS, key.namespace, peer))
            elif reference.kind == DEFINITION:
                self._wake(self._routes.of(key.namespace, reference) - {key})

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._queue.wake(key)

    async def _work(self) -> None:
        slots = asyncio.Semaphore(_AT_A_TIME)
        while True:
            await slots.acquire()
            key = await self._next()
            task = asyncio.create_task(self._one(key))
            self._tasks[task] = key
            task.add_done_callback(self._tasks.pop)
            task.add_done_callback(lambda _: slots.release())

    async def _next(self) -> Key:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            self.observer.waiting(len(self._queue))
            key = self._queue.take(loop.time())
            if key is not None and self.leading.leads(key.namespace):
                return key
            if key is not None:
                self._park(key)
                continue
            due = self._queue.next_wake()
            try:
                async with asyncio.timeout_at(due):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _park(self, key: Key) -> None:
        """*key* waits for the next term."""
        self._parked.add(key)
        self._queue.done(key)

    async def _one(self, key: Key) -> None:
        loop = asyncio.get_running_loop()
        started = self._running[key] = loop.time()
        outcome = "error"
        try:
            outcome = await self._reconcile(key)
        except asyncio.CancelledError:
            outcome = "interrupted"
            self._park(key)
            raise
        except Exception:
            _log.exception("the reconcile of %s failed", _called(key))
            self._queue.failed(key, loop.time())
        finally:
            del self._running[key]
            self._changed.set()
            self.observer.reconciled(key.kind, outcome, loop.time() - started)

    async def _reconcile(self, key: Key) -> str:
        loop = asyncio.get_running_loop()
        try:
            outcome = await _RECONCILES[key.kind](key, self.world)
        except (KubeError, PeerUnavailable) as error:
            delay = self._queue.failed(key, loop.time())
            _log.warning("%s: %s; again in %g s", _called(key), error, delay)
            return "unavailable"
        if not outcome.exists:
            self._wake_rivals(key, self._routes.drop(key))
            self._queue.done(key)
            return "gone"
        self._wake_affected(key, self._routes.refer(key, outcome.refers))
        if outcome.failed:
            self._queue.failed(key, loop.time())
            return "blocked"
        if outcome.again is not None:
            self._queue.done(key, again_at=loop.time() + outcome.again)
            return "done"
        # Spread, so that a thousand objects do not come back in one second.
        pause = _RESYNC_SECONDS * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self._queue.done(key, again_at=loop.time() + pause)
        return "done"


def _is_waited_for(key: Key) -> bool:
    """Five hundred instantiations wait for a few runtimes and one peer, each step of which would
    wait for all of them to be looked at in vain.
    """
    return key.kind is not Kind.INSTANTIATION


def _developments(peer: Key) -> Key:
    """What the Peer leaves to developers."""
    return Key(Kind.DEVELOPMENTS, peer.namespace, peer.name)


def _called(key: Key) -> str:
    return f"{key.kind} {key.namespace}/{key.name}"
