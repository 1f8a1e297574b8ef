"""``peer node``: the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from treadle_peer.config import ConfigurationError, load_config

from treadle_cli.peer.errors import StartupError


@click.group(name="node")
def node_group() -> None:
    """Operate a peer node: start."""


@node_group.command()
@click.option(
    "--peer-chaincodedev", "development", is_flag=True, help="Start in chaincode development mode"
)
def start(development: bool) -> None:
    """Start a peer: with core.yaml and CORE_*, or a development network without either."""
    try:
        config = load_config(os.environ, working_folder=Path.cwd(), development=development)
    except ConfigurationError as error:
        raise StartupError(str(error)) from None
    # The server brings storage and gRPC services along; client commands start quicker without.
    from treadle_peer.main import run_peer

    sys.exit(run_peer(config))
