"""Who may register in production, and what a launched process may say first (wire §1.2)."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.differential import production_steps as steps
from harness.differential.asking import attentive, told
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.production_processes import Process
from harness.differential.talk import Talk


async def launching(talk: Talk) -> tuple[Process, asyncio.Task[object]]:
    """A process that an instantiate has launched and waits for; its answer to be recorded."""
    await steps.install(talk)
    proposal = talk.deployment("probe", await talk.channel(), version="1")
    asking = asyncio.create_task(talk.endorse(proposal, hint="protos.ChaincodeData"))
    return await steps.next_process(talk), asking


async def initialised(talk: Talk, process: Process, label: str = "") -> steps.Launched:
    """Let it register and answer Init; the call is recorded."""
    launched = await steps.registered(talk, process, label)
    await Transaction(launched.chaincode, await launched.chaincode.called()).complete()
    return launched


@conversation(
    "produnsolicited", "nobody registers in production whom the peer has not launched", "1.2",
    rig="production",
)  # fmt: skip
async def unsolicited(talk: Talk) -> None:
    stranger = attentive(talk, "stranger")
    await stranger.register(talk.ccid())
    talk.note("unsolicited registration", await told(stranger))


@conversation(
    "prodstranger", "a stranger with the name of what is launched does not stand in its way", "1.2",
    "2.7", rig="production",
)  # fmt: skip
async def stranger_while_launched(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    stranger = talk.stream("stranger")
    await stranger.register(talk.ccid())
    call = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with launched.chaincode.transaction(call) as transaction:
        await transaction.complete(payload=b"done")
    stranger.line.hang_up()  # produnsolicited compares what such a process is told


@conversation(
    "prodwrongname", "a process that registers another name than its own is not taken for it",
    "2.7", "1.2", rig="production",
)  # fmt: skip
async def wrong_name(talk: Talk) -> None:
    process, asking = await launching(talk)
    wrong = process.stream(talk, "wrong")
    await wrong.register(talk.ccid("other"))
    await initialised(talk, process)
    await asking
    wrong.line.hang_up()  # produnsolicited compares what such a process is told
    talk.note("launches", [steps.launches(talk), steps.launches(talk, "other")])


@conversation(
    "prodfirstword", "a launched process whose first message is no REGISTER loses its stream",
    "1.2", rig="production",
)  # fmt: skip
async def first_word(talk: Talk) -> None:
    process, asking = await launching(talk)
    early = process.stream(talk, "early")
    await early.line.say(Msg(type=Msg.GET_STATE, txid="t", channel_id=talk.key))
    await early.line.hear_end()
    await initialised(talk, process)
    await asking


@conversation(
    "prodnoname", "a REGISTER without a name is not what the launch waits for", "1.2", "2.7",
    rig="production",
)  # fmt: skip
async def no_name(talk: Talk) -> None:
    process, asking = await launching(talk)
    nameless = process.stream(talk, "nameless")
    await nameless.register("")
    await initialised(talk, process)
    await asking
    nameless.line.hang_up()  # registernameless compares what such a process is told


@conversation(
    "prodkeepalive", "KEEPALIVE before REGISTER is no obstacle to a launch", "1.2", "2.7",
    rig="production",
)  # fmt: skip
async def keepalive_first(talk: Talk) -> None:
    process, asking = await launching(talk)
    chaincode = process.stream(talk)
    await chaincode.line.say(Msg(type=Msg.KEEPALIVE))
    await chaincode.register(process.ccid)
    await chaincode.line.hear()
    await chaincode.line.hear()
    await Transaction(chaincode, await chaincode.called()).complete()
    await asking


@conversation(
    "prodtwice", "REGISTER on a stream that is registered ends it; the next call launches", "1.2",
    "1.11", "2.7", rig="production",
)  # fmt: skip
async def register_twice(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    await launched.chaincode.register(launched.process.ccid)
    await launched.chaincode.line.hear_end()
    call = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with steps.first_call(talk, call) as (_, transaction):
        await transaction.complete(payload=b"again")
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodlate", "a process may register late, but within startuptimeout", "2.7", rig="production"
)
async def late(talk: Talk) -> None:
    process, asking = await launching(talk)
    chaincode = process.stream(talk)
    await chaincode.line.hear_nothing(3)
    await chaincode.register(process.ccid)
    await chaincode.line.hear()
    await chaincode.line.hear()
    await Transaction(chaincode, await chaincode.called()).complete()
    await asking


@conversation(
    "proddeadline", "a launch goes on when the client that wanted it has given up", "2.7",
    rig="production",
)  # fmt: skip
async def client_gives_up(talk: Talk) -> None:
    await steps.ended(await steps.deployed(talk))
    channel = await talk.channel()
    impatient = talk.proposal(talk.name(), "impatient", channel=channel)
    giving_up = talk.links.endorser.ProcessProposal(impatient.signed)
    process = await steps.next_process(talk)
    giving_up.cancel()
    launched = await steps.registered(talk, process)
    call = talk.proposal(talk.name(), "patient", channel=channel)
    asking = asyncio.create_task(talk.endorse(call))
    # The peer may or may not have sent the call that nobody waits for any more.
    while (heard := await launched.chaincode.line.read(20)).txid != call.tx_id:
        pass
    await Transaction(launched.chaincode, heard).complete(payload=b"done")
    await asking
    talk.note("launches", steps.launches(talk))
