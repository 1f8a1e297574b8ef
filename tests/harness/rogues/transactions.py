"""Chaincodes that register properly and then misbehave in their transactions."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetState,
    GetStateByRange,
    PutState,
)
from harness.rogues.chains import calls_a_long_chain, calls_itself
from harness.rogues.orders import Deeds, Orders
from harness.rogues.shim import about, completed
from harness.rogues.stage import Stage, perform

Msg = ChaincodeMessage
MEGABYTE = 1_000_000
LATE = 3.0  # seconds; the tests' peers wait for two
ITERATORS = 10_000


async def behaves(stage: Stage, tx: Msg) -> None:
    """The control: an answer."""
    await stage.say(completed(tx, b"fine"))
    stage.deeds.at_work.set()


async def never_answers(stage: Stage, tx: Msg) -> None:
    """Takes the transaction and says nothing."""
    stage.deeds.note("transactions")
    stage.deeds.at_work.set()


async def never_reads(stage: Stage, tx: Msg) -> None:
    """Reads nothing any more from the first transaction on."""
    stage.deaf = True
    stage.deeds.note("transactions")
    stage.deeds.at_work.set()


async def answers_twice(stage: Stage, tx: Msg) -> None:
    """Three answers, the second another value, the third an error."""
    await stage.say(completed(tx, b"1"))
    await stage.say(completed(tx, b"22"))
    await stage.say(about(tx, Msg.ERROR, b"333"))
    stage.deeds.note("answers", 3)
    stage.deeds.at_work.set()


async def answers_late(stage: Stage, tx: Msg) -> None:
    """An answer, and requests, when the peer has given up waiting."""
    stage.deeds.at_work.set()
    await asyncio.sleep(LATE)
    await stage.say(completed(tx, b"late"))
    await stage.say(about(tx, Msg.PUT_STATE, PutState(key="late", value=b"x").SerializeToString()))
    stage.deeds.note("late answers")


async def answers_for_others(stage: Stage, tx: Msg) -> None:
    """Answers to transactions of others: invented ones, and those of the honest chaincode."""
    for number in range(6):
        await stage.pace.turn()
        strange = Msg(channel_id=tx.channel_id, txid=uuid.uuid4().hex * 2)
        if number % 2 and stage.orders.diary:
            strange.txid = await asyncio.to_thread(Path(stage.orders.diary).read_text)
        put = PutState(key="stolen", value=b"x").SerializeToString()
        await stage.say(about(strange, Msg.PUT_STATE, put))
        await stage.say(completed(strange, b"not mine"))
        stage.deeds.note("strange answers")
        stage.deeds.at_work.set()
    await stage.say(completed(tx, b"mine"))


async def leaks_iterators(stage: Stage, tx: Msg) -> None:
    """Opens ten thousand ranges and closes none."""
    everything = GetStateByRange().SerializeToString()
    stage.deeds.at_work.set()
    for number in range(ITERATORS):
        if number % 10 == 0:
            await stage.pace.turn()
        await stage.say(about(tx, Msg.GET_STATE_BY_RANGE, everything))
        stage.deeds.note("iterators")
    await stage.say(completed(tx, b"leaked"))


async def floods_requests(stage: Stage, tx: Msg) -> None:
    """Asks without waiting for a reply, at its rate, until its time is over."""
    wanted = GetState(key="x").SerializeToString()
    stage.deeds.at_work.set()
    while True:
        await stage.pace.turn()
        for _ in range(10):
            await stage.say(about(tx, Msg.GET_STATE, wanted))
        stage.deeds.note("requests", 10)


async def floods_and_never_reads(stage: Stage, tx: Msg) -> None:
    """The same, and reads no reply."""
    stage.deaf = True
    await floods_requests(stage, tx)


async def speaks_in_tongues(stage: Stage, tx: Msg) -> None:
    """Messages of a type that nobody defined."""
    stage.deeds.at_work.set()
    stage.deeds.note("unknown messages")
    await stage.say(Msg(type=99, txid=tx.txid, channel_id=tx.channel_id))  # type: ignore[arg-type]


async def sends(size: int, count: int, stage: Stage, tx: Msg) -> None:
    """PUT_STATE of *size* bytes, *count* times in a row, each under a key of its own."""
    value = bytes(size)
    for number in itertools.count():
        if number == count:
            break
        await stage.pace.turn()
        stage.deeds.at_work.set()
        put = PutState(key=f"k{number}", value=value).SerializeToString()
        reply = await stage.ask(about(tx, Msg.PUT_STATE, put))
        if reply.type == Msg.ERROR:
            stage.deeds.note("refused writes")
            break
        stage.deeds.note("megabytes written", size // MEGABYTE)
    await stage.say(completed(tx, b"written"))


async def floods_events(stage: Stage, tx: Msg) -> None:
    """An event of a megabyte with its answer, and others that belong to nothing."""
    event = ChaincodeEvent(event_name="e", payload=bytes(MEGABYTE))
    for _ in range(5):
        await stage.pace.turn()
        strange = completed(Msg(channel_id=tx.channel_id, txid=uuid.uuid4().hex))
        strange.chaincode_event.CopyFrom(event)
        await stage.say(strange)
        stage.deeds.note("events")
    answer = completed(tx, b"told")
    answer.chaincode_event.CopyFrom(event)
    await stage.say(answer)
    stage.deeds.at_work.set()


async def answers_with(size: int, stage: Stage, tx: Msg) -> None:
    """A response of *size* bytes."""
    await stage.say(completed(tx, bytes(size)))
    stage.deeds.note("large answers")
    stage.deeds.at_work.set()


def _performing(
    act: Callable[[Stage, Msg], Awaitable[None]],
) -> Callable[[Orders, Deeds], Awaitable[None]]:
    return lambda orders, deeds: perform(orders, deeds, act)


BEHAVIOURS = {
    "behaves": _performing(behaves),
    "never answers": _performing(never_answers),
    "never reads": _performing(never_reads),
    "answers twice": _performing(answers_twice),
    "answers late": _performing(answers_late),
    "answers for others": _performing(answers_for_others),
    "leaks iterators": _performing(leaks_iterators),
    "floods requests": _performing(floods_requests),
    "floods and never reads": _performing(floods_and_never_reads),
    "speaks in tongues": _performing(speaks_in_tongues),
    "sends 100 MB in a row": _performing(partial(sends, 100 * MEGABYTE, 3)),
    "sends more than a message may hold": _performing(partial(sends, 106 * MEGABYTE, 1)),
    "writes gigabytes": _performing(partial(sends, 8 * MEGABYTE, -1)),
    "calls itself": _performing(calls_itself),
    "calls a long chain": calls_a_long_chain,
    "floods events": _performing(floods_events),
    "answers with 64 MB": _performing(partial(answers_with, 64 * MEGABYTE)),
}
