"""The ``treadle dev`` commands: their options."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from treadle_cli.addresses import Address, ChaincodeId
from treadle_cli.dev.starting import LANGUAGES

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def dev() -> None:
    """Serve a chaincode from a process of your own: under a debugger, with hot reload."""


@dev.command()
@click.argument("command", nargs=-1, metavar="-- COMMAND...")
@click.option(
    "--peer",
    default="127.0.0.1:7052",
    show_default=True,
    type=Address(),
    help="The peer's chaincode port.",
)
@click.option("--id", "ccid", required=True, type=ChaincodeId(), help="name:version, as installed.")
@click.option("--root", type=_FILE, help="PEM roots of the chaincode port: use TLS.")
@click.option("--cert", type=_FILE, help="PEM development certificate.")
@click.option("--key", type=_FILE, help="PEM key of that certificate.")
@click.option("--server-name", default="", help="Name expected in the peer's certificate.")
@click.option(
    "--mspid",
    envvar="CORE_PEER_LOCALMSPID",
    default="Org1MSP",
    show_default=True,
    help="The peer's organisation, which contracts ask for.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Default: by the command.")
@click.option(
    "--watch",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Start the command again when files below change; may be repeated.",
)
@click.option("--server", type=Address(), help="Dial this chaincode server.")
@click.option("--direct", is_flag=True, help="Let the shim dial the peer, with TLS of its own.")
@click.option("--take", is_flag=True, help="Take the chaincode from whoever serves it.")
@click.option("-v", "--verbose", is_flag=True, help="Print a line for each transaction.")
def connect(
    command: tuple[str, ...],
    peer: str,
    ccid: str,
    root: Path | None,
    cert: Path | None,
    key: Path | None,
    server_name: str,
    mspid: str,
    language: str | None,
    watch: tuple[Path, ...],
    server: str | None,
    direct: bool,
    take: bool,
    verbose: bool,
) -> None:
    """Serve a chaincode of a peer in development mode by COMMAND.

    COMMAND runs in the foreground. It gets the address to dial as its language expects it, or
    where it says {address}; then it needs no flag of its own. Its exit code is ours; 3: another
    process of the same chaincode has taken over.
    """
    from treadle_cli.dev.joining import Wish, serve
    from treadle_cli.dev.local import Files, LocalPeer

    if bool(cert) != bool(key) or (cert and not root):
        raise click.UsageError("give --root, --cert and --key together, or --root alone")
    wish = Wish(
        command=command,
        language=language or "",
        watch=watch,
        server=server or "",
        direct=direct,
        take=take,
        log_transactions=verbose,
    )
    files = Files(root=root, certificate=cert, key=key, server_name=server_name)
    place = LocalPeer(address=peer, ccid=ccid, msp_id=mspid, files=files)
    sys.exit(serve(place, wish))
