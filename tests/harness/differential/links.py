"""Raw connections to one target: the generated stubs, nothing of our client library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import grpc
from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition, SeekSpecified
from fabric_protos.orderer.ab_pb2_grpc import AtomicBroadcastStub
from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeSupportStub
from fabric_protos.peer.events_pb2_grpc import DeliverStub
from fabric_protos.peer.peer_pb2_grpc import EndorserStub
from harness.differential.material import FixedSigner
from harness.differential.targets import Target
from treadle_fabric.wire import build_seek_envelope

_SIZES = [
    ("grpc.max_receive_message_length", 100 << 20),
    ("grpc.max_send_message_length", 100 << 20),
]


@dataclass(slots=True)
class Links:
    """Open channels to a target's three ports; an async context manager."""

    target: Target
    peer: grpc.aio.Channel
    chaincode: grpc.aio.Channel
    orderer: grpc.aio.Channel

    @classmethod
    def to(cls, target: Target) -> Links:
        dialled = (
            grpc.aio.insecure_channel(address, options=_SIZES)
            for address in (target.peer_address, target.chaincode_address, target.orderer_address)
        )
        return cls(target, *dialled)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for channel in (self.peer, self.chaincode, self.orderer):
            await channel.close()

    @property
    def endorser(self) -> EndorserStub:
        return EndorserStub(self.peer)

    @property
    def deliver(self) -> DeliverStub:
        return DeliverStub(self.peer)

    @property
    def ordering(self) -> AtomicBroadcastStub:
        return AtomicBroadcastStub(self.orderer)

    @property
    def support(self) -> ChaincodeSupportStub:
        return ChaincodeSupportStub(self.chaincode)

    async def committed(self, signer: FixedSigner, channel: str, number: int) -> Block:
        """Block *number* as the peer has committed it; waits for it."""
        return await _one_block(self.deliver.Deliver, signer, channel, number)

    async def ordered(self, signer: FixedSigner, channel: str, number: int) -> Block:
        """Block *number* as the orderer has it; waits for it."""
        return await _one_block(self.ordering.Deliver, signer, channel, number)


async def _one_block(method: object, signer: FixedSigner, channel: str, number: int) -> Block:
    seek = seek_envelope(signer, channel, number, number)
    stream = method(_only(seek), timeout=30, wait_for_ready=True)  # type: ignore[operator]
    async for answer in stream:
        assert answer.WhichOneof("Type") == "block", answer
        stream.cancel()
        block: Block = answer.block
        return block
    raise AssertionError(f"{channel}: the stream ended without block {number}")


def seek_envelope(
    signer: FixedSigner,
    channel: str,
    start: int | SeekPosition,
    stop: int | SeekPosition,
    behavior: SeekInfo.SeekBehavior.ValueType = SeekInfo.BLOCK_UNTIL_READY,
) -> Envelope:
    """A Deliver request; numbers or positions."""
    return build_seek_envelope(
        signer=signer,
        channel_id=channel,
        start=_position(start),
        stop=_position(stop),
        behavior=behavior,
    )


def _position(place: int | SeekPosition) -> SeekPosition:
    if isinstance(place, SeekPosition):
        return place
    return SeekPosition(specified=SeekSpecified(number=place))


async def _only(envelope: Envelope) -> AsyncIterator[Envelope]:
    yield envelope
