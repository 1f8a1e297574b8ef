"""What the endorser counts about proposals, under Fabric's names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.onepeer import OnePeer
from harness.scripted_executor import outcome
from treadle_peer.endorse import ProposalRefused
from treadle_peer.execution import Call, CallKind, ExecutionError, Outcome
from treadle_peer.services.endorser import EndorserService
from treadle_peer.services.metrics import Metrics


class Counted:
    """The endorser service of a peer and its metrics."""

    def __init__(self, peer: OnePeer) -> None:
        self.metrics = Metrics(version="1", heights=dict)
        self.service = EndorserService(peer.parts.endorser, self.metrics.endorser)

    async def ask(self, signed: SignedProposal) -> ProposalResponse:
        return await self.service.process_proposal(signed)

    async def refused(self, signed: SignedProposal) -> None:
        with pytest.raises(ProposalRefused):
            await self.ask(signed)

    def value(self, name: str, **labels: str) -> float | None:
        sample = "_total" if not name.endswith("_count") else ""
        return self.metrics.registry.get_sample_value(f"endorser_{name}{sample}", labels)

    def failures(self) -> Mapping[str, float]:
        """All counters of failures that are not zero."""
        return {
            sample.name.removeprefix("endorser_").removesuffix("_total"): sample.value
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if "_failures_total" in sample.name and sample.value
        }


ABOUT = {"channel": "ch", "chaincode": "cc"}


@pytest.fixture
async def counted(peer: OnePeer) -> Counted:
    await peer.instantiate("cc")
    return Counted(peer)


async def test_an_endorsed_proposal_counts_as_successful(peer: OnePeer, counted: Counted) -> None:
    await counted.ask(peer.proposal("cc", "go").signed)
    assert counted.value("proposals_received") == 1
    assert counted.value("successful_proposals") == 1
    assert counted.value("proposal_duration_count", **ABOUT, success="true") == 1
    assert counted.failures() == {}


async def test_what_is_not_genuine_counts_without_names(peer: OnePeer, counted: Counted) -> None:
    proposal = peer.proposal("cc", "go")
    forged = SignedProposal(proposal_bytes=proposal.proposal_bytes, signature=b"x")
    await counted.refused(forged)
    await counted.refused(SignedProposal(proposal_bytes=b"\xff"))
    assert counted.failures() == {"proposal_validation_failures": 2}
    assert counted.value("proposals_received") == 2


async def test_an_expired_certificate_counts_as_no_failure(peer: OnePeer, counted: Counted) -> None:
    past = timedelta(seconds=-60)
    expired = peer.consortium.org1.issue_identity("client", "old", lifetime=past)
    await counted.refused(peer.proposal("cc", "go", signer=expired).signed)
    assert counted.failures() == {}


async def test_a_repeated_and_a_forbidden_proposal_count_apart(
    peer: OnePeer, counted: Counted
) -> None:
    proposal, answer = await peer.propose("cc", "go")
    await peer.commit(peer.transaction(proposal, answer))
    await counted.refused(proposal.signed)
    await counted.refused(peer.proposal("cc", "go", signer=peer.consortium.orderer).signed)
    assert counted.failures() == {"duplicate_transaction_failures": 1, "proposal_acl_failures": 1}
    assert counted.value("duplicate_transaction_failures", **ABOUT) == 1
    assert counted.value("proposal_acl_failures", **ABOUT) == 1


async def test_a_channel_that_is_not_joined_leaves_no_name_behind(
    peer: OnePeer, counted: Counted
) -> None:
    answer = await counted.ask(peer.proposal("cc", "go", channel_id="invented").signed)
    assert answer.response.status == 500
    assert b"invented" not in counted.metrics.render()
    assert counted.failures() == {}


async def test_an_undefined_chaincode_counts_as_no_failure(peer: OnePeer, counted: Counted) -> None:
    await counted.ask(peer.proposal("nothing", "go").signed)
    assert counted.failures() == {}
    about = {"channel": "ch", "chaincode": "nothing"}
    assert counted.value("proposal_duration_count", **about, success="false") == 1


async def test_failed_simulations_and_unendorsed_answers_count_apart(
    peer: OnePeer, counted: Counted
) -> None:
    async def fail(call: Call) -> Outcome:
        raise ExecutionError("transaction returned with failure: no")

    async def decline(call: Call) -> Outcome:
        return outcome(450)

    async def refuse(call: Call) -> Outcome:
        return outcome(500)

    for script in (fail, decline, refuse):
        peer.executor.scripts["cc"] = script
        await counted.ask(peer.proposal("cc", "go").signed)
    assert counted.failures() == {"proposal_simulation_failures": 1, "endorsement_failures": 1}
    assert counted.value("proposal_simulation_failures", **ABOUT) == 1
    assert counted.value("endorsement_failures", **ABOUT, chaincodeerror="true") == 1


async def test_a_failed_init_counts_for_the_chaincode_and_not_for_lscc(
    peer: OnePeer, counted: Counted
) -> None:
    async def fail(call: Call) -> Outcome:
        assert call.kind is CallKind.INIT
        raise ExecutionError("no")

    await peer.install("new")
    peer.executor.scripts["new"] = fail
    proposal, _ = await peer.deploy("new")
    answer = await counted.ask(proposal.signed)
    assert answer.response.message == "error in simulation: no"
    assert counted.failures() == {"chaincode_instantiation_failures": 1}
    about = {"channel": "ch", "chaincode": "new"}
    assert counted.value("chaincode_instantiation_failures", **about) == 1


async def test_chaincode_is_told_until_when_an_answer_helps(
    peer: OnePeer, counted: Counted
) -> None:
    now = asyncio.get_running_loop().time()
    await counted.service.process_proposal(peer.proposal("cc", "go").signed, patience=30.0)
    await counted.ask(peer.proposal("cc", "go").signed)
    hurried, patient = (call.answer_by for call in peer.executor.calls[-2:])
    assert hurried is not None
    assert 29.4 < hurried - now < 30.0
    assert patient is None
