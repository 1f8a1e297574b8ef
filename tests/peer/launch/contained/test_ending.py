"""Ending a container with an engine that refuses one thing and does another."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from treadle_peer.chaincode.launch.containers.engine import Engine
from treadle_peer.chaincode.launch.containers.running import RunningContainer
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.config import ContainersConfig


class StubbornEngine(http.server.BaseHTTPRequestHandler):
    """Speaks just enough of an engine's API: it cannot stop containers, but remove them."""

    removed: list[str]

    def do_GET(self) -> None:
        self._answer(200, b'{"ApiVersion": "1.41"}')

    def do_POST(self) -> None:
        self._answer(500, b'{"message": "cannot stop container"}')

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
def removed() -> list[str]:
    return []


@pytest.fixture
def engine(removed: list[str]) -> Iterator[Engine]:
    class Handler(StubbornEngine):
        pass

    Handler.removed = removed
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        made = Engine(ContainersConfig(endpoint=endpoint, builders={}, runtimes={}))
        yield made
        made.close()
        server.shutdown()


async def test_a_container_that_cannot_be_stopped_is_removed(
    engine: Engine, removed: list[str], tmp_path: Path
) -> None:
    log = CapturedLog(tmp_path / "log", limit=1000)
    container = RunningContainer(engine=engine, container="c0ffee", log=log)
    await container.end(grace=1.0)
    assert len(removed) == 1
    assert "/containers/c0ffee?" in removed[0]
    assert "force=True" in removed[0]
    assert not container.running
    log.close()
