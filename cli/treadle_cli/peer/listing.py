"""``peer chaincode list``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack

import click
from fabric_protos.peer.query_pb2 import ChaincodeInfo
from treadle_fabric.client import ClientError, EndorsementFailed, PeerAdministration

from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.invoking import PATIENCE
from treadle_cli.peer.session import Session
from treadle_cli.peer.targets import TargetFlags, endpoints, open_peers


async def list_chaincodes(
    session: Session, *, installed: bool, instantiated: bool, channel: str, targets: TargetFlags
) -> None:
    """Print the installed chaincodes, or those of *channel*; raises CommandError."""
    async with AsyncExitStack() as stack:
        found = endpoints(session, targets, command="list", channel=channel)
        peers = await open_peers(stack, session, found, command="list")
        if installed == instantiated:
            raise CommandError('must explicitly specify "--installed" or "--instantiated"')
        administration = PeerAdministration(peer=peers[0], signer=session.signer)
        try:
            if installed:
                head = "Get installed chaincodes on peer:"
                chaincodes = await administration.installed(within=PATIENCE)
            else:
                head = f"Get instantiated chaincodes on channel {channel}:"
                chaincodes = await administration.instantiated(channel, within=PATIENCE)
        except EndorsementFailed as error:
            said = error.response.response
            raise CommandError(f"bad response: {said.status} - {said.message}") from None
        except ClientError as error:
            raise CommandError(f"error endorsing proposal: {error}") from None
    click.echo("\n".join([head, *lines(chaincodes)]))


def lines(chaincodes: Iterable[ChaincodeInfo]) -> list[str]:
    """One line per chaincode: what is known of it, in Fabric's order and spelling."""
    return [
        ", ".join(f"{label}: {value}" for label, value in _fields(chaincode) if value)
        for chaincode in chaincodes
    ]


def _fields(chaincode: ChaincodeInfo) -> list[tuple[str, str]]:
    return [
        ("Name", chaincode.name),
        ("Version", chaincode.version),
        ("Path", chaincode.path),
        ("Input", chaincode.input),
        ("Escc", chaincode.escc),
        ("Vscc", chaincode.vscc),
        ("Id", chaincode.id.hex()),
    ]
