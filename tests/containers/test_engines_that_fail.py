"""An engine that is not there, or goes away, and one that lacks an image: what users are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.contained import Contained, docker_settings
from harness.engine import ContainerEngine
from harness.fabric_cli import FabricCli
from harness.peers import PeerProcess, Peers
from harness.processes import wait_until
from harness.production import INIT
from harness.runtimes import CHANNEL

pytestmark = [
    pytest.mark.docker,
    pytest.mark.long,
    pytest.mark.real_fabric,
    pytest.mark.timeout(900),
]

MakeCli = Callable[[PeerProcess], FabricCli]


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    made = Peers(tmp_path)
    yield made
    made.end()


def refused(contained: Contained, name: str) -> str:
    """What an administrator sees who instantiates *name* in vain."""
    cli = contained.cli()
    failed = cli.instantiate(name, "1", *INIT, channel=CHANNEL, language="node", succeeds=False)
    return failed.stderr


def test_an_image_that_is_nowhere_is_named_with_the_setting(
    engine: ContainerEngine, peers: Peers, fabric_cli: MakeCli
) -> None:
    nowhere = {"CORE_TREADLE_CHAINCODE_DOCKER_RUNTIMES_NODE": "127.0.0.1:1/nowhere:1"}
    peer = peers(extra=docker_settings(engine) | nowhere)
    contained = Contained(peer=peer, make_cli=fabric_cli, engine=engine)
    contained.install("homeless", "node", contained.source("homeless", "node"))
    told = refused(contained, "homeless")
    assert "has no image 127.0.0.1:1/nowhere:1 and cannot fetch it" in told
    assert "name another one in treadle.chaincode.docker.runtimes.node" in told
    assert engine.containers() == []
    assert contained.logged("Built chaincode") == 0


def test_an_engine_that_is_away_is_named_and_used_once_it_is_there(
    engine: ContainerEngine, peers: Peers, fabric_cli: MakeCli, tmp_path: Path
) -> None:
    socket = tmp_path / "engine.sock"
    away = docker_settings(engine) | {"CORE_VM_ENDPOINT": f"unix://{socket}"}
    contained = Contained(peer=peers(extra=away), make_cli=fabric_cli, engine=engine)
    sentence = f"the engine at unix://{socket} does not answer"
    assert contained.logged(sentence) == 1
    contained.install("early", "node", contained.source("early", "node"))
    assert sentence in refused(contained, "early")

    socket.symlink_to(engine.socket)
    contained.cli().instantiate("early", "1", *INIT, channel=CHANNEL, language="node")
    assert contained.ask("early", "query", "alice")["balance"] == 100

    engine.stop()
    wait_until(
        lambda: contained.row("early:1")["state"] != "registered",
        within=30,
        what="the peer seeing that its container is gone",
    )
    engine.start()
    assert contained.ask("early", "query", "alice")["balance"] == 100
    assert contained.row("early:1")["restarts"] == 1
