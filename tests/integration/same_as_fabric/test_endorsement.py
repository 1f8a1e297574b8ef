"""The real peer is asked the same, byte for byte; the answers must be the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fabric_protos.common.common_pb2 import Block, ChannelHeader, Header
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, ProposalResponsePayload
from harness.onepeer import CHANNEL
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_fabric.policy import signed_by_any_member
from treadle_fabric.wire import BuiltProposal, block_header_hash

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(120)]


def readable(answer: object) -> list[str]:
    """All of an answer but the signature, the one part that differs each time."""
    if not isinstance(answer, ProposalResponse):
        return [str(answer)]
    plain = ProposalResponse()
    plain.CopyFrom(answer)
    plain.ClearField("payload")
    plain.endorsement.ClearField("signature")
    calls = sorted(plain.interest.chaincodes, key=lambda call: call.name)
    del plain.interest.chaincodes[:]
    plain.interest.chaincodes.extend(calls)
    presence = [name for name in ("endorsement", "interest") if answer.HasField(name)]
    return [str(plain), str(presence), *_payload(answer.payload), answer.payload.hex()]


def _payload(data: bytes) -> list[str]:
    if not data:
        return []
    payload = ProposalResponsePayload.FromString(data)
    action = ChaincodeAction.FromString(payload.extension)
    sets = TxReadWriteSet.FromString(action.results).ns_rwset
    parts = [f"{entry.namespace}: {KVRWSet.FromString(entry.rwset)}" for entry in sets]
    action.ClearField("results")
    return [payload.proposal_hash.hex(), str(action), *parts]


async def same(pair: Any, proposal: BuiltProposal) -> ProposalResponse | str:
    """Our answer, which is the real one's."""
    ours, real = await pair.ask(proposal)
    assert readable(ours) == readable(real)
    return ours


async def deploy(
    pair: Any, name: str, version: str = "1", verb: str = "deploy", **more: Any
) -> None:
    """Deploy at both and commit at both."""
    consortium = pair.ours.consortium
    deployment = Deployment(name=name, version=version, **more)
    proposal = pair.ours.proposal(
        "lscc", *deployment_args(verb, CHANNEL, deployment), signer=consortium.admin
    )
    answer = await same(pair, proposal)
    assert isinstance(answer, ProposalResponse)
    assert answer.response.status == 200, answer.response.message
    envelope = pair.ours.transaction(proposal, answer, signer=consortium.admin)
    await pair.commit(pair.ours.next_block(envelope))


STEPS = [
    ("get a", "get nothing"),
    ("put a 1", "put b 2", "get a"),
    ("put a 2", "delete b", "put empty "),
    ("range a z",),
    ("event happened payload", "put e 1"),
    ("event happened payload", "put e 1", "answer 299 fine"),
    ("put e 1", "answer 0 "),
    ("event happened payload", "put e 1", "answer 400 no"),
    ("answer 499 no",),
    ("event happened payload", "put e 1", "answer 500 broken"),
    ("put e 1", "answer 600 broken"),
    ("put e 1", "fail boom"),
    ("policy a Org2MSP", "put a 3"),
    ("call other go,put x 1,get y", "put c 1"),
    ("call other go,answer 500 no",),
    ("call other go,answer 404 no",),
    ("call other go,fail boom",),
    ("call nobody go",),
    ("call nobody/elsewhere go",),
    ("call other/elsewhere go",),
    ("call probe go",),
    ("call other go,call probe go",),
    ("call cscc GetChannels",),
    ("call qscc GetChainInfo,ch",),
    ("call lscc getchaincodes",),
    ("call lscc getid,ch,other",),
    ("call lscc getid,ch,nobody",),
    ("call lscc getccdata,ch,other",),
]


async def test_endorsements_are_the_same(pair: Any) -> None:
    for name in ("probe", "other"):
        await deploy(pair, name, args=(b"init", b"put started yes"))
    seed = pair.ours.proposal("probe", "go", "put a 0", "put b 0", "policy b Org1MSP")
    answer = await same(pair, seed)
    await pair.commit(pair.ours.next_block(pair.ours.transaction(seed, answer)))
    different = []
    for steps in STEPS:
        ours, real = await pair.ask(pair.ours.proposal("probe", "go", *steps))
        if readable(ours) != readable(real):
            different.append((steps, readable(ours), readable(real)))
    assert not different


