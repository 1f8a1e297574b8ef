"""What is a key, and in which order keys stand (wire §1.8)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    DelState,
    GetState,
    GetStateMetadata,
    PutState,
    PutStateMetadata,
    StateMetadata,
)
from harness.differential.catalog import conversation
from harness.differential.requests import ask_range, fill, paging
from harness.differential.talk import Talk

LAST = "\U0010ffff"


def composite(*parts: str) -> str:
    """The key that shims make of an object's type and attributes."""
    return "\0" + "".join(f"{part}\0" for part in parts)


@conversation("keyempty", "the empty key is a key: written, read, in ranges, deleted", "1.8", "A")
async def empty_key(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    write = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(write) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key=""))
        await transaction.ask(Msg.PUT_STATE, PutState(key="", value=b"empty"))
        await transaction.ask(Msg.PUT_STATE, PutState(key="a", value=b"1"))
        await transaction.complete()
    await talk.commit(write, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    read = talk.proposal(talk.name(), "read", channel=channel)
    async with chaincode.transaction(read) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key=""))
        await ask_range(transaction)
        await ask_range(transaction, "", "a")
        await transaction.ask(Msg.DEL_STATE, DelState(key=""))
        await transaction.complete()
    await talk.commit(read, transaction.answer)
    last = talk.proposal(talk.name(), "last", channel=channel)
    async with chaincode.transaction(last) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key=""))
        await ask_range(transaction)
        await transaction.complete()


@conversation("keyorder", "keys stand in the order of their UTF-8 bytes", "1.8", "1.7")
async def order(talk: Talk) -> None:
    chaincode = await talk.deployed()
    # In UTF-16 the emoji (a pair of surrogates) would stand before U+FF5E.
    keys = ["~", "Z", "a", "aa", "\N{FULLWIDTH TILDE}", "\N{GRINNING FACE}", "\x01", "\x7f"]
    keys += ["\x80", "é", "e\N{COMBINING ACUTE ACCENT}", "\ufffe", "\U00010000", LAST, "a\0", "0"]
    await fill(talk, chaincode, dict.fromkeys(keys, b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction)
        await ask_range(transaction, "a", "\N{GRINNING FACE}")
        await ask_range(transaction, "\N{GRINNING FACE}", LAST)
        await ask_range(transaction, "\x01", "a")
        await transaction.complete()


@conversation("keycomposite", "composite keys and partial ranges as shims make them", "1.8", "1.7")
async def composite_keys(talk: Talk) -> None:
    chaincode = await talk.deployed()
    keys = [
        composite("car", "blue", "1"),
        composite("car", "blue", "2"),
        composite("car", "blu", "3"),
        composite("car", "red"),
        composite("cars", "blue"),
        composite("car"),
        "car",
        "simple",
    ]
    await fill(talk, chaincode, dict.fromkeys(keys, b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for prefix in (composite("car", "blue"), composite("car"), composite("boat")):
            await ask_range(transaction, prefix, prefix + LAST)
        # The start that shims use in place of none, to leave composite keys out.
        await ask_range(transaction, "\x01", "")
        await ask_range(transaction, "", "")
        await transaction.complete()


@conversation(
    "keycompositepages", "pages of a partial composite range, bookmarks with U+0000", "1.8", "1.7"
)
async def composite_pages(talk: Talk) -> None:
    chaincode = await talk.deployed()
    keys = [composite("car", str(number)) for number in range(5)]
    await fill(talk, chaincode, dict.fromkeys([*keys, "simple"], b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        prefix = composite("car")
        for bookmark in ("", keys[2], keys[4]):
            await ask_range(transaction, prefix, prefix + LAST, metadata=paging(2, bookmark))
        await transaction.complete()


@conversation("keylast", "keys behind everything, and a range that ends at U+10FFFF", "1.8", "1.7")
async def last_keys(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await fill(talk, chaincode, dict.fromkeys([LAST, LAST * 2, f"{LAST}a", "a", f"a{LAST}"], b"v"))
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await ask_range(transaction, "", LAST)
        await ask_range(transaction, LAST, "")
        await ask_range(transaction, "a", f"a{LAST}")
        await ask_range(transaction, LAST, LAST * 2)
        await transaction.ask(Msg.GET_STATE, GetState(key=LAST))
        await transaction.complete()


@conversation("keynotext", "keys that are no UTF-8 are refused by every request", "1.8", "1.4")
async def no_text(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for bad in (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xc0\x80"):
            await transaction.ask(Msg.GET_STATE, b"\x0a" + bytes([len(bad)]) + bad)
        for kind in (
            Msg.PUT_STATE,
            Msg.DEL_STATE,
            Msg.GET_STATE_BY_RANGE,
            Msg.GET_HISTORY_FOR_KEY,
            Msg.GET_STATE_METADATA,
            Msg.GET_QUERY_RESULT,
            Msg.QUERY_STATE_NEXT,
            Msg.QUERY_STATE_CLOSE,
        ):
            await transaction.ask(kind, b"\x0a\x01\xff")
        await transaction.complete()


@conversation("keylong", "a key may be as long as it likes, and its value empty of meaning", "1.8")
async def long_keys(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    long, value = "k" * 70_000, bytes(range(256)) * 300
    write = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(write) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key=long, value=value))
        await transaction.complete()
    await talk.commit(write, transaction.answer)
    read = talk.proposal(talk.name(), "read", channel=channel)
    async with chaincode.transaction(read) as transaction:
        await transaction.ask(Msg.GET_STATE, GetState(key=long))
        await ask_range(transaction, "k", "l")
        await transaction.complete()


@conversation("keymetadata", "the metadata of odd keys, with odd names of entries", "1.8", "4.6")
async def metadata_of_odd_keys(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    await fill(talk, chaincode, {"": b"1", "\0a\0": b"2"})
    write = talk.proposal(talk.name(), "write", channel=channel)
    async with chaincode.transaction(write) as transaction:
        for key, name in (("", ""), ("\0a\0", "VALIDATION\0PARAMETER"), (LAST, LAST)):
            entry = StateMetadata(metakey=name, value=b"entry")
            await transaction.ask(Msg.PUT_STATE_METADATA, PutStateMetadata(key=key, metadata=entry))
        await transaction.complete()
    await talk.commit(write, transaction.answer)
    await talk.block(channel, talk.height(channel) - 1)
    read = talk.proposal(talk.name(), "read", channel=channel)
    async with chaincode.transaction(read) as transaction:
        for key in ("", "\0a\0", LAST):
            await transaction.ask(
                Msg.GET_STATE_METADATA, GetStateMetadata(key=key), hint="protos.StateMetadataResult"
            )
        await transaction.complete()
