"""Proposals that are refused, and those that fail later (fabric-wire.md §4.2, §4.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fabric_protos.peer.proposal_pb2 import SignedProposal
from harness.onepeer import OnePeer, puts
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.packages import write_archive
from treadle_fabric.wire import BuiltProposal
from treadle_peer.endorse import ProposalRefused
from treadle_peer.execution import Call, ExecutionError, Outcome


async def refusal(peer: OnePeer, signed: SignedProposal) -> str:
    with pytest.raises(ProposalRefused) as refused:
        await peer.process(signed)
    return str(refused.value)


def resigned(proposal: BuiltProposal, signature: bytes) -> SignedProposal:
    return SignedProposal(proposal_bytes=proposal.proposal_bytes, signature=signature)


async def test_a_signature_over_something_else_is_refused(peer: OnePeer) -> None:
    signature = peer.consortium.client.sign(b"something else")
    text = await refusal(peer, resigned(peer.proposal("cc", "go"), signature))
    assert text == "error validating proposal: access denied: channel [ch] creator org [Org1MSP]"


async def test_a_certificate_of_an_unknown_authority_is_refused(peer: OnePeer) -> None:
    stranger = GeneratedOrganization.generate(msp_id="NobodyMSP", domain="nobody.example")
    proposal = peer.proposal("cc", "go", signer=stranger.issue_identity("client", "x"))
    assert (await refusal(peer, proposal.signed)).endswith("creator is malformed")


async def test_an_expired_certificate_is_refused_first(peer: OnePeer) -> None:
    past = timedelta(seconds=-60)
    expired = peer.consortium.org1.issue_identity("client", "old", lifetime=past)
    text = await refusal(peer, peer.proposal("cc", "go", signer=expired).signed)
    assert text == "proposal client identity expired"


async def test_rubbish_is_refused(peer: OnePeer) -> None:
    text = await refusal(peer, SignedProposal(proposal_bytes=b"\xff"))
    assert text.startswith("failed parsing proposal: error unmarshalling Proposal: ")


async def test_a_committed_transaction_is_not_endorsed_again(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    proposal, answer = await peer.propose("cc", "go")
    await peer.commit(peer.transaction(proposal, answer))
    text = await refusal(peer, proposal.signed)
    assert text.startswith(f"duplicate transaction found [{proposal.tx_id}]. Creator [")


async def test_writers_only_may_propose(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    proposal = peer.proposal("cc", "go", signer=peer.consortium.orderer)
    assert "with policy [/Channel/Application/Writers]" in await refusal(peer, proposal.signed)


async def test_an_unknown_channel_is_a_response(peer: OnePeer) -> None:
    _, answer = await peer.propose("cc", "go", channel_id="nowhere")
    assert (answer.response.status, answer.response.message) == (500, "channel 'nowhere' not found")


async def test_an_unknown_chaincode_is_a_response(peer: OnePeer) -> None:
    _, answer = await peer.propose("cc", "go")
    assert answer.response.message == (
        "make sure the chaincode cc has been successfully defined on channel ch and try again: "
        "chaincode cc not found"
    )
    assert not answer.payload


async def test_a_failed_execution_names_the_simulation(peer: OnePeer) -> None:
    await peer.instantiate("cc")

    async def fail(call: Call) -> Outcome:
        raise ExecutionError("transaction returned with failure: boom")

    peer.executor.scripts["cc"] = fail
    _, answer = await peer.propose("cc", "go")
    assert answer.response.message == (
        "error in simulation: transaction returned with failure: boom"
    )
    assert not answer.payload


async def test_an_invoke_endorsed_before_an_upgrade_conflicts_with_it(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    peer.executor.scripts["cc"] = puts(a="1")
    proposal, answer = await peer.propose("cc", "go")
    await peer.instantiate("cc", "2", verb="upgrade")
    committed = await peer.commit(peer.transaction(proposal, answer))
    assert committed.codes == [17]


async def test_another_package_under_the_same_name_is_not_run(peer: OnePeer) -> None:
    await peer.instantiate("cc")
    peer.close()
    (peer.folder / "chaincodes" / "cc.1").unlink()
    peer.reopen()
    _, answer = await peer.propose("cc", "go")
    assert "failed security checks: invalid deployment spec: " in answer.response.message
    await peer.install("cc", code=write_archive({"other": b"code"}))
    _, answer = await peer.propose("cc", "go")
    assert answer.response.message.endswith(
        "failed security checks: chaincode fingerprint mismatch: data mismatch"
    )
