"""Both peers get the same blocks, honest and forged; codes and commit hashes must be the same."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.common.common_pb2 import BlockMetadataIndex, HeaderType
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.configuration_pb2 import ACLs, APIResource
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.both_peers import Pair, commit, deploy, forge
from harness.crafting import results, write_set
from harness.onepeer import CHANNEL
from treadle_fabric.channelconfig import compute_update, propose_update, update_transaction
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.wire import build_envelope, get_metadata

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(120)]


BOTH = "AND('Org1MSP.peer','Org2MSP.peer')"


async def test_malformed_transactions_get_the_same_codes(pair: Pair) -> None:
    await deploy(pair, "probe")
    consortium = pair.ours.consortium
    stranger = GeneratedOrganization.generate(msp_id="Org1MSP", domain="elsewhere.example")
    codes = await commit(
        pair,
        forge(pair),
        forge(pair, payload=b"\xff"),
        forge(pair, header_type=99),
        forge(pair, header_type=2),
        forge(pair, epoch=1),
        forge(pair, nonce=b""),
        forge(pair, creator_bytes=b""),
        forge(pair, creator_bytes=b"\xff"),
        forge(pair, creator=stranger.issue_identity("client", "x")),
        forge(pair, signature=b"no signature"),
        forge(pair, signature=consortium.client.sign(b"else")),
        forge(pair, channel_id="elsewhere"),
        forge(pair, tx_id="x"),
        forge(pair, actions=0),
        forge(pair, actions=2),
        forge(pair, data=b""),
        forge(pair, data=b"\xff"),
        forge(pair, proposal_hash=b"x"),
        forge(pair, action_header=b""),
        forge(pair, action_header=b"\xff"),
        forge(pair, header_type=1, data=b""),
    )
    # A payload without header is not asked: it stops a real peer for good.
    assert codes[:3] == ["VALID", "BAD_PAYLOAD", "BAD_COMMON_HEADER"]
    assert "INVALID_CONFIG_TRANSACTION" in codes


async def test_inconsistent_results_get_the_same_codes(pair: Pair) -> None:
    await deploy(pair, "probe")
    written = write_set(writes={"k": "v"})
    event = ChaincodeEvent(chaincode_id="probe", event_name="e").SerializeToString()
    foreign = ChaincodeEvent(chaincode_id="other", event_name="e").SerializeToString()
    codes = await commit(
        pair,
        forge(pair, events=event),
        forge(pair, events=foreign),
        forge(pair, events=b"\xff"),
        forge(pair, header_extension=b"\xff"),
        forge(pair, header_extension=b""),
        forge(pair, header_extension=b"\x12\x00"),
        forge(pair, action=b""),
        forge(pair, action=b"\x1a\x00"),
        forge(pair, results=b"\xff"),
        forge(pair, results=results(("probe", b"\xff"))),
        forge(pair, results=b""),
        forge(pair, called=ChaincodeID(name="other", version="1")),
        forge(pair, called=ChaincodeID(name="probe")),
        forge(pair, called=ChaincodeID(version="1")),
        forge(pair, version="2"),
        forge(pair, chaincode="nobody"),
        forge(pair, chaincode=""),
        forge(pair, results=results(("probe", written), ("probe", written))),
        forge(pair, results=results(("lscc", written), ("probe", written))),
        forge(pair, results=results(("cscc", written))),
        forge(pair, results=results(("qscc", written))),
        forge(pair, results=results(("vscc", written))),
        forge(pair, results=results(("nobody", written))),
        forge(pair, results=results(("", written))),
        forge(pair, results=results(("_lifecycle", written))),
        forge(pair, results=results(("nobody", write_set(reads={"k": None})))),
        forge(pair, chaincode="vscc", results=b""),
        forge(pair, chaincode="escc", results=b""),
        forge(pair, chaincode="cscc", results=b""),
        forge(pair, chaincode="qscc", results=b""),
        forge(pair, chaincode="lscc", results=b""),
        forge(pair, chaincode="lscc", results=b"", args=(b"getid", b"ch", b"probe")),
        # Last: a real peer waits for ever with whatever comes behind an unreadable action.
        forge(pair, action=b"\xff"),
    )
    assert codes[0] == "VALID"
    for expected in (
        "BAD_HEADER_EXTENSION",
        "BAD_RESPONSE_PAYLOAD",
        "BAD_RWSET",
        "EXPIRED_CHAINCODE",
    ):
        assert expected in codes


async def test_endorsements_are_judged_the_same(pair: Pair) -> None:
    consortium = pair.ours.consortium
    await deploy(pair, "probe", BOTH)
    await deploy(pair, "other", "OutOf(2,'Org1MSP.member','Org2MSP.member','OrdererMSP.member')")
    first, second = consortium.peer, consortium.peer2
    another = consortium.org1.issue_identity("peer", "peer1")
    other = results(("other", write_set(writes={"k": "v"})))
    codes = await commit(
        pair,
        forge(pair, endorsers=[first, second]),
        forge(pair, endorsers=[second, first]),
        forge(pair, endorsers=[first]),
        forge(pair, endorsers=[]),
        forge(pair, endorsers=[first, first]),
        forge(pair, endorsers=[first, another]),
        forge(pair, endorsers=[first, another, second]),
        forge(pair, endorsers=[first, consortium.client2]),
        forge(pair, endorsers=[first, second], endorsement_payload=b"something else"),
        forge(pair, endorsers=[first, second], results=other),
        forge(pair, endorsers=[first], chaincode="other", results=other),
        forge(pair, endorsers=[first, consortium.client2], chaincode="other", results=other),
        forge(pair, endorsers=[first, consortium.orderer], chaincode="other", results=other),
        forge(pair, endorsers=[first, consortium.client2], chaincode="other"),
        forge(pair, endorsers=[first], results=b""),
    )
    assert codes[:2] == ["VALID", "VALID"]
    assert codes[2] == codes[3] == codes[4] == "ENDORSEMENT_POLICY_FAILURE"


async def test_duplicates_are_found_the_same(pair: Pair) -> None:
    await deploy(pair, "probe")
    committed, twice, bad = forge(pair), forge(pair), forge(pair, endorsers=[])
    await commit(pair, committed)
    codes = await commit(pair, committed, twice, twice, bad, bad)
    assert codes[:3] == ["DUPLICATE_TXID", "VALID", "DUPLICATE_TXID"]
    await commit(pair, bad)


async def test_conflicts_are_found_the_same(pair: Pair) -> None:
    await deploy(pair, "probe")

    def reads(**versions: tuple[int, int] | None) -> bytes:
        content = write_set(reads=versions, writes={"out": "x"})
        return forge(pair, results=results(("probe", content)))

    def writes(**values: str) -> bytes:
        return forge(pair, results=results(("probe", write_set(writes=values))))

    await commit(pair, writes(a="1", b="1"))
    codes = await commit(
        pair,
        reads(a=(2, 0)),
        reads(a=None),
        reads(a=(1, 0)),
        reads(nothing=None),
        writes(a="2"),
        reads(a=(2, 0)),
        writes(b=""),
        reads(b=None),
    )
    assert codes[:4] == ["VALID", "MVCC_READ_CONFLICT", "MVCC_READ_CONFLICT", "VALID"]


async def test_key_policies_are_judged_the_same(pair: Pair) -> None:
    consortium = pair.ours.consortium
    await deploy(pair, "probe")
    first, second = consortium.peer, consortium.peer2

    def change(*endorsers: Any, policies: dict[str, str] | None = None, **values: str) -> bytes:
        content = write_set(writes=values, policies=policies)
        return forge(pair, endorsers=endorsers, results=results(("probe", content)))

    await commit(pair, change(first, a="1", b="1", c="1"))
    await commit(pair, change(first, policies={"a": "Org2MSP", "new": "Org2MSP"}))
    codes = await commit(
        pair,
        change(first, a="2"),
        change(second, a="2"),
        change(first, second, a="2", b="2"),
        change(second, b="3"),
        change(first, policies={"a": "Org1MSP"}),
        change(first, new="1"),
        change(first, policies={"b": "Org2MSP"}),
        change(first, b="4"),
        change(second, policies={"b": "Org1MSP"}),
        change(policies={"c": "Org2MSP"}),
        change(first, c="2"),
        change(second, policies={"a": "Org1MSP"}),
        change(second, a="9"),
    )
    assert "ENDORSEMENT_POLICY_FAILURE" in codes
    await commit(pair, change(first, a="10"), change(second, b="10"), change(first, c="10"))


async def test_a_forged_query_may_write_nowhere_but_at_a_real_peer(pair: Pair) -> None:
    """The one deliberate difference: any member could overwrite any chaincode's state."""
    consortium = pair.ours.consortium
    await deploy(pair, "probe", BOTH)
    forged = forge(pair, chaincode="qscc", endorsers=[consortium.client], version="syscc")
    ours, real = await pair.commit(pair.ours.next_block(forged))
    assert ours.codes == [TxValidationCode.ILLEGAL_WRITESET]
    assert get_metadata(real, BlockMetadataIndex.TRANSACTIONS_FILTER) == b"\x00"


