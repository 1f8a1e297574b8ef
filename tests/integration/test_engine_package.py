"""The Python package that speaks with container engines: needed by one launcher alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness.peers import PeerProcess

DOCKER = {"CORE_TREADLE_CHAINCODE_LAUNCHER": "docker"}


@pytest.fixture
def without_package(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python where the package is not installed."""
    package = tmp_path / "hidden" / "docker"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'docker'\")")
    return {"PYTHONPATH": str(package.parent)}


def test_a_peer_without_it_says_what_to_install(
    peer_process: Callable[..., PeerProcess], without_package: dict[str, str]
) -> None:
    process = peer_process(extra=DOCKER | without_package, start=False).launch()
    assert process.wait(within=30) != 0
    (line,) = process.text().splitlines()
    assert "treadle.chaincode.launcher" in line
    assert "pip install 'treadle[docker]'" in line


def test_a_peer_that_launches_processes_does_not_ask_for_it(
    peer_process: Callable[..., PeerProcess], without_package: dict[str, str]
) -> None:
    assert peer_process(extra=without_package).stop() == 0


def test_a_peer_whose_engine_does_not_answer_starts_and_says_so(
    peer_process: Callable[..., PeerProcess], tmp_path: Path
) -> None:
    endpoint = f"unix://{tmp_path / 'engine.sock'}"
    peer = peer_process(extra=DOCKER | {"CORE_VM_ENDPOINT": endpoint})
    assert f"the engine at {endpoint} does not answer" in peer.process.text()
    assert peer.stop() == 0
