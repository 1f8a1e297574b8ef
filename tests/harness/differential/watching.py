"""Streams of blocks: from an orderer, and in a peer's three forms."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Block
from google.protobuf.message import Message
from harness.differential import ordering
from harness.differential.streams import Line
from harness.differential.talk import Talk

WAYS = ("orderer", "blocks", "filtered", "private")
"""Orderer's Deliver; peer's Deliver, DeliverFiltered, DeliverWithPrivateData."""


class Watch(Line):
    """A stream of blocks; of block 0, whose configuration is each network's own, without data.

    ``ordzero`` compares what an orderer does in block 0.
    """

    def _record(self, message: Message, hint: str) -> None:
        block = _block_in(message)
        if block is not None and block.header.number == 0:
            block.ClearField("data")
        super()._record(message, hint)


def _block_in(answer: Message) -> Block | None:
    match answer.WhichOneof("Type"):
        case "block":
            return answer.block  # type: ignore[attr-defined]
        case "block_and_private_data":
            return answer.block_and_private_data.block  # type: ignore[attr-defined]
    return None


def watching(talk: Talk, way: str) -> Line:
    """A stream to one of WAYS, recorded under its name."""
    methods = {
        "orderer": talk.links.ordering.Deliver,
        "blocks": talk.links.deliver.Deliver,
        "filtered": talk.links.deliver.DeliverFiltered,
        "private": talk.links.deliver.DeliverWithPrivateData,
    }
    return talk.line(methods[way](), way, kind=Watch)


async def three_blocks(talk: Talk) -> str:
    """A channel that has three small blocks behind its block 0."""
    channel = await talk.channel()
    while talk.height(channel) < 4:
        number = talk.height(channel)
        envelope = ordering.transaction(talk, channel, f"block {number}", tx_id=f"t{number}")
        await talk.commit_envelope(envelope.build())
    return channel
