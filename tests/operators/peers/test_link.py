"""The operator's link to a real peer: what it asks, what it is told, what failures become."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.request import urlopen

import pytest
from harness.chaincodes import built, sources
from harness.operators import artifacts, run_pod, store_output, write_papers
from harness.peers import PeerProcess
from harness.processes import Started, wait_until
from treadle_fabric.packages import build_legacy_package
from treadle_operator.definitions import Wanted, are_collections, is_policy
from treadle_operator.errors import NotLeading, PeerRefused, PeerUnavailable
from treadle_operator.model.developing import DevelopmentPolicy
from treadle_operator.peers import Deployment, Origin, PeerLink, Phase, Purpose, State
from treadle_operator.reconcile.requiring import require

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(180)]

ASSET = "asset:1"
OPENED = "deliver_streams_opened"
MakeLink = Callable[[], AbstractAsyncContextManager[PeerLink]]


class Asked(Protocol):
    """Whom the link asks for the operator's present term."""

    term: Callable[[], int]


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition, within=30, what="what the peer tells")


def package(version: str = "1") -> bytes:
    return build_legacy_package(
        name="asset", version=version, language="golang", path="asset", source=sources("go")
    )


def deployment(*args: str, version: str = "1") -> Deployment:
    return Deployment(
        name="asset",
        version=version,
        language="golang",
        args=tuple(argument.encode() for argument in args),
        policy=b"",
        collections=b"",
    )


async def test_channels_are_made_once_and_an_unknown_one_is_refused(link: MakeLink) -> None:
    async with link() as peer:
        await peer.create_channel("trade", "V1_4_2")
        await peer.create_channel("trade", "V1_4_2")
        assert "trade" in await peer.channels()
        assert await peer.members("trade") == ("Org1MSP",)
        assert await peer.definition("trade", "asset") is None
        with pytest.raises(PeerRefused):
            await peer.definition("nowhere", "asset")
        with pytest.raises(PeerRefused):
            await peer.create_channel("Not A Name", "V1_4_2")


async def test_it_says_why_the_peer_leaves_nothing_to_developers_until_it_does(
    link: MakeLink,
) -> None:
    unusable = DevelopmentPolicy(ccid=ASSET, execute_timeout=None, start_line="a\nb", holders=())
    async with link() as peer:
        await until(lambda: peer.synced)
        assert peer.development_refusal == ""
        with pytest.raises(PeerRefused):
            await peer.apply_policies([unusable])
        assert "start_line is one line" in peer.development_refusal
        again = asyncio.create_task(peer.apply_policies([unusable]))
        await asyncio.sleep(0)  # it is asked, and has not answered
        assert "start_line is one line" in peer.development_refusal
        with pytest.raises(PeerRefused):
            await again
        await peer.apply_policies([])
        assert peer.development_refusal == ""


async def test_what_a_transaction_may_take_is_said_again_when_it_is_another(
    link: MakeLink, peer: PeerProcess
) -> None:
    now, long = datetime.now(UTC), timedelta(seconds=90.5)
    async with link() as found:
        await found.install(package())
        await until(lambda: found.synced)
        for wanted in (long, None, long):
            row, _ = await require(found, ASSET, now, execute_timeout=wanted)
            assert row is not None
            assert (row.execute_timeout, row.attempt) == (wanted, 1)
            await until(lambda: found.runtimes[ASSET].execute_timeout == wanted)  # noqa: B023


async def test_a_runtime_is_required_watched_and_released(
    link: MakeLink, peer: PeerProcess, heard: object
) -> None:
    async with link() as found:
        with pytest.raises(PeerRefused) as missing:
            await found.require(ASSET, None)
        assert missing.value.code == "NOT_FOUND"
        await found.install(package())
        assert list(await found.installed()) == [ASSET]
        await until(lambda: found.synced)
        row = await found.require(ASSET, None)
        assert (row.state, row.origin, row.attempt) == (State.REQUIRED, Origin.OPERATOR, 1)
        assert row.since <= datetime.now(UTC)
        await until(lambda: ASSET in found.runtimes)
        await found.report(ASSET, Phase.FAILED, "BuildFailed: no such module", log_tail="line")
        await until(lambda: found.runtimes[ASSET].state is State.FAILED)
        assert found.runtimes[ASSET].message.startswith("BuildFailed: no such module")
        assert (await found.require(ASSET, None)).attempt == 2
        certificate = await found.issue(ASSET, Purpose.BUILDER)
        assert certificate.msp_id == "Org1MSP"
        assert certificate.not_after > datetime.now(UTC)
        await found.retire(certificate.fingerprint)
        await found.release(ASSET)
        await until(lambda: ASSET not in found.runtimes)
        with pytest.raises(PeerRefused):
            await found.issue(ASSET, Purpose.BUILDER)


