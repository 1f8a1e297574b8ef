"""The real peer is asked the same, byte for byte; the answers must be the same."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, ProposalResponsePayload
from harness.onepeer import CHANNEL
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.identity import SigningIdentity
from treadle_fabric.policy import signed_by_any_member
from treadle_fabric.wire import BuiltProposal

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


async def test_admins_of_every_organisation_deploy_the_same(pair: Any) -> None:
    consortium = pair.ours.consortium

    def attempt(signer: SigningIdentity, **more: Any) -> BuiltProposal:
        args = deployment_args("deploy", CHANNEL, Deployment(name="other", version="1", **more))
        proposal: BuiltProposal = pair.ours.proposal("lscc", *args, signer=signer)
        return proposal

    cases = [
        attempt(consortium.admin),
        attempt(consortium.admin2),
        attempt(consortium.peer2),
        attempt(consortium.admin2, policy=signed_by_any_member(["Org2MSP", "Org1MSP"])),
    ]
    different = []
    for number, case in enumerate(cases):
        here, there = await pair.ask(case)
        if readable(here) != readable(there):
            different.append((number, readable(here), readable(there)))
    assert not different
