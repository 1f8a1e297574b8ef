"""What requests read and write, and the iterators they open (wire §1.4, §1.8, §1.9)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetQueryResult,
    GetState,
    PutState,
    QueryMetadata,
    QueryStateClose,
    QueryStateNext,
)
from harness.differential.catalog import conversation
from harness.differential.requests import ask_history, ask_query, ask_range, fill, numbered
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize


@conversation("emptyhistory", "the history of the empty key is no error", "1.4")
async def empty_history(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        await ask_history(running, "")
        await ask_history(running, "never written")
        await running.complete()


@conversation("emptykey", "the empty key can be written, committed and read", "1.4", "1.8")
async def empty_key(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(first) as running:
        await running.ask(Msg.PUT_STATE, PutState(value=b"nameless"))
        await running.complete()
    await talk.commit(first, running.answer)
    await talk.block(channel, talk.height(channel) - 1)
    async with chaincode.transaction(talk.proposal(talk.name(), "r", channel=channel)) as running:
        await running.ask(Msg.GET_STATE, GetState())
        await ask_range(running)
        await running.complete()


@conversation("writes", "the last write to a key counts, an empty value deletes", "1.4", "1.9")
async def writes(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(first) as running:
        for key, value in (("b", b"1"), ("a", b"2"), ("b", b"3"), ("c", b""), ("d", b"\x00")):
            await running.ask(Msg.PUT_STATE, PutState(key=key, value=value))
        for key in ("d", "never"):
            await running.ask(Msg.DEL_STATE, DelState(key=key))
        await running.ask(Msg.DEL_STATE, DelState(key="a"))
        await running.ask(Msg.PUT_STATE, PutState(key="a", value=b"again"))
        await running.complete()
    await talk.commit(first, running.answer)
    await talk.block(channel, talk.height(channel) - 1)
    async with chaincode.transaction(talk.proposal(talk.name(), "r", channel=channel)) as running:
        for key in ("a", "b", "c", "d", "never"):
            await running.ask(Msg.GET_STATE, GetState(key=key))
        await ask_range(running)
        await running.complete()


@conversation("oddkeys", "any text is a key, also one that no shim would send", "1.4", "1.8")
async def odd_keys(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    keys = ("\x00", "\x00a\x00", "\U0010ffff", "a\nb", " ", "\N{SNOWMAN}", "k" * 5000, "A", "a")
    first = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(first) as running:
        for number, key in enumerate(keys):
            await running.ask(Msg.PUT_STATE, PutState(key=key, value=b"%d" % number))
        await running.complete()
    await talk.commit(first, running.answer)
    async with chaincode.transaction(talk.proposal(talk.name(), "r", channel=channel)) as running:
        await ask_range(running)
        await ask_range(running, "A", "b")
        for key in keys:
            await running.ask(Msg.GET_STATE, GetState(key=key))
        await running.complete()


@conversation("largevalue", "a value of two megabytes comes back as it was", "1.4")
async def large_value(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    first = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(first) as running:
        await running.ask(Msg.PUT_STATE, PutState(key="k", value=bytes(range(256)) * 8192))
        await running.complete()
    await talk.commit(first, running.answer)
    async with chaincode.transaction(talk.proposal(talk.name(), "r", channel=channel)) as running:
        await running.ask(Msg.GET_STATE, GetState(key="k"))
        await running.complete()


@conversation("iterators", "NEXT needs an open iterator, CLOSE is always answered", "1.4")
async def iterators(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for name in ("", "never", "x" * 1000):
            await running.ask(Msg.QUERY_STATE_NEXT, QueryStateNext(id=name))
            await running.ask(
                Msg.QUERY_STATE_CLOSE, QueryStateClose(id=name), hint="protos.QueryResponse"
            )
        opened = await ask_range(running)
        await running.ask(Msg.QUERY_STATE_NEXT, QueryStateNext(id=opened.id))
        for _ in range(2):
            await ask_query(running, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=opened.id))
        await running.complete()


@conversation("foreigniterator", "an iterator belongs to the transaction that opened it", "1.4")
async def foreign_iterator(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, numbered(101))
    first = talk.proposal(talk.name(), "first", channel=channel)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with chaincode.transaction(first) as one:
        opened = await ask_range(one)
        async with chaincode.transaction(second) as other:
            await other.ask(Msg.QUERY_STATE_NEXT, QueryStateNext(id=opened.id))
            await ask_query(other, Msg.QUERY_STATE_CLOSE, QueryStateClose(id=opened.id))
            await other.complete()
        await ask_query(one, Msg.QUERY_STATE_NEXT, QueryStateNext(id=opened.id))
        await one.ask(Msg.QUERY_STATE_NEXT, QueryStateNext(id=opened.id))
        await one.complete()


@conversation("richrequests", "without CouchDB a rich query is an ERROR", "1.4")
async def rich_queries(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    page = serialize(QueryMetadata(pageSize=2))
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for text in ("", "{}", '{"selector": {}}', "no json"):
            await running.ask(Msg.GET_QUERY_RESULT, GetQueryResult(query=text))
        paged = GetQueryResult(query="{}", metadata=page)
        await running.ask(Msg.GET_QUERY_RESULT, paged)
        await running.complete()


@conversation("emptyranges", "a range that holds nothing is an empty response", "1.4")
async def empty_ranges(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as running:
        for start, end in (("", ""), ("a", "b"), ("b", "a"), ("a", "a"), ("z", "")):
            await ask_range(running, start, end)
        await running.complete()


@conversation("histories", "a key's history is newest first, with writes and deletes", "1.4")
async def histories(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    steps = (("put", b"1"), ("put", b"2"), ("delete", b""), ("put", b"3"), ("empty", b""))
    for name, value in steps:
        proposal = talk.proposal(talk.name(), name, channel=channel)
        async with chaincode.transaction(proposal) as running:
            if name == "delete":
                await running.ask(Msg.DEL_STATE, DelState(key="k"))
            else:
                await running.ask(Msg.PUT_STATE, PutState(key="k", value=value))
            await running.complete()
        await talk.commit(proposal, running.answer)
    async with chaincode.transaction(talk.proposal(talk.name(), "r", channel=channel)) as running:
        await ask_history(running, "k")
        await running.ask(Msg.PUT_STATE, PutState(key="k", value=b"unseen"))
        await ask_history(running, "k")
        await running.complete()
