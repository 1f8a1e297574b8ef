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
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.drafts import Draft
from harness.differential.material import FixedSigner
from harness.differential.talk import Talk
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import write_archive
from treadle_fabric.wire import BuiltProposal, serialize

Args = tuple[bytes | str, ...]


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
    assert answer.response.status == 200, answer.response.message
    listed = ChaincodeQueryResponse.FromString(answer.response.payload)
    mine = [each for each in listed.chaincodes if each.name.endswith(f"-{talk.key}")]
    talk.hear_message("listed as installed", ChaincodeQueryResponse(chaincodes=mine))


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
