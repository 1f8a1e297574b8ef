"""A real ledger with some keys, calls on it, and peers that chaincodes in memory connect to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.chaincode_talk import Chat
from harness.memory_streams import MemoryStream, Say
from harness.small_ledger import SmallLedger
from harness.supported import Launcher, SupportedPeer
from harness.wired import developers_support
from treadle_peer.chaincode import ChaincodeSupport, Mode, StreamPeer
from treadle_peer.chaincode.session import Session


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallLedger]:
    made = SmallLedger(tmp_path / "ledger")
    yield made
    made.close()


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLedger]:
    """Keys r0000 to r0249; shared by tests that do not commit."""
    made = SmallLedger(tmp_path_factory.mktemp("world") / "ledger")
    made.put({f"r{n:04}": b"%d" % n for n in range(250)})
    yield made
    made.close()


@pytest.fixture(scope="session")
def caller() -> Callable[..., StreamPeer]:
    """Makes the other ends of streams."""

    def make(remote: str = "127.0.0.1:4711", fingerprint: str | None = None) -> StreamPeer:
        return StreamPeer(remote=remote, fingerprint=fingerprint, loopback=True)

    return make


@pytest.fixture
def stream_type() -> type[MemoryStream]:
    return MemoryStream


@pytest.fixture(scope="session")
def say() -> type[Say]:
    return Say


@pytest.fixture
def chat(say: type[Say], world: SmallLedger) -> Chat:
    """One transaction's conversation."""
    return Chat(say, world.call())


@pytest.fixture
def session(say: type[Say]) -> Session:
    """A session that has greeted its chaincode."""
    made = Session()
    made.receive(say.register())
    made.admit()
    return made


@pytest.fixture
async def launcher() -> Launcher:
    return Launcher()


@pytest.fixture
async def make_peer(
    caller: Callable[..., StreamPeer],
) -> AsyncIterator[Callable[..., SupportedPeer]]:
    """Makes peers that chaincodes can connect to; all are stopped at the end."""
    peers: list[SupportedPeer] = []

    def make(mode: Mode = Mode.DEVELOPMENT, **options: Any) -> SupportedPeer:
        peer = SupportedPeer(mode=mode, caller=caller, **options)
        peers.append(peer)
        return peer

    yield make
    for peer in peers:
        await peer.close()


@pytest.fixture
async def support() -> AsyncIterator[ChaincodeSupport]:
    """What a port serves: development mode, every chaincode known."""
    made = developers_support()
    yield made
    await made.stop_all()
