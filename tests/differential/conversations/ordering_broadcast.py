"""What an orderer takes and refuses (wire §5.2); it reads headers and signatures alone."""

from __future__ import annotations

from collections.abc import Callable

from fabric_protos.common.common_pb2 import Block, Envelope, Header, HeaderType
from harness.differential import ordering
from harness.differential.catalog import conversation
from harness.differential.configblocks import created
from harness.differential.talk import Talk

_NOT_A_MESSAGE = b"\xff\xff\xff"
_ABSOLUTE_MAX = 10 << 20

Making = Callable[[Talk, str], Envelope]


def changed(**parts: object) -> Making:
    """An honest transaction but for *parts*, which are EnvelopeDraft's."""
    return lambda talk, channel: ordering.transaction(talk, channel, "it", **parts).build()


def by(name: str) -> Making:
    """A transaction by one of the cast."""
    return lambda talk, channel: ordering.transaction(
        talk, channel, "it", signer=getattr(talk.cast, name)
    ).build()


def mistaken_signature(talk: Talk, channel: str) -> Envelope:
    """Signed by another than the creator."""
    return ordering.transaction(
        talk, channel, "it", signature=talk.cast.client.sign(b"something else")
    ).build()


def large(talk: Talk, channel: str) -> Envelope:
    """More than AbsoluteMaxBytes."""
    return ordering.transaction(talk, channel, "it", data=bytes(_ABSOLUTE_MAX)).build()


REFUSED: dict[str, tuple[str, Making]] = {
    "empty": ("an empty envelope", lambda talk, channel: Envelope()),
    "payload": ("an unreadable payload", changed(payload=_NOT_A_MESSAGE)),
    "noheader": ("a payload without header", changed(payload=b"\x12\x01d")),
    "headers": ("a header without channel header", changed(header=Header(signature_header=b""))),
    "chheader": ("an unreadable channel header", changed(channel_header=_NOT_A_MESSAGE)),
    "sigheader": ("an unreadable signature header", changed(signature_header=_NOT_A_MESSAGE)),
    "unknownbad": (
        "an unreadable signature header for an unknown channel",
        changed(channel_id="nobodys", signature_header=_NOT_A_MESSAGE),
    ),
    "largebad": (
        "more than AbsoluteMaxBytes with an unreadable signature header",
        changed(data=bytes(_ABSOLUTE_MAX), signature_header=_NOT_A_MESSAGE),
    ),
    "unknown": ("a transaction for an unknown channel", changed(channel_id="nobodys")),
    "nameless": ("a transaction for no channel", changed(channel_id="")),
    "config": ("a CONFIG sent directly", changed(header_type=HeaderType.CONFIG)),
    "creating": (
        "an ORDERER_TRANSACTION sent directly",
        changed(header_type=HeaderType.ORDERER_TRANSACTION),
    ),
    "configunknown": (
        "a CONFIG for an unknown channel",
        changed(channel_id="nobodys", header_type=HeaderType.CONFIG),
    ),
    "signature": ("a signature over something else", mistaken_signature),
    "unsigned": ("no signature", changed(signature=b"")),
    "nocreator": ("no creator", changed(creator=b"")),
    "badcreator": ("an unreadable creator", changed(creator=_NOT_A_MESSAGE)),
    "stranger": ("a client of an impostor", by("stranger")),
    "member": ("a client of an organisation outside the channel", by("client2")),
    "expired": ("a client whose certificate has expired", by("expired")),
    "large": ("more than AbsoluteMaxBytes", large),
}


def _refused(key: str, what: str, make: Making) -> None:
    @conversation(f"ordno{key}", f"an orderer refuses {what}, and ends the stream", "5.2")
    async def refused(talk: Talk) -> None:
        channel = await created(talk)
        await ordering.hear_answers(talk, make(talk, channel), label="refusal")


for _key, (_what, _make) in REFUSED.items():
    _refused(_key, _what, _make)


@conversation("ordstream", "a stream takes one envelope after the other until it is closed", "5.2")
async def one_stream(talk: Talk) -> None:
    channel = await created(talk)
    line = ordering.broadcasting(talk, "stream")
    for number in range(3):
        await line.say(ordering.transaction(talk, channel, str(number)).build())
        await line.hear()
    await line.finish()
    await line.hear_end()


@conversation("ordsilent", "a stream that is closed without an envelope ends well", "5.2")
async def nothing_said(talk: Talk) -> None:
    line = ordering.broadcasting(talk)
    await line.finish()
    await line.hear_end()


@conversation("ordtypes", "any other type of header is ordered as it is", "5.2", "5.3")
async def other_types(talk: Talk) -> None:
    channel = await created(talk)
    types = (
        HeaderType.MESSAGE,
        HeaderType.DELIVER_SEEK_INFO,
        HeaderType.CHAINCODE_PACKAGE,
        4711,
    )
    for number, kind in enumerate(types, start=1):
        envelope = ordering.transaction(talk, channel, str(number), header_type=kind)
        await ordering.hear_answers(talk, envelope.build())
        talk.hear_message(
            f"data of {number}",
            Envelope.FromString((await _ordered(talk, channel, number)).data.data[0]),
        )


@conversation("ordnotime", "an orderer does not look at time, version, epoch and tx id", "5.2")
async def unseen_headers(talk: Talk) -> None:
    channel = await created(talk)
    for parts in ({"seconds": None}, {"version": 7, "epoch": 9}, {"tx_id": "t"}, {"tx_id": "t"}):
        envelope = ordering.transaction(talk, channel, str(parts), **parts)
        await ordering.hear_answers(talk, envelope.build())


@conversation("ordnodata", "an envelope without data is ordered, too", "5.2", "5.3")
async def no_data(talk: Talk) -> None:
    channel = await created(talk)
    await ordering.hear_answers(talk, ordering.transaction(talk, channel, "it", data=b"").build())
    block = await _ordered(talk, channel, 1)
    talk.hear_message("data", Envelope.FromString(block.data.data[0]))


@conversation("ordtwochannels", "one stream may serve several channels", "5.2")
async def two_channels(talk: Talk) -> None:
    one, other = await created(talk, "one"), await created(talk, "two")
    envelopes = [ordering.transaction(talk, name, "it").build() for name in (one, other, one)]
    await ordering.hear_answers(talk, *envelopes, label="both")


@conversation("ordafter", "what follows a refusal on its stream is not answered", "5.2")
async def after_a_refusal(talk: Talk) -> None:
    channel = await created(talk)
    line = ordering.broadcasting(talk, "stream")
    await line.say(ordering.transaction(talk, channel, "good").build())
    await line.hear()
    await line.say(ordering.transaction(talk, channel, "bad", signature=b"").build())
    await line.hear()
    await line.hear_end()
    await ordering.hear_answers(talk, ordering.transaction(talk, channel, "next").build())


async def _ordered(talk: Talk, channel: str, number: int) -> Block:
    return await talk.links.ordered(talk.cast.admin, channel, number)
