"""A channel with a chaincode on it whose blocks are judged, and honest transactions for it."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fuzz.configuring import next_config
from fuzz.forging import NONCE
from fuzz.world import consortium, genesis, scratch
from harness.crafting import Forgery, results, write_set
from harness.onepeer import OnePeer
from treadle_fabric.policy import parse_policy, signed_by_any_member
from treadle_fabric.wire import serialize, set_transactions_filter

CAPABILITIES = ("V1_4_2", "V2_5")


@cache
def peer(capability: str) -> OnePeer:
    """Org1's peer, joined to a channel of this capability; nobody commits any more."""
    made = OnePeer(scratch() / f"peer-{capability}", consortium())
    made.channels.join(genesis(capability))
    policy = parse_policy("OR('Org1MSP.member','Org2MSP.member')")
    if capability == CAPABILITIES[0]:
        asyncio.run(made.instantiate("probe", policy=policy))
    else:
        _define(made)
    return made


def _define(one: OnePeer) -> None:
    """Write what the other channel's lscc wrote: a chaincode from before the capability."""
    with peer(CAPABILITIES[0]).channel().ledger.reader() as reader:
        definition = reader.get_state("lscc", "probe")
    assert definition is not None
    written = results(("lscc", write_set(writes={"probe": definition})))
    people = consortium()
    block = one.next_block(
        Forgery(creator=people.admin, endorsers=[people.peer], results=written).envelope()
    )
    set_transactions_filter(block, bytes(1))
    one.channel().ledger.commit(block)
    one.channel().advance(height=2, bundle=None)


@cache
def honest(capability: str) -> tuple[bytes, ...]:
    """Transactions that are valid there, or were if a chaincode was defined."""
    people = consortium()
    event = ChaincodeEvent(chaincode_id="probe", event_name="e", payload=b"p").SerializeToString()
    writes = write_set(writes={"a": "1"}, policies={"a": "Org1MSP"}, reads={"b": None})
    ranged = write_set(reads={"r": None})
    ranged.range_queries_info.add(start_key="a", end_key="z", itr_exhausted=True)
    hashed = write_set()
    hashes = hashed.range_queries_info.add(start_key="", end_key="", itr_exhausted=True)
    hashes.reads_merkle_hashes.max_degree = 2

    def forged(*sets: tuple[str, KVRWSet], **fields: Any) -> bytes:
        given = {"creator": people.client, "endorsers": [people.peer], "nonce": NONCE} | fields
        return Forgery(**given, results=results(*sets)).envelope()

    return (
        forged(("probe", writes), events=event),
        forged(("probe", ranged), endorsers=[people.peer, people.peer2]),
        forged(("probe", hashed), ("lscc", write_set(reads={"probe": (1, 0)}))),
        forged(chaincode="qscc"),
        _deployment(capability),
        serialize(next_config(capability)),
    )


def _deployment(capability: str) -> bytes:
    """A deploy of another chaincode, as far as the capability has such a thing."""
    one, people = peer(CAPABILITIES[0]), consortium()

    async def endorsed() -> bytes:
        await one.install("second")
        proposal, answer = await one.deploy("second", policy=signed_by_any_member(["Org1MSP"]))
        assert answer.response.status == 200, answer.response.message
        return one.transaction(proposal, answer, signer=people.admin)

    return asyncio.run(endorsed())
