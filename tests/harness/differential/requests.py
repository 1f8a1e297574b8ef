"""Requests that conversations about state and about calling others make again and again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetHistoryForKey,
    GetStateByRange,
    PutState,
    QueryMetadata,
    QueryResponse,
    QueryStateNext,
)
from google.protobuf.message import Message
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize

_SECONDS = 60
_ROWS = "protos.QueryResponse"
_HISTORY = "protos.QueryResponse,queryresult.KeyModification"
_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def fill(talk: Talk, chaincode: Chaincode, entries: Mapping[str, bytes], **where: str) -> str:
    """Commit *entries* in one transaction, unrecorded; an empty value deletes. Gives the tx id.

    *where*: ``base``, the chaincode's short name, and ``channel``.
    """
    channel = where.get("channel") or await talk.channel()
    proposal = talk.proposal(talk.name(where.get("base", "probe")), "fill", channel=channel)
    asking = talk.links.endorser.ProcessProposal(proposal.signed, timeout=_SECONDS)
    transaction = Transaction(chaincode, await chaincode.line.read(_SECONDS))
    for key, value in entries.items():
        await quietly(transaction, Msg.PUT_STATE, PutState(key=key, value=value))
    await transaction.complete()
    await talk.commit(proposal, await asking)
    return proposal.tx_id


async def quietly(transaction: Transaction, kind: int, payload: Message) -> bytes:
    """Ask without recording; the payload of the RESPONSE."""
    await transaction.say(kind, payload)
    answer: Msg = await transaction.chaincode.line.read(_SECONDS)
    assert answer.type == Msg.RESPONSE, answer
    return answer.payload


def numbered(count: int, prefix: str = "r") -> dict[str, bytes]:
    """Keys ``r0000`` and up, each with its number as value."""
    return {f"{prefix}{number:04d}": str(number).encode() for number in range(count)}


def paging(size: int = 0, bookmark: str = "") -> bytes:
    """The metadata of a paged query."""
    return serialize(QueryMetadata(pageSize=size, bookmark=bookmark))


async def ask_range(
    transaction: Transaction, start: str = "", end: str = "", *, metadata: bytes = b""
) -> QueryResponse:
    """GET_STATE_BY_RANGE; empty when it was refused."""
    wanted = GetStateByRange(startKey=start, endKey=end, metadata=metadata)
    return await ask_query(transaction, Msg.GET_STATE_BY_RANGE, wanted)


async def ask_history(transaction: Transaction, key: str) -> QueryResponse:
    """GET_HISTORY_FOR_KEY; empty when it was refused."""
    wanted = GetHistoryForKey(key=key)
    return await ask_query(transaction, Msg.GET_HISTORY_FOR_KEY, wanted, rows=_HISTORY)


async def ask_next(transaction: Transaction, last: QueryResponse, *, rows: str = _ROWS) -> None:
    """QUERY_STATE_NEXT until the iterator says that there is no more."""
    while last.has_more:
        wanted = QueryStateNext(id=last.id)
        last = await ask_query(transaction, Msg.QUERY_STATE_NEXT, wanted, rows=rows)


async def ask_next_history(transaction: Transaction, last: QueryResponse) -> None:
    """The same for a history."""
    await ask_next(transaction, last, rows=_HISTORY)


async def ask_query(
    transaction: Transaction, kind: int, wanted: Message | bytes, *, rows: str = _ROWS
) -> QueryResponse:
    """Any request whose RESPONSE is a QueryResponse; the random id gets a name by its order.

    Only an id that is a random UUID gets one: any other stays as it is, and then differs.
    """
    answer = await transaction.ask(kind, wanted, hint=rows)
    if answer.type != Msg.RESPONSE:
        return QueryResponse()
    response = QueryResponse.FromString(answer.payload)
    texts = transaction.chaincode.talk.recording.texts
    if _RANDOM.fullmatch(response.id) and response.id not in texts:
        texts[response.id] = f"<iterator {sum(map(is_iterator, texts.values()))}, a random UUID>"
    return response


def is_iterator(name: str) -> bool:
    """Whether a name of the recording is one that ``ask_query`` gave."""
    return name.startswith("<iterator ")


def callee(name: str, *args: bytes | str, is_init: bool = False) -> ChaincodeSpec:
    """What INVOKE_CHAINCODE carries; *name* may have a version and a channel."""
    return ChaincodeSpec(
        type=ChaincodeSpec.GOLANG,
        chaincode_id=ChaincodeID(name=name),
        input=ChaincodeInput(args=_bytes(args), is_init=is_init),
    )


async def invoke(transaction: Transaction, name: str, *args: bytes | str) -> None:
    """Say INVOKE_CHAINCODE; the answer comes when the callee is done."""
    await transaction.say(Msg.INVOKE_CHAINCODE, callee(name, *args))


async def hear_callee(transaction: Transaction, hint: str = "") -> None:
    """Hear the answer to INVOKE_CHAINCODE; *hint*: what the callee's payload is."""
    await transaction.chaincode.line.hear(f"protos.ChaincodeMessage,{hint}")


async def called(chaincode: Chaincode) -> Transaction:
    """Hear the call of another chaincode."""
    return Transaction(chaincode, await chaincode.called())


def _bytes(args: Sequence[bytes | str]) -> list[bytes]:
    return [arg.encode() if isinstance(arg, str) else arg for arg in args]
