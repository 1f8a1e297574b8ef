"""What Deliver services of peers and orderers answer to seeks (wire §5.7, §5.2)."""

from __future__ import annotations

import time
from collections.abc import Callable

from fabric_protos.common.common_pb2 import Envelope, Header, HeaderType
from fabric_protos.orderer.ab_pb2 import (
    SeekInfo,
    SeekNewest,
    SeekNextCommit,
    SeekOldest,
    SeekPosition,
)
from harness.differential import ordering
from harness.differential.catalog import conversation
from harness.differential.ordering import seek
from harness.differential.streams import Line
from harness.differential.talk import Talk
from harness.differential.watching import WAYS, three_blocks, watching

_NOT_A_MESSAGE = b"\xff\xff\xff"
_MOST = 2**64 - 1
_OLDEST = SeekPosition(oldest=SeekOldest())
_NEWEST = SeekPosition(newest=SeekNewest())
_NEXT = SeekPosition(next_commit=SeekNextCommit())
_NOWHERE = SeekPosition()
_FAIL = SeekInfo.FAIL_IF_NOT_READY
_BEST_EFFORT = SeekInfo(
    start=ordering.at(1), stop=ordering.at(2), error_response=SeekInfo.BEST_EFFORT
)

Making = Callable[[Talk, str], Envelope]


def between(start: object, stop: object, **parts: object) -> Making:
    """An honest seek, but for *parts*."""
    return lambda talk, channel: seek(talk, channel, start, stop, **parts)  # type: ignore[arg-type]


def by(name: str) -> Making:
    """A seek by one of the cast."""
    return lambda talk, channel: seek(talk, channel, 0, 0, signer=getattr(talk.cast, name))


def hours_away(hours: float) -> Making:
    """A seek of another time."""
    return lambda talk, channel: seek(talk, channel, 0, 0, seconds=int(time.time() + hours * 3600))


ENDING: dict[str, tuple[str, Making]] = {
    "empty": ("an empty envelope", lambda talk, channel: Envelope()),
    "payload": ("an unreadable payload", between(0, 0, payload=_NOT_A_MESSAGE)),
    "noheader": ("a payload without header", between(0, 0, payload=b"\x12\x01d")),
    "headers": ("an empty header", between(0, 0, header=Header(signature_header=b""))),
    "chheader": ("an unreadable channel header", between(0, 0, channel_header=_NOT_A_MESSAGE)),
    "sigheader": (
        "an unreadable signature header",
        between(0, 0, signature_header=_NOT_A_MESSAGE),
    ),
    "data": ("an unreadable seek", between(0, 0, data=_NOT_A_MESSAGE)),
    "nodata": ("no seek at all", between(0, 0, data=b"")),
    "notime": ("no timestamp", between(0, 0, seconds=None)),
    "early": ("a timestamp of an hour ago", hours_away(-1)),
    "late": ("a timestamp of an hour ahead", hours_away(1)),
    "unknown": ("an unknown channel", between(0, 0, channel_id="nobodys")),
    "nameless": ("no channel", between(0, 0, channel_id="")),
    "unknownearly": (
        "an unknown channel and an old timestamp",
        between(0, 0, channel_id="nobodys", seconds=1),
    ),
    "signature": ("no signature", between(0, 0, signature=b"")),
    "nocreator": ("no creator", between(0, 0, creator=b"")),
    "badcreator": ("an unreadable creator", between(0, 0, creator=_NOT_A_MESSAGE)),
    "stranger": ("a client of an impostor", by("stranger")),
    "member": ("a client of an organisation outside the channel", by("client2")),
    "expired": ("a client whose certificate has expired", by("expired")),
    "nostart": ("no start", between(None, 0)),
    "nostop": ("no stop", between(0, None)),
    "reversed": ("a stop before the start", between(2, 1)),
    "beyondstop": ("a start beyond the tip and a stop before it", between(9, 1)),
    "beyond": ("a start beyond the next block", between(5, 9)),
    "nowhere": ("a start at nowhere", between(_NOWHERE, 2)),
    "failnext": ("the next block, when that must be there", between(4, 4, behavior=_FAIL)),
    "failtail": ("more than there is, when that must be there", between(2, 9, behavior=_FAIL)),
    "failcommit": ("the next commit, when that must be there", between(_NEXT, 9, behavior=_FAIL)),
    "newestback": ("from the newest to block 1", between(_NEWEST, 1)),
    "nextback": ("from the next commit to block 2", between(_NEXT, 2)),
    "forbiddenseek": (
        "a stranger's seek without positions",
        between(None, None, signature=b""),
    ),
}
STAYING: dict[str, tuple[str, Making]] = {
    "one": ("one block", between(1, 1)),
    "all": ("all blocks", between(0, 3)),
    "oldest": ("the oldest", between(_OLDEST, _OLDEST)),
    "newest": ("the newest", between(_NEWEST, _NEWEST)),
    "oldestnewest": ("all until the newest", between(_OLDEST, _NEWEST)),
    "tooldest": ("from block 2 to the oldest, which is where it starts", between(2, _OLDEST)),
    "newestnumber": ("from the newest to its number", between(_NEWEST, 3)),
    "failall": ("what is there, when it must be there", between(0, 3, behavior=_FAIL)),
    "zerotype": ("a seek under another header type", between(0, 0, header_type=HeaderType.MESSAGE)),
    "admin": ("an admin's seek", by("admin")),
    "peer": ("a peer's seek", by("peer")),
    "besteffort": (
        "a seek that bears with errors of the orderer",
        between(0, 0, data=_BEST_EFFORT.SerializeToString()),
    ),
    "oddversion": ("a seek with version and epoch", between(0, 0, version=3, epoch=4)),
}