async def test_the_watch_outlives_a_restart_of_the_peer(
    link: MakeLink, peer: PeerProcess, heard: object
) -> None:
    async with link() as found:
        await found.install(package())
        await found.require(ASSET, None)
        await until(lambda: ASSET in found.runtimes)
        assert peer.stop() == 0
        await until(lambda: not found.synced)
        assert ASSET in found.runtimes, "what was known last is better than nothing"
        with pytest.raises(PeerUnavailable, match="Peer peer0 does not answer"):
            await found.require(ASSET, None)
        with pytest.raises(PeerUnavailable):
            await found.channels()
        await asyncio.to_thread(peer.start)
        await until(lambda: found.synced)
        assert found.runtimes[ASSET].origin is Origin.OPERATOR


@pytest.fixture
async def served(link: MakeLink, peer: PeerProcess, pods: list[Started]) -> AsyncIterator[PeerLink]:
    """asset:1 is installed, and a process of it registered."""
    async with link() as found:
        await found.install(package())
        await found.require(ASSET, None)
        builder = await found.issue(ASSET, Purpose.BUILDER)
        papers = write_papers(peer.folder / "builder", builder)
        async with artifacts(builder.peer_address, papers.credentials()) as stub:
            content = await asyncio.to_thread((built("go") / "chaincode").read_bytes)
            await store_output(stub, content)
        issued = await found.issue(ASSET, Purpose.RUNTIME, timedelta(days=1))
        papers = write_papers(peer.folder / "runtime", issued)
        program = await asyncio.to_thread(executable, papers.folder / "chaincode", content)
        pods.append(run_pod(program, ASSET, issued.peer_address, papers.environment()))
        await until(lambda: found.runtimes.get(ASSET, None) is not None)
        await until(lambda: found.runtimes[ASSET].state is State.REGISTERED)
        yield found


def executable(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o755)
    return path


async def test_a_definition_is_read_back_as_it_was_deployed(served: PeerLink) -> None:
    await served.create_channel("trade", "V1_4_2")
    assert ASSET in await served.connected()
    await served.deploy("trade", deployment("init", "alice", "100"), upgrade=False, within=60)
    committed = await served.definition("trade", "asset")
    assert committed is not None
    assert (committed.name, committed.version) == ("asset", "1")
    members = await served.members("trade")
    assert is_policy(committed, Wanted(None, b""), members)
    assert are_collections(committed, Wanted(None, b""))
    assert not is_policy(committed, Wanted(None, b""), ["Org1MSP", "Org2MSP"])
    with pytest.raises(PeerRefused, match="already exists"):
        await served.deploy("trade", deployment("init", "alice", "100"), upgrade=False, within=60)


async def test_an_init_that_answers_with_an_error_writes_nothing(served: PeerLink) -> None:
    await served.create_channel("trade", "V1_4_2")
    with pytest.raises(PeerRefused) as refused:
        await served.deploy("trade", deployment("init", "alice", "many"), upgrade=False, within=60)
    assert refused.value.message.startswith("error in simulation: ")
    assert "must be a whole number: many" in refused.value.message
    assert await served.definition("trade", "asset") is None


async def test_a_leader_whose_term_ends_while_it_opens_the_commit_watch_orders_nothing(
    served: PeerLink, peer: PeerProcess, heard: Asked
) -> None:
    await served.create_channel("trade", "V1_4_2")
    before = watches_opened(peer)

    def term() -> int:
        if watches_opened(peer) > before:
            raise NotLeading("another operator may work")
        return 1

    heard.term = term
    with pytest.raises(NotLeading):
        await served.deploy("trade", deployment("init", "alice", "100"), upgrade=False, within=60)
    heard.term = lambda: 1
    assert await served.definition("trade", "asset") is None


async def test_a_process_that_a_lost_watch_has_told_of_is_asked_for_again(
    served: PeerLink, peer: PeerProcess, heard: Asked, pods: list[Started]
) -> None:
    now = datetime.now(UTC)
    row, due = await require(served, ASSET, now, execute_timeout=None)
    assert row is not None
    assert (row.state, due) == (State.REGISTERED, None)
    lost = asyncio.Event()
    heard.term = lambda: 1 if lost.is_set() else _over()
    assert peer.stop() == 0
    pods[0].stop()
    await asyncio.to_thread(peer.start)
    await until(lambda: not served.synced)
    assert served.runtimes[ASSET].state is State.REGISTERED, "this is what it said last"
    lost.set()
    row, _ = await require(served, ASSET, now, execute_timeout=None)
    assert row is not None
    assert row.state is State.STARTING


def _over() -> int:
    raise NotLeading("another operator may work")


def watches_opened(peer: PeerProcess) -> float:
    """How often anybody began to read blocks of the peer."""
    with urlopen(f"http://{peer.addresses['operations']}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(OPENED))
