"""The measured exchanges of Appendix A between clients, peer and orderer."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekNewest, SeekPosition
from harness.differential.catalog import conversation
from harness.differential.links import seek_envelope
from harness.differential.material import FixedSigner
from harness.differential.streams import Line
from harness.differential.talk import Talk
from treadle_fabric.identity.signatures import decode_signature, encode_signature
from treadle_fabric.wire import serialize, sign_envelope

_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NEWEST = SeekPosition(newest=SeekNewest())
_FOR_EVER = 2**64 - 1


@conversation("apprefusals", "proposals that are refused before any chaincode is asked", "A", "4.2")
async def refused_proposals(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.endorse(talk.proposal("probe", "go", channel=channel))
    await talk.endorse(talk.proposal("probe", "go", channel=channel, tx_id="x"))
    await talk.endorse(talk.proposal("probe", "go", channel="nowhere"))
    draft = talk.draft("probe", "go", channel=channel)
    r, s = decode_signature(draft.build().signed.signature)
    draft.signature = encode_signature(r, _P256 - s)
    await talk.endorse(draft.build())


@conversation("appsystem", "a system chaincode's error without channel has a payload", "A", "4.4")
async def system_errors(talk: Talk) -> None:
    for name in ("lscc", "cscc", "qscc"):
        await talk.endorse(
            talk.proposal(name, "no such function", channel="", signer=talk.cast.admin)
        )


@conversation("appdeliver", "blocks from the newest on: the tip at once, then silence", "A", "5.7")
async def newest_onwards(talk: Talk) -> None:
    channel = await _channel_with_block(talk)
    stream = _deliver(talk)
    await stream.say(seek_envelope(talk.cast.client, channel, _NEWEST, _FOR_EVER))
    await stream.hear()
    await stream.hear_nothing()


@conversation("appnewest", "the newest alone: the tip, 200, and the stream stays", "A", "5.7")
async def newest_alone(talk: Talk) -> None:
    channel = await _channel_with_block(talk)
    stream = _deliver(talk)
    for _ in range(2):
        await stream.say(seek_envelope(talk.cast.client, channel, _NEWEST, _NEWEST))
        await stream.hear()
        await stream.hear()
    await stream.hear_nothing()
    await stream.finish()
    await stream.hear_end()


@conversation("appbehind", "a start behind the end, when not to be waited for, is 404", "A", "5.7")
async def start_behind_the_end(talk: Talk) -> None:
    channel = await _channel_with_block(talk)
    stream = _deliver(talk)
    impatient = SeekInfo.FAIL_IF_NOT_READY
    height = talk.height(channel)
    await stream.say(seek_envelope(talk.cast.client, channel, height, height, impatient))
    await stream.hear_end()


@conversation("appuntimed", "a request for blocks without a time is 400", "A", "5.7")
async def without_timestamp(talk: Talk) -> None:
    channel = await _channel_with_block(talk)
    stream = _deliver(talk)
    header = ChannelHeader(type=HeaderType.DELIVER_SEEK_INFO, channel_id=channel)
    seek = SeekInfo(start=_NEWEST, stop=_NEWEST)
    await stream.say(_signed(talk.cast.client, header, serialize(seek)))
    await stream.hear_end()


@conversation("appmetadata", "the metadata of blocks, ordered and committed", "A", "5.3")
async def block_metadata(talk: Talk) -> None:
    channel = await _channel_with_block(talk)
    block = await talk.links.ordered(talk.cast.admin, channel, 1)
    talk.hear_message("ordered block 1", block)
    await talk.block(channel, 1)
    for name, ask in (("ordered", talk.links.ordered), ("committed", talk.links.committed)):
        first = await ask(talk.cast.admin, channel, 0)
        talk.note(f"{name} block 0", [len(slot) for slot in first.metadata.metadata])


@conversation("appbroadcast", "what an orderer refuses, and with which status", "A", "5.2")
async def refused_broadcasts(talk: Talk) -> None:
    channel = await _channel_with_block(talk)
    client = talk.cast.client

    def header(kind: int, place: str) -> ChannelHeader:
        made = ChannelHeader(channel_id=place, tx_id="x")
        made.type = kind  # type: ignore[assignment]
        return made

    normal = header(HeaderType.ENDORSER_TRANSACTION, channel)
    unsigned = _signed(client, normal, b"nonsense")
    unsigned.signature = b"no signature"
    for envelope in (
        Envelope(),
        _signed(client, header(HeaderType.ENDORSER_TRANSACTION, "nowhere"), b"nonsense"),
        unsigned,
        _signed(talk.cast.stranger, normal, b"nonsense"),
        _signed(client, header(HeaderType.CONFIG, channel), b"nonsense"),
    ):
        await talk.broadcast(envelope)


@conversation("appnonsense", "well-signed nonsense is ordered, and committed as such", "A", "5.4")
async def nonsense(talk: Talk) -> None:
    channel = await talk.channel()
    header = ChannelHeader(type=HeaderType.ENDORSER_TRANSACTION, channel_id=channel, tx_id="x")
    await talk.commit_envelope(_signed(talk.cast.client, header, b"nonsense"))
    await talk.block(channel, 1)


async def _channel_with_block(talk: Talk) -> str:
    """A channel with one small block behind its block 0."""
    channel = await talk.channel()
    header = ChannelHeader(type=HeaderType.ENDORSER_TRANSACTION, channel_id=channel, tx_id="small")
    await talk.commit_envelope(_signed(talk.cast.client, header, b""))
    return channel


def _deliver(talk: Talk) -> Line:
    return talk.line(talk.links.deliver.Deliver(), "blocks")


def _signed(signer: FixedSigner, header: ChannelHeader, data: bytes) -> Envelope:
    creator = SignatureHeader(creator=signer.serialize(), nonce=b"n" * 24)
    payload = Payload(
        header=Header(
            channel_header=serialize(header),
            signature_header=serialize(creator),
        ),
        data=data,
    )
    return sign_envelope(signer, serialize(payload))
