"""Signed envelopes: building them, and taking their headers apart.

Used by clients (proposals, seek requests, config updates), by embedded ordering (config blocks)
and by whoever receives envelopes. Identities appear only as ``SignerLike``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition
from google.protobuf.timestamp_pb2 import Timestamp

from treadle_fabric.wire.messages import Octets, WireError, parse, serialize
from treadle_fabric.wire.txid import new_nonce


class SignerLike(Protocol):
    """Whoever signs: its serialised identity and its signature function."""

    def serialize(self) -> bytes:
        """Marshalled SerializedIdentity."""

    def sign(self, message: bytes) -> bytes:
        """DER encoded low-S signature over *message*."""


@dataclass(frozen=True, slots=True)
class UnpackedPayload:
    """An envelope's payload with raw and parsed headers.

    The raw bytes are what was signed and hashed; they are never made again (trap 29).
    """

    raw: Octets
    signature: bytes
    channel_header_bytes: bytes
    signature_header_bytes: bytes
    channel_header: ChannelHeader
    signature_header: SignatureHeader
    data: Octets

    @property
    def channel_id(self) -> str:
        """The channel named by the channel header, possibly empty."""
        return self.channel_header.channel_id

    @property
    def creator(self) -> bytes:
        """The signer's serialised identity, possibly empty."""
        return self.signature_header.creator


def unpack_payload(envelope: Envelope) -> UnpackedPayload:
    """Take *envelope* apart; raises WireError when a header is missing or unreadable."""
    payload = parse(Payload, envelope.payload)
    if not payload.HasField("header"):
        raise WireError("envelope must have a Header")
    header = payload.header
    return UnpackedPayload(
        raw=envelope.payload,
        signature=envelope.signature,
        channel_header_bytes=header.channel_header,
        signature_header_bytes=header.signature_header,
        channel_header=parse(ChannelHeader, header.channel_header),
        signature_header=parse(SignatureHeader, header.signature_header),
        data=payload.data,
    )


def header_type_name(number: int) -> str:
    """Fabric's name of a header type, its digits when the number is unknown."""
    value = HeaderType.DESCRIPTOR.values_by_number.get(number)
    return value.name if value else str(number)


def timestamp_now() -> Timestamp:
    """The current time, as channel headers carry it."""
    seconds, nanos = divmod(time.time_ns(), 1_000_000_000)
    return Timestamp(seconds=seconds, nanos=nanos)


def build_signature_header(signer: SignerLike, nonce: bytes | None = None) -> SignatureHeader:
    """A signature header of *signer* with *nonce*, or a fresh one."""
    return SignatureHeader(creator=signer.serialize(), nonce=nonce or new_nonce())


def build_payload(
    *, channel_header: ChannelHeader, signature_header: SignatureHeader, data: bytes
) -> bytes:
    """The marshalled Payload of an envelope."""
    header = Header(
        channel_header=serialize(channel_header), signature_header=serialize(signature_header)
    )
    return serialize(Payload(header=header, data=data))


def sign_envelope(signer: SignerLike, payload: bytes) -> Envelope:
    """The envelope whose *payload* bytes *signer* signs as they are."""
    return Envelope(payload=payload, signature=signer.sign(payload))


def build_envelope(
    *,
    signer: SignerLike,
    header_type: HeaderType.ValueType,
    channel_id: str,
    data: bytes,
    tls_cert_hash: bytes = b"",
) -> Envelope:
    """A signed envelope around *data*, with the current time in whole seconds and epoch 0."""
    channel_header = ChannelHeader(
        type=header_type,
        timestamp=Timestamp(seconds=int(time.time())),  # Fabric: protoutil.MakeChannelHeader
        channel_id=channel_id,
        tls_cert_hash=tls_cert_hash,
    )
    payload = build_payload(
        channel_header=channel_header, signature_header=build_signature_header(signer), data=data
    )
    return sign_envelope(signer, payload)


def build_seek_envelope(
    *,
    signer: SignerLike,
    channel_id: str,
    start: SeekPosition,
    stop: SeekPosition,
    behavior: SeekInfo.SeekBehavior.ValueType = SeekInfo.BLOCK_UNTIL_READY,
    tls_cert_hash: bytes = b"",
) -> Envelope:
    """A DELIVER_SEEK_INFO request for the Deliver services of peers and orderers (§5.7)."""
    seek = SeekInfo(start=start, stop=stop, behavior=behavior)
    return build_envelope(
        signer=signer,
        header_type=HeaderType.DELIVER_SEEK_INFO,
        channel_id=channel_id,
        data=serialize(seek),
        tls_cert_hash=tls_cert_hash,
    )
