"""Range queries without paging: batches, iterators, what they leave in the read set (wire §1.7)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetStateByRange,
    PutState,
    QueryResponse,
    QueryStateClose,
    QueryStateNext,
)
from harness.differential.catalog import conversation
from harness.differential.requests import (
    ask_next,
    ask_query,
    ask_range,
    fill,
    numbered,
    quietly,
)
from harness.differential.talk import Talk


@conversation(
    "ranges", "a range has its start and not its end; empty bounds are open", "1.7", "4.6"
)
async def bounds(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, dict.fromkeys(["a", "b", "bb", "c", "d"], b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for start, end in (
            ("b", "d"),
            ("", "c"),
            ("c", ""),
            ("", ""),
            ("bb", "bb"),
            ("b", "bb"),
            ("bbb", "bz"),
            ("x", "z"),
            ("0", "1"),
        ):
            await ask_range(transaction, start, end)
        await transaction.complete()


@conversation("rangesbackwards", "a range whose end lies before its start", "1.7", "4.6")
async def backwards(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, dict.fromkeys(["a", "b", "c"], b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction, "c", "a")
        await ask_range(transaction, "z", "b")
        await transaction.complete()


@conversation("rangeempty", "a range of a chaincode that has no state is empty", "1.7", "4.6")
async def nothing_there(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction)
        await ask_range(transaction, "a", "b")
        await transaction.complete()


@conversation(
    "rangebatches", "250 keys come as 100, 100 and 50; hashes of them are read", "1.7", "4.6", "A"
)
async def batches(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(250))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_next(transaction, await ask_range(transaction, "r", "s"))
        await transaction.complete()


@conversation(
    "rangefirstbatch", "the look-ahead is read: closed after a batch, 101 are", "1.7", "4.6", "A"
)
async def closed_after_first(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(250))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        first = await ask_range(transaction, "r", "s")
        await ask_query(transaction, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=first.id))
        await ask_query(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=first.id))
        await ask_query(transaction, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=first.id))
        await transaction.complete()


@conversation(
    "rangeabandoned", "an iterator that is never closed counts as far as it came", "1.7", "4.6"
)
async def left_open(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(250))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        first = await ask_range(transaction, "", "")
        await ask_query(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=first.id))
        await transaction.complete()


@conversation("rangehundred", "exactly 100 keys are one batch without more", "1.7", "4.6")
async def full_batch(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(101))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        first = await ask_range(transaction, "r0000", "r0100")
        await ask_query(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=first.id))
        await ask_next(transaction, await ask_range(transaction, "r0000", "r0101"))
        await transaction.complete()


@conversation(
    "rangehashes", "up to 50 results are read as they are, more as a tree of hashes", "4.6"
)
async def hash_sizes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(110))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for count in (1, 49, 50, 51, 52, 102, 103):
            wanted = GetStateByRange(startKey="r0000", endKey=f"r{count:04d}")
            rows = await quietly(transaction, Msg.GET_STATE_BY_RANGE, wanted)
            last = QueryResponse.FromString(rows)
            if last.has_more:
                await quietly(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=last.id))
        await transaction.complete()


@conversation("rangeinterleaved", "two iterators of one transaction run side by side", "1.7", "4.6")
async def two_iterators(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, {**numbered(120, "a"), **numbered(120, "b")})
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        second = await ask_range(transaction, "b", "c")
        first = await ask_range(transaction, "a", "b")
        await ask_next(transaction, second)
        await ask_next(transaction, first)
        await transaction.complete()


@conversation(
    "rangetwice", "the same range again is noted once; up to another place, again", "1.7", "4.6"
)
async def repeated(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, dict.fromkeys(["a", "b", "c"], b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction, "a", "c")
        await ask_range(transaction, "b", "c")
        await ask_range(transaction, "a", "c")
        await ask_range(transaction, "a", "d")
        await transaction.complete()


@conversation(
    "iteratorids", "an iterator is known to its own transaction alone, till it ends", "1.7", "A"
)
async def unknown_iterators(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(150))
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "first", channel=channel)
    async with chaincode.transaction(first) as transaction:
        opened = await ask_range(transaction)
        for name in ("nobody", ""):
            await ask_query(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=name))
            await ask_query(transaction, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=name))
        await transaction.complete()
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(second) as transaction:
        await ask_query(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=opened.id))
        await ask_query(transaction, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=opened.id))
        await transaction.complete()


@conversation(
    "rangeduring", "an iterator goes on undisturbed by writes of its own transaction", "1.7", "1.9"
)
async def writes_meanwhile(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(105))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        opened = await ask_range(transaction)
        for key in ("r0000", "r0050x", "r0103x", "r0104"):
            await transaction.ask(Msg.PUT_STATE, PutState(key=key, value=b"new"))
        await ask_next(transaction, opened)
        await ask_range(transaction, "r0102")
        await transaction.complete()


@conversation(
    "querydamaged", "queries that cannot be decoded are refused by their own type", "1.4", "1.7"
)
async def undecodable(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for kind in (
            Msg.GET_STATE_BY_RANGE,
            Msg.GET_QUERY_RESULT,
            Msg.GET_HISTORY_FOR_KEY,
            Msg.QUERY_STATE_NEXT,
            Msg.QUERY_STATE_CLOSE,
        ):
            await transaction.ask(kind, b"\x0a\x7fshort")
        await transaction.ask(Msg.GET_STATE_BY_RANGE, GetStateByRange(metadata=b"\x0a\x7fshort"))
        await transaction.complete()