async def _answered(talk: Talk, way: str, make: Making) -> tuple[Line, str]:
    channel = await three_blocks(talk)
    line = watching(talk, way)
    await line.say(make(talk, channel))
    return line, channel


def _ends(key: str, what: str, make: Making) -> None:
    @conversation(f"dlvno{key}", f"Deliver ends after {what}", "5.7", "5.2")
    async def ends(talk: Talk) -> None:
        for way in WAYS:
            line, _ = await _answered(talk, way, make)
            await line.hear_end()


def _stays(key: str, what: str, make: Making) -> None:
    @conversation(f"dlv{key}", f"Deliver gives {what}, a status, and waits", "5.7", "5.2")
    async def stays(talk: Talk) -> None:
        for way in WAYS:
            line, channel = await _answered(talk, way, make)
            while (answer := await line.hear()) is not None and answer.status != 200:
                pass
            if answer is not None:
                await line.say(seek(talk, channel, 1, 1))
                await line.hear()
                await line.hear()
                await line.finish()
                await line.hear_end()


for _key, (_what, _make) in ENDING.items():
    _ends(_key, _what, _make)
for _key, (_what, _make) in STAYING.items():
    _stays(_key, _what, _make)


@conversation("dlvwait", "a seek to the end of time gets each block as it comes", "5.7", "5.2")
async def waits(talk: Talk) -> None:
    channel = await three_blocks(talk)
    lines = [watching(talk, way) for way in WAYS]
    for line in lines:
        await line.say(seek(talk, channel, _NEWEST, _MOST))
        await line.hear()
        await line.hear_nothing()
    await talk.commit_envelope(ordering.transaction(talk, channel, "next", tx_id="x").build())
    for line in lines:
        await line.hear()
        await line.hear_nothing()


@conversation("dlvnext", "a seek from the next commit gets what comes, and no more", "5.7")
async def next_commit(talk: Talk) -> None:
    channel = await three_blocks(talk)
    lines = [watching(talk, way) for way in WAYS]
    for line in lines:
        await line.say(seek(talk, channel, _NEXT, 5))
        await line.hear_nothing()
    for number in range(2):
        envelope = ordering.transaction(talk, channel, f"next {number}", tx_id="x")
        await talk.commit_envelope(envelope.build())
    for line in lines:
        for _ in range(3):
            await line.hear()


@conversation("dlvheight", "a seek from the height waits for that block", "5.7", "5.2")
async def from_the_height(talk: Talk) -> None:
    channel = await three_blocks(talk)
    lines = [watching(talk, way) for way in WAYS]
    for line in lines:
        await line.say(seek(talk, channel, 4, 4))
        await line.hear_nothing()
    await talk.commit_envelope(ordering.transaction(talk, channel, "next", tx_id="x").build())
    for line in lines:
        await line.hear()
        await line.hear()


@conversation("dlvendless", "a stop at nowhere is block 0: from later on it is endless", "5.7")
async def endless(talk: Talk) -> None:
    channel = await three_blocks(talk)
    for way in WAYS:
        line = watching(talk, way)
        await line.say(seek(talk, channel, 2, _NOWHERE))
        await line.hear()
        await line.hear()
        await line.hear_nothing()
        line = watching(talk, way)
        await line.say(seek(talk, channel, 0, _NOWHERE))
        await line.hear()
        await line.hear()


@conversation("dlvqueue", "seeks that are sent together are answered one after the other", "5.7")
async def several_at_once(talk: Talk) -> None:
    channel = await three_blocks(talk)
    for way in WAYS:
        line = watching(talk, way)
        for number in (2, 0, 1):
            await line.say(seek(talk, channel, number, number))
        await line.finish()
        await line.hear_end()


@conversation("dlvlast", "seeks behind one that fails are not answered", "5.7", "5.2")
async def behind_a_failure(talk: Talk) -> None:
    channel = await three_blocks(talk)
    for way in WAYS:
        line = watching(talk, way)
        await line.say(seek(talk, channel, 1, 1))
        await line.say(seek(talk, "nobodys", 1, 1))
        await line.hear_end()


@conversation("dlvsilent", "a stream that is closed without a seek ends well", "5.7", "5.2")
async def nothing_said(talk: Talk) -> None:
    for way in WAYS:
        line = watching(talk, way)
        await line.finish()
        await line.hear_end()
