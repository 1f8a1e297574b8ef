"""Keys and values: single ones, ranges, pages, history, composite keys, large ones, many."""

from __future__ import annotations

import hashlib

from fabric_chaincode_python.fabric_shim.stub import ChaincodeStub
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.peer.chaincode_shim_pb2 import (
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
)
from numbers_in_text import whole_number

# The other shims replace an empty start key by this, which keeps composite keys out of a range.
FIRST_SIMPLE_KEY = "\x01"
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"


def _text(value: bytes) -> str | None:
    """A value as JSON shows it; a missing one is null."""
    return value.decode() if value else None


def _filler(size: int) -> bytes:
    """A value of that many bytes: a to z, over and over."""
    return (ALPHABET * (size // len(ALPHABET) + 1))[:size]


def _entry(item: KV) -> dict[str, str | None]:
    return {"key": item.key, "value": _text(item.value)}


async def set_value(stub: ChaincodeStub, args: list[str]) -> object:
    """Write one key."""
    value = args[1].encode()
    await stub.put_state(args[0], value)
    return {"key": args[0], "bytes": len(value)}


async def get_value(stub: ChaincodeStub, args: list[str]) -> object:
    """Read one key."""
    return {"key": args[0], "value": _text(await stub.get_state(args[0]))}


async def delete(stub: ChaincodeStub, args: list[str]) -> object:
    """Delete one key."""
    await stub.delete_state(args[0])
    return {"key": args[0]}


async def range_of_keys(stub: ChaincodeStub, args: list[str]) -> object:
    """Read all keys from start (inclusive) to end (exclusive)."""
    results = await stub.get_state_by_range(args[0] or FIRST_SIMPLE_KEY, args[1])
    return [_entry(item) async for item in results]


async def page(stub: ChaincodeStub, args: list[str]) -> object:
    """Read one page of a range.

    The shim's own paging (2.5.4) drops the bookmark, so this asks its handler.
    """
    start, end, size, bookmark = args[:4]
    metadata = QueryMetadata(pageSize=whole_number("size", size), bookmark=bookmark)
    reply = await stub.client.handle_get_state_by_range(
        "",
        start or FIRST_SIMPLE_KEY,
        end,
        stub.get_channel_id(),
        stub.get_txid(),
        metadata=metadata.SerializeToString(),
    )
    response = QueryResponse.FromString(reply.payload)
    told = QueryResponseMetadata.FromString(response.metadata)
    return {
        "items": [_entry(KV.FromString(result.resultBytes)) for result in response.results],
        "fetched": told.fetched_records_count,
        "bookmark": told.bookmark,
    }


async def history(stub: ChaincodeStub, args: list[str]) -> object:
    """List the committed changes of one key, newest first."""
    return [
        {
            "txId": change.tx_id,
            "value": _text(change.value),
            "deleted": change.is_delete,
            "seconds": change.timestamp.seconds,
        }
        async for change in await stub.get_history_for_key(args[0])
    ]


async def tag(stub: ChaincodeStub, args: list[str]) -> object:
    """Write under a composite key."""
    value, object_type, attributes = args[0], args[1], args[2:]
    await stub.put_state(stub.create_composite_key(object_type, attributes), value)
    return {"type": object_type, "attributes": attributes, "value": value}


async def tags(stub: ChaincodeStub, args: list[str]) -> object:
    """Read by the beginning of a composite key."""
    results = await stub.get_state_by_partial_composite_key(args[0], args[1:])
    return [
        {"attributes": stub.split_composite_key(item.key)[1], "value": item.value.decode()}
        async for item in results
    ]


async def blob(stub: ChaincodeStub, args: list[str]) -> object:
    """Write one value of the given size."""
    size = whole_number("size", args[1])
    await stub.put_state(args[0], _filler(size))
    return {"key": args[0], "bytes": size}


async def digest(stub: ChaincodeStub, args: list[str]) -> object:
    """Tell length and hash of one value."""
    value = await stub.get_state(args[0])
    return {"key": args[0], "bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}


async def bulk(stub: ChaincodeStub, args: list[str]) -> object:
    """Write many keys."""
    first = whole_number("from", args[1])
    count = whole_number("count", args[2])
    value = _filler(whole_number("size", args[3]))
    for number in range(first, first + count):
        await stub.put_state(f"{args[0]}{number:08}", value)
    return {"written": count}


async def scan(stub: ChaincodeStub, args: list[str]) -> object:
    """Hash a whole range: key, zero byte, value, zero byte of each entry."""
    digest, count = hashlib.sha256(), 0
    async for item in await stub.get_state_by_range(args[0] or FIRST_SIMPLE_KEY, args[1]):
        digest.update(item.key.encode() + b"\0" + item.value + b"\0")
        count += 1
    return {"count": count, "sha256": digest.hexdigest()}
