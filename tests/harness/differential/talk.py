"""One conversation with one target: what a scripted client and a scripted chaincode may do."""

from __future__ import annotations

import asyncio

import grpc
from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.orderer.ab_pb2 import BroadcastResponse
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.channels import ChannelMaker, orderer_name
from harness.differential.drafts import Draft
from harness.differential.events import Event
from harness.differential.links import Links
from harness.differential.material import FixedConsortium, FixedSigner
from harness.differential.recorder import Recorder
from harness.differential.streams import Line
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import wrap_code, write_archive
from treadle_fabric.wire import (
    BuiltProposal,
    assemble_transaction,
    block_data_hash,
    block_header_hash,
    sign_envelope,
    unpack_payload,
)

ANSWER_SECONDS = 40


class Talk(Recorder):
    """Everything heard is recorded under its source; setting up is not.

    ``cast`` has the identities. A conversation's channels and chaincodes are its own.
    """

    def __init__(self, *, key: str, title: str, links: Links, cast: FixedConsortium) -> None:
        super().__init__(title, links.target.texts)
        self.key = key
        self.links = links
        self.cast = cast
        self._maker = ChannelMaker(links, cast)
        self._heights: dict[str, int] = {}
        self._drafts = 0
        self._lines: list[Line] = []

    # -- setting up, unrecorded

    async def channel(self, suffix: str = "", *, capability: str = "V1_4_2") -> str:
        """A channel of this conversation, made and joined at its first mention."""
        name = f"{self.key}{suffix}"
        if name not in self._heights:
            self._heights[name] = 0  # so that nobody makes it twice
            await self._maker.make(name, capability=capability)
            self._heights[name] = 1
        return name

    def height(self, channel: str) -> int:
        """How many blocks the channel has, as far as this conversation made them."""
        return self._heights[channel]

    async def deployed(
        self, name: str = "probe", *, suffix: str = "", version: str = "1", **more: object
    ) -> Chaincode:
        """A chaincode that is installed, registered and instantiated with an Init of status 200."""
        channel = await self.channel(suffix)
        await self.quietly_install(name, version)
        chaincode = await self.registered(f"{self.ccid(name, version)}")
        await self.deploy(chaincode, name, channel=channel, version=version, **more)
        return chaincode

    async def deploy(
        self, chaincode: Chaincode, name: str, *, channel: str, version: str = "1", **more: object
    ) -> None:
        """Instantiate (or, with ``verb="upgrade"``, upgrade) on *channel*, Init answered 200."""
        verb = str(more.pop("verb", "deploy"))
        proposal = self.deployment(name, channel, version=version, verb=verb, **more)
        asking = asyncio.create_task(self._ask(proposal))
        call = await chaincode.line.read(ANSWER_SECONDS)
        await Transaction(chaincode, call).complete()
        answer = await asking
        assert answer.response.status == 200, answer.response.message
        await self.commit(proposal, answer, signer=self.cast.admin)

    async def quietly_install(self, name: str, version: str = "1") -> None:
        """Install without recording the answer."""
        answer = await self._ask(self.installation(name, version))
        assert answer.response.status == 200, answer.response.message

    async def registered(self, ccid: str) -> Chaincode:
        """A stream that has said REGISTER, REGISTERED and READY unrecorded."""
        chaincode = self.stream(ccid)
        await chaincode.register(ccid)
        for _ in range(2):
            message = await chaincode.line.read(ANSWER_SECONDS)
            assert message is not None, "refused"
        return chaincode

    def name(self, base: str = "probe") -> str:
        """The chaincode name that *base* stands for: the same for both targets, nobody else's."""
        return f"{base}-{self.key}"

    def ccid(self, base: str = "probe", version: str = "1") -> str:
        """``name:version`` of a chaincode of this conversation."""
        return f"{self.name(base)}:{version}"

    # -- making messages

    def proposal(
        self,
        chaincode: str,
        *args: bytes | str,
        channel: str,
        signer: FixedSigner | None = None,
        **parts: object,
    ) -> BuiltProposal:
        """A proposal to *chaincode* (a whole name); *parts* are fields of Draft."""
        return self.draft(chaincode, *args, channel=channel, signer=signer, **parts).build()

    def draft(
        self,
        chaincode: str,
        *args: bytes | str,
        channel: str,
        signer: FixedSigner | None = None,
        **parts: object,
    ) -> Draft:
        """The same, to be changed before ``build``."""
        self._drafts += 1
        return Draft(
            seed=f"{self.key} {self._drafts}",
            signer=signer or self.cast.client,
            channel_id=channel,
            chaincode=chaincode,
            args=[arg.encode() if isinstance(arg, str) else arg for arg in args],
            **parts,  # type: ignore[arg-type]
        )

    def installation(
        self, base: str, version: str = "1", raw: bytes | None = None
    ) -> BuiltProposal:
        """An install of a package that needs no building."""
        package = wrap_code(
            name=self.name(base), version=version, language="car", path="p", code=write_archive([])
        )
        content = package if raw is None else raw
        return self.proposal("lscc", "install", content, channel="", signer=self.cast.admin)

    def deployment(
        self, base: str, channel: str, *, verb: str = "deploy", **more: object
    ) -> BuiltProposal:
        """An instantiate or upgrade; *more* are fields of client.legacy.Deployment."""
        deployment = Deployment(name=self.name(base), **more)  # type: ignore[arg-type]
        args = deployment_args(verb, channel, deployment)
        return self.proposal("lscc", *args, channel=channel, signer=self.cast.admin)

    def envelope(
        self,
        proposal: BuiltProposal,
        *answers: ProposalResponse,
        signer: FixedSigner | None = None,
    ) -> Envelope:
        """The transaction of an endorsed proposal, signed by the client."""
        payload = assemble_transaction(proposal=proposal.proposal_bytes, responses=answers)
        return sign_envelope(signer or self.cast.client, payload)

    # -- saying and hearing, recorded

    def stream(self, label: str = "stream") -> Chaincode:
        """A new stream to the chaincode port; the source is ``chaincode <label>``, numbered."""
        return Chaincode(self, self.line(self.links.support.Register(), f"chaincode {label}"))

    def line(self, call: object, label: str, *, kind: type[Line] = Line) -> Line:
        """Record a gRPC stream under *label*."""
        line = kind(call, self.source(label), self.recording)
        self._lines.append(line)
        return line

    async def endorse(self, proposal: BuiltProposal, *, hint: str = "") -> ProposalResponse | None:
        """The endorser's answer, recorded; None where the call itself failed, recorded too."""
        source = self.source("endorsement")
        try:
            answer = await self._ask(proposal)
        except grpc.aio.AioRpcError as error:
            code, details = error.code().name, error.details() or ""
            self.hear(Event(source=source, kind="end", code=code, details=details))
            return None
        self.hear_message(source, answer, hint)
        return answer

    async def broadcast(self, envelope: Envelope) -> BroadcastResponse:
        """The orderer's answer, recorded."""
        answer = await self._send(envelope)
        self.hear_message(self.source("broadcast"), answer)
        return answer

    async def commit(
        self,
        proposal: BuiltProposal,
        *answers: ProposalResponse | None,
        signer: FixedSigner | None = None,
    ) -> Block:
        """Order the endorsed proposal as a block of its own and wait; unrecorded."""
        given = [answer for answer in answers if answer is not None]
        return await self.commit_envelope(self.envelope(proposal, *given, signer=signer))

    async def commit_envelope(self, envelope: Envelope) -> Block:
        """Order *envelope* as a block of its own; the committed block, unrecorded."""
        channel = self._channel_of(envelope)
        answer = await self._send(envelope)
        assert answer.status == 200, answer
        block = await self.links.committed(self.cast.admin, channel, self._heights[channel])
        self._heights[channel] += 1
        return block

    async def block(self, channel: str, number: int) -> Block:
        """A block as the peer has committed it, recorded."""
        block = await self.links.committed(self.cast.admin, channel, number)
        self.hear_message(self.source(f"block of {channel}"), block)
        return block

    # -- ending

    async def close(self) -> None:
        """Hear what is left over, hang up, and learn the names of this run's own hashes."""
        await asyncio.gather(*(line.hear_left_over() for line in self._lines))
        for channel, height in self._heights.items():
            for number in range(height):
                block = await self.links.committed(self.cast.admin, channel, number)
                if number == 0:
                    self.recording.names |= orderer_name(block)
                self._name(block_header_hash(block.header), f"hash of block {number} of {channel}")
                self._name(
                    block_data_hash(block.data.data), f"hash of the data of {number} of {channel}"
                )

    def _name(self, value: bytes, name: str) -> None:
        self.recording.names[value] = f"<{name}>"

    def _channel_of(self, envelope: Envelope) -> str:
        return unpack_payload(envelope).channel_id

    async def _ask(self, proposal: BuiltProposal) -> ProposalResponse:
        answer: ProposalResponse = await self.links.endorser.ProcessProposal(
            proposal.signed, timeout=ANSWER_SECONDS, wait_for_ready=True
        )
        return answer

    async def _send(self, envelope: Envelope) -> BroadcastResponse:
        call = self.links.ordering.Broadcast(timeout=ANSWER_SECONDS, wait_for_ready=True)
        await call.write(envelope)
        answer: BroadcastResponse = await call.read()
        await call.done_writing()
        return answer
