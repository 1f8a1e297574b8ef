"""``peer channel``: create, join, list, getinfo, fetch, update, signconfigtx."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import click
from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from treadle_fabric.client import (
    ClientError,
    EndorsementFailed,
    InvalidUpdate,
    PeerAdministration,
    sign_config_update,
)
from treadle_fabric.wire import WireError, last_config_index, parse, serialize

from treadle_cli.peer.blocks import BlockReader, open_reader, read_first_block
from treadle_cli.peer.creation import creation_transaction
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.session import Session, read_file, write_file
from treadle_cli.peer.targets import (
    default_endpoint,
    open_orderer,
    open_peer,
    orderer_endpoint,
)

_BLOCK_MODE = 0o644
_ENVELOPE_MODE = 0o660
_MODULE = "channelCmd"


async def create(session: Session, *, channel: str, file: str, output: str, within: float) -> None:
    """Send a creation transaction and write the channel's first block; raises CommandError.

    Without *file* the transaction is made here: one organisation, the user's own.
    """
    async with AsyncExitStack() as stack:
        await open_reader(stack, session, channel=channel, from_orderer=True)
        initialized(session)
        if file:
            envelope = _signed(session, read_envelope(file), channel=channel)
        else:
            envelope = creation_transaction(channel, session.signer)
        await submit(session, envelope)
    block = await read_first_block(session, channel=channel, within=within)
    write_file(output or f"{channel}.block", serialize(block), mode=_BLOCK_MODE)


async def update(session: Session, *, channel: str, file: str) -> None:
    """Sign a configuration update and send it to the orderer; raises CommandError."""
    initialized(session)
    await submit(session, _signed(session, read_envelope(file), channel=channel))
    session.log.info(_MODULE, "update", "Successfully submitted channel update")


def signconfigtx(session: Session, *, file: str) -> None:
    """Add the user's signature to a configuration update file, in place."""
    initialized(session)
    signed = _signed(session, read_envelope(file), channel="")
    write_file(file, serialize(signed), mode=_ENVELOPE_MODE)


async def submit(session: Session, envelope: Envelope) -> None:
    """Broadcast *envelope*; raises CommandError with the orderer's words."""
    async with AsyncExitStack() as stack:
        flags = session.orderer
        try:
            endpoint = orderer_endpoint(flags, flags.address)
            orderer = await open_orderer(stack, endpoint, seconds=flags.connect_seconds)
        except CommandError as error:
            raise CommandError(f"error getting broadcast client: {error}") from None
        try:
            await orderer.broadcast(envelope)
        except ClientError as error:
            raise CommandError(str(error)) from None


def read_envelope(file: str) -> Envelope:
    """The configuration transaction in *file*; raises CommandError."""
    try:
        return parse(Envelope, read_file(file))
    except CommandError as error:
        raise CommandError(f"channel create configuration tx file not found {error}") from None
    except WireError as error:
        raise CommandError(str(error)) from None


def _signed(session: Session, envelope: Envelope, *, channel: str) -> Envelope:
    try:
        return sign_config_update(envelope, signer=session.signer, channel_id=channel)
    except InvalidUpdate as error:
        raise CommandError(f"Invalid channel create transaction : {error}") from None


async def fetch(
    session: Session, *, channel: str, target: str, output: str, best_effort: bool
) -> None:
    """Write one block to a file; *target* is newest, oldest, config or a number."""
    from_orderer = len(session.orderer.address.split(":")) == 2
    async with AsyncExitStack() as stack:
        reader = await open_reader(
            stack, session, channel=channel, from_orderer=from_orderer, best_effort=best_effort
        )
        initialized(session)
        block = await _chosen(session, reader, target)
    write_file(output or f"{channel}_{target}.block", serialize(block), mode=_BLOCK_MODE)


async def _chosen(session: Session, reader: BlockReader, target: str) -> Block:
    if target in ("oldest", "newest"):
        return await reader.block(target)
    if target == "config":
        index = last_config_index(await reader.block("newest"))
        session.log.info(_MODULE, "fetch", f"Retrieving last config block: {index}")
        return await reader.block(index)
    if not target.isdecimal():
        raise CommandError(f"fetch target illegal: {target}")
    return await reader.block(int(target))


async def join(session: Session, *, file: str) -> None:
    """Join the channel whose first block is in *file*; raises CommandError."""
    async with _administration(session) as administration:
        try:
            block = read_file(file)
        except CommandError as error:
            raise CommandError(f"genesis block file not found {error}") from None
        try:
            await administration.join(block, within=120.0)
        except EndorsementFailed as error:
            said = error.response.response
            text = f"bad proposal response {said.status}: {said.message}"
            raise CommandError(f"proposal failed (err: {text})") from None
        except ClientError as error:
            raise CommandError(f"proposal failed (err: {error})") from None
    session.log.info(_MODULE, "executeJoin", "Successfully submitted proposal to join channel")


async def list_channels(session: Session) -> None:
    """Print the channels the peer has joined; raises CommandError."""
    async with _administration(session) as administration:
        try:
            names = await administration.channels()
        except EndorsementFailed as error:
            said = error.response.response
            raise CommandError(
                f"Received bad response, status {said.status}: {said.message}"
            ) from None
        except ClientError as error:
            raise CommandError(f"Failed sending proposal, got {error}") from None
    click.echo("\n".join(["Channels peers has joined: ", *names]))


async def getinfo(session: Session, *, channel: str) -> None:
    """Print height and hashes of a channel's chain; raises CommandError."""
    async with _administration(session) as administration:
        try:
            info = await administration.chain_info(channel)
        except EndorsementFailed as error:
            said = error.response.response
            raise CommandError(
                f"received bad response, status {said.status}: {said.message}"
            ) from None
        except ClientError as error:
            raise CommandError(f"failed sending proposal: {error}") from None
    click.echo(f"Blockchain info: {info_json(info)}")


def info_json(info: BlockchainInfo) -> str:
    """Chain information as Go's JSON: empty fields are left out, hashes are base64."""
    fields: dict[str, object] = {"height": info.height} if info.height else {}
    for name, value in (
        ("currentBlockHash", info.currentBlockHash),
        ("previousBlockHash", info.previousBlockHash),
    ):
        if value:
            fields[name] = base64.b64encode(value).decode()
    return json.dumps(fields, separators=(",", ":"))


@asynccontextmanager
async def _administration(session: Session) -> AsyncIterator[PeerAdministration]:
    async with AsyncExitStack() as stack:
        try:
            endpoint = default_endpoint(session.settings)
            seconds = session.settings.connect_seconds
            peer = await open_peer(stack, endpoint, seconds=seconds)
        except CommandError as error:
            raise CommandError(f"error getting endorser client for channel: {error}") from None
        initialized(session)
        yield PeerAdministration(peer=peer, signer=session.signer)


def initialized(session: Session) -> None:
    """The line with which every channel command reports its connections."""
    session.log.info(_MODULE, "InitCmdFactory", "Endorser and orderer connections initialized")
