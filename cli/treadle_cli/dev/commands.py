"""The ``treadle dev`` commands: their options."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from treadle_cli.addresses import Address, ChaincodeId
from treadle_cli.dev.starting import LANGUAGES

if TYPE_CHECKING:
    from treadle_cli.dev.instantiations import Instantiation
    from treadle_cli.dev.joining import Place
    from treadle_cli.dev.local import Files

_FILE = click.Path(path_type=Path, dir_okay=False)
_CHAINCODE_PORT = "127.0.0.1:7052"

_name = click.argument("name", metavar="CCINST")
_words = click.argument("words", nargs=-1, required=True, metavar="FUNCTION [ARGUMENT]...")
_namespace = click.option(
    "-n", "--namespace", default="", help="Default: that of the kubectl context."
)
_context = click.option(
    "--context", default="", help="A context of kubectl; default: the current one."
)
_peer = click.option("--peer", default="", help="A Peer; default: the first in development.")


@click.group()
def dev() -> None:
    """Serve a chaincode from a process of your own: under a debugger, with hot reload."""


@dev.command()
@click.argument("words", nargs=-1, metavar="[CCINST] -- COMMAND...")
@click.option(
    "--peer",
    "peers",
    multiple=True,
    help=f"A Peer, may be repeated; default: all. With --id host:port [{_CHAINCODE_PORT}].",
)
@_namespace
@_context
@click.option(
    "--id",
    "ccid",
    type=ChaincodeId(),
    help="Of a peer without a cluster: name:version, as installed.",
)
@click.option("--root", type=_FILE, help="With --id: PEM roots of the chaincode port; TLS.")
@click.option("--cert", type=_FILE, help="With --id: PEM development certificate.")
@click.option("--key", type=_FILE, help="With --id: PEM key of that certificate.")
@click.option("--server-name", default="", help="Name expected in the peer's certificate.")
@click.option(
    "--mspid",
    envvar="CORE_PEER_LOCALMSPID",
    default="Org1MSP",
    show_default=True,
    help="With --id: the peer's organisation, which contracts ask for.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Default: that of the package, or by the command.",
)
@click.option(
    "--watch",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Start the command again when files below change; may be repeated.",
)
@click.option("--server", type=Address(), help="Dial this chaincode server.")
@click.option("--listen", type=Address(listening=True), help="Where chaincodes may dial us.")
@click.option("--direct", is_flag=True, help="Let the shim dial the peer, with TLS of its own.")
@click.option("--take", is_flag=True, help="Take the chaincode from whoever took it.")
@click.option("-v", "--verbose", is_flag=True, help="Print a line for each transaction.")
def connect(
    words: tuple[str, ...],
    peers: tuple[str, ...],
    namespace: str,
    context: str,
    ccid: str | None,
    root: Path | None,
    cert: Path | None,
    key: Path | None,
    server_name: str,
    mspid: str,
    language: str | None,
    watch: tuple[Path, ...],
    server: str | None,
    listen: str | None,
    direct: bool,
    take: bool,
    verbose: bool,
) -> None:
    """Serve a chaincode in development mode by COMMAND.

    CCINST is a ChaincodeInstantiation of the cluster; --id names a chaincode of a peer on this
    machine instead. COMMAND runs in the foreground. It gets the address to dial as its language
    expects it, or where it says {address}. Its exit code is ours; 3: somebody else's process has
    taken over.
    """
    from treadle_cli.dev.joining import Wish, serve
    from treadle_cli.dev.local import Files

    if len({bool(file) for file in (root, cert, key)}) > 1:
        raise click.UsageError("--root, --cert and --key go together")
    if ccid:
        files = Files(root=root, certificate=cert, key=key, server_name=server_name)
        place, command = _local(peers, ccid, mspid, files), words
    else:
        place, command = _cluster(words, peers, namespace, context)
    wish = Wish(
        command=command,
        language=language or "",
        watch=watch,
        server=server or "",
        listen=listen or "",
        direct=direct,
        take=take,
        log_transactions=verbose,
    )
    sys.exit(serve(place, wish))


@dev.command()
@_name
@_namespace
@_context
@click.option(
    "--listen",
    "address",
    default=_CHAINCODE_PORT,
    show_default=True,
    type=Address(),
    help="What connect is given as --listen; for Python as --server.",
)
def env(name: str, namespace: str, context: str, address: str) -> None:
    """Print an environment file for the launch configuration of an IDE."""
    from treadle_cli.dev.printing import environment_file

    found = asyncio.run(_instantiation(name, namespace, context).development())
    click.echo(environment_file(found, address=address), nl=False)


@dev.command()
@_name
@_words
@_namespace
@_context
@_peer
def query(name: str, words: tuple[str, ...], namespace: str, context: str, peer: str) -> None:
    """Ask a chaincode in development, as the generated user."""
    from treadle_cli.dev.calling import Call
    from treadle_cli.dev.calling import query as ask

    wanted = Call(words=words, peer=peer)
    answer = asyncio.run(ask(_instantiation(name, namespace, context), wanted))
    click.echo(answer.decode(errors="replace"))


@dev.command()
@_name
@_words
@_namespace
@_context
@_peer
def invoke(name: str, words: tuple[str, ...], namespace: str, context: str, peer: str) -> None:
    """Submit a transaction of a chaincode in development, as the generated user."""
    from treadle_cli.dev.calling import Call
    from treadle_cli.dev.calling import invoke as submit

    wanted = Call(words=words, peer=peer)
    answer, tx_id = asyncio.run(submit(_instantiation(name, namespace, context), wanted))
    click.echo(f"transaction {tx_id} is valid", err=True)
    click.echo(answer.decode(errors="replace"))


@dev.command()
@_name
@click.option("--user", required=True, help="Who is to develop, as the cluster knows them.")
@_namespace
@_context
def role(name: str, user: str, namespace: str, context: str) -> None:
    """Print the Role and RoleBinding that USER needs to develop this one chaincode."""
    from treadle_cli.dev.printing import role as documents

    found = asyncio.run(_instantiation(name, namespace, context).development())
    click.echo(documents(name, found, user=user), nl=False)


def _instantiation(name: str, namespace: str, context: str) -> Instantiation:
    from treadle_cli.cluster.kubectl import Kubectl
    from treadle_cli.dev.instantiations import Instantiation

    return Instantiation(kubectl=Kubectl(context=context, namespace=namespace), name=name)


def _cluster(
    words: tuple[str, ...], peers: tuple[str, ...], namespace: str, context: str
) -> tuple[Place, tuple[str, ...]]:
    """The Peers of a cluster, and the command."""
    from treadle_cli.dev.clusters import ClusterPeers

    if not words:
        raise click.UsageError("name a ChaincodeInstantiation, or give --id for a peer nearby")
    name, *command = words
    instantiation = _instantiation(name, namespace, context)
    return ClusterPeers(instantiation=instantiation, peers=peers), tuple(command)


def _local(peers: tuple[str, ...], ccid: str, mspid: str, files: Files) -> Place:
    """The peer nearby."""
    from treadle_cli.dev.local import LocalPeer

    if len(peers) > 1:
        raise click.UsageError("with --id there is one --peer")
    address = Address()(peers[0] if peers else _CHAINCODE_PORT)
    return LocalPeer(address=address, ccid=ccid, msp_id=mspid, files=files)