async def test_config_updates_take_effect_the_same(pair: Pair) -> None:
    """A new endorsement default is read from the new configuration, and orderers change, too."""
    consortium = pair.ours.consortium
    await deploy(pair, "probe")
    before = pair.ours.channel().bundle
    updated = Config()
    updated.CopyFrom(before.config)
    updated.channel_group.groups["Application"].values["ACLs"].mod_policy = "Admins"
    acls = ACLs(acls={"peer/Propose": APIResource(policy_ref="/Channel/Application/Admins")})
    updated.channel_group.groups["Application"].values["ACLs"].value = acls.SerializeToString()
    update = compute_update(before.config, updated, channel_id=CHANNEL)
    request = update_transaction(
        update=update,
        signers=[consortium.admin, consortium.admin2],
        submitter=consortium.admin,
    )
    envelope = build_envelope(
        signer=consortium.orderer,
        header_type=HeaderType.CONFIG,
        channel_id=CHANNEL,
        data=propose_update(before, request).SerializeToString(),
    )
    assert await commit(pair, envelope.SerializeToString()) == ["VALID"]
    assert pair.ours.channel().bundle.sequence == before.sequence + 1
    for signer in (consortium.client, consortium.admin):
        here, there = await pair.ask(pair.ours.proposal("probe", "go", signer=signer))
        assert isinstance(here, str) == isinstance(there, str)
        assert here == there if isinstance(here, str) else here.payload == there.payload
