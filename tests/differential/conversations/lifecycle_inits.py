"""Init during deploy and upgrade: what makes them fail, and what does not (wire §3.6)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeDeploymentSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import DelState, GetState, PutState
from harness.differential.asking import ask, deploy, deployment, initialising
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.talk import Talk
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.wire import serialize


async def _ready(talk: Talk) -> tuple[Chaincode, str]:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    return await talk.registered(talk.ccid()), channel


@conversation("initargs", "INIT carries the client's arguments, and its proposal", "3.6", "1.3")
async def arguments(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    for args in ((), (b"init", b"", b"\x00\xff"), (b"",)):
        async with chaincode.transaction(deployment(talk, "probe", channel, args=args)) as init:
            await init.complete()


@conversation(
    "initstatus",
    "whatever the status of Init's response, the deploy succeeds with lscc's own",
    "3.6",
)
async def statuses(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    for status in (0, 200, 299, 399, 400, 499, 500, 600, -1):
        async with chaincode.transaction(deployment(talk, "probe", channel)) as init:
            await init.complete(status, "what Init says", b"payload")


@conversation(
    "initfailed500", "a deploy whose Init answered 500 is valid when ordered", "3.6", "3.5"
)
async def failed_but_deployed(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    proposal = deployment(talk, "probe", channel)
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
        await init.complete(500, "no")
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
        await call.ask(Msg.GET_STATE, GetState(key="k"))
        await call.complete()


@conversation("initerror", "an ERROR instead of Init's response fails the deploy", "3.6", "4.4")
async def error(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    for text in ("boom", "", "två\nrader"):
        async with chaincode.transaction(deployment(talk, "probe", channel)) as init:
            await init.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
            await init.fail(text)
    await ask(talk, "lscc", "getid", channel, talk.name(), channel=channel)


@conversation("initsilent", "an Init that is not answered in time fails the deploy", "3.6")
async def silent(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    async with chaincode.transaction(deployment(talk, "probe", channel)):
        pass
    async with chaincode.transaction(deployment(talk, "probe", channel)) as init:
        await init.complete()


@conversation("initgone", "a chaincode that hangs up during Init fails the deploy", "3.6", "1.11")
async def gone(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    async with chaincode.transaction(deployment(talk, "probe", channel)):
        chaincode.line.hang_up()


@conversation("initunreadable", "a response to Init that cannot be read fails the deploy", "3.6")
async def unreadable(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    async with chaincode.transaction(deployment(talk, "probe", channel)) as init:
        await init.say(Msg.COMPLETED, b"\xff")
    async with chaincode.transaction(deployment(talk, "probe", channel)) as init:
        await init.say(Msg.COMPLETED)


@conversation(
    "initstate", "Init may read and write as any transaction, in lscc's own set", "3.6", "3.5"
)
async def state(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    proposal = deployment(talk, "probe", channel)
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.ask(Msg.GET_STATE, GetState(key="a"))
        await init.ask(Msg.PUT_STATE, PutState(key="a", value=b"1"))
        await init.ask(Msg.PUT_STATE, PutState(key="z", value=b"2"))
        await init.ask(Msg.DEL_STATE, DelState(key="z"))
        await init.complete()


@conversation("initquiet", "an Init without reads and writes leaves only lscc's own", "3.6", "3.5")
async def quiet(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    async with initialising(talk, chaincode, deployment(talk, "probe", channel), channel) as init:
        await init.complete()


@conversation("initcode", "a deploy whose specification carries code is refused after lscc", "3.6")
async def code(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    args = deployment_args("deploy", channel, Deployment(name=talk.name(), version="1"))
    spec = ChaincodeDeploymentSpec.FromString(args[2])
    spec.code_package = b"code"
    args[2] = serialize(spec)
    await ask(talk, "lscc", *args, channel=channel, signer=talk.cast.admin)
    await chaincode.line.hear_nothing()


@conversation("initnot", "what lscc refuses never reaches the chaincode", "3.6")
async def refused_before(talk: Talk) -> None:
    chaincode, channel = await _ready(talk)
    await deploy(talk, "probe", channel, signer=talk.cast.client)
    await deploy(talk, "probe", channel, verb="upgrade")
    await chaincode.line.hear_nothing()


@conversation(
    "initupgrade", "Init of an upgrade fails it, and the old version goes on", "3.6", "3.7"
)
async def upgrade(talk: Talk) -> None:
    old = await talk.deployed("probe")
    channel = await talk.channel()
    await talk.quietly_install("probe", "2")
    new = await talk.registered(talk.ccid(version="2"))
    proposal = deployment(talk, "probe", channel, verb="upgrade", version="2")
    async with new.transaction(proposal) as init:
        await init.fail("no")
    async with old.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
        await call.complete()


@conversation("initlegacy", "a legacy chaincode is never invoked as init by a client", "3.6", "4.2")
async def as_init(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for name in (talk.name(), "lscc", "qscc"):
        await talk.endorse(
            talk.proposal(name, "GetChainInfo", channel, channel=channel, is_init=True)
        )
    await chaincode.line.hear_nothing()
