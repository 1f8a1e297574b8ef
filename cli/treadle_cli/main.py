"""Entry of the ``treadle`` command."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

# gRPC's C core writes its own diagnosis of every failed handshake to stderr; ours says it better.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import click

from treadle_cli.addresses import Address, ChaincodeId
from treadle_cli.dev.commands import dev
from treadle_cli.errors import TreadleError

_T = TypeVar("_T")

_FILE = click.Path(path_type=Path, dir_okay=False)
_output = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("treadle"), message="treadle %(version)s")
def treadle() -> None:
    """Run Hyperledger Fabric chaincode: a Fabric-compatible peer with two operating modes."""


@treadle.command()
@click.option(
    "--language",
    type=click.Choice(["python", "go", "node", "java"]),
    default="python",
    show_default=True,
    help="The chaincode's language; its toolchain must be installed.",
)
def demo(language: str) -> None:
    """Take a real chaincode through production and development mode, in a temporary folder."""
    from treadle_cli.demo import run_demo
    from treadle_cli.progress import Progress

    _run(run_demo(language, progress=Progress(sys.stdout)))


@treadle.command()
@click.option(
    "--operations",
    default="",
    help="Operations address, host:port; default: the peer of this folder, else 127.0.0.1:9443.",
)
@click.option("--cafile", type=_FILE, help="PEM roots; given, HTTPS is spoken.")
@click.option("--certfile", type=_FILE, help="PEM client certificate.")
@click.option("--keyfile", type=_FILE, help="PEM client key.")
@_output
def ps(
    operations: str,
    cafile: Path | None,
    certfile: Path | None,
    keyfile: Path | None,
    output: str,
) -> None:
    """List the chaincode processes that a peer knows: its active registry."""
    from treadle_cli.local.folders import operations_address
    from treadle_cli.runtimes import OperationsEndpoint, fetch_runtimes, runtimes_table

    endpoint = OperationsEndpoint(
        address=operations or operations_address(os.environ, Path.cwd()),
        root=cafile,
        certificate=certfile,
        key=keyfile,
    )
    rows = _run(fetch_runtimes(endpoint))
    click.echo(json.dumps(rows, indent=2) if output == "json" else runtimes_table(rows))


@treadle.command()
@click.option(
    "-f",
    "--filename",
    "sources",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help="A YAML file, or a folder of them; may be repeated.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path), metavar="[FILENAME]...")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the peer's data in this folder; default: a temporary one.",
)
@click.option("--free-ports", is_flag=True, help="Listen on free ports instead of 7050-7052, 9443.")
@click.option("--check", is_flag=True, help="Read and check the files only.")
@_output
def play(
    sources: tuple[Path, ...],
    more: tuple[Path, ...],
    data: Path | None,
    free_ports: bool,
    check: bool,
    output: str,
) -> None:
    """Run Peer, ChaincodePackage and ChaincodeInstantiation YAML on this machine."""
    from treadle_cli.play import PlayError, make_plan
    from treadle_cli.play.running import PlayOptions, run_plan

    try:
        plan = make_plan(*sources, *more)
    except PlayError as error:
        raise TreadleError("the files cannot be played", str(error)) from None
    if plan.warning:
        click.echo(f"warning: {plan.warning}", err=True)
    if check:
        click.echo(f"{len(plan.packages)} packages, {len(plan.steps)} instantiations: all well")
        return
    options = PlayOptions(data=data, free_ports=free_ports, as_json=output == "json")
    sys.exit(_run(run_plan(plan, options)))


@treadle.command()
@click.option(
    "--peer", required=True, type=Address(), help="The peer's chaincode address, host:7052."
)
@click.option("--chaincode", type=Address(), help="A chaincode server to dial.")
@click.option(
    "--listen",
    type=Address(listening=True),
    help="Where chaincodes on this machine may dial us as if we were the peer.",
)
@click.option("--id", "ccid", type=ChaincodeId(), help="What the chaincode must call itself.")
@click.option("--cafile", type=_FILE, help="PEM roots of the peer's chaincode port: use TLS.")
@click.option("--certfile", type=_FILE, help="PEM certificate for mutual TLS.")
@click.option("--keyfile", type=_FILE, help="PEM key for mutual TLS.")
@click.option("--server-name", default="", help="Name expected in the peer's certificate.")
@click.option("--log-transactions", is_flag=True, help="Print a line for each transaction.")
def bridge(
    peer: str,
    chaincode: str | None,
    listen: str | None,
    ccid: str | None,
    cafile: Path | None,
    certfile: Path | None,
    keyfile: Path | None,
    server_name: str,
    log_transactions: bool,
) -> None:
    """Join a chaincode server, or a chaincode that dials us, to a peer."""
    from treadle_cli.bridging import BridgeRequest, run_bridge

    if bool(chaincode) == bool(listen):
        raise click.UsageError("give one of --chaincode and --listen")
    if bool(certfile) != bool(keyfile):
        raise click.UsageError("give both --certfile and --keyfile, or none")
    request = BridgeRequest(
        peer=peer,
        chaincode=chaincode or "",
        listen=listen or "",
        ccid=ccid or "",
        root=cafile,
        certificate=certfile,
        key=keyfile,
        server_name=server_name,
        log_transactions=log_transactions,
    )
    _run(run_bridge(request))


@treadle.group()
def ledger() -> None:
    """Check a stopped peer's ledgers; back up a peer, running or stopped."""


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_output
def verify(folder: Path, output: str) -> None:
    """Check every channel below FOLDER: hash chains, and state against a replay of all blocks."""
    from treadle_cli.ledgers import verify_ledgers
    from treadle_cli.progress import overwritten_line

    with overwritten_line(sys.stderr) as say:
        reports = verify_ledgers(folder, say=say)
    if output == "json":
        fields = [
            {"channel": one.channel, "height": one.height, "problems": one.problems}
            for one in reports
        ]
        click.echo(json.dumps(fields, indent=2))
    else:
        for one in reports:
            verdict = "; ".join(one.problems) or "sound"
            click.echo(f"{one.channel}: {one.height} blocks, {verdict}")
    sys.exit(1 if any(one.problems for one in reports) else 0)


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path))
@_output
def backup(folder: Path, target: Path, output: str) -> None:
    """Make TARGET a copy of a peer's data folder FOLDER, while the peer runs or is stopped.

    A peer can start from TARGET; the two must not both run, they would order different blocks.
    """
    from treadle_cli.ledgers import back_up

    report = back_up(folder, target)
    if output == "json":
        click.echo(json.dumps({"channels": report.heights, "bytes": report.size}, indent=2))
        return
    heights = ", ".join(f"{name}: {height} blocks" for name, height in report.heights.items())
    click.echo(f"{target}: {report.size / 1e6:.1f} MB; {heights or 'no channels'}")


