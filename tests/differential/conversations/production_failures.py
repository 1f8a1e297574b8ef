"""Launches that fail (wire §2.7), and what instantiate says of chaincode that was launched."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from google.protobuf import text_format
from harness.differential import production_steps as steps
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.talk import Talk
from treadle_fabric.wire import BuiltProposal


async def instantiating(
    talk: Talk, base: str = "probe"
) -> tuple[BuiltProposal, asyncio.Task[ProposalResponse | None]]:
    """An instantiate that has been sent, its answer to be recorded."""
    proposal = talk.deployment(base, await talk.channel(), version="1")
    asking = talk.endorse(proposal, hint="protos.ChaincodeData")
    return proposal, asyncio.create_task(asking)


@conversation(
    "prodexit", "a process that exits with 0 before it registers fails the launch", "2.7",
    rig="production",
)  # fmt: skip
async def exits(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    await (await steps.next_process(talk)).exit(0)
    await asking


@conversation("prodcode", "the code with which a process exits is told", "2.7", rig="production")
async def exits_with_a_code(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    await (await steps.next_process(talk)).exit(7)
    await asking


@conversation(
    "prodretry", "after a failed launch the next instantiate launches again", "2.7", "3.6",
    rig="production",
)  # fmt: skip
async def next_attempt(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    await (await steps.next_process(talk)).exit(0)
    await asking
    proposal, asking = await instantiating(talk)
    launched = await steps.registered(talk, await steps.next_process(talk))
    await Transaction(launched.chaincode, await launched.chaincode.called()).complete()
    await talk.commit(proposal, await asking, signer=talk.cast.admin)
    await talk.block(await talk.channel(), 1)


@conversation(
    "prodinvokeexit", "an invoke whose launch fails says so with its transaction id", "2.7",
    rig="production",
)  # fmt: skip
async def invoke_fails(talk: Talk) -> None:
    await steps.ended(await steps.deployed(talk))
    call = talk.proposal(talk.name(), "go", channel=await talk.channel())
    asking = asyncio.create_task(talk.endorse(call))
    await (await steps.next_process(talk)).exit(3)
    await asking


@conversation(
    "prodallfail", "all calls that wait for a launch get its failure", "2.7", rig="production"
)
async def everybody_is_told(talk: Talk) -> None:
    await steps.ended(await steps.deployed(talk))
    channel = await talk.channel()
    calls = [talk.proposal(talk.name(), "go", str(n), channel=channel) for n in range(3)]
    asking = [asyncio.create_task(talk.endorse(call)) for call in calls]
    process = await steps.next_process(talk)
    # All three are at the peer once it answers what was sent behind them.
    await talk.links.endorser.ProcessProposal(
        talk.proposal("qscc", "GetChainInfo", channel, channel="").signed, timeout=20
    )
    await process.exit(0)
    await asyncio.gather(*asking)
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodnever", "a process that never registers fails the launch after startuptimeout", "2.7",
    rig="production",
)  # fmt: skip
async def never_registers(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    process = await steps.next_process(talk)
    await asking
    await process.exit(0)


@conversation(
    "prodbuild", "a chaincode that cannot be built is not launched", "2.7", rig="production"
)
async def build_fails(talk: Talk) -> None:
    channel = await talk.channel()
    broken = talk.installation("probe", raw=steps.package(talk, broken=True))
    installed = await talk.links.endorser.ProcessProposal(broken.signed, timeout=60)
    _without_the_compilers_words(installed)
    talk.note("install", text_format.MessageToString(installed, as_one_line=True))
    deployment = talk.deployment("probe", channel, version="1")
    answer = await talk.links.endorser.ProcessProposal(deployment.signed, timeout=60)
    _without_the_compilers_words(answer)
    talk.hear_message("instantiate", answer)
    talk.note("launches", steps.launches(talk))


def _without_the_compilers_words(answer: ProposalResponse) -> None:
    # What follows are the compiler's and the builder's own.
    for cause in ("error building chaincode: ", "failed to build chaincode: "):
        what, known, _ = answer.response.message.partition(cause)
        answer.response.message = what + known


@conversation(
    "prodmissing", "what is not installed is not launched by instantiate", "3.6", rig="production"
)
async def not_installed(talk: Talk) -> None:
    _, asking = await instantiating(talk)
    await asking
    talk.note("launches", steps.launches(talk))


@conversation(
    "produndefined", "an invoke of what is installed, but not instantiated launches nothing", "2.7",
    rig="production",
)  # fmt: skip
async def not_instantiated(talk: Talk) -> None:
    await steps.install(talk)
    await talk.endorse(talk.proposal(talk.name(), "go", channel=await talk.channel()))
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodiniterror", "an Init that fails fails instantiate; the process stays for the next", "3.6",
    "2.7", rig="production",
)  # fmt: skip
async def init_fails(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    launched = await steps.registered(talk, await steps.next_process(talk))
    init = Transaction(launched.chaincode, await launched.chaincode.called())
    await init.fail("no such account")
    await asking
    again = talk.deployment("probe", await talk.channel(), version="1")
    async with launched.chaincode.transaction(again, hint="protos.ChaincodeData") as init:
        await init.complete()
    talk.note("launches", steps.launches(talk))


@conversation("prodinit500", "the status of Init's response is ignored", "3.6", rig="production")
async def init_status(talk: Talk) -> None:
    await steps.install(talk)
    proposal, asking = await instantiating(talk)
    launched = await steps.registered(talk, await steps.next_process(talk))
    init = Transaction(launched.chaincode, await launched.chaincode.called())
    await init.complete(500, "no such account", b"ignored")
    await talk.commit(proposal, await asking, signer=talk.cast.admin)
    await talk.block(await talk.channel(), 1)


@conversation("prodprint", "what a chaincode prints is nobody's answer", "3.6", rig="production")
async def prints(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    process = await steps.next_process(talk)
    await process.print("starting")
    launched = await steps.registered(talk, process)
    init = Transaction(launched.chaincode, await launched.chaincode.called())
    await process.print("initialising")
    await init.complete(200, "fine")
    await asking


@conversation(
    "prodindie", "an Init during which the process dies fails instantiate", "3.6", "1.11",
    rig="production",
)  # fmt: skip
async def dies_in_init(talk: Talk) -> None:
    await steps.install(talk)
    _, asking = await instantiating(talk)
    launched = await steps.registered(talk, await steps.next_process(talk))
    await launched.chaincode.called()
    await steps.ended(launched, 1)
    await asking


@conversation(
    "prodtxdie", "a transaction during which the process dies ends; the next launches again",
    "1.11", "2.7", rig="production",
)  # fmt: skip
async def dies_in_transaction(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    channel = await talk.channel()
    async with launched.chaincode.transaction(
        talk.proposal(talk.name(), "first", channel=channel)
    ) as transaction:
        await transaction.ask(Msg.GET_STATE, b"")
        await steps.ended(launched, 1)
    second = talk.proposal(talk.name(), "second", channel=channel)
    async with steps.first_call(talk, second) as (_, transaction):
        await transaction.complete(payload=b"again")
    talk.note("launches", steps.launches(talk))
