"""Carrying out a plan: a peer in this process, packages, instantiations, a status table."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from treadle_fabric.client import ClientError
from treadle_fabric.packages import parse_legacy_package
from treadle_peer.config import load_config
from treadle_peer.main import REFUSALS, PeerNode, stop_on_signals

from treadle_cli.errors import TreadleError
from treadle_cli.local import LocalNetwork
from treadle_cli.play.instantiating import Player
from treadle_cli.play.models import Mode, PackageModel
from treadle_cli.play.plan import Plan
from treadle_cli.play.problems import PlayError
from treadle_cli.play.settings import peer_settings
from treadle_cli.play.sources import build_package
from treadle_cli.play.status import State, Status, status_json, status_table
from treadle_cli.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """How to run: ``data`` None uses a temporary folder that is gone afterwards."""

    data: Path | None = None
    free_ports: bool = False
    as_json: bool = False


async def run_plan(plan: Plan, options: PlayOptions) -> int:
    """Run until a signal. Exit code 0, or 1 when an instantiation failed.

    Raises TreadleError when the peer or an installation fails.
    """
    logging.basicConfig(format="%(levelname)s [%(name)s] %(message)s", level=logging.WARNING)
    stop = stop_on_signals()
    # JSON is the output; the story then goes to standard error.
    progress = Progress(sys.stderr if options.as_json else sys.stdout)
    with tempfile.TemporaryDirectory(prefix="treadle-play-") as scratch:
        async with AsyncExitStack() as stack:
            play = await _start(plan, options, stack, progress=progress, scratch=Path(scratch))
            work = asyncio.create_task(play.player.run(stop))
            try:
                await _show_until(stop, play, work, options)
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
            async with progress.step("stop the peer"):
                await stack.aclose()
        return 1 if any(row.state is State.FAILED for row in play.player.rows) else 0


@dataclass(frozen=True, slots=True)
class _Play:
    node: PeerNode
    player: Player


async def _start(
    plan: Plan,
    options: PlayOptions,
    stack: AsyncExitStack,
    *,
    progress: Progress,
    scratch: Path,
) -> _Play:
    data = (options.data or scratch / "peer").absolute()
    try:
        async with progress.step(f"start peer {plan.peer.name}") as step:
            node = await stack.enter_async_context(_running(_node(plan, options, data)))
            step.note(f"clients {node.addresses.peer}, ordering {node.addresses.ordering}")
            step.note(
                f"chaincode {node.addresses.chaincode}, operations {node.addresses.operations}"
            )
            step.note(f"client files in {data / 'client'}")
        network = await stack.enter_async_context(_network(plan, node, data))
        await _channels(plan, network, progress)
        for package in plan.packages:
            await _install(plan, package, network, progress=progress, scratch=scratch)
    except (*REFUSALS, ClientError, PlayError) as error:
        raise TreadleError(str(error)) from error
    return _Play(node, Player(plan=plan, node=node, network=network, progress=progress))


def _node(plan: Plan, options: PlayOptions, data: Path) -> PeerNode:
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TreadleError(f"--data {data}: it cannot be made: {error.strerror}") from error
    settings = peer_settings(plan.peer, data=data, free_ports=options.free_ports)
    config = load_config(
        settings, working_folder=data, development=plan.peer.mode is Mode.DEVELOPMENT
    )
    return PeerNode(config)


@asynccontextmanager
async def _running(node: PeerNode) -> AsyncIterator[PeerNode]:
    """A peer that is always stopped in order: what goes wrong here is not its failure."""
    await node.__aenter__()
    try:
        yield node
    finally:
        await node.__aexit__(None, None, None)


def _network(plan: Plan, node: PeerNode, data: Path) -> LocalNetwork:
    return LocalNetwork.of_folder(
        data / "client",
        msp_id=plan.peer.msp_id,
        peer=node.addresses.peer,
        orderer=node.addresses.ordering,
        tls=plan.peer.tls,
    )


async def _channels(plan: Plan, network: LocalNetwork, progress: Progress) -> None:
    for channel in plan.peer.channels[1:]:
        async with progress.step(f"create and join channel {channel.name}"):
            await network.ensure_channel(channel.name, capability=channel.capability)


async def _install(
    plan: Plan,
    package: PackageModel,
    network: LocalNetwork,
    *,
    progress: Progress,
    scratch: Path,
) -> None:
    folder = scratch / "sources" / package.resource
    folder.mkdir(parents=True)
    async with progress.step(f"install {package.ccid} ({package.language})") as step:
        raw = await asyncio.to_thread(
            build_package, package, config_maps=plan.config_maps, scratch=folder
        )
        present = {
            (one.name, one.version): one.id for one in await network.administration.installed()
        }
        known = present.get((package.name, package.version))
        if known is None:
            await network.administration.install(raw)
        elif known == parse_legacy_package(raw).id:
            step.note("installed already, with the same code")
        else:
            raise PlayError(
                f"ChaincodePackage {package.resource}: {package.ccid} is installed with other "
                "code; give it a new version, or play with other data"
            )


async def _show_until(
    stop: asyncio.Event, play: _Play, work: asyncio.Task[None], options: PlayOptions
) -> None:
    """Print the rows whenever they change, until a signal comes or the work breaks."""
    showing = asyncio.create_task(_show(play.player, options))
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({showing, waiting, work}, return_when=asyncio.FIRST_COMPLETED)
        for broken in (task for task in (showing, work) if task.done()):
            broken.result()
    finally:
        showing.cancel()
        waiting.cancel()


async def _show(player: Player, options: PlayOptions) -> None:
    shown: list[Status] = []
    while True:
        rows = player.rows
        if rows != shown and not any(row.state is State.PENDING for row in rows):
            shown = rows
            click.echo(status_json(rows) if options.as_json else f"\n{status_table(rows)}\n")
        await player.changed()
