"""What several conversations ask peers: system chaincodes, packages, deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeDeploymentSpec,
    ChaincodeID,
    ChaincodeInput,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from fabric_protos.peer.query_pb2 import ChaincodeQueryResponse
from google.protobuf import text_format
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.drafts import Draft
from harness.differential.material import FixedSigner
from harness.differential.streams import Line
from harness.differential.talk import Talk
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import write_archive
from treadle_fabric.wire import BuiltProposal, serialize, unpack_proposal

Args = tuple[bytes | str, ...]

# What only one of the peers says must not come too late on a busy machine.
_TELLING_SECONDS = 2.0


class Attentive(Line):
    """A stream whose next word may be said by one of the peers only."""

    async def told(self) -> str:
        """The whole message that comes next, or ``CODE: details``, or ``silence``; unrecorded."""
        try:
            message = await self.read(_TELLING_SECONDS)
        except TimeoutError:
            return "silence"
        if message is not None:
            return text_format.MessageToString(message, as_one_line=True)
        end = f"{(await self._call.code()).name}: {await self._call.details()}"
        self.hang_up()  # or its end would be heard once more
        return end


def attentive(talk: Talk, label: str) -> Chaincode:
    """A new stream to the chaincode port, to be heard with ``told``."""
    calling = talk.links.support.Register()
    return Chaincode(talk, talk.line(calling, f"chaincode {label}", kind=Attentive))


async def told(chaincode: Chaincode) -> str:
    """What an attentive stream is told next."""
    assert isinstance(chaincode.line, Attentive)
    return await chaincode.line.told()


async def ask(
    talk: Talk,
    chaincode: str,
    *args: bytes | str,
    channel: str = "",
    signer: FixedSigner | None = None,
    hint: str = "",
) -> ProposalResponse | None:
    """Propose and record the answer; *hint* types the payload of its response."""
    proposal = talk.proposal(chaincode, *args, channel=channel, signer=signer)
    return await talk.endorse(proposal, hint=hint)


def hash_of(proposal: BuiltProposal) -> bytes:
    """What an answer to *proposal* carries as its hash."""
    return unpack_proposal(proposal.signed).hash


async def ask_each(
    talk: Talk,
    chaincode: str,
    questions: Iterable[Args],
    *,
    channel: str = "",
    signers: Iterable[FixedSigner] = (),
    hint: str = "",
) -> None:
    """Every question by every one of *signers* (the client alone, unless given)."""
    for args in questions:
        for signer in signers or (talk.cast.client,):
            await ask(talk, chaincode, *args, channel=channel, signer=signer, hint=hint)


async def hear_listed(talk: Talk, *, signer: FixedSigner, function: str) -> None:
    """Record what lscc lists as installed, of this conversation's chaincodes alone.

    Other conversations install on the same peer meanwhile.
    """
    proposal = talk.proposal("lscc", function, channel="", signer=signer)
    answer = await talk.links.endorser.ProcessProposal(proposal.signed, timeout=40)
    listed = ChaincodeQueryResponse.FromString(answer.response.payload)
    mine = [each for each in listed.chaincodes if each.name.endswith(f"-{talk.key}")]
    answer.response.payload = serialize(ChaincodeQueryResponse(chaincodes=mine))
    talk.hear_message("listed as installed", answer, "protos.ChaincodeQueryResponse")


def package(
    name: str,
    version: str,
    *,
    files: Mapping[str, bytes] | None = None,
    kind: ChaincodeSpec.Type.ValueType = ChaincodeSpec.CAR,
    content: ChaincodeInput | None = None,
) -> bytes:
    """A CDS whose code has *files*. A real peer does not survive code that is no gzip."""
    spec = ChaincodeSpec(
        type=kind,
        chaincode_id=ChaincodeID(path="p", name=name, version=version),
        input=content,
    )
    code = write_archive(files or {})
    return serialize(ChaincodeDeploymentSpec(chaincode_spec=spec, code_package=code))


def install(talk: Talk, raw: bytes, *, signer: FixedSigner | None = None) -> Draft:
    """An install of *raw*, to be changed before ``build``."""
    return talk.draft("lscc", "install", raw, channel="", signer=signer or talk.cast.admin)


def deployment(
    talk: Talk, base: str, channel: str, *, signer: FixedSigner | None = None, **more: object
) -> BuiltProposal:
    """An instantiate by the admin, or by *signer*.

    *more* are fields of client.legacy.Deployment, and: ``verb``, ``extra`` arguments, ``cut`` to
    so many arguments, ``on`` another channel than the one in the arguments.
    """
    verb = str(more.pop("verb", "deploy"))
    extra, cut, on = more.pop("extra", ()), more.pop("cut", None), more.pop("on", channel)
    fields = {"name": talk.name(base), "version": "1"} | more
    args = deployment_args(verb, channel, Deployment(**fields))  # type: ignore[arg-type]
    args = [*args, *extra][:cut]  # type: ignore[misc]
    return talk.proposal("lscc", *args, channel=str(on), signer=signer or talk.cast.admin)


async def deploy(
    talk: Talk, base: str, channel: str, *, signer: FixedSigner | None = None, **more: object
) -> None:
    """Record the answer to a deployment that ends before any Init; arguments of ``deployment``."""
    await talk.endorse(deployment(talk, base, channel, signer=signer, **more))


@asynccontextmanager
async def initialising(
    talk: Talk, chaincode: Chaincode, proposal: BuiltProposal, channel: str
) -> AsyncIterator[Transaction]:
    """The Init of a deployment; if that is endorsed, it is committed and the block recorded."""
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as init:
        yield init
    answer = init.answer
    if answer is not None and answer.HasField("endorsement"):
        await talk.commit(proposal, answer, signer=talk.cast.admin)
        await talk.block(channel, talk.height(channel) - 1)
