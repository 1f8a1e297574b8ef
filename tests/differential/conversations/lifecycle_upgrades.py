"""What lscc checks of an upgrade and writes for it (wire §3.3, §3.4, §3.5)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.asking import ask, deploy, deployment, initialising, install, package
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.packages import sign_package
from treadle_fabric.policy import parse_policy, signed_by_any_admin, signed_by_any_member
from treadle_fabric.wire import serialize


@conversation(
    "upgraded",
    "an upgrade reads the old definition, writes the new one, and keeps the state",
    *("3.3", "3.5", "3.7"),
)
async def written(talk: Talk) -> None:
    old = await talk.deployed("probe")
    channel = await talk.channel()
    seed = talk.proposal(talk.name(), "seed", channel=channel)
    async with old.transaction(seed) as call:
        await call.ask(Msg.PUT_STATE, PutState(key="k", value=b"old"))
        await call.complete()
    await talk.commit(seed, call.answer)
    await talk.quietly_install("probe", "2")
    new = await talk.registered(talk.ccid(version="2"))
    proposal = deployment(talk, "probe", channel, verb="upgrade", version="2", args=(b"again",))
    async with initialising(talk, new, proposal, channel) as init:
        await init.ask(Msg.GET_STATE, GetState(key="k"))
        await init.ask(Msg.PUT_STATE, PutState(key="k", value=b"new"))
        await init.complete()
    await ask(talk, "lscc", "getccdata", channel, talk.name(), channel=channel)
    async with new.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
        await call.ask(Msg.GET_STATE, GetState(key="k"))
        await call.complete()
    await old.line.hear_nothing()


@conversation("upgradeback", "an upgrade may go back to an older version", "3.4")
async def back(talk: Talk) -> None:
    first = await talk.deployed("probe", version="2")
    channel = await talk.channel()
    await talk.quietly_install("probe", "1")
    second = await talk.registered(talk.ccid(version="1"))
    for chaincode, version in ((second, "1"), (first, "2")):
        proposal = deployment(talk, "probe", channel, verb="upgrade", version=version)
        async with initialising(talk, chaincode, proposal, channel) as init:
            await init.complete()


@conversation("upgradesame", "an upgrade goes to another version", "3.4")
async def same(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    for signer in (talk.cast.admin, talk.cast.client):
        await deploy(talk, "probe", channel, verb="upgrade", signer=signer)


@conversation("upgradenothing", "only what is deployed is upgraded", "3.4")
async def nothing(talk: Talk) -> None:
    channel = await talk.channel()
    await deploy(talk, "probe", channel, verb="upgrade")
    await talk.quietly_install("probe")
    for signer in (talk.cast.admin, talk.cast.client):
        await deploy(talk, "probe", channel, verb="upgrade", signer=signer)


@conversation(
    "upgradeabsent",
    "an upgrade needs the package of the new version, and looks for it first",
    "3.4",
)
async def absent(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    await deploy(talk, "probe", channel, verb="upgrade", version="2")
    await deploy(talk, "other", channel, verb="upgrade", version="2", signer=talk.cast.client)
    for name, version in (("bad name", "2"), ("lscc", "2"), (talk.name(), "1/2"), ("", "")):
        await deploy(talk, "probe", channel, verb="upgrade", name=name, version=version)


@conversation(
    "upgradeaccess", "an upgrade must satisfy the instantiation policy of the old definition", "3.4"
)
async def access(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    await talk.quietly_install("probe", "2")
    cast = talk.cast
    for signer in (cast.client, cast.peer, cast.orderer):
        await deploy(talk, "probe", channel, verb="upgrade", version="2", signer=signer)


@conversation(
    "upgradepolicies", "an upgrade must satisfy the new package's policy, too", "3.3", "3.4", "3.5"
)
async def policies(talk: Talk) -> None:
    channel = await talk.channel()
    members, others = (serialize(signed_by_any_member([msp])) for msp in ("Org1MSP", "Org2MSP"))
    admins = serialize(signed_by_any_admin(["Org1MSP"]))
    for version, rule in (("1", members), ("2", others), ("3", admins)):
        spec = package(talk.name(), version)
        raw = sign_package(deployment_spec=spec, instantiation_policy=rule)
        await talk.endorse(install(talk, raw).build())
    first = await talk.registered(talk.ccid())
    await talk.deploy(first, "probe", channel=channel)
    await deploy(talk, "probe", channel, verb="upgrade", version="2")
    cast = talk.cast
    await deploy(talk, "probe", channel, verb="upgrade", version="3", signer=cast.client)
    third = await talk.registered(talk.ccid(version="3"))
    proposal = deployment(talk, "probe", channel, verb="upgrade", version="3")
    async with initialising(talk, third, proposal, channel) as init:
        await init.complete()
    await talk.quietly_install("probe", "4")
    await deploy(talk, "probe", channel, verb="upgrade", version="4", signer=cast.client)


@conversation(
    "upgraderules",
    "an upgrade replaces the endorsement policy; left out, it is the default again",
    "3.5",
)
async def rules(talk: Talk) -> None:
    channel = await talk.channel()
    policy = parse_policy("AND('Org1MSP.peer')")
    await talk.deployed("probe", policy=policy)
    for version, more in (("2", {}), ("3", {"cut": 3}), ("4", {"policy": policy})):
        await talk.quietly_install("probe", version)
        chaincode = await talk.registered(talk.ccid(version=version))
        proposal = deployment(talk, "probe", channel, verb="upgrade", version=version, **more)
        async with initialising(talk, chaincode, proposal, channel) as init:
            await init.complete()


@conversation(
    "upgradeevent",
    "Init's event is dropped; an upgrade has an event of its own",
    *("3.3", "3.6"),
)
async def event(talk: Talk) -> None:
    channel = await talk.channel()
    for verb, version in (("deploy", "1"), ("upgrade", "2")):
        await talk.quietly_install("probe", version)
        chaincode = await talk.registered(talk.ccid(version=version))
        proposal = deployment(talk, "probe", channel, verb=verb, version=version)
        async with initialising(talk, chaincode, proposal, channel) as init:
            told = ChaincodeEvent(
                chaincode_id=talk.name(), tx_id=init.call.txid, event_name="mine", payload=b"p"
            )
            await init.complete(event=told)


@conversation("upgradeold", "without the capability V1_2 an upgrade has six arguments", "3.4")
async def old_channel(talk: Talk) -> None:
    channel = await talk.channel(capability="V1_1")
    await talk.deployed("probe")
    await talk.quietly_install("probe", "2")
    await deploy(talk, "probe", channel, verb="upgrade", version="2", extra=(b"",))
    chaincode = await talk.registered(talk.ccid(version="2"))
    proposal = deployment(talk, "probe", channel, verb="upgrade", version="2")
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.complete()


@conversation("upgradeempty", "an upgrade takes an empty collection configuration", "3.4")
async def empty_collections(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    await talk.quietly_install("probe", "2")
    await deploy(talk, "probe", channel, verb="upgrade", version="2", extra=(b"\xff",))
    chaincode = await talk.registered(talk.ccid(version="2"))
    proposal = deployment(talk, "probe", channel, verb="upgrade", version="2", extra=(b"",))
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.complete()