QUERIES: list[tuple[str, tuple[str | bytes, ...]]] = [
    ("lscc", ("getid", CHANNEL, "probe")),
    ("lscc", ("getid", CHANNEL, "nobody")),
    ("lscc", ("getid", "nowhere", "probe")),
    ("lscc", ("getccdata", CHANNEL, "probe")),
    ("lscc", ("getdepspec", CHANNEL, "probe")),
    ("lscc", ("getdepspec", CHANNEL, "nobody")),
    ("lscc", ("getchaincodes",)),
    ("lscc", ("getchaincodes", "too", "many")),
    ("lscc", ("getinstalledchaincodes",)),
    ("lscc", ("getinstalledchaincodes", "x")),
    ("lscc", ("GetCollectionsConfig", "probe")),
    ("lscc", ("install",)),
    ("lscc", ("install", "rubbish")),
    ("lscc", ("deploy", CHANNEL)),
    ("lscc", ("deploy", CHANNEL, b"\xff")),
    ("lscc", ("deploy", "", "")),
    ("lscc", ("nothing",)),
    ("lscc", ()),
    ("cscc", ("GetChannels",)),
    ("cscc", ("GetConfigBlock", CHANNEL)),
    ("cscc", ("GetConfigBlock", "nowhere")),
    ("cscc", ("GetChannelConfig", "")),
    ("cscc", ("GetConfigBlock",)),
    ("cscc", ("Nothing", "x")),
    ("cscc", ("JoinChain", "rubbish")),
    ("cscc", ("JoinChain", b"")),
    ("cscc", ()),
    ("qscc", ("GetChainInfo", CHANNEL)),
    ("qscc", ("GetChainInfo", "nowhere")),
    ("qscc", ("GetChainInfo",)),
    ("qscc", ("GetBlockByNumber", CHANNEL, "1")),
    ("qscc", ("GetBlockByNumber", CHANNEL, "18446744073709551615")),
    ("qscc", ("GetBlockByNumber", CHANNEL, "18446744073709551616")),
    ("qscc", ("GetBlockByNumber", CHANNEL, "7")),
    ("qscc", ("GetBlockByNumber", CHANNEL, "x")),
    ("qscc", ("GetBlockByNumber", CHANNEL, "")),
    ("qscc", ("GetBlockByNumber", CHANNEL)),
    ("qscc", ("GetBlockByHash", CHANNEL, "y")),
    ("qscc", ("GetTransactionByID", CHANNEL, "z")),
    ("qscc", ("GetBlockByTxID", CHANNEL, "z")),
    ("qscc", ("Nothing", CHANNEL, "z")),
    ("nobody", ("go",)),
    ("other", ("go",)),
]


async def test_system_chaincodes_answer_the_same(pair: Any) -> None:
    await deploy(pair, "probe")
    ours = pair.ours
    answer = await ours.propose("qscc", "GetBlockByNumber", CHANNEL, "1", channel_id="")
    block = Block.FromString(answer[1].response.payload)
    stored: list[tuple[str, tuple[str | bytes, ...]]] = [
        ("qscc", ("GetBlockByHash", CHANNEL, block_header_hash(block.header))),
        ("qscc", ("GetBlockByHash", CHANNEL, block.header.previous_hash)),
    ]
    different = []
    for chaincode, args in QUERIES + stored:
        for channel_id in ("", CHANNEL):
            for signer in (ours.consortium.client, ours.consortium.admin, ours.consortium.client2):
                proposal = ours.proposal(chaincode, *args, channel_id=channel_id, signer=signer)
                here, there = await pair.ask(proposal)
                if readable(here) != readable(there):
                    case = (chaincode, args, channel_id, signer.msp_id)
                    different.append((case, readable(here), readable(there)))
    assert not different


def _changed(proposal: BuiltProposal, signer: SigningIdentity, **header: Any) -> BuiltProposal:
    """The proposal with other fields in its channel header, signed anew."""
    whole = Proposal.FromString(proposal.proposal_bytes)
    parts = Header.FromString(whole.header)
    channel = ChannelHeader.FromString(parts.channel_header)
    for name, value in header.items():
        setattr(channel, name, value)
    parts.channel_header = channel.SerializeToString()
    whole.header = parts.SerializeToString()
    raw = whole.SerializeToString()
    return _signed(proposal, raw, signer.sign(raw))