@treadle.group()
def package() -> None:
    """Bring chaincode packages to peers in a cluster."""


@package.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", required=True, help="The chaincode's name.")
@click.option("--version", "version_", required=True, help="Its version.")
@click.option("--language", required=True, type=click.Choice(["golang", "node", "java", "python"]))
@click.option("--peer", "peers", required=True, multiple=True, help="A Peer; may be repeated.")
@click.option("-n", "--namespace", default="", help="Default: that of the kubectl context.")
@click.option("--context", default="", help="A context of kubectl; default: the current one.")
def push(
    folder: Path,
    name: str,
    version_: str,
    language: str,
    peers: tuple[str, ...],
    namespace: str,
    context: str,
) -> None:
    """Install FOLDER at Peers through kubectl, and print the ChaincodePackage to apply.

    For sources that fit neither into an object nor into an image. Needs kubectl, and the right to
    read the Peer and its Secrets and to forward a port of its pod.
    """
    from treadle_cli.cluster.kubectl import Kubectl
    from treadle_cli.cluster.pushing import Push
    from treadle_cli.cluster.pushing import push as run_push

    wanted = Push(
        folder=folder,
        name=name,
        version=version_,
        language=language,
        peers=tuple(dict.fromkeys(peers)),
    )
    kubectl = Kubectl(context=context, namespace=namespace)
    click.echo(_run(run_push(kubectl, wanted)), nl=False)


treadle.add_command(dev)


def _run(work: Coroutine[object, None, _T]) -> _T:
    return asyncio.run(work)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits with 0, 1 (failed), 2 (wrong command line) or 130 (Ctrl-C)."""
    try:
        treadle(args=arguments, prog_name="treadle", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TreadleError as error:
        click.echo(f"treadle: {error}", err=True)
        if error.details:
            click.echo("\n".join(f"  {line}" for line in error.details.splitlines()), err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


if __name__ == "__main__":
    main()
