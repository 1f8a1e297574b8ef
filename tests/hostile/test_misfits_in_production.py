"""Launched programs that crash at once, or print without end, harm nobody else."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from harness.disturbance import Measured
from harness.ground import WARM_UP, measure, sound
from harness.honest import HONEST, HonestClient
from harness.networks import Network, connected
from harness.peers import PeerProcess, Peers
from harness.processes import wait_until
from harness.runtimes import metrics, runtimes
from treadle_fabric.client import ClientError, EndorsementFailed

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(420)]

Record = Callable[[Measured], None]

# Both give way to everybody, so that what others notice is what the peer does about them.
PROGRAMS = {
    "crasher": "import os, sys\nos.nice(19)\nsys.exit('no luck')\n",
    "printer": (
        "import os\nos.nice(19)\nline = b'x' * 999 + b'\\n'\n"
        "while True:\n    os.write(1, line * 64)\n"
    ),
}
LOG_FILES, LOG_BYTES = 3, 4 << 20  # docs/production-mode.md


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerProcess]:
    """In production mode; a program has five seconds to register."""
    peers = Peers(tmp_path_factory.mktemp("misfits"))
    yield peers(extra={"CORE_CHAINCODE_STARTUPTIMEOUT": "5s"})
    peers.end()


@asynccontextmanager
async def honest(peer: PeerProcess) -> AsyncIterator[tuple[Network, HonestClient]]:
    """The Go example, launched by the peer, and its client."""
    async with connected(peer) as network:
        if not any(row["ccid"] == f"{HONEST}:1" for row in runtimes(peer.addresses["operations"])):
            await network.install(HONEST, "go")
            await network.instantiate(HONEST, "go")
        yield network, HonestClient(network.channel)


async def installed(network: Network, name: str, folder: Path) -> None:
    """The program as a Python package without requirements."""
    source = folder / name
    source.mkdir(exist_ok=True)
    (source / "chaincode.py").write_text(PROGRAMS[name])
    (source / "requirements.txt").write_text("")
    with suppress(EndorsementFailed):  # it is there already
        await network.install(name, "python", folder=source)


@asynccontextmanager
async def asked_for(network: Network, name: str, answers: list[str]) -> AsyncIterator[None]:
    """Within the block somebody tries to instantiate it, again and again."""

    async def ask() -> None:
        while True:
            try:
                await network.instantiate(name, "python")
            except ClientError as refused:
                answers.append(str(refused))

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def captured(peer: PeerProcess, name: str) -> list[int]:
    """Sizes of the files with what *name* printed."""
    folder = peer.data / "chaincode" / "launch" / "logs"
    return [file.stat().st_size for file in folder.glob(f"{name}_1-*")]


async def running(peer: PeerProcess, name: str) -> None:
    """Return once the program has printed something, or failed."""

    def begun() -> bool:
        return bool(sum(captured(peer, name)))

    await asyncio.to_thread(wait_until, begun, within=90, what=f"{name} running")


async def test_a_crash_loop_becomes_slower_and_others_are_answered(
    peer: PeerProcess, tmp_path: Path
) -> None:
    failures = 'chaincode_launch_failures{chaincode="crasher:1"}'
    operations, answers = peer.addresses["operations"], list[str]()
    async with honest(peer) as (network, client):
        await installed(network, "crasher", tmp_path)
        before = metrics(operations).get(failures, 0.0)
        async with asked_for(network, "crasher", answers):
            await running(peer, "crasher")
            assert len(await client.commits(20)) == 20
            begun, known = time.monotonic(), metrics(operations).get(failures, 0.0)
            await asyncio.to_thread(
                wait_until,
                lambda: metrics(operations)[failures] >= known + 2,
                within=60,
                what="two",
            )
            seconds = time.monotonic() - begun
        launched = metrics(operations)[failures] - before
    assert all("no luck" in answer for answer in answers), answers
    # 0.5 s lie between the first and the second, then 1 s, 2 s and so on.
    assert launched <= 3 + seconds


async def test_others_are_answered_beside_a_printer_and_its_log_is_bounded(
    peer: PeerProcess, tmp_path: Path
) -> None:
    answers: list[str] = []
    async with honest(peer) as (network, client):
        await installed(network, "printer", tmp_path)
        async with asked_for(network, "printer", answers):
            await running(peer, "printer")
            assert len(await client.commits(20)) == 20
            files = functools.partial(captured, peer, "printer")
            await asyncio.to_thread(
                wait_until, lambda: len(files()) == LOG_FILES, within=60, what="three log files"
            )
    assert sum(captured(peer, "printer")) <= LOG_FILES * LOG_BYTES


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_misfit_slows_nobody_and_leaves_no_memory_behind(
    name: str, peer: PeerProcess, tmp_path: Path, record: Record
) -> None:
    async with honest(peer) as (network, client):
        await installed(network, name, tmp_path)

        @asynccontextmanager
        async def disturbed() -> AsyncIterator[None]:
            async with asked_for(network, name, []):
                await running(peer, name)
                yield

        await client.commits(WARM_UP)
        outcome = await sound(lambda: measure(peer, client, f"{name} in production", disturbed))
    record(outcome.measured)
    assert not outcome.faults()
