"""Envelopes for orderers and seeks for Deliver services, every part as a conversation likes it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    Block,
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import ConfigSignature, ConfigUpdate, ConfigUpdateEnvelope
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition, SeekSpecified
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from harness.differential.material import FixedSigner
from harness.differential.streams import Line
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize, sha256

_MORNING = 1_767_225_600  # 2026-01-01T00:00:00Z


@dataclass(slots=True, kw_only=True)
class EnvelopeDraft:
    """An envelope; ``None`` means what an honest client would send.

    ``seed`` decides the nonce: equal seeds give equal bytes.
    """

    seed: str
    signer: FixedSigner
    channel_id: str
    data: bytes = b""
    header_type: int = HeaderType.ENDORSER_TRANSACTION
    tx_id: str = ""
    version: int = 0
    epoch: int = 0
    seconds: int | None = _MORNING  # None: no timestamp at all
    creator: bytes | None = None
    channel_header: bytes | None = None
    signature_header: bytes | None = None
    header: Header | None = None
    payload: bytes | None = None
    signature: bytes | None = None

    def build(self) -> Envelope:
        """The signed envelope."""
        header = self.header or Header(
            channel_header=_or(self.channel_header, self._channel_header()),
            signature_header=_or(self.signature_header, self._signature_header()),
        )
        payload = _or(self.payload, Payload(header=header, data=self.data))
        signature = self.signer.sign(payload) if self.signature is None else self.signature
        return Envelope(payload=payload, signature=signature)

    def _channel_header(self) -> ChannelHeader:
        header = ChannelHeader(
            version=self.version, channel_id=self.channel_id, tx_id=self.tx_id, epoch=self.epoch
        )
        header.type = self.header_type
        if self.seconds is not None:
            header.timestamp.CopyFrom(Timestamp(seconds=self.seconds))
        return header

    def _signature_header(self) -> SignatureHeader:
        creator = self.signer.serialize() if self.creator is None else self.creator
        return SignatureHeader(creator=creator, nonce=_nonce(self.seed))


def transaction(talk: Talk, channel: str, seed: str, **parts: object) -> EnvelopeDraft:
    """An envelope of the client's that an orderer takes for a transaction: it looks at no more."""
    usual = {"signer": talk.cast.client, "data": seed.encode(), "channel_id": channel}
    return EnvelopeDraft(seed=f"{talk.key} {seed}", **{**usual, **parts})  # type: ignore[arg-type]


def config_update(
    talk: Talk,
    update: ConfigUpdate | bytes,
    *,
    channel: str,
    signers: Sequence[FixedSigner] | None = None,
    **parts: object,
) -> EnvelopeDraft:
    """The CONFIG_UPDATE that carries *update*, signed by the admin unless *signers* are given."""
    content = update if isinstance(update, bytes) else serialize(update)
    signing = (talk.cast.admin,) if signers is None else signers
    signed = ConfigUpdateEnvelope(
        config_update=content,
        signatures=[_config_signature(talk.key, content, signer) for signer in signing],
    )
    usual = {
        "signer": talk.cast.admin,
        "data": serialize(signed),
        "channel_id": channel,
        "header_type": HeaderType.CONFIG_UPDATE,
    }
    return EnvelopeDraft(seed=f"{talk.key} config update", **{**usual, **parts})  # type: ignore[arg-type]


async def hear_answers(talk: Talk, *envelopes: Envelope, label: str = "broadcast") -> None:
    """Send to the orderer on one stream and hear each answer, and the end where one comes."""
    line = broadcasting(talk, label)
    for envelope in envelopes:
        await line.say(envelope)
        answer = await line.hear()
        if answer is None or answer.status != 200:
            await line.hear_end()
            return
    line.hang_up()


def broadcasting(talk: Talk, label: str = "broadcast") -> Line:
    """A stream to the orderer's Broadcast."""
    return talk.line(talk.links.ordering.Broadcast(), label)


async def ordered(talk: Talk, channel: str, number: int) -> Block:
    """A block as the orderer has it, recorded."""
    block = await talk.links.ordered(talk.cast.admin, channel, number)
    talk.hear_message(f"ordered block {number} of {channel}", block)
    return block


def at(number: int) -> SeekPosition:
    """A specified position."""
    return SeekPosition(specified=SeekSpecified(number=number))


def seek(
    talk: Talk,
    channel: str,
    start: int | SeekPosition | None,
    stop: int | SeekPosition | None,
    *,
    behavior: SeekInfo.SeekBehavior.ValueType = SeekInfo.BLOCK_UNTIL_READY,
    **parts: object,
) -> Envelope:
    """A seek of now by the client; None leaves a position out, *parts* are of EnvelopeDraft."""
    info = SeekInfo(start=_position(start), stop=_position(stop), behavior=behavior)
    usual = {
        "signer": talk.cast.client,
        "data": serialize(info),
        "seconds": int(time.time()),
        "channel_id": channel,
        "header_type": HeaderType.DELIVER_SEEK_INFO,
    }
    return EnvelopeDraft(seed=f"{talk.key} seek", **{**usual, **parts}).build()  # type: ignore[arg-type]


def _position(place: int | SeekPosition | None) -> SeekPosition | None:
    return at(place) if isinstance(place, int) else place


def _config_signature(seed: str, content: bytes, signer: FixedSigner) -> ConfigSignature:
    header = serialize(SignatureHeader(creator=signer.serialize(), nonce=_nonce(f"{seed} config")))
    return ConfigSignature(signature_header=header, signature=signer.sign(header + content))


def _nonce(seed: str) -> bytes:
    return sha256(b"nonce", seed.encode())[:24]


def _or(given: bytes | None, made: Message) -> bytes:
    return serialize(made) if given is None else given
