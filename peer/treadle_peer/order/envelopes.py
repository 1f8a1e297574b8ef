"""What the ordering looks at in an envelope: its headers and its size, nothing inside."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    SignatureHeader,
    Status,
)
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import WireError, parse, parse_bare

from treadle_peer.order.errors import BroadcastRefused

_HEADER_FAILED = "GetSignatureHeaderFromBytes failed"  # a name in Fabric's own text


@dataclass(frozen=True, slots=True)
class Submission:
    """An envelope on its way into a block. ``sequence`` is the configuration it was checked by."""

    envelope: Envelope
    channel_header: ChannelHeader
    signature_header: bytes
    sequence: int = 0

    @property
    def channel_id(self) -> str:
        """The channel it names."""
        return self.channel_header.channel_id

    @property
    def is_config_update(self) -> bool:
        """Whether it asks for a new configuration or a new channel."""
        return self.channel_header.type == HeaderType.CONFIG_UPDATE

    @property
    def size(self) -> int:
        """Bytes as Fabric counts them for BatchSize: payload and signature."""
        return len(self.envelope.payload) + len(self.envelope.signature)

    def signed_data(self) -> SignedData:
        """What the channel's policies judge; raises BroadcastRefused (BAD_REQUEST)."""
        try:
            header = parse_bare(SignatureHeader, self.signature_header)
        except WireError as error:
            text = f"could not convert message to signedData: {_HEADER_FAILED}, err {error}"
            raise _bad(text) from error
        return SignedData(
            data=self.envelope.payload, identity=header.creator, signature=self.envelope.signature
        )


def read_submission(envelope: Envelope) -> Submission:
    """Read the channel header; raises BroadcastRefused (BAD_REQUEST) with Fabric's text."""
    try:
        payload = parse(Payload, envelope.payload)
        if not payload.HasField("header"):
            raise WireError("header not set")
        if not payload.header.channel_header:
            raise WireError("channel header not set")
        channel_header = _channel_header(payload.header.channel_header)
    except WireError as error:
        raise _bad(f"could not determine channel ID: {error}") from error
    if channel_header.type in (HeaderType.CONFIG, HeaderType.ORDERER_TRANSACTION):
        raise _bad("message is of type that cannot be processed directly")
    return Submission(
        envelope=envelope,
        channel_header=channel_header,
        signature_header=payload.header.signature_header,
    )


def _channel_header(data: bytes) -> ChannelHeader:
    try:
        return parse(ChannelHeader, data)
    except WireError as error:
        raise WireError(f"error unmarshalling channel header: {error}") from error


def _bad(text: str) -> BroadcastRefused:
    return BroadcastRefused(Status.BAD_REQUEST, text)
