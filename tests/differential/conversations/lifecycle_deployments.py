"""What lscc checks of a deploy and writes for it (wire §3.3, §3.4, §3.5)."""

from __future__ import annotations

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import PutState
from harness.differential.asking import ask, deploy, deployment, initialising, install, package
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.packages import sign_package
from treadle_fabric.policy import parse_policy, signed_by_any_admin, signed_by_any_member
from treadle_fabric.wire import serialize

ADMINS = serialize(signed_by_any_admin(["Org1MSP"]))


@conversation("deployed", "a deploy writes the definition, and what Init wrote, in one set", "3.5")
async def written(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = deployment(talk, "probe", channel, args=(b"init", b"\xff"), path="some/path")
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
        await init.complete()
    await ask(talk, "lscc", "getccdata", channel, talk.name(), channel=channel)


@conversation(
    "deploydefaults",
    "left-out or empty arguments of a deploy mean the default policy and plugins",
    *("3.3", "3.5"),
)
async def defaults(talk: Talk) -> None:
    channel = await talk.channel()
    for base, how in (
        ("three", {"cut": 3}),
        ("four", {"cut": 4}),
        ("five", {"cut": 5}),
        ("six", {"escc": "", "vscc": ""}),
    ):
        await talk.quietly_install(base)
        chaincode = await talk.registered(talk.ccid(base))
        proposal = deployment(talk, base, channel, **how)
        async with initialising(talk, chaincode, proposal, channel) as init:
            await init.complete()


@conversation(
    "deploypolicy", "the endorsement policy is stored byte by byte as the client sent it", "3.5"
)
async def policy(talk: Talk) -> None:
    channel = await talk.channel()
    for base, given in (
        ("unsorted", signed_by_any_member(["Org2MSP", "Org1MSP"])),
        ("nested", parse_policy("OutOf(2, 'Org1MSP.peer', OR('Org1MSP.admin', 'Org2MSP.client'))")),
        ("versioned", SignaturePolicyEnvelope(version=7)),
    ):
        await talk.quietly_install(base)
        chaincode = await talk.registered(talk.ccid(base))
        async with chaincode.transaction(deployment(talk, base, channel, policy=given)) as init:
            await init.complete()


@conversation(
    "deployrawpolicy",
    "lscc does not look into the endorsement policy",
    "3.4",
)
async def raw_policy(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    spec = deployment_args("deploy", channel, Deployment(name=talk.name(), version="1"))[2]
    for rubbish in (b"\xff", b"rubbish", b"\x08\x01" * 3):
        args = ("deploy", channel, spec, rubbish)
        proposal = talk.proposal("lscc", *args, channel=channel, signer=talk.cast.admin)
        async with chaincode.transaction(proposal) as init:
            await init.complete()


@conversation("deployagain", "a chaincode is deployed once, whatever the version", "3.4")
async def again(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.deployed("probe")
    await deploy(talk, "probe", channel)
    await deploy(talk, "probe", channel, version="2")
    await talk.quietly_install("probe", "2")
    await deploy(talk, "probe", channel, version="2")


@conversation("deployabsent", "a deploy needs the package of exactly that name and version", "3.4")
async def absent(talk: Talk) -> None:
    channel = await talk.channel()
    await deploy(talk, "probe", channel)
    await talk.quietly_install("probe")
    await deploy(talk, "probe", channel, version="2")
    await deploy(talk, "prob", channel)


@conversation("deploynames", "a deploy refuses names and versions by their rules, in order", "3.4")
async def names(talk: Talk) -> None:
    channel = await talk.channel()
    for name in ("-a", "a-", "a--b", "a.b", "a b", "ä", "", "a~collection", "lscc", "cscc"):
        await deploy(talk, "probe", channel, name=name)
    for version in ("", "1/2", "ü", "1 2", "1:2"):
        await deploy(talk, "probe", channel, version=version)
        await deploy(talk, "probe", channel, version=version, name="bad name")


@conversation(
    "deployaccess",
    "without a policy in the package only admins of the channel's members deploy",
    *("3.3", "3.4"),
)
async def access(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    cast = talk.cast
    for signer in (cast.client, cast.peer, cast.orderer, cast.admin2, cast.false_admin):
        await deploy(talk, "probe", channel, signer=signer)
    await deploy(talk, "absent", channel, signer=cast.client)


@conversation(
    "deploysigned",
    "the policy of a signed package decides who deploys, and is stored",
    "3.4",
    "3.5",
)
async def signed(talk: Talk) -> None:
    channel = await talk.channel()
    members = serialize(signed_by_any_member(["Org1MSP"]))
    others = serialize(signed_by_any_member(["Org2MSP"]))
    for base, rule in (("members", members), ("others", others), ("broken", b"\xff\xff")):
        raw = sign_package(deployment_spec=package(talk.name(base), "1"), instantiation_policy=rule)
        await talk.endorse(install(talk, raw).build())
    await deploy(talk, "others", channel)
    await deploy(talk, "broken", channel)
    chaincode = await talk.registered(talk.ccid("members"))
    proposal = deployment(talk, "members", channel, signer=talk.cast.client)
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as init:
        await init.complete()
    await talk.commit(proposal, init.answer)
    await talk.block(channel, talk.height(channel) - 1)


@conversation("deployowned", "an owner's endorsement is part of a signed package's hashes", "3.5")
async def owned(talk: Talk) -> None:
    channel = await talk.channel()
    raw = sign_package(
        deployment_spec=package(talk.name(), "1"),
        instantiation_policy=ADMINS,
        owner=talk.cast.admin,
    )
    await talk.endorse(install(talk, raw).build())
    chaincode = await talk.registered(talk.ccid())
    proposal = deployment(talk, "probe", channel)
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.complete()
    async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
        await call.complete()


@conversation("deploychannels", "a deploy names a channel", "3.4")
async def channels(talk: Talk) -> None:
    # A real 2.5.9 peer dies of a name that is no channel of its own: only the empty one is asked.
    channel = await talk.channel()
    await talk.quietly_install("probe")
    for verb in ("deploy", "upgrade"):
        for on in (channel, ""):
            await deploy(talk, "probe", "", on=on, verb=verb)
            await deploy(talk, "probe", "", on=on, verb=verb, signer=talk.cast.client)


@conversation("deployledgerless", "a deploy without a channel in the header has no ledger", "3.4")
async def ledgerless(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    for verb in ("deploy", "upgrade"):
        await deploy(talk, "probe", channel, on="", verb=verb)
        await deploy(talk, "probe", channel, on="", verb=verb, signer=talk.cast.client)


@conversation(
    "deploycounts",
    "a deploy has three to seven arguments, of which the seventh must be readable",
    *("3.3", "3.4"),
)
async def counts(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    for count in (1, 2):
        await deploy(talk, "probe", channel, cut=count)
    await deploy(talk, "probe", channel, extra=(b"", b"eighth"))
    await deploy(talk, "probe", channel, extra=(b"\xff",))


@conversation("deployempty", "an empty collection configuration counts as none", "3.3", "3.5")
async def empty_collections(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = deployment(talk, "probe", channel, extra=(b"",))
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.complete()


@conversation(
    "deployold", "without the capability V1_2 a deploy has at most six arguments", "3.3", "3.4"
)
async def old_channel(talk: Talk) -> None:
    channel = await talk.channel(capability="V1_1")
    await talk.quietly_install("probe")
    await deploy(talk, "probe", channel, extra=(b"",))
    await deploy(talk, "probe", channel, extra=(b"", b""))
    chaincode = await talk.registered(talk.ccid())
    proposal = deployment(talk, "probe", channel)
    async with initialising(talk, chaincode, proposal, channel) as init:
        await init.complete()


@conversation(
    "deploynew", "on a channel of the new lifecycle lscc is read-only", "3.3", "3.4", "3.7"
)
async def new_channel(talk: Talk) -> None:
    channel = await talk.channel(capability="V2_0")
    await talk.quietly_install("probe")
    for verb in ("deploy", "upgrade"):
        await deploy(talk, "probe", channel, verb=verb)
        await deploy(talk, "probe", channel, verb=verb, signer=talk.cast.client)
        await deploy(talk, "probe", channel, verb=verb, cut=2)
        await deploy(talk, "probe", channel, verb=verb, extra=(b"", b""))
    await ask(talk, "lscc", "getchaincodes", channel=channel)
    await ask(talk, "lscc", "getid", channel, talk.name(), channel=channel)
    await ask(talk, talk.name(), "go", channel=channel)


@conversation("deployspecs", "a deploy's specification must be readable", "3.4")
async def specs(talk: Talk) -> None:
    channel = await talk.channel()
    for spec in (b"\xff", b"\x0a\x05", b"\x0a\x01\xff"):
        for verb in ("deploy", "upgrade"):
            await ask(talk, "lscc", verb, channel, spec, channel=channel, signer=talk.cast.admin)


@conversation("deploytypes", "a deploy may name another type than its package", "3.4", "3.5")
async def types(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    for kind in (ChaincodeSpec.GOLANG, ChaincodeSpec.NODE, ChaincodeSpec.CAR, ChaincodeSpec.JAVA):
        proposal = deployment(talk, "probe", channel, language_type=kind)
        async with chaincode.transaction(proposal) as init:
            await init.complete()