def _signed(proposal: BuiltProposal, raw: bytes, signature: bytes) -> BuiltProposal:
    signed = SignedProposal(proposal_bytes=raw, signature=signature)
    return BuiltProposal(raw, proposal.tx_id, signed)


async def test_refusals_are_the_same(pair: Any) -> None:
    await deploy(pair, "probe")
    ours, consortium = pair.ours, pair.ours.consortium
    stranger = GeneratedOrganization.generate(msp_id="Org1MSP", domain="elsewhere.example")
    foreign = GeneratedOrganization.generate(msp_id="NobodyMSP", domain="nobody.example")
    expired = consortium.org1.issue_identity("client", "old", lifetime=timedelta(seconds=-60))
    good = ours.proposal("probe", "go")
    committed, answer = await ours.propose("probe", "go")
    await pair.commit(ours.next_block(ours.transaction(committed, answer)))
    client = consortium.client
    raw = good.proposal_bytes
    cases = [
        committed,
        _changed(good, client, tx_id="x"),
        _changed(good, client, epoch=1),
        _changed(good, client, type=2),
        _changed(good, client, type=99),
        _changed(good, client, type=1),
        _changed(good, client, channel_id="nowhere"),
        _changed(good, client, channel_id=""),
        _changed(good, client, extension=b""),
        _changed(good, client, extension=b"\x12\x00"),
        _changed(good, client, extension=b"\xff"),
        _signed(good, raw, b""),
        _signed(good, raw, b"no signature"),
        _signed(good, raw, client.sign(b"something else")),
        _signed(good, b"", b""),
        _signed(good, b"\xff", b""),
        ours.proposal("probe", "go", signer=stranger.issue_identity("client", "x")),
        ours.proposal("probe", "go", signer=foreign.issue_identity("client", "x")),
        ours.proposal("probe", "go", signer=expired),
        ours.proposal("lscc", "getchaincodes", signer=consortium.orderer),
        ours.proposal("probe", "go", signer=consortium.orderer),
    ]
    different = []
    for number, case in enumerate(cases):
        here, there = await pair.ask(case)
        if readable(here) != readable(there):
            different.append((number, readable(here), readable(there)))
    assert not different


async def test_the_lifecycle_refuses_the_same(pair: Any) -> None:
    consortium = pair.ours.consortium
    await deploy(pair, "probe")

    def attempt(verb: str, name: str, version: str, **more: Any) -> BuiltProposal:
        signer = more.pop("signer", consortium.admin)
        extra = more.pop("extra", [])
        args = deployment_args(verb, CHANNEL, Deployment(name=name, version=version, **more))
        proposal: BuiltProposal = pair.ours.proposal("lscc", *args, *extra, signer=signer)
        return proposal

    failing = (b"init", b"put a 1", b"answer 500 broken")
    cases = [
        attempt("deploy", "probe", "1"),
        attempt("deploy", "probe", "2"),
        attempt("deploy", "other", "1"),
        attempt("deploy", "other", "2"),
        attempt("deploy", "bad name", "1"),
        attempt("deploy", "other", "1/2"),
        attempt("deploy", "lscc", "1"),
        attempt("deploy", "other", "1", signer=consortium.client),
        attempt("deploy", "other", "1", signer=consortium.admin2),
        attempt("deploy", "other", "1", signer=consortium.peer2),
        attempt("deploy", "other", "1", args=failing),
        attempt("deploy", "other", "1", args=(b"init", b"fail broken")),
        attempt("deploy", "other", "1", extra=[b""]),
        attempt("deploy", "other", "1", extra=[b"", b"too many"]),
        attempt("deploy", "other", "1", policy=signed_by_any_member(["Org2MSP", "Org1MSP"])),
        attempt("upgrade", "probe", "1"),
        attempt("upgrade", "probe", "2"),
        attempt("upgrade", "probe", "2", signer=consortium.client),
        attempt("upgrade", "other", "1"),
        attempt("upgrade", "probe", "3"),
    ]
    different = []
    for number, case in enumerate(cases):
        here, there = await pair.ask(case)
        if readable(here) != readable(there):
            different.append((number, readable(here), readable(there)))
    assert not different
