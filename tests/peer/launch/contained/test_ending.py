"""Ending containers with an engine that refuses one thing and does another."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from treadle_peer.chaincode.launch.containers.engine import ContainerPlan, Engine, EngineError
from treadle_peer.chaincode.launch.containers.running import RunningContainer, create
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.config import ContainersConfig


class StubbornEngine(http.server.BaseHTTPRequestHandler):
    """Speaks just enough of an engine's API: it is slow to create, and cannot stop, but remove."""

    asked: threading.Event
    may_create: threading.Event
    removed: ClassVar[list[str]]

    def do_GET(self) -> None:
        self._answer(200, b'{"ApiVersion": "1.41"}')

    def do_POST(self) -> None:
        if "/containers/create" in self.path:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.asked.set()
            self.may_create.wait(timeout=30)
            self._answer(201, b'{"Id": "c0ffee"}')
            return
        self._answer(500, b'{"message": "not even by https://me:pa55@proxy/x"}')

    def do_DELETE(self) -> None:
        self.removed.append(self.path)
        self._answer(204, b"")

    def _answer(self, code: int, content: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def stubborn() -> type[StubbornEngine]:
    class Handler(StubbornEngine):
        asked, may_create = threading.Event(), threading.Event()
        removed: ClassVar[list[str]] = []

    return Handler


@pytest.fixture
def engine(stubborn: type[StubbornEngine]) -> Iterator[Engine]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), stubborn) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        made = Engine(ContainersConfig(endpoint=endpoint, builders={}, runtimes={}))
        yield made
        made.close()
        server.shutdown()


async def test_a_container_that_cannot_be_stopped_is_removed(
    engine: Engine, stubborn: type[StubbornEngine], tmp_path: Path
) -> None:
    log = CapturedLog(tmp_path / "log", limit=1000)
    container = RunningContainer(engine=engine, container="c0ffee", log=log)
    await container.end(grace=1.0)
    (removed,) = stubborn.removed
    assert "/containers/c0ffee?" in removed
    assert "force=True" in removed
    assert not container.running
    log.close()


def test_what_an_engine_says_is_told_without_passwords(engine: Engine) -> None:
    with pytest.raises(EngineError) as refused:
        engine.start("c0ffee")
    assert str(refused.value) == "not even by https://***@proxy/x"


async def test_a_container_that_comes_when_nobody_waits_any_more_is_removed(
    engine: Engine, stubborn: type[StubbornEngine]
) -> None:
    plan = ContainerPlan(image="image", arguments=["/bin/sh"], environment={})
    creating = asyncio.create_task(create(engine, plan))
    assert await asyncio.to_thread(stubborn.asked.wait, 30)
    creating.cancel()
    stubborn.may_create.set()
    with pytest.raises(asyncio.CancelledError):
        await creating
    (removed,) = stubborn.removed
    assert "/containers/c0ffee?" in removed
