"""Launching in production (wire §2.7): who is started when, and what the chaincode hears."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import PutState
from harness.differential import production_steps as steps
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.requests import hear_callee, invoke
from harness.differential.talk import Talk


@conversation(
    "prodlaunch",
    "instantiate launches the chaincode and Init follows",
    "2.7",
    "3.6",
    rig="production",
)
async def instantiate_launches(talk: Talk) -> None:
    channel = await talk.channel()
    await steps.install(talk)
    deployment = talk.deployment("probe", channel, version="1", args=(b"init", b"a"))
    asking = asyncio.create_task(talk.endorse(deployment, hint="protos.ChaincodeData"))
    process = await steps.next_process(talk)
    talk.note("name", process.ccid)
    talk.note("organisation", process.msp_id)
    chaincode = process.stream(talk)
    await chaincode.register(process.ccid)
    await chaincode.line.hear()
    await chaincode.line.hear()
    init = Transaction(chaincode, await chaincode.called())
    await init.ask(Msg.PUT_STATE, PutState(key="a", value=b"1"))
    await init.complete(payload=b"done")
    await talk.commit(deployment, await asking, signer=talk.cast.admin)
    await talk.block(channel, 1)


@conversation(
    "prodreuse", "an invoke uses the process that instantiate has launched", "2.7", rig="production"
)
async def invoke_reuses(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    channel = await talk.channel()
    call = talk.proposal(talk.name(), "go", channel=channel)
    async with launched.chaincode.transaction(call) as transaction:
        await transaction.complete(payload=b"done")
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodsecond", "a second channel uses the process of the first", "2.7", "3.6", rig="production"
)
async def second_channel(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    other = await talk.channel("2")
    deployment = talk.deployment("probe", other, version="1")
    async with launched.chaincode.transaction(deployment, hint="protos.ChaincodeData") as init:
        await init.complete()
    await talk.commit(deployment, init.answer, signer=talk.cast.admin)
    async with launched.chaincode.transaction(
        talk.proposal(talk.name(), "go", channel=other)
    ) as transaction:
        await transaction.complete(payload=b"done")
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodrelaunch", "an invoke launches again after the process has ended", "2.7", "1.11",
    rig="production",
)  # fmt: skip
async def launched_again(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    await steps.ended(launched)
    call = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with steps.first_call(talk, call) as (_, transaction):
        await transaction.complete(payload=b"again")
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodstream", "a process that has only lost its stream is launched again, too", "1.11", "2.7",
    rig="production",
)  # fmt: skip
async def stream_lost(talk: Talk) -> None:
    launched = await steps.deployed(talk)
    await steps.hung_up(launched)
    call = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with steps.first_call(talk, call) as (_, transaction):
        await transaction.complete(payload=b"again")
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodtogether",
    "calls that come during a launch wait for it: one launch",
    "2.7",
    rig="production",
)
async def one_launch_for_all(talk: Talk) -> None:
    await steps.ended(await steps.deployed(talk))
    channel = await talk.channel()
    calls = [talk.proposal(talk.name(), "go", str(n), channel=channel) for n in range(4)]
    asking = [asyncio.create_task(talk.endorse(call)) for call in calls]
    launched = await steps.registered(talk, await steps.next_process(talk))
    for _ in calls:  # in whatever order they come
        call = await launched.chaincode.line.read(20)
        await Transaction(launched.chaincode, call).complete(payload=b"done")
    await asyncio.gather(*asking)
    talk.note("launches", steps.launches(talk))


@conversation(
    "prodtwo", "two chaincodes are launched at the same time, each for its own", "2.7",
    rig="production",
)  # fmt: skip
async def two_chaincodes(talk: Talk) -> None:
    channel = await talk.channel()
    asking = []
    for base in ("one", "two"):
        await steps.install(talk, base)
        deployment = talk.deployment(base, channel, version="1")
        asking.append(asyncio.create_task(talk.endorse(deployment, hint="protos.ChaincodeData")))
    for base in ("two", "one"):
        launched = await steps.registered(talk, await steps.next_process(talk, base))
        await Transaction(launched.chaincode, await launched.chaincode.called()).complete()
    await asyncio.gather(*asking)
    talk.note("launches", [steps.launches(talk, base) for base in ("one", "two")])


@conversation(
    "prodcallee", "a chaincode that another one calls is launched for it", "2.7", "1.10",
    rig="production",
)  # fmt: skip
async def callee_is_launched(talk: Talk) -> None:
    caller = await steps.deployed(talk, "caller")
    await steps.ended(await steps.deployed(talk, "callee"))
    call = talk.proposal(talk.name("caller"), "go", channel=await talk.channel())
    async with caller.chaincode.transaction(call) as outer:
        await invoke(outer, talk.name("callee"), "inner")
        callee = await steps.registered(talk, await steps.next_process(talk, "callee"))
        inner = Transaction(callee.chaincode, await callee.chaincode.called())
        await inner.complete(payload=b"inner done")
        await hear_callee(outer)
        await outer.complete(payload=b"outer done")
    talk.note("launches", steps.launches(talk, "callee"))


@conversation(
    "produpgrade", "an upgrade launches the new version beside the old one", "2.7", "3.6",
    rig="production",
)  # fmt: skip
async def upgrade_launches(talk: Talk) -> None:
    old = await steps.deployed(talk)
    new = await steps.deployed(talk, version="2", verb="upgrade")
    channel = await talk.channel()
    async with new.chaincode.transaction(
        talk.proposal(talk.name(), "go", channel=channel)
    ) as transaction:
        await transaction.complete(payload=b"new")
    await old.chaincode.line.hear_nothing()
    talk.note("launches", [steps.launches(talk), steps.launches(talk, version="2")])
