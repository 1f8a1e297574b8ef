"""An engine that takes every call and answers none: the peer starts, ends and says so."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from treadle_fabric.packages import build_legacy_package
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import LaunchSettings
from treadle_peer.chaincode.launch.containers import ContainerLauncher, engine
from treadle_peer.chaincode.launch.containers.calling import call
from treadle_peer.chaincode.launch.containers.engine import Engine
from treadle_peer.chaincode.launch.containers.running import RunningContainer
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.config import ContainersConfig
from treadle_peer.execution import ExecutionError

PATIENCE = 1.0
SENTENCE = "does not answer"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the product's patience, which is looked at once by itself."""
    assert 5 <= engine.QUICK_SECONDS <= 10
    monkeypatch.setattr(engine, "QUICK_SECONDS", PATIENCE)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[ContainersConfig]:
    """Connections are made by the kernel; nobody takes them."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(64)
        images = {"python": "image"}
        yield ContainersConfig(endpoint=f"unix://{path}", builders=images, runtimes=images)


async def test_many_containers_end_in_the_time_of_one(
    silent: ContainersConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made, log = Engine(silent), CapturedLog(tmp_path / "log", limit=1000)
    containers = [RunningContainer(engine=made, container=f"{n}", log=log) for n in range(40)]
    begun = time.monotonic()
    await asyncio.gather(*(container.end(grace=1.0) for container in containers))
    assert time.monotonic() - begun < 6 * PATIENCE
    assert not any(container.running for container in containers)
    assert f"{SENTENCE}" in caplog.text
    assert "it is removed at the peer's next start" in caplog.text
    log.close()


def installed(folder: Path) -> FilePackageStore:
    source = folder / "source"
    source.mkdir()
    (source / "chaincode.py").write_text("")
    packages = FilePackageStore(folder / "chaincodes")
    raw = build_legacy_package(name="cc", version="1", language="python", path="x", source=source)
    packages.install(raw)
    return packages


def test_a_peer_starts_and_ends_though_its_engine_is_silent(
    silent: ContainersConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a whole, in a loop of its own: the end of the loop waits for nothing either."""
    caplog.set_level(logging.WARNING)

    async def life() -> None:
        launcher = ContainerLauncher(
            settings=LaunchSettings(folder=tmp_path / "launch", msp_id="Org1MSP", tls=True),
            containers=silent,
            packages=installed(tmp_path),
            authority=ChaincodeAuthority.open(tmp_path / "authority"),
            bridges=None,  # type: ignore[arg-type] # nothing gets so far
            endpoint=lambda: "127.0.0.1:1",
            needed=lambda: (),
            on_exit=print,
        )
        assert "production chaincode cannot be launched until it does" in caplog.text
        launching = asyncio.create_task(launcher.launch("cc:1"))
        with pytest.raises(ExecutionError, match=SENTENCE):
            await launching
        await launcher.close()

    begun = time.monotonic()
    asyncio.run(life())
    assert time.monotonic() - begun < 8 * PATIENCE


def test_a_call_that_never_ends_does_not_keep_the_loop() -> None:
    """A pull may take as long as it likes; the peer's end does not wait for it."""
    hanging, at_last = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        at_last.wait(60)

    async def life() -> None:
        calling = asyncio.create_task(call(hang))
        await asyncio.to_thread(hanging.wait, 30)
        calling.cancel()

    begun = time.monotonic()
    asyncio.run(life())
    assert time.monotonic() - begun < 30
    at_last.set()
