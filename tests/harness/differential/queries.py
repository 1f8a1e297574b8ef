"""Iterators of a conversation: their ids are random, so each gets a name where it first appears."""

from __future__ import annotations

import re

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import QueryResponse
from google.protobuf.message import Message
from harness.differential.chaincode import Transaction

PAIRS = "protos.QueryResponse,queryresult.KV"
CHANGES = "protos.QueryResponse,queryresult.KeyModification"

_RANDOM_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def query(
    transaction: Transaction, kind: int, payload: Message | bytes = b"", *, hint: str = PAIRS
) -> QueryResponse:
    """Ask and hear the answer, also when it is an ERROR (an empty response then).

    From here on the iterator's id reads ``<query N>``; an id that is no random UUID stays as it
    is, and differs.
    """
    answer = await transaction.ask(kind, payload, hint=hint)
    if answer.type != Msg.RESPONSE:
        return QueryResponse()
    response = QueryResponse.FromString(answer.payload)
    texts = transaction.chaincode.talk.recording.texts
    if _RANDOM_UUID.fullmatch(response.id) and response.id not in texts:
        number = sum(name.startswith("<query ") for name in texts.values()) + 1
        texts[response.id] = f"<query {number}>"
    return response
