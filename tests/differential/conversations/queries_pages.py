"""Paged range queries, limits, and queries that this database cannot run (wire §1.7, §4.6)."""

from __future__ import annotations

import hashlib

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetQueryResult,
    GetStateByRange,
    PutState,
    PutStateMetadata,
    QueryResponse,
    QueryStateClose,
    QueryStateNext,
    StateMetadata,
)
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.requests import (
    ask_query,
    ask_range,
    called,
    callee,
    fill,
    hear_callee,
    numbered,
    paging,
    quietly,
)
from harness.differential.talk import Talk
from harness.differential.targets import QUERY_LIMIT

_AT_ONCE = 150  # writes of one transaction, well within the execute timeout


@conversation("pages", "250 keys as pages of 100, each with the next one's bookmark", "1.7", "A")
async def pages(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(250))
    for number, bookmark in enumerate(("", "r0100", "r0200")):
        proposal = talk.proposal(talk.name(), str(number), channel=await talk.channel())
        async with chaincode.transaction(proposal) as transaction:
            await ask_range(transaction, "r", "s", metadata=paging(100, bookmark))
            await transaction.complete()


@conversation("pagesinone", "many small pages of one transaction", "1.7", "4.6")
async def pages_of_one_transaction(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(7))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        bookmark = ""
        for _ in range(4):
            await ask_range(transaction, "", "", metadata=paging(2, bookmark))
            bookmark = f"r{int(bookmark[1:] or 0) + 2:04d}" if bookmark else "r0002"
        await transaction.complete()


@conversation("pageends", "a page that ends with the range, or is longer than it", "1.7", "4.6")
async def last_page(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(60))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction, "r0000", "r0003", metadata=paging(3))
        await ask_range(transaction, "r0000", "r0003", metadata=paging(4))
        await ask_range(transaction, "r0000", "r0003", metadata=paging(2))
        await ask_range(transaction, "r0000", "r0052", metadata=paging(51))
        await ask_range(transaction, "x", "y", metadata=paging(5))
        await transaction.complete()


@conversation("bookmarks", "a bookmark takes the place of the start, wherever it is", "1.7", "4.6")
async def bookmarks(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(5))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction, "r0003", "", metadata=paging(2, "r0001"))
        await ask_range(transaction, "r0000", "r0002", metadata=paging(2, "r0003"))
        await ask_range(transaction, "", "", metadata=paging(2, "between"))
        await ask_range(transaction, "r0000", "r0004", metadata=paging(0, "r0002"))
        await transaction.complete()


@conversation("pagesizes", "page sizes: none, one, negative, the largest", "1.7")
async def page_sizes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(4))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for size in (0, 1, -1, -(2**31), 2**31 - 1):
            await ask_range(transaction, "r0001", "", metadata=paging(size))
        # Paging metadata that is there, but asks for nothing.
        await ask_range(transaction, "r0001", "", metadata=b"\x18\x01")
        await transaction.complete()


@conversation("pageiterator", "a page has no iterator: NEXT does not know its id", "1.7")
async def no_iterator(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(4))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        page = await ask_range(transaction, metadata=paging(2))
        await ask_query(transaction, Msg.QUERY_STATE_NEXT, QueryStateNext(id=page.id))
        await ask_query(transaction, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=page.id))
        await transaction.complete()


@conversation("pagethenwrite", "after a page every kind of write is refused", "1.7", "4.6", "A")
async def write_after_page(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(3))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction, metadata=paging(2))
        await _every_write(transaction)
        # What was refused is no write: another page may follow.
        await ask_range(transaction, metadata=paging(2, "r0002"))
        await ask_range(transaction, "r0001")
        await transaction.complete()


@conversation("writethenpage", "after a write no page, but plain ranges and writes", "1.7", "4.6")
async def page_after_write(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, numbered(3))
    channel = await talk.channel()
    for number, request in enumerate(_writes()):
        proposal = talk.proposal(talk.name(), str(number), channel=channel)
        async with chaincode.transaction(proposal) as transaction:
            await transaction.ask(*request)
            await ask_range(transaction, metadata=paging(2))
            await ask_range(transaction)
            await transaction.ask(Msg.PUT_STATE, PutState(key="b", value=b"1"))
            await transaction.complete()


