"""Envelopes, headers and creators of transactions, and the codes of bad ones (§5.1, §5.4)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import ChannelHeader, HeaderType, SignatureHeader
from harness.differential.blocks_crafting import envelope, fixed_time
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.wire import compute_tx_id, serialize

# A payload without header is never asked for: it stops a real peer for good.


@conversation("valpayloads", "a payload that cannot be read is BAD_PAYLOAD", "5.4", rig="blocks")
async def payloads(talk: BlocksTalk) -> None:
    await talk.open()
    # Last in their block: behind them a real peer of V1_3 and later waits for ever.
    await talk.commit(
        talk.forge(),
        talk.forge(),
        talk.forge(payload=b"\xff"),
        talk.forge(payload=b"\x0a"),
        talk.forge(payload=b"plain text"),
    )


@conversation(
    "valtypes",
    "header types other than those of transactions have codes of their own",
    "5.4",
    rig="blocks",
)
async def types(talk: BlocksTalk) -> None:
    await talk.open()
    kinds = (0, 2, 4, 5, 6, 7, 8, 99, -1)
    await talk.commit(talk.forge(), *(talk.forge(header_type=kind) for kind in kinds))


@conversation(
    "valheaders", "headers that cannot be read are BAD_COMMON_HEADER", "5.4", "5.1", rig="blocks"
)
async def headers(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(),
        talk.forge(channel_header=b"\xff"),
        talk.forge(channel_header=b""),
        talk.forge(signature_header=b"\xff"),
        talk.forge(signature_header=b""),
        talk.forge(epoch=1),
        talk.forge(epoch=2**64 - 1),
        talk.forge(nonce=b""),
        talk.forge(creator_bytes=b""),
    )


@conversation(
    "valunchecked",
    "version, time and certificate hash of a header are not looked at",
    "5.4",
    "5.1",
    rig="blocks",
)
async def unchecked(talk: BlocksTalk) -> None:
    await talk.open()

    def with_header(**fields: object) -> bytes:
        nonce = f"nonce {fields}".encode()
        creator = talk.cast.client.serialize()
        header = ChannelHeader(
            type=HeaderType.ENDORSER_TRANSACTION,
            timestamp=fixed_time("x"),
            channel_id=talk.channel,
            tx_id=compute_tx_id(nonce, creator),
            extension=b"\x12\x07\x12\x05probe",
        )
        header.MergeFrom(ChannelHeader(**fields))  # type: ignore[arg-type]
        return talk.forge(channel_header=serialize(header), nonce=nonce)

    await talk.commit(
        with_header(),
        with_header(version=7),
        with_header(tls_cert_hash=b"hash"),
        talk.forge(timestamp=fixed_time("another")),
        talk.forge(nonce=b"n"),
        talk.forge(nonce=b"n" * 500),
    )


@conversation(
    "valcreators", "a creator must be a member of the channel", "5.4", "5.1", rig="blocks"
)
async def creators(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open()
    certificate = cast.client.identity.certificate_pem
    truncated = cast.client.serialize()[:-40]
    await talk.commit(
        talk.forge(creator=cast.client2),
        talk.forge(creator=cast.admin),
        talk.forge(creator=cast.peer),
        talk.forge(creator=cast.orderer),
        talk.forge(creator=cast.stranger),
        talk.forge(creator=cast.expired),
        talk.forge(creator_bytes=b"\xff"),
        talk.forge(creator_bytes=certificate),
        talk.forge(creator_bytes=truncated),
        talk.forge(creator_bytes=b"\x0a\x07Org1MSP"),
        talk.forge(creator_bytes=cast.client.serialize().replace(b"Org1MSP", b"Org9MSP")),
        talk.forge(creator_bytes=cast.client.serialize().replace(b"Org1MSP", b"Org2MSP")),
    )


@conversation("valsigned", "the creator must have signed the payload", "5.4", "5.1", rig="blocks")
async def signatures(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open()
    await talk.commit(
        talk.forge(signature=b"no signature"),
        talk.forge(signature=cast.client.sign(b"something else")),
        talk.forge(signature=b"\x30\x00"),
        talk.forge(signature=b"\x30\x06\x02\x01\x00\x02\x01\x00"),
        talk.forge(signature=b"\0" * 3000),
        talk.forge(creator_bytes=cast.client2.serialize()),
    )


@conversation("valhighs", "a signature with a high S does not count", "5.4", rig="blocks")
async def high_s(talk: BlocksTalk) -> None:
    await talk.open()
    seed = "high s"
    data = b"any"
    kind = HeaderType.ENDORSER_TRANSACTION
    low = envelope(talk.cast.client, seed=seed, kind=kind, channel_id=talk.channel, data=data)
    for signature in (low.signature, _other_half(low.signature)):
        low.signature = signature
        await talk.commit(serialize(low))


def _other_half(signature: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )

    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, order - s)


@conversation("valids", "a transaction's id is the hash of nonce and creator", "5.4", rig="blocks")
async def ids(talk: BlocksTalk) -> None:
    await talk.open()
    client = talk.cast.client
    right = compute_tx_id(b"nonce", client.serialize())
    await talk.commit(
        talk.forge(nonce=b"nonce", tx_id=right.upper()),
        talk.forge(nonce=b"nonce", tx_id=right + " "),
        talk.forge(tx_id=right),
        talk.forge(tx_id=""),
        talk.forge(tx_id="x"),
        talk.forge(nonce=b"nonce", tx_id=right),
    )


@conversation(
    "valchannels",
    "a transaction for another channel is no transaction of this one",
    "5.4",
    rig="blocks",
)
async def channels(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(),
        talk.forge(channel_id="elsewhere"),
        talk.forge(channel_id=talk.channel.upper()),
    )


@conversation(
    "valconfigs",
    "config transactions without content, and config updates, are not committed",
    "5.4",
    rig="blocks",
)
async def configs(talk: BlocksTalk) -> None:
    await talk.open()
    cast = talk.cast

    def of(kind: HeaderType.ValueType, data: bytes, seed: str) -> bytes:
        return serialize(
            envelope(cast.orderer, seed=seed, kind=kind, channel_id=talk.channel, data=data)
        )

    await talk.commit(talk.forge(), of(HeaderType.CONFIG, b"", "empty"))
    await talk.commit(of(HeaderType.CONFIG, b"", "alone"))
    await talk.commit(
        of(HeaderType.CONFIG_UPDATE, b"", "update"), of(HeaderType.CONFIG_UPDATE, b"x", "more")
    )
    await talk.commit(talk.forge())


@conversation(
    "valnonces",
    "headers in the envelope and in the action need not be the same",
    "5.1",
    rig="blocks",
)
async def action_headers(talk: BlocksTalk) -> None:
    """The proposal hash covers the action's own signature header."""
    await talk.open()
    cast = talk.cast

    def header(creator: bytes, nonce: bytes) -> bytes:
        return SignatureHeader(creator=creator, nonce=nonce).SerializeToString()

    client = cast.client.serialize()
    await talk.commit(
        talk.forge(action_header=b""),
        talk.forge(action_header=b"\xff"),
        talk.forge(action_header=header(client, b"")),
        talk.forge(action_header=header(b"", b"nonce")),
        talk.forge(action_header=header(b"anyone", b"nonce")),
        talk.forge(action_header=header(cast.client2.serialize(), b"nonce")),
        talk.forge(action_header=header(client, b"another")),
    )
