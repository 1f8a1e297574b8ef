"""Codes of honest and forged transactions; the whole table is compared with a real peer elsewhere
(``integration/same_as_fabric``)."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import HashedRWSet, KVWriteHash
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.crafting import Forgery, results, write_set
from harness.onepeer import CHANNEL, OnePeer
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy

BOTH = parse_policy("AND('Org1MSP.peer','Org2MSP.peer')")
FOREIGN = ChaincodeEvent(chaincode_id="other", event_name="e").SerializeToString()
WRITE = write_set(writes={"k": "v"})


def forge(peer: OnePeer, **changes: Any) -> bytes:
    made = {
        "creator": peer.consortium.client,
        "endorsers": [peer.consortium.peer],
        "results": results(("cc", WRITE)),
        "chaincode": "cc",
    } | changes
    return Forgery(**made).envelope()


async def codes(peer: OnePeer, *envelopes: bytes) -> list[str]:
    committed = await peer.commit(*envelopes)
    return [TxValidationCode.Name(code) for code in committed.codes]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "VALID"),
        ({"payload": b"\xff"}, "BAD_PAYLOAD"),
        ({"header_type": 99}, "BAD_COMMON_HEADER"),
        ({"header_type": 2}, "UNSUPPORTED_TX_PAYLOAD"),
        ({"epoch": 1}, "BAD_COMMON_HEADER"),
        ({"nonce": b""}, "BAD_COMMON_HEADER"),
        ({"creator_bytes": b"x"}, "BAD_CREATOR_SIGNATURE"),
        ({"signature": b"x"}, "BAD_CREATOR_SIGNATURE"),
        ({"tx_id": "x"}, "BAD_PROPOSAL_TXID"),
        ({"actions": 0}, "INVALID_ENDORSER_TRANSACTION"),
        ({"actions": 2}, "INVALID_ENDORSER_TRANSACTION"),
        ({"proposal_hash": b"x"}, "INVALID_ENDORSER_TRANSACTION"),
        ({"header_type": 1, "data": b""}, "INVALID_CONFIG_TRANSACTION"),
        ({"header_extension": b"\xff"}, "BAD_HEADER_EXTENSION"),
        ({"header_extension": b""}, "INVALID_OTHER_REASON"),
        ({"action": b""}, "BAD_RESPONSE_PAYLOAD"),
        ({"action": b"\xff"}, "BAD_RESPONSE_PAYLOAD"),
        ({"results": b"\xff"}, "BAD_RWSET"),
        ({"results": results(("cc", b"\xff"))}, "BAD_RWSET"),
        ({"called": ChaincodeID(name="other", version="1")}, "INVALID_OTHER_REASON"),
        ({"called": ChaincodeID(name="cc")}, "INVALID_OTHER_REASON"),
        ({"events": FOREIGN}, "INVALID_OTHER_REASON"),
        ({"version": "2"}, "EXPIRED_CHAINCODE"),
        ({"chaincode": "nobody"}, "INVALID_OTHER_REASON"),
        ({"endorsers": []}, "ENDORSEMENT_POLICY_FAILURE"),
        ({"endorsement_payload": b"x"}, "ENDORSEMENT_POLICY_FAILURE"),
        ({"results": results(("cc", WRITE), ("cc", WRITE))}, "ILLEGAL_WRITESET"),
        ({"results": results(("lscc", WRITE))}, "ILLEGAL_WRITESET"),
        ({"results": results(("cscc", WRITE))}, "ILLEGAL_WRITESET"),
        ({"results": results(("nobody", WRITE))}, "INVALID_OTHER_REASON"),
        ({"chaincode": "vscc", "results": b""}, "ILLEGAL_WRITESET"),
        ({"chaincode": "qscc", "results": b""}, "VALID"),
        ({"chaincode": "lscc", "results": b""}, "ENDORSEMENT_POLICY_FAILURE"),
    ],
)
async def test_each_defect_has_its_code(peer: OnePeer, changes: dict[str, Any], code: str) -> None:
    await peer.instantiate("cc")
    # The first transaction names the block's channel, so it has to be readable.
    assert await codes(peer, forge(peer), forge(peer, **changes)) == ["VALID", code]


async def test_private_data_that_no_peer_of_ours_endorses_cannot_stop_the_channel(
    peer: OnePeer,
) -> None:
    await peer.instantiate("cc")
    forged = TxReadWriteSet.FromString(results(("cc", WRITE)))
    forged.ns_rwset[0].collection_hashed_rwset.add(
        collection_name="secrets",
        hashed_rwset=HashedRWSet(
            hashed_writes=[KVWriteHash(key_hash=b"k", value_hash=b"v")]
        ).SerializeToString(),
    )
    written = forged.SerializeToString()
    assert await codes(peer, forge(peer), forge(peer, results=written), forge(peer)) == [
        "VALID",
        "ILLEGAL_WRITESET",
        "VALID",
    ]


async def test_every_written_namespace_is_judged_by_its_own_policy(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    await peer.instantiate("guarded", policy=BOTH)
    written = results(("cc", WRITE), ("guarded", WRITE))
    first, second = peer.consortium.peer, peer.consortium.peer2
    assert await codes(
        peer,
        forge(peer, results=written, endorsers=[first]),
        forge(peer, results=written, endorsers=[first, first]),
        forge(peer, results=written, endorsers=[second, first]),
    ) == ["ENDORSEMENT_POLICY_FAILURE", "ENDORSEMENT_POLICY_FAILURE", "VALID"]


async def test_of_equal_ids_in_a_block_only_the_first_good_one_counts(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    committed, twice = forge(peer), forge(peer)
    await codes(peer, committed)
    assert await codes(peer, committed, twice, twice) == [
        "DUPLICATE_TXID",
        "VALID",
        "DUPLICATE_TXID",
    ]


async def test_a_key_policy_replaces_the_chaincodes_and_its_change_blocks_the_key(
    peer: OnePeer,
) -> None:
    await peer.instantiate("cc")
    first, second = peer.consortium.peer, peer.consortium.peer2
    change = results(("cc", write_set(policies={"k": "Org2MSP"})))
    assert await codes(peer, forge(peer), forge(peer, results=change), forge(peer)) == [
        "VALID",
        "VALID",
        "ENDORSEMENT_POLICY_FAILURE",
    ]
    assert await codes(peer, forge(peer, endorsers=[first]), forge(peer, endorsers=[second])) == [
        "ENDORSEMENT_POLICY_FAILURE",
        "VALID",
    ]


async def test_an_upgrade_invalidates_invokes_of_its_block(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    await peer.instantiate("other")
    await peer.install("cc", "2")
    proposal, answer = await peer.deploy("cc", "2", verb="upgrade")
    upgrade = peer.transaction(proposal, answer, signer=peer.consortium.admin)
    other = forge(peer, chaincode="other", results=b"")
    conflict = "CHAINCODE_VERSION_CONFLICT"
    assert await codes(peer, forge(peer), upgrade, other) == [conflict, "VALID", "VALID"]
    assert await codes(peer, forge(peer)) == ["EXPIRED_CHAINCODE"]


async def test_members_cannot_forge_a_deployment(peer: OnePeer) -> None:
    args = deployment_args("deploy", CHANNEL, Deployment(name="cc", version="1"))
    await peer.install("cc")
    proposal, answer = await peer.deploy("cc")
    honest = peer.transaction(proposal, answer, signer=peer.consortium.admin)
    written = results(("lscc", write_set(writes={"cc": answer.response.payload})))
    forged = forge(peer, chaincode="lscc", version="syscc", args=args, results=written)
    assert await codes(peer, forged, honest) == ["ENDORSEMENT_POLICY_FAILURE", "VALID"]
