"""Production mode: the peer builds, launches and owns the chaincode, on all four shims."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from harness.chaincodes import PEER_LANGUAGE
from harness.channels import create_channel
from harness.launched import launched_groups, launched_processes
from harness.peers import PeerProcess, Peers
from harness.processes import wait_until
from harness.production import Production
from harness.runtimes import CHANNEL, metric, wait_for_runtime

if TYPE_CHECKING:
    from .conftest import CliFactory

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(600)]

LANGUAGES = [
    pytest.param("go", marks=pytest.mark.toolchain("go")),
    pytest.param("node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", marks=pytest.mark.toolchain("java")),
    pytest.param("python", marks=pytest.mark.toolchain("python")),
]


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerProcess]:
    """One peer for all tests here; each goes on from whatever state the others left."""
    peers = Peers(tmp_path_factory.mktemp("production"))
    yield peers()
    peers.end()


@pytest.fixture(scope="module")
def production(peer: PeerProcess, fabric_cli: CliFactory) -> Production:
    return Production(peer=peer, make_cli=fabric_cli)


@pytest.mark.parametrize("language", LANGUAGES)
def test_install_instantiate_invoke_query_upgrade(language: str, production: Production) -> None:
    kind = PEER_LANGUAGE[language]
    name = production.deploy(language)
    cli = production.cli(language)
    assert production.row(f"{name}:1")["owner"] == "managed"
    bob = production.ask(name, "query", "bob")["balance"]
    cli.invoke(name, "transfer", "alice", "bob", "30", channel=CHANNEL)
    assert production.ask(name, "query", "bob") == {"account": "bob", "balance": bob + 30}
    assert production.ask(name, "version")["version"] == "1"

    production.install(name, language, production.source(name, language, version="2"), version="2")
    cli.instantiate(name, "2", "init", "carol", "7", channel=CHANNEL, verb="upgrade", language=kind)
    assert production.ask(name, "version")["version"] == "2"
    assert production.ask(name, "query", "carol")["balance"] == 7
    assert production.ask(name, "query", "bob")["balance"] == bob + 30
    (group,) = launched_groups(production.peer.data, f"{name}:2")
    assert group not in launched_groups(production.peer.data, f"{name}:1")
    assert production.row(f"{name}:2")["state"] == "registered"


@pytest.mark.toolchain("go")
def test_a_second_channel_shares_the_process_and_gets_its_own_init(
    production: Production, fabric_bin: Path, tmp_path: Path
) -> None:
    name = production.deploy("go", name="shared", own_build=True)
    (group,) = launched_groups(production.peer.data, f"{name}:1")
    cli = production.cli()
    create_channel(cli, "second", tools=fabric_bin, folder=tmp_path)
    cli.instantiate(name, "1", "init", "alice", "5", channel="second")

    assert production.ask(name, "query", "alice", channel="second")["balance"] == 5
    assert production.ask(name, "query", "alice")["balance"] == 100
    assert launched_groups(production.peer.data, f"{name}:1") == {group}
    assert production.logged(f"Built chaincode {name}:1 ") == 1
    row = production.row(f"{name}:1")
    assert (row["instance"], row["restarts"], row["errors"]) == (1, 0, 0)


@pytest.mark.toolchain("go")
def test_a_crash_costs_its_transaction_and_the_next_one_launches_again(
    production: Production,
) -> None:
    name = production.deploy("go", name="crashing")
    (before,) = launched_groups(production.peer.data, f"{name}:1")
    failed = production.cli().invoke(name, "crash", "3", channel=CHANNEL, succeeds=False)
    assert "error in simulation: failed to execute transaction" in failed.stderr
    assert "chaincode stream terminated" in failed.stderr

    assert production.ask(name, "query", "bob")["balance"] == 20
    (after,) = launched_groups(production.peer.data, f"{name}:1")
    assert after != before
    row = production.row(f"{name}:1")
    assert (row["state"], row["restarts"]) == ("registered", 1)


@pytest.mark.toolchain("go")
def test_a_launch_goes_on_without_the_client_that_asked_and_the_next_one_joins_it(
    production: Production, tmp_path: Path
) -> None:
    name, ccid = "patient", "patient:1"
    gate = tmp_path / "gate"
    folder = production.source(name, "go")
    wait_for_gate(folder, gate)
    production.install(name, "go", folder)
    cli, operations = production.cli(), production.peer.addresses["operations"]
    impatient = instantiating(cli.environment(), cli.binary, cli.orderer_address, name)
    wait_for_runtime(operations, ccid, "launching")
    impatient.kill()
    impatient.wait()

    wait_until(
        lambda: launched_groups(production.peer.data, ccid), within=60, what=f"{ccid} being started"
    )
    received = metric(operations, "endorser_proposals_received")
    second = instantiating(cli.environment(), cli.binary, cli.orderer_address, name)
    wait_until(
        lambda: metric(operations, "endorser_proposals_received") > received,
        within=30,
        what="the second request",
    )
    gate.touch()
    assert second.wait(timeout=120) == 0
    assert production.ask(name, "query", "bob")["balance"] == 20
    assert len(launched_groups(production.peer.data, ccid)) == 1
    assert production.logged(f"Built chaincode {ccid} ") == 1
    assert production.row(ccid)["instance"] == 1


def wait_for_gate(folder: Path, gate: Path) -> None:
    """Let the chaincode register only once the file *gate* exists."""
    main = folder / "main.go"
    lines = main.read_text().replace(
        "func main() {\n",
        f'func main() {{\n\tfor _, err := os.Stat("{gate}"); err != nil; '
        f'_, err = os.Stat("{gate}") {{\n\t\ttime.Sleep(50 * time.Millisecond)\n\t}}\n',
    )
    main.write_text(lines.replace('\t"log"\n', '\t"log"\n\t"os"\n\t"time"\n'))


def instantiating(
    environment: dict[str, str], binary: Path, orderer: str, name: str
) -> subprocess.Popen[bytes]:
    """A running ``peer chaincode instantiate``."""
    flags = ["-o", orderer, "-C", CHANNEL, "-n", name, "-v", "1"]
    constructor = ["-c", '{"Args":["init","alice","100","bob","20"]}']
    return subprocess.Popen(
        [str(binary), "chaincode", "instantiate", *flags, *constructor],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.toolchain("go")
@pytest.mark.toolchain("node")
@pytest.mark.toolchain("java")
@pytest.mark.toolchain("python")
def test_all_processes_end_with_the_peer_and_answer_again_after_its_next_start(
    production: Production, peer: PeerProcess
) -> None:
    names = [production.deploy(language) for language in PEER_LANGUAGE]
    for name in names:
        assert production.ask(name, "query", "alice")
    assert len(launched_processes(peer.data)) >= len(names)
    assert peer.stop() == 0
    assert launched_processes(peer.data) == []

    peer.start()
    for name in names:
        assert production.ask(name, "query", "alice")
        production.cli().invoke(name, "set", "after", "stop", channel=CHANNEL)
    assert len(launched_processes(peer.data)) >= len(names)
    peer.kill()
    peer.start()
    assert launched_processes(peer.data) == []
    for name in names:
        assert production.ask(name, "get", "after")["value"] == "stop"
