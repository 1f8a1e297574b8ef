"""A peer that stands on hostile ground, and the table of what that did to the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from harness.disturbance import Measured, table
from harness.ground import Ground
from harness.peers import Peers

MEASURED = pytest.StashKey[list[Measured]]()


def pytest_configure(config: pytest.Config) -> None:
    """Room for the figures."""
    config.stash[MEASURED] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print them at the end."""
    rows = config.stash.get(MEASURED, [])
    if rows:
        terminalreporter.section("what adversaries did to an honest client")
        terminalreporter.write_line(table(rows))


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[Measured], None]:
    """Put a row into the table."""
    return request.config.stash.setdefault(MEASURED, []).append


def grounds(factory: pytest.TempPathFactory, *, tls: bool) -> Iterator[Ground]:
    """A development peer that waits two seconds for a transaction, and its honest chaincode."""
    folder = factory.mktemp("hostile")
    peers = Peers(folder)
    try:
        peer = peers(mode="dev", tls=tls, extra={"CORE_CHAINCODE_EXECUTETIMEOUT": "2s"})
        ground = Ground(peer=peer, folder=folder, tls=tls).begin()
        yield ground
        ground.end()
    finally:
        peers.end()


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Without TLS."""
    yield from grounds(tmp_path_factory, tls=False)


@pytest.fixture(scope="session")
def ground_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """With TLS on every port."""
    yield from grounds(tmp_path_factory, tls=True)
