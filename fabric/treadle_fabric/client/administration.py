"""What an administrator asks of one peer: packages, channels, chain information."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

from fabric_protos.common.common_pb2 import HeaderType
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from fabric_protos.peer.query_pb2 import (
    ChaincodeInfo,
    ChaincodeQueryResponse,
    ChannelQueryResponse,
)

from treadle_fabric.client.errors import EndorsementFailed
from treadle_fabric.client.peer import PeerConnection
from treadle_fabric.wire import SignerLike, build_proposal, parse

_LARGE: Final = 1 << 20  # bytes


class PeerAdministration:
    """System chaincode calls at one peer (fabric-wire.md §3.3, §4.7).

    Every method raises EndorsementFailed with the peer's words when the status is not 200, and
    CallFailed or DeadlinePassed; *within* are seconds.
    """

    def __init__(self, *, peer: PeerConnection, signer: SignerLike) -> None:
        self._peer = peer
        self._signer = signer

    async def install(self, package: bytes, *, within: float = 300.0) -> None:
        """Install a legacy package (CDS or signed CDS)."""
        await self.call("lscc", [b"install", package], within=within)

    async def installed(self, *, within: float = 30.0) -> list[ChaincodeInfo]:
        """The legacy packages on the peer."""
        payload = await self.call("lscc", [b"getinstalledchaincodes"], within=within)
        return list(parse(ChaincodeQueryResponse, payload).chaincodes)

    async def instantiated(self, channel_id: str, *, within: float = 30.0) -> list[ChaincodeInfo]:
        """The chaincodes instantiated on a channel."""
        payload = await self.call("lscc", [b"getchaincodes"], channel_id=channel_id, within=within)
        return list(parse(ChaincodeQueryResponse, payload).chaincodes)

    async def join(self, genesis_block: bytes, *, within: float = 60.0) -> None:
        """Join the channel whose first block this is (marshalled Block)."""
        await self.call("cscc", [b"JoinChain", genesis_block], config=True, within=within)

    async def channels(self, *, within: float = 30.0) -> list[str]:
        """The names of the channels the peer has joined."""
        payload = await self.call("cscc", [b"GetChannels"], within=within)
        return [info.channel_id for info in parse(ChannelQueryResponse, payload).channels]

    async def channel_config(self, channel_id: str, *, within: float = 30.0) -> Config:
        """The channel's current configuration."""
        args = [b"GetChannelConfig", channel_id.encode()]
        return parse(Config, await self.call("cscc", args, config=True, within=within))

    async def chain_info(self, channel_id: str, *, within: float = 30.0) -> BlockchainInfo:
        """Height and hashes of the channel's chain."""
        payload = await self.call("qscc", [b"GetChainInfo", channel_id.encode()], within=within)
        return parse(BlockchainInfo, payload)

    async def call(
        self,
        chaincode: str,
        args: Sequence[bytes],
        *,
        channel_id: str = "",
        config: bool = False,
        within: float = 30.0,
    ) -> bytes:
        """Call a system chaincode and return its payload; *config* chooses the header type."""
        build = partial(
            build_proposal,
            signer=self._signer,
            channel_id=channel_id,
            chaincode_name=chaincode,
            args=args,
            header_type=HeaderType.CONFIG if config else HeaderType.ENDORSER_TRANSACTION,
            tls_cert_hash=self._peer.endpoint.tls_cert_hash,
        )
        # Copying and hashing a large package takes seconds, in which others have to go on.
        large = sum(map(len, args)) > _LARGE
        proposal = await asyncio.to_thread(build) if large else build()
        response = await self._peer.endorse(proposal.signed, within=within)
        self._check(response)
        return response.response.payload

    def _check(self, response: ProposalResponse) -> None:
        if response.response.status not in (0, 200):
            raise EndorsementFailed(self._peer.endpoint.address, response)
