"""From install to a committed invoke."""

from __future__ import annotations

from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from harness.onepeer import OnePeer, puts


async def test_a_chaincode_is_installed_deployed_and_invoked(peer: OnePeer) -> None:
    answer = await peer.install("cc")
    assert (answer.response.status, answer.response.payload) == (200, b"OK")
    await peer.instantiate("cc")
    peer.executor.scripts["cc"] = puts(a="1")
    proposal, answer = await peer.propose("cc", "go")
    assert answer.response.status == 200
    assert answer.version == 1
    payload = ProposalResponsePayload.FromString(answer.payload)
    action = ChaincodeAction.FromString(payload.extension)
    assert (action.chaincode_id.name, action.chaincode_id.version) == ("cc", "1")
    committed = await peer.commit(peer.transaction(proposal, answer))
    assert committed.codes == [0]
    with peer.channel().ledger.reader() as reader:
        assert reader.get_state("cc", "a") == b"1"
