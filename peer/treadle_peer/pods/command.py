"""``treadle-pod``: what the containers of chaincode pods call. Everything can come from the
environment, as the manifests give it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import click

from treadle_peer.pods import bridging, building, fetching, listening, running, serving
from treadle_peer.pods.told import PodError, Told, tell

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path)


@click.group()
@click.option("--peer", envvar="TREADLE_PEER_ADDRESS", default="", help="Its port for pods.")
@click.option(
    "--certificate",
    type=_FOLDER,
    default=Path("/treadle/certificate"),
    show_default=True,
    help="Folder with client.crt, client.key and ca.crt.",
)
@click.option("--patience", default=180.0, show_default=True, help="Seconds for a peer to be back.")
@click.option(
    "--unknown", default=10.0, show_default=True, help="Seconds for a peer to hear of this pod."
)
@click.option(
    "--termination", type=_FILE, default=Path("/dev/termination-log"), help="Told why it failed."
)
@click.pass_context
def main(
    context: click.Context,
    peer: str,
    certificate: Path,
    patience: float,
    unknown: float,
    termination: Path,
) -> None:
    """Programs of chaincode pods; see docs/images.md."""
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO
    )
    told = Told(peer=peer, certificate=certificate, patience=patience, unknown=unknown)
    context.obj = (told, termination)


def _run(context: click.Context, work: Coroutine[None, None, None]) -> None:
    _do(context, lambda: asyncio.run(work))


def _do(context: click.Context, work: Callable[[], None]) -> None:
    termination: Path = context.obj[1]
    try:
        work()
    except (PodError, OSError) as error:
        tell(str(error), termination)
        raise click.ClickException(str(error)) from None


_WORK = click.option(
    "--work",
    type=_FOLDER,
    default=Path("/treadle/work"),
    show_default=True,
    help="Folder that the containers of a build share.",
)


@main.command()
@_WORK
@click.option(
    "--authority",
    type=_FILE,
    default=Path("/treadle/ca/ca.crt"),
    show_default=True,
    help="Where the build finds certificates that it trusts, too.",
)
@click.pass_context
def package(context: click.Context, work: Path, authority: Path) -> None:
    """Fetch and unpack the package, and write build.sh."""
    told, termination = context.obj
    paths = building.Building(work=work, authority=authority, termination=termination)
    _run(context, building.fetch(told, paths))


@main.command()
@_WORK
@click.pass_context
def store(context: click.Context, work: Path) -> None:
    """Hand what build.sh has built to the peer."""
    told, termination = context.obj
    paths = building.Building(work=work, authority=work, termination=termination)
    _run(context, building.store(told, paths))


@main.command()
@click.option(
    "--folder",
    type=_FOLDER,
    default=Path("/treadle/chaincode"),
    show_default=True,
    help="Where to.",
)
@click.option("--ccid", envvar="TREADLE_CCID", required=True, help="name:version.")
@click.option("--language", envvar="TREADLE_LANGUAGE", required=True, help="Of the chaincode.")
@click.option("--msp-id", envvar="CORE_PEER_LOCALMSPID", required=True, help="The peer's.")
@click.option("--sha256", envvar="TREADLE_OUTPUT_SHA256", default="", help="Of the output.")
@click.pass_context
def output(
    context: click.Context, folder: Path, ccid: str, language: str, msp_id: str, sha256: str
) -> None:
    """Fetch, check and unpack the output of the build, and write start.sh."""
    wanted = running.Running(
        folder=folder, ccid=ccid, language=language, msp_id=msp_id, sha256=sha256
    )
    _run(context, running.fetch(context.obj[0], wanted))


@main.command()
@click.option(
    "--chaincode",
    default="127.0.0.1:9999",
    show_default=True,
    help="Where the chaincode server listens.",
)
@click.pass_context
def bridge(context: click.Context, chaincode: str) -> None:
    """Join a chaincode server to the peer."""
    _run(context, bridging.run_bridge(context.obj[0], chaincode=chaincode))


@main.command()
@click.option("--server", envvar="TREADLE_SERVER", required=True, help="host:port of it.")
@click.option("--tls", type=_FOLDER, help="Folder with its ca.crt, and tls.crt and tls.key.")
@click.option(
    "--first", default=30.0, show_default=True, help="Seconds for the server to answer at all."
)
@click.pass_context
def dial(context: click.Context, server: str, tls: Path | None, first: float) -> None:
    """Join a chaincode server that somebody else runs to the peer."""
    elsewhere = bridging.Elsewhere(address=server, tls=tls, patience=first)
    _run(context, bridging.run_bridge_to(context.obj[0], elsewhere))


@main.command()
@click.option("--address", default="127.0.0.1:7052", show_default=True, help="Where to listen.")
@click.option(
    "--folder",
    type=_FOLDER,
    default=Path("/treadle/bridge"),
    show_default=True,
    help="Where the chaincode finds the ca.crt of this end.",
)
@click.pass_context
def listen(context: click.Context, address: str, folder: Path) -> None:
    """Join the chaincode of this pod to the peer; it dials, as if this were the peer."""
    _run(context, listening.listen(context.obj[0], address=address, folder=folder))


@main.command()
@_WORK
@click.option("--folder", type=_FOLDER, default=Path("/treadle/tool"), help="Where to.")
@click.pass_context
def tool(context: click.Context, work: Path, folder: Path) -> None:
    """Leave a program that copies sources out of an image with nothing else in it."""
    _do(context, lambda: fetching.leave_tool(folder, work))


@main.command()
@_WORK
@click.option("--url", envvar="TREADLE_ARCHIVE_URL", required=True, help="Of a tar.gz.")
@click.option("--sha256", envvar="TREADLE_ARCHIVE_SHA256", default="", help="Of the archive.")
@click.pass_context
def fetch(context: click.Context, work: Path, url: str, sha256: str) -> None:
    """Fetch, check and unpack an archive of sources."""
    _do(context, lambda: fetching.fetch_archive(url, sha256, work))


@main.command()
@_WORK
@click.option("--name", envvar="TREADLE_NAME", required=True, help="Of the chaincode.")
@click.option("--version", envvar="TREADLE_VERSION", required=True, help="Of the chaincode.")
@click.option("--language", envvar="TREADLE_LANGUAGE", required=True, help="Of the chaincode.")
@click.pass_context
def freeze(context: click.Context, work: Path, name: str, version: str, language: str) -> None:
    """Pack the sources into the bytes that peers install."""
    naming = fetching.Naming(name=name, version=version, language=language)
    _do(context, lambda: fetching.freeze(naming, work))


@main.command()
@_WORK
@click.option("--port", default=serving.PORT, show_default=True, help="Where to listen.")
@click.pass_context
def serve(context: click.Context, work: Path, port: int) -> None:
    """Hand the packed bytes to whoever holds the same certificate."""
    told = context.obj[0]
    package_file = work / fetching.PACKAGE
    _do(context, lambda: serving.serve(package_file, told.certificate, port=port))