@conversation(
    "pageofcallee", "a callee's page forbids the caller's writes, not on other channels", "1.7"
)
async def page_of_callee(talk: Talk) -> None:
    caller, other = await talk.deployed("caller"), await talk.deployed("other")
    channel, elsewhere = await talk.channel(), await talk.channel("x")
    await talk.deploy(other, "other", channel=elsewhere)
    for target in (f"{talk.name('other')}/{elsewhere}", talk.name("other")):
        proposal = talk.proposal(talk.name("caller"), "go", channel=channel)
        async with caller.transaction(proposal) as transaction:
            await transaction.say(Msg.INVOKE_CHAINCODE, callee(target, "page"))
            inner = await called(other)
            await ask_range(inner, metadata=paging(2))
            await inner.complete()
            await hear_callee(transaction)
            await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"1"))
            await transaction.complete()


@conversation("richrefused", "rich queries need another database, paged ones too", "1.4", "1.7")
async def rich_queries(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for query in ('{"selector":{}}', "", "nonsense"):
            await transaction.ask(Msg.GET_QUERY_RESULT, GetQueryResult(query=query))
        paged = GetQueryResult(query="{}", metadata=paging(2))
        await transaction.ask(Msg.GET_QUERY_RESULT, paged)
        await transaction.ask(Msg.GET_QUERY_RESULT, GetQueryResult(query="{}", metadata=b"\x0a"))
        await transaction.complete()


@conversation(
    "richpaged", "a paged rich query is a page, though it fails: none after a write", "1.7", "4.6"
)
async def paged_rich_queries(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    paged = GetQueryResult(query="{}", metadata=paging(2))
    write = PutState(key="a", value=b"1")
    first = talk.proposal(talk.name(), "first", channel=channel)
    async with chaincode.transaction(first) as transaction:
        await transaction.ask(Msg.GET_QUERY_RESULT, paged)
        await transaction.ask(Msg.PUT_STATE, write)
        await transaction.complete()
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(second) as transaction:
        await transaction.ask(Msg.PUT_STATE, write)
        await transaction.ask(Msg.GET_QUERY_RESULT, paged)
        await transaction.ask(Msg.GET_QUERY_RESULT, GetQueryResult(query="{}"))
        await transaction.complete()


@conversation(
    "querylimit", "a query ends at the limit of results as if nothing followed", "1.7", "4.6"
)
async def limit(talk: Talk) -> None:
    chaincode = await talk.deployed()
    entries = list(numbered(QUERY_LIMIT + 60).items())
    for some in range(0, len(entries), _AT_ONCE):
        await fill(talk, chaincode, dict(entries[some : some + _AT_ONCE]))
    pages = (paging(QUERY_LIMIT + 50), paging(0, "r0010"), paging(-5), paging(2700))
    queries = (
        *(GetStateByRange(startKey=start) for start in ("", "r0060", "r0061")),
        *(GetStateByRange(metadata=metadata) for metadata in pages),
    )
    for number, query in enumerate(queries):
        proposal = talk.proposal(talk.name(), str(number), channel=await talk.channel())
        async with chaincode.transaction(proposal) as transaction:
            await _read_all(talk, transaction, query)
            await transaction.complete()


def _writes() -> tuple[tuple[int, PutState | DelState | PutStateMetadata], ...]:
    entry = StateMetadata(metakey="note", value=b"1")
    return (
        (Msg.PUT_STATE, PutState(key="a", value=b"1")),
        (Msg.DEL_STATE, DelState(key="a")),
        (Msg.PUT_STATE_METADATA, PutStateMetadata(key="a", metadata=entry)),
    )


async def _every_write(transaction: Transaction) -> None:
    for request in _writes():
        await transaction.ask(*request)


async def _read_all(talk: Talk, transaction: Transaction, wanted: GetStateByRange) -> None:
    """Read to the end; of thousands of rows only the batches' sizes and a hash are noted."""
    batch = QueryResponse.FromString(await quietly(transaction, Msg.GET_STATE_BY_RANGE, wanted))
    sizes, rows = [len(batch.results)], hashlib.sha256()
    while True:
        for result in batch.results:
            rows.update(result.resultBytes)
        if not batch.has_more:
            break
        following = QueryStateNext(id=batch.id)
        answer = await quietly(transaction, Msg.QUERY_STATE_NEXT, following)
        batch = QueryResponse.FromString(answer)
        sizes.append(len(batch.results))
    talk.note("batches", sizes)
    talk.note("rows", rows.hexdigest())
    talk.note("page", batch.metadata.hex())
