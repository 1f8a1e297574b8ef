"""Answers that are meant to differ from Fabric's: each says what came as one fact."""

from __future__ import annotations

import asyncio

import grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, ProposalResponsePayload
from fabric_protos.peer.resources_pb2 import ConfigTree
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from google.protobuf import text_format
from harness.crafting import results, write_set
from harness.differential import production_steps as steps
from harness.differential.asking import ask, deployment, hash_of
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode, Transaction
from harness.differential.configblocks import config_of
from harness.differential.requests import called
from harness.differential.talk import ANSWER_SECONDS, Talk
from treadle_fabric.wire import BuiltProposal


async def outcome(talk: Talk, proposal: BuiltProposal, *, seconds: float = ANSWER_SECONDS) -> str:
    """``endorsed``, or the whole answer, or ``CODE: details``; unrecorded."""
    try:
        answer = await talk.links.endorser.ProcessProposal(proposal.signed, timeout=seconds)
    except grpc.aio.AioRpcError as error:
        return f"{error.code().name}: {error.details()}"
    return "endorsed" if answer.HasField("endorsement") else _line(answer, proposal)


def _line(answer: ProposalResponse, proposal: BuiltProposal) -> str:
    """The whole *answer*; of a payload that says the same again, only that it does."""
    payload = ProposalResponsePayload.FromString(answer.payload)
    action = ChaincodeAction.FromString(payload.extension)
    if payload.proposal_hash == hash_of(proposal) and action.response == answer.response:
        answer.payload = f"<the same of {action.chaincode_id.name}>".encode()
    return text_format.MessageToString(answer, as_one_line=True)


async def deployed_or_not(talk: Talk, chaincode: Chaincode, proposal: BuiltProposal) -> str:
    """The outcome of a deployment whose Init is answered, if it comes to that."""
    asking = asyncio.create_task(outcome(talk, proposal))
    calling = asyncio.create_task(chaincode.line.read(ANSWER_SECONDS))
    await asyncio.wait((asking, calling), return_when=asyncio.FIRST_COMPLETED)
    if calling.done():
        await Transaction(chaincode, calling.result()).complete()
    calling.cancel()
    return await asking


@conversation("devnobody", "a call of what is not started says how to start it", "1.11", "4.4")
async def nobody(talk: Talk) -> None:
    chaincode = await talk.deployed()
    await chaincode.line.finish()
    await chaincode.line.hear_end()
    folder = talk.links.target.folder  # type: ignore[attr-defined]
    talk.recording.texts[str(folder)] = "<folder>"
    await ask(talk, talk.name(), "go", channel=await talk.channel())


@conversation("errornottext", "an ERROR whose text is no UTF-8 reaches the client", "1.6", "4.4")
async def error_not_text(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    asking = asyncio.create_task(outcome(talk, proposal))
    await (await called(chaincode)).say(Msg.ERROR, b"b\xffoom")
    talk.note("the client", await asking)


@conversation(
    "prodimpatient", "who cannot wait for a launch is told how long it has taken", "2.7",
    rig="production",
)  # fmt: skip
async def impatient(talk: Talk) -> None:
    await steps.ended(await steps.deployed(talk))
    for seconds in range(6):
        talk.recording.texts[f"({seconds} s)"] = "(some seconds)"
    call = talk.proposal(talk.name(), "go", channel=await talk.channel())
    asking = asyncio.create_task(outcome(talk, call, seconds=3))
    process = await steps.next_process(talk)
    talk.note("the client", await asking)
    await process.exit(0)


@conversation(
    "deployplugins",
    "a deploy with a plugin that nobody has is refused, or fails later",
    "3.3",
    "3.4",
)
async def unknown_plugins(talk: Talk) -> None:
    channel = await talk.channel()
    heard = []
    for base in ("escc", "vscc"):
        await talk.quietly_install(base)
        chaincode = await talk.registered(talk.ccid(base))
        proposal = deployment(talk, base, channel, **{base: "mine"})
        heard.append(await deployed_or_not(talk, chaincode, proposal))
    talk.note("the client", " | ".join(heard))


@conversation(
    "deploychannel", "a deploy is for the channel of its proposal, or is refused", "3.3", "3.4"
)
async def other_channel(talk: Talk) -> None:
    channel, other = await talk.channel(), await talk.channel("b")
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = deployment(talk, "probe", channel, on=other)
    talk.note("the client", await deployed_or_not(talk, chaincode, proposal))


@conversation("configtree", "GetConfigTree is answered as in 1.4, or is unknown", "4.7")
async def config_tree(talk: Talk) -> None:
    channel = await talk.channel()
    proposal = talk.proposal("cscc", "GetConfigTree", channel, channel="")
    answer = await talk.links.endorser.ProcessProposal(proposal.signed, timeout=ANSWER_SECONDS)
    genesis = await talk.links.committed(talk.cast.admin, channel, 0)
    same = ConfigTree(channel_config=config_of(genesis))
    if answer.response.payload and ConfigTree.FromString(answer.response.payload) == same:
        answer.response.payload = b"<the configuration of block 0>"
    talk.note("the client", _line(answer, proposal))


async def _codes(talk: BlocksTalk, *envelopes: bytes) -> str:
    """The codes of a block of *envelopes*; what else differs in that block follows from them."""
    before = len(talk.recording.events)
    codes = await talk.commit(*envelopes)
    del talk.recording.events[before:]
    return ", ".join(map(TxValidationCode.Name, codes)) or "refused"


@conversation(
    "valqsccwrites",
    "a transaction of qscc or cscc that writes is invalid, or not",
    "5.5",
    "3.8",
    rig="blocks",
)
async def system_writes(talk: BlocksTalk) -> None:
    await talk.open(policy="AND('Org1MSP.peer','Org2MSP.peer')")
    written = results(("probe", write_set(writes={"k": "v"})))
    made = [
        talk.forge(chaincode=name, version="syscc", results=written) for name in ("qscc", "cscc")
    ]
    talk.note("codes", await _codes(talk, *made))


@conversation(
    "valnochannel",
    "a transaction of no channel has no creator, or one of the peer's own organisation",
    "5.4",
    "5.5",
    rig="blocks",
)
async def no_channel(talk: BlocksTalk) -> None:
    await talk.open()
    talk.note("codes", await _codes(talk, talk.forge(), talk.forge(channel_id="")))
