"""Who works: one Lease per watched namespace. Its holder reconciles, others wait to take over.

A holder may write for ``DEADLINE`` seconds after it asked for its last renewal that succeeded, and
others take a Lease only after they have seen it unchanged for ``DURATION`` seconds: no clock of
another machine is trusted. ``leaseTransitions`` counts acquisitions; it is the epoch by which
peers refuse whoever led earlier. A Lease that has to be made anew begins at the seconds since 2025
(int32 holds 68 years), so that deleting one never leads back to an epoch that peers have seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from treadle_operator.errors import Conflict, KubeError, NotFound, NotLeading
from treadle_operator.kube import LEASES, Kube
from treadle_operator.model import Manifest, integer_at, text_at

_log: Final = logging.getLogger(__name__)

LEASE: Final = "treadle-operator"
DURATION: Final = 15
DEADLINE: Final = 10.0
_RENEW_SECONDS: Final = 4.0
_LOOK_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 1.0
_ROUND_SECONDS: Final = 3.0
_BEGINNING: Final = datetime(2025, 1, 1, tzinfo=UTC)

Clock = Callable[[], float]


def boot_time() -> float:
    """Seconds that go on while the process is stopped and while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stored Lease. ``version`` is its resourceVersion, ``holder`` empty when it is free,
    ``seconds`` how long others have to see it unchanged.
    """

    holder: str
    epoch: int
    seconds: int
    acquired: str
    version: str


@dataclass(slots=True)
class Election:
    """One namespace's Lease as one process sees it. Pure: told the time, it decides.

    Times are seconds of any clock that goes on while the process does not.
    """

    identity: str
    last: Record | None = None
    epoch: int = 0
    _looked: bool = False
    _unchanged_since: float = 0.0
    _may_until: float = 0.0
    _inherited: int | None = None

    def left(self, now: float) -> float:
        """How many seconds this process still leads without another renewal; 0 when it does not."""
        return max(0.0, self._may_until - now)

    def saw(self, record: Record | None, now: float) -> None:
        """The Lease was read; None when there is none."""
        if record != self.last or not self._looked:
            self._unchanged_since = now
        if not self._looked and record is not None and record.holder == self.identity:
            # Of the process whose place this one takes: a container that was started again.
            self._inherited = record.epoch
        self.last, self._looked = record, True
        if record is None or not self._is_ours(record):
            self._may_until = min(self._may_until, now)

    def bid(self, now: float, *, fresh: int) -> int | None:
        """The epoch to ask for, or None to wait. *fresh* is the first one of a new Lease; one that
        the chart has made is empty.
        """
        record = self.last
        if record is None:
            return fresh
        if self._is_ours(record):
            return record.epoch
        expired = now - self._unchanged_since >= record.seconds
        free = not record.holder or self._inherited == record.epoch
        return (record.epoch + 1 if record.epoch else fresh) if expired or free else None

    def granted(self, record: Record, *, asked: float) -> None:
        """What was bid for at the time *asked* is stored."""
        self.saw(record, asked)
        self.epoch, self._may_until = record.epoch, asked + DEADLINE

    def gave_up(self) -> None:
        """This process is about to give the Lease back."""
        self._may_until = 0.0

    def _is_ours(self, record: Record) -> bool:
        return record.holder == self.identity and record.epoch == self.epoch


@dataclass(slots=True)
class Leading:
    """The Leases of all watched namespaces, for as long as ``run`` runs.

    ``changed(namespace, leads)`` is called when a term begins or ends.
    """

    kube: Kube
    namespaces: Collection[str]
    identity: str
    changed: Callable[[str, bool], None] = lambda namespace, leads: None
    clock: Clock = boot_time
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _elections: dict[str, Election] = field(init=False)
    _told: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._elections = {each: Election(self.identity) for each in self.namespaces}

    def leads(self, namespace: str) -> bool:
        """Whether this process works there now."""
        return self._elections[namespace].left(self.clock()) > 0

    def allowed(self, namespace: str) -> float:
        """How many seconds a write may take there; raises NotLeading."""
        left = self._elections[namespace].left(self.clock())
        if left <= 0:
            raise NotLeading(f"another operator may work in the namespace {namespace} now")
        return left

    def epoch(self, namespace: str) -> int:
        """The number of this process's term there; raises NotLeading."""
        self.allowed(namespace)
        return self._elections[namespace].epoch

    async def run(self) -> None:
        """Seek the Leases, and keep them; until cancelled."""
        async with asyncio.TaskGroup() as group:
            for namespace in self.namespaces:
                group.create_task(self._seek(namespace))

    async def release(self) -> None:
        """Give back what is held, so that others need not wait; ``run`` has ended before."""
        await asyncio.gather(*(self._release(each) for each in self.namespaces))

    async def _seek(self, namespace: str) -> None:
        while True:
            pause = _RETRY_SECONDS
            try:
                async with asyncio.timeout(_ROUND_SECONDS):
                    pause = await self._round(namespace)
            except (Conflict, NotFound):
                await self._look(namespace)
            except (KubeError, TimeoutError) as error:
                _log.warning("the lease of the namespace %s: %s", namespace, error or "no answer")
            await self._pause(namespace, pause)

    async def _look(self, namespace: str) -> None:
        """Somebody has changed the Lease since it was seen."""
        with contextlib.suppress(KubeError, TimeoutError):
            async with asyncio.timeout(_ROUND_SECONDS):
                self._elections[namespace].saw(await self._read(namespace), self.clock())

    async def _round(self, namespace: str) -> float:
        """Look unless this process leads, then bid; returns the seconds until the next round."""
        election = self._elections[namespace]
        if not self.leads(namespace):
            election.saw(await self._read(namespace), self.clock())
        asked = self.clock()
        epoch = election.bid(asked, fresh=self._fresh())
        if epoch is None:
            return _LOOK_SECONDS
        election.granted(await self._write(namespace, epoch), asked=asked)
        return _RENEW_SECONDS

    async def _pause(self, namespace: str, seconds: float) -> None:
        """Wait; a term that ends meanwhile is told when it does."""
        self._tell(namespace)
        first = min(self._elections[namespace].left(self.clock()), seconds)
        await asyncio.sleep(first)
        self._tell(namespace)
        await asyncio.sleep(seconds - first)

    def _tell(self, namespace: str) -> None:
        leads = self.leads(namespace)
        if self._told.get(namespace, False) is not leads:
            self._told[namespace] = leads
            epoch = self._elections[namespace].epoch
            text = "working" if leads else "not working any more"
            _log.info("%s in the namespace %s (epoch %d)", text, namespace, epoch)
            self.changed(namespace, leads)

    async def _release(self, namespace: str) -> None:
        election = self._elections[namespace]
        record, held = election.last, self.leads(namespace)
        election.gave_up()
        self._tell(namespace)
        if record is None or not held:
            return
        try:
            async with asyncio.timeout(_ROUND_SECONDS):
                await self.kube.apply(self._manifest(namespace, record.epoch, holder=""))
        except (KubeError, TimeoutError) as error:
            _log.warning("the lease of %s was not given back: %s", namespace, error or "no answer")

    async def _read(self, namespace: str) -> Record | None:
        stored = await self.kube.find(LEASES, namespace, LEASE)
        return None if stored is None else _record(stored)

    async def _write(self, namespace: str, epoch: int) -> Record:
        manifest = self._manifest(namespace, epoch, holder=self.identity)
        first = self._elections[namespace].last is None
        return _record(await (self.kube.create if first else self.kube.apply)(manifest))

    def _manifest(self, namespace: str, epoch: int, *, holder: str) -> Manifest:
        election = self._elections[namespace]
        last, moment = election.last, self.now().isoformat(timespec="microseconds")
        moment = moment.replace("+00:00", "Z")
        metadata: Manifest = {"namespace": namespace, "name": LEASE}
        acquired = moment
        if last is not None:
            metadata["resourceVersion"] = last.version
            acquired = last.acquired if epoch == election.epoch else moment
        spec: Manifest = {
            "leaseDurationSeconds": DURATION,
            "leaseTransitions": epoch,
            "acquireTime": acquired,
            "renewTime": moment,
            "holderIdentity": holder,
        }
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": metadata,
            "spec": spec,
        }

    def _fresh(self) -> int:
        return int((self.now() - _BEGINNING).total_seconds())


def _record(stored: Manifest) -> Record:
    return Record(
        holder=text_at(stored, "spec", "holderIdentity"),
        epoch=integer_at(stored, "spec", "leaseTransitions"),
        seconds=integer_at(stored, "spec", "leaseDurationSeconds"),
        acquired=text_at(stored, "spec", "acquireTime"),
        version=text_at(stored, "metadata", "resourceVersion"),
    )
