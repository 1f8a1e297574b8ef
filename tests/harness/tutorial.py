"""The tutorial's steps on the example contract ``accounts``, by a peer command line."""

from __future__ import annotations

import json

from harness.chaincodes import PEER_LANGUAGE, sources
from harness.fabric_cli import FabricCli
from harness.runtimes import CHANNEL

INIT = ("init", "alice", "100", "bob", "20")


def install(cli: FabricCli, language: str, version: str = "1") -> None:
    """Install the sources as ``accounts``."""
    folder = sources(language)
    cli.install("accounts", version, str(folder), language=PEER_LANGUAGE[language], cwd=folder)


def walk_through(cli: FabricCli, language: str) -> None:
    """Instantiate, invoke and query: alice pays bob 30."""
    kind = PEER_LANGUAGE[language]
    cli.instantiate("accounts", "1", *INIT, channel=CHANNEL, language=kind)
    cli.invoke("accounts", "transfer", "alice", "bob", "30", channel=CHANNEL)
    assert json.loads(cli.query("accounts", "query", "bob", channel=CHANNEL)) == {
        "account": "bob",
        "balance": 50,
    }
