"""Every command of the real Fabric 2.5.9 command line, in both modes, with and without TLS."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fabric_protos.common.common_pb2 import Block
from harness.chaincodes import built, sources
from harness.channels import create_channel
from harness.fabric_cli import FabricCli
from harness.processes import Started
from harness.runtimes import CHANNEL, wait_for_runtime

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory, PeerProcess

pytestmark = [
    pytest.mark.real_fabric,
    pytest.mark.toolchain("go"),
    pytest.mark.timeout(600),
]


def install_from_package(cli: FabricCli, version: str, folder: Path) -> None:
    """``peer chaincode package`` to a file, then ``install`` of the file."""
    package = folder / f"accounts-{version}.cds"
    flags = ["-n", "accounts", "-v", version, "-p", str(sources("go"))]
    cli.run("chaincode", "package", *flags, str(package), cwd=sources("go"))
    cli.run("chaincode", "install", str(package))


def have_process(
    peer: PeerProcess, mode: str, version: str, by_hand: Callable[..., Started]
) -> None:
    """In development the developer starts it; in production nobody has to."""
    if mode == "dev":
        ccid = f"accounts:{version}"
        by_hand("go", built("go"), ccid=ccid, address=peer.addresses["chaincode"])
        wait_for_runtime(peer.addresses["operations"], ccid)


def fetched(cli: FabricCli, what: str, folder: Path, *flags: str) -> Block:
    """``peer channel fetch``."""
    cli.run("channel", "fetch", what, "fetched.block", "-c", CHANNEL, *flags, cwd=folder)
    return Block.FromString((folder / "fetched.block").read_bytes())


@pytest.mark.parametrize("mode", ["dev", "net"], ids=["development", "production"])
def test_all_commands_from_package_to_upgrade(
    mode: str,
    peer_process: PeerFactory,
    fabric_cli: CliFactory,
    by_hand: Callable[..., Started],
    tmp_path: Path,
) -> None:
    peer = peer_process(mode=mode)
    cli = fabric_cli(peer)
    create_channel(cli, "second", tools=cli.binary.parent, folder=tmp_path)
    assert cli.run("channel", "list").stdout.split()[-2:] == [CHANNEL, "second"]

    install_from_package(cli, "1", tmp_path)
    cli.install("accounts", "2", str(sources("go")), cwd=sources("go"))
    installed = cli.run("chaincode", "list", "--installed").stdout
    assert "Name: accounts, Version: 1" in installed
    assert "Name: accounts, Version: 2" in installed
    have_process(peer, mode, "1", by_hand)
    for channel in (CHANNEL, "second"):
        cli.instantiate(
            *("accounts", "1", "init", "alice", "100", "bob", "0"),
            channel=channel,
            policy="OR('Org1MSP.peer','Org1MSP.admin')",
        )
    listed = cli.instantiated(CHANNEL)
    assert "Name: accounts, Version: 1" in listed
    assert "Escc: escc, Vscc: vscc" in listed

    cli.invoke("accounts", "transfer", "alice", "bob", "40", channel=CHANNEL)
    assert json.loads(cli.query("accounts", "query", "bob", channel=CHANNEL))["balance"] == 40
    assert json.loads(cli.query("accounts", "query", "bob", channel="second"))["balance"] == 0

    have_process(peer, mode, "2", by_hand)
    cli.instantiate("accounts", "2", "init", "carol", "5", channel=CHANNEL, verb="upgrade")
    listed = cli.instantiated(CHANNEL)
    assert "Name: accounts, Version: 2" in listed
    assert json.loads(cli.query("accounts", "query", "carol", channel=CHANNEL))["balance"] == 5

    info = json.loads(cli.run("channel", "getinfo", "-c", CHANNEL).stdout.split(": ", 1)[1])
    assert info["height"] == 4  # genesis, instantiate, transfer, upgrade
    oldest = fetched(cli, "oldest", tmp_path)
    third = fetched(cli, "2", tmp_path)
    newest = fetched(cli, "newest", tmp_path)
    ordered = fetched(cli, "newest", tmp_path, *cli.orderer_flags())
    config = fetched(cli, "config", tmp_path)
    assert [b.header.number for b in (oldest, third, newest, config)] == [0, 2, 3, 0]
    assert ordered.header == newest.header
    assert newest.metadata.metadata[2] == b"\0"


def test_errors_reach_the_user_in_fabrics_words(
    peer_process: PeerFactory,
    fabric_cli: CliFactory,
    by_hand: Callable[..., Started],
    tmp_path: Path,
) -> None:
    peer = peer_process(mode="dev")
    cli = fabric_cli(peer)
    install_from_package(cli, "1", tmp_path)
    have_process(peer, "dev", "1", by_hand)

    def refused(*words: str, channel: str = CHANNEL, name: str = "accounts") -> str:
        return cli.invoke(name, *words, channel=channel, succeeds=False).stderr

    assert (
        "make sure the chaincode accounts has been successfully defined on channel mychannel and "
        "try again: chaincode accounts not found"
    ) in refused("version")
    cli.instantiate("accounts", "1", "init", "alice", "1", "bob", "0", channel=CHANNEL)
    assert "account alice holds 1, less than 2" in refused("transfer", "alice", "bob", "2")
    assert "channel 'nowhere' not found" in refused("version", channel="nowhere")
    again = cli.instantiate("accounts", "1", "init", channel=CHANNEL, succeeds=False)
    assert "chaincode with name 'accounts' already exists" in again.stderr
    package = str(tmp_path / "accounts-1.cds")
    twice = cli.run("chaincode", "install", package, succeeds=False)
    assert "accounts.1 exists" in twice.stderr
    unknown = cli.instantiate("nothing", "1", "init", channel=CHANNEL, succeeds=False)
    assert "cannot get package for chaincode (nothing:1)" in unknown.stderr


@pytest.mark.parametrize("mutual", [False, True], ids=["tls", "mutual-tls"])
def test_invoke_under_tls_in_production(
    mutual: bool, peer_process: PeerFactory, fabric_cli: CliFactory, tmp_path: Path
) -> None:
    peer = peer_process(tls=True, mutual_tls=mutual)
    cli = fabric_cli(peer)
    install_from_package(cli, "1", tmp_path)
    cli.instantiate("accounts", "1", "init", "alice", "100", "bob", "0", channel=CHANNEL)
    cli.invoke("accounts", "transfer", "alice", "bob", "40", channel=CHANNEL)
    assert json.loads(cli.query("accounts", "query", "bob", channel=CHANNEL))["balance"] == 40
