"""A peer without network: real organisations, ledger, policies, packages and system chaincodes.

Only the chaincode processes are scripted. Blocks are made and signed by a real orderer identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.scripted_executor import Script, ScriptedExecutor, outcome
from treadle_fabric.channelconfig import OrganizationDefinition, genesis_block
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_fabric.msp import load_local_msp
from treadle_fabric.packages import wrap_code
from treadle_fabric.wire import (
    BuiltProposal,
    assemble_transaction,
    block_header_hash,
    build_proposal,
    new_block,
    serialize,
    sign_block,
    sign_endorsement,
    sign_envelope,
)
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.channels import Channel, Channels
from treadle_peer.commit import Committer
from treadle_peer.endorse import build_endorsement
from treadle_peer.execution import Call, ChaincodeInvoker, Outcome
from treadle_peer.ledger import CommittedBlock, LedgerStore

CHANNEL = "ch"


class Consortium:
    """Two organisations and an orderer's; identities of everybody a test needs."""

    def __init__(self) -> None:
        generate = GeneratedOrganization.generate
        self.org1 = generate(msp_id="Org1MSP", domain="org1.example.com")
        self.org2 = generate(msp_id="Org2MSP", domain="org2.example.com")
        self.orderer_org = generate(msp_id="OrdererMSP", domain="example.com")
        self.peer = self.org1.issue_identity("peer", "peer0")
        self.admin = self.org1.issue_identity("admin", "admin")
        self.client = self.org1.issue_identity("client", "user")
        self.peer2 = self.org2.issue_identity("peer", "peer0")
        self.client2 = self.org2.issue_identity("client", "user")
        self.admin2 = self.org2.issue_identity("admin", "admin")
        self.orderer = self.orderer_org.issue_identity("orderer", "orderer")

    def genesis(
        self,
        channel_id: str = CHANNEL,
        capability: str = "V1_4_2",
        orderer_address: str = "127.0.0.1:7050",
    ) -> Block:
        """Block 0 of a channel of both organisations."""
        return joint_genesis(
            self.org1,
            self.org2,
            orderer=self.orderer_org,
            channel_id=channel_id,
            capability=capability,
            orderer_address=orderer_address,
        )


def joint_genesis(
    *organizations: GeneratedOrganization,
    orderer: GeneratedOrganization,
    channel_id: str,
    capability: str,
    orderer_address: str,
) -> Block:
    """Block 0 of a channel of *organizations*, ordered by *orderer*'s."""
    return genesis_block(
        channel_id=channel_id,
        organizations=[
            OrganizationDefinition(each.msp_id, each.msp_config()) for each in organizations
        ],
        orderer_organization=OrganizationDefinition(orderer.msp_id, orderer.msp_config()),
        orderer_addresses=[orderer_address],
        application_capability=capability,
    )


