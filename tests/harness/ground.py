"""A peer with an honest chaincode and an honest client, and adversaries let loose on it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.adversaries import Adversaries, Report
from harness.chaincodes import built, start_by_hand
from harness.disturbance import KEPT, Measured
from harness.disturbances import TIMED_OUT, Disturbance
from harness.honest import HONEST, HonestClient, administered, deploy_once
from harness.memory import PeakMemory
from harness.peers import PeerProcess
from harness.processes import Started, wait_until
from harness.runtimes import runtimes
from harness.vitals import Vitals, settled, vitals

EXECUTE_SECONDS = 2.0
WARM_UP = 100
ROUNDS = 2
QUIET, DISTURBED = 40, 60  # honest transactions per round, at most
DISTURBED_SECONDS = 6.0
MEASUREMENTS = 3


@dataclass(kw_only=True)
class Ground:
    """One peer in development mode and the honest chaincode that dialled it."""

    peer: PeerProcess
    folder: Path
    tls: bool = False
    chaincode: Started | None = None

    def begin(self) -> Ground:
        """Start the honest chaincode."""
        # The banner names the development certificate, so by then it is written.
        self.peer.process.wait_for_text("Start your chaincode in", within=10)
        development = self.peer.data / "chaincode" / "authority" / "development"
        settings = {
            "CORE_PEER_TLS_ENABLED": "true",
            "CORE_TLS_CLIENT_KEY_PATH": str(development / "client.key"),
            "CORE_TLS_CLIENT_CERT_PATH": str(development / "client.crt"),
            "CORE_PEER_TLS_ROOTCERT_FILE": str(development / "peer.crt"),
        }
        self.chaincode = start_by_hand(
            "go",
            built("go"),
            ccid=f"{HONEST}:1",
            address=self.peer.addresses["chaincode"],
            output=self.folder / "honest.log",
            settings=settings if self.tls else None,
        )
        return self

    def end(self) -> None:
        """End the honest chaincode."""
        if self.chaincode is not None:
            self.chaincode.stop()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[HonestClient]:
        """The honest client."""
        await asyncio.to_thread(wait_until, self._connected, within=30, what="the honest chaincode")
        async with administered(self.peer, tls=self.tls) as network:
            client = HonestClient(await deploy_once(network, HONEST))
            client.diary = self.folder / "diary"
            yield client

    def _connected(self) -> bool:
        rows = runtimes(self.peer.addresses["operations"])
        return any(row["ccid"] == f"{HONEST}:1" and row["remote"] for row in rows)

    def adversaries(self, rows: Sequence[Disturbance], *, quick: bool = False) -> Adversaries:
        """The rows' adversaries, in one process."""
        names = ("peer", "ordering", "chaincode", "operations")
        common = {
            "addresses": {name: self.peer.addresses[name] for name in names},
            "folder": str(self.peer.data),
            "tls": self.tls,
            "diary": str(self.folder / "diary"),
        }
        return Adversaries(
            orders=[row.orders(common, quick=quick) for row in rows],
            folder=self.folder / "adversaries",
        )

    async def measure(self, client: HonestClient, row: Disturbance) -> Outcome:
        """Quiet and disturbed stretches by turns, then what is left of it."""
        reports: list[Report] = []

        @asynccontextmanager
        async def disturbed() -> AsyncIterator[None]:
            with self.adversaries([row]) as adversaries:
                yield
            reports.extend(adversaries.reports)

        name = row.behaviour + (" (TLS)" if self.tls else "")
        outcome = await measure(self.peer, client, name, disturbed)
        return dataclasses.replace(outcome, reports=reports)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One measured disturbance with everything that goes beside the figures."""

    measured: Measured
    before: Vitals
    after: Vitals
    reports: Sequence[Report] = ()

    def faults(self) -> list[str]:
        """What is wrong, in words."""
        name, before, after = self.measured.name, self.before, self.after
        found = self.measured.faults()
        if after.descriptors - before.descriptors > 8:
            found.append(f"{name}: {after.descriptors - before.descriptors} descriptors stay open")
        if after.threads - before.threads > 4:
            found.append(f"{name}: {after.threads - before.threads} threads stay")
        return found

    def noted(self, note: str) -> Outcome:
        """With a word for the table."""
        return dataclasses.replace(self, measured=dataclasses.replace(self.measured, note=note))


async def measure(
    peer: PeerProcess,
    client: HonestClient,
    name: str,
    disturbed: Callable[[], AbstractAsyncContextManager[object]],
) -> Outcome:
    """Quiet and disturbed stretches by turns; *disturbed* is entered anew for each."""
    before = vitals(peer)
    quiet, during = await client.commits(QUIET), []
    with PeakMemory(peer.process.pid) as memory:
        for _ in range(ROUNDS):
            async with disturbed():
                during += await client.commits(DISTURBED, seconds=DISTURBED_SECONDS)
            quiet += await client.commits(QUIET)
    after = settled(peer, before, kept=KEPT)
    measured = Measured(
        name=name,
        quiet=quiet,
        disturbed=during,
        before=before.memory,
        after=after.memory,
        peak=memory.peak,
    )
    return Outcome(measured=measured, before=before, after=after)


async def sound(measuring: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """The first measurement of at most three that holds all bounds, or the last one.

    What else the machine does only makes figures worse, never better.
    """
    outcome = await measuring()
    for number in range(2, MEASUREMENTS + 1):
        if not outcome.faults():
            break
        outcome = (await measuring()).noted(f"measurement {number}")
    return outcome


def strange_answers(row: Disturbance, reports: Sequence[Report]) -> list[str]:
    """Answers that the row does not expect, and callers that got none."""
    answers = {answer for report in reports for answer in report.answers}
    expected = [*row.answers, *([TIMED_OUT] if row.heavy else [])]
    strange = [answer for answer in answers if not any(part in answer for part in expected)]
    unanswered = sum(report.unanswered for report in reports)
    return strange + [f"{unanswered} transactions without an answer"] * bool(unanswered)
