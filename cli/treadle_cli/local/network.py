"""The administrator of a local network: channels, packages, chaincodes through the client."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from fabric_protos.common.common_pb2 import Block
from treadle_fabric.channelconfig import ConfigError, creation_update, update_transaction
from treadle_fabric.client import (
    Channel,
    ClientError,
    Deadlines,
    DeliverRefused,
    Endpoint,
    OrdererConnection,
    PeerAdministration,
    PeerConnection,
    TLSOptions,
    seek_request,
)
from treadle_fabric.identity import Signer
from treadle_fabric.msp import MSPError, load_local_msp
from treadle_fabric.wire import serialize

from treadle_cli.errors import TreadleError

_CONSORTIUM = "SampleConsortium"
_SECONDS = 30.0


class LocalNetwork:
    """One peer and its ordering, seen by the admin. Use it as an async context manager."""

    def __init__(self, *, peer: Endpoint, orderer: Endpoint, admin: Signer) -> None:
        self._stack = AsyncExitStack()
        self._admin = admin
        self._peer = PeerConnection(peer)
        self._orderer = OrdererConnection(orderer)
        self.administration = PeerAdministration(peer=self._peer, signer=admin)

    @classmethod
    def of_folder(
        cls, client_folder: Path, *, msp_id: str, peer: str, orderer: str, tls: bool = False
    ) -> LocalNetwork:
        """The network whose client files are in *client_folder*; raises TreadleError."""
        try:
            admin = load_local_msp(client_folder / "msp", msp_id=msp_id).signer
            options = _tls(client_folder / "tls") if tls else None
        except (MSPError, OSError) as error:
            raise TreadleError(f"the peer left no usable client files: {error}") from None
        return cls(
            peer=Endpoint(address=peer, tls=options),
            orderer=Endpoint(address=orderer, tls=options),
            admin=admin,
        )

    def channel(self, name: str) -> Channel:
        """One of its channels, with deadlines that allow for a first build."""
        return Channel(
            name=name,
            signer=self._admin,
            peers=[self._peer],
            orderer=self._orderer,
            deadlines=Deadlines(endorse=120.0, deploy=900.0, commit=60.0),
        )

    async def ensure_channel(self, name: str, *, capability: str = "V1_4_2") -> bool:
        """Create and join channel *name* unless the peer has it; whether it was created."""
        if name in await self.administration.channels():
            return False
        try:
            update = creation_update(
                channel_id=name,
                consortium=_CONSORTIUM,
                organizations=[self._admin.msp_id],
                capabilities=[capability],
            )
        except ConfigError as error:
            raise TreadleError(f"channel {name}: {error}") from None
        await self._orderer.broadcast(
            update_transaction(update=update, signers=[self._admin], submitter=self._admin)
        )
        if name not in await self.administration.channels():
            await self.administration.join(serialize(await self._first_block(name)))
        return True

    async def _first_block(self, channel: str) -> Block:
        request = seek_request(
            signer=self._admin,
            channel_id=channel,
            start=0,
            stop=0,
            tls_cert_hash=self._orderer.endpoint.tls_cert_hash,
        )
        async with self._orderer.deliver() as stream:
            await stream.seek(request, within=_SECONDS)
            block = await stream.read(within=_SECONDS)
        if block is None:
            raise DeliverRefused(404)
        return block

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._peer)
        await self._stack.enter_async_context(self._orderer)
        try:
            await self._peer.wait_ready(within=_SECONDS)
            await self._orderer.wait_ready(within=_SECONDS)
        except ClientError:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def _tls(folder: Path) -> TLSOptions:
    return TLSOptions(
        root_certificates=(folder / "ca.crt").read_bytes(),
        client_certificate=(folder / "client.crt").read_bytes(),
        client_key=(folder / "client.key").read_bytes(),
    )