class OnePeer:
    """Org1's peer. ``reopen`` is what a restart does."""

    def __init__(self, folder: Path, consortium: Consortium) -> None:
        self.folder = folder
        self.consortium = consortium
        consortium.org1.write_msp(folder / "msp", consortium.peer)
        self._open()

    def _open(self) -> None:
        self.store = LedgerStore.open(self.folder / "ledgers")
        self.channels = Channels(self.store)
        self.packages = FilePackageStore(self.folder / "chaincodes")
        self.local_msp = load_local_msp(self.folder / "msp", msp_id="Org1MSP")
        made: list[ScriptedExecutor] = []

        def executor(invoker: ChaincodeInvoker) -> ScriptedExecutor:
            made.append(ScriptedExecutor(invoker))
            return made[0]

        self.parts = build_endorsement(
            channels=self.channels,
            packages=self.packages,
            local_msp=self.local_msp,
            executor=executor,
        )
        self.executor = made[0]
        self._committers: dict[str, Committer] = {}

    def close(self) -> None:
        """Let go of the folder."""
        self.store.close()

    def reopen(self) -> None:
        """Close and open again."""
        self.close()
        self._open()

    def channel(self, channel_id: str = CHANNEL) -> Channel:
        """A channel that is joined."""
        channel = self.channels.get(channel_id)
        assert channel is not None
        return channel

    def committer(self, channel_id: str = CHANNEL) -> Committer:
        """The channel's committer."""
        if channel_id not in self._committers:
            self._committers[channel_id] = Committer(self.channel(channel_id))
        return self._committers[channel_id]

    async def process(self, signed: SignedProposal) -> ProposalResponse:
        """What the endorser answers."""
        return (await self.parts.endorser.process(signed)).response

    async def propose(
        self,
        chaincode: str,
        *args: bytes | str,
        channel_id: str = CHANNEL,
        signer: SigningIdentity | None = None,
    ) -> tuple[BuiltProposal, ProposalResponse]:
        """A proposal of *signer* (the client by default) and its answer."""
        proposal = self.proposal(chaincode, *args, channel_id=channel_id, signer=signer)
        return proposal, await self.process(proposal.signed)

    def proposal(
        self,
        chaincode: str,
        *args: bytes | str,
        channel_id: str = CHANNEL,
        signer: SigningIdentity | None = None,
    ) -> BuiltProposal:
        """A signed proposal."""
        return build_proposal(
            signer=signer or self.consortium.client,
            channel_id=channel_id,
            chaincode_name=chaincode,
            args=[arg.encode() if isinstance(arg, str) else arg for arg in args],
        )

    async def install(self, name: str, version: str = "1", code: bytes = b"") -> ProposalResponse:
        """Install a development package as admin."""
        raw = wrap_code(name=name, version=version, language="car", path="p", code=code)
        _, answer = await self.propose(
            "lscc", "install", raw, channel_id="", signer=self.consortium.admin
        )
        return answer

    async def deploy(
        self,
        name: str,
        version: str = "1",
        *,
        verb: str = "deploy",
        policy: SignaturePolicyEnvelope | None = None,
        signer: SigningIdentity | None = None,
        channel_id: str = CHANNEL,
        args: Sequence[bytes] = (),
    ) -> tuple[BuiltProposal, ProposalResponse]:
        """Propose a deploy or upgrade as admin."""
        deployment = Deployment(name=name, version=version, policy=policy, args=tuple(args))
        return await self.propose(
            "lscc",
            *deployment_args(verb, channel_id, deployment),
            signer=signer or self.consortium.admin,
            channel_id=channel_id,
        )

    def transaction(
        self,
        proposal: BuiltProposal,
        *answers: ProposalResponse,
        signer: SigningIdentity | None = None,
    ) -> bytes:
        """The marshalled envelope of an endorsed proposal, signed by its creator."""
        payload = assemble_transaction(proposal=proposal.proposal_bytes, responses=answers)
        return serialize(sign_envelope(signer or self.consortium.client, payload))

    def next_block(self, *envelopes: bytes, channel_id: str = CHANNEL) -> Block:
        """The next block of a channel, as its orderer would make it."""
        ledger = self.channel(channel_id).ledger
        previous = block_header_hash(ledger.block(ledger.height - 1).header)
        block = new_block(ledger.height, previous, envelopes)
        sign_block(block, signer=self.consortium.orderer, last_config=0)
        return block

    async def commit(self, *envelopes: bytes, channel_id: str = CHANNEL) -> CommittedBlock:
        """Order and commit *envelopes* as one block."""
        block = self.next_block(*envelopes, channel_id=channel_id)
        return await self.committer(channel_id).deliver(block)

    async def instantiate(
        self,
        name: str,
        version: str = "1",
        *,
        verb: str = "deploy",
        policy: SignaturePolicyEnvelope | None = None,
        channel_id: str = CHANNEL,
    ) -> None:
        """Install, deploy (or upgrade) and commit."""
        if (await self.install(name, version)).response.status != 200:
            assert name in [package.name for package in self.packages.installed()]
        proposal, answer = await self.deploy(
            name, version, verb=verb, policy=policy, channel_id=channel_id
        )
        assert answer.response.status == 200, answer.response.message
        envelope = self.transaction(proposal, answer, signer=self.consortium.admin)
        committed = await self.commit(envelope, channel_id=channel_id)
        assert committed.codes == [0]

    def endorse_as(self, identity: SigningIdentity, answer: ProposalResponse) -> ProposalResponse:
        """The same answer, endorsed by another peer."""
        other = ProposalResponse()
        other.CopyFrom(answer)
        other.endorsement.CopyFrom(sign_endorsement(identity, answer.payload))
        return other


def puts(**values: str) -> Script:
    """A chaincode that writes *values*."""

    async def script(call: Call) -> Outcome:
        assert call.simulator is not None
        for key, value in values.items():
            call.simulator.set_state(call.chaincode_name, key, value.encode())
        return outcome()

    return script


def arguments(*args: str) -> ChaincodeInput:
    """Chaincode input."""
    return ChaincodeInput(args=[arg.encode() for arg in args])
