"""Configuration blocks, and what counts from the next block on (wire §5.3, §5.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy
from fabric_protos.peer.configuration_pb2 import ACLs, APIResource
from harness.crafting import results, write_set
from harness.differential.blocks_crafting import config_transaction, definition, set_capabilities
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.channelconfig.genesis import implicit_policy
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import serialize


def acl(policy: str) -> Callable[[ConfigGroup], None]:
    """Let *policy* decide who may propose."""

    def change(root: ConfigGroup) -> None:
        value = root.groups["Application"].values["ACLs"]
        value.mod_policy = "Admins"
        rule = APIResource(policy_ref=f"/Channel/Application/{policy}")
        value.value = serialize(ACLs(acls={"peer/Propose": rule}))

    return change


def signature_policy(text: str) -> Policy:
    """A policy of signatures as configurations hold it."""
    policy = Policy(value=serialize(parse_policy(text)))
    policy.type = Policy.SIGNATURE
    return policy


@conversation(
    "cfgplain",
    "a configuration block is state, and later blocks point at it",
    "5.3",
    "5.6",
    rig="blocks",
)
async def plain(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.configure(acl("Writers"))
    await talk.commit(talk.change(a="1"))
    await talk.configure(acl("Admins"))
    await talk.commit(talk.change(a="2"))
    key = "CHANNEL_CONFIG_ENV_BYTES"
    for version in ((0, 0), (2, 0), (4, 0)):
        read = results(("", write_set(reads={key: version})))
        await talk.commit(talk.forge(results=read))
    await talk.chain()


@conversation(
    "cfgasked", "the newest configuration is what is answered", "5.3", "4.7", rig="blocks"
)
async def asked(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.configure(acl("Admins"))
    admin = talk.cast.admin
    await talk.ask("cscc", "GetConfigBlock", talk.channel, signer=admin)
    await talk.ask("cscc", "GetChannelConfig", talk.channel, hint="common.Config", signer=admin)
    await talk.qscc("GetBlockByNumber", "2")


@conversation("cfgacl", "a new access rule counts from the next proposal on", "5.3", rig="blocks")
async def access(talk: BlocksTalk) -> None:
    await talk.open()
    for policy in ("Writers", "Admins", "Nobody"):
        await talk.configure(acl(policy))
        for signer in (talk.cast.client, talk.cast.admin):
            await talk.ask("probe", "do", "get a", signer=signer)


@conversation(
    "cfgv20",
    "a new capability changes the rules from the next block on",
    "5.3",
    "5.5",
    rig="blocks",
)
async def capability(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2

    def ours(root: ConfigGroup) -> None:
        """The channel's admins may change the capabilities."""
        root.values["Capabilities"].mod_policy = "/Channel/Application/Admins"

    await talk.open(policy="OR('Org1MSP.peer')", change=ours)
    unknown = {"chaincode": "nobody", "results": b""}
    await talk.commit(talk.forge(first), talk.forge(**unknown))

    def newer(root: ConfigGroup) -> None:
        set_capabilities(root, "V2_0")
        set_capabilities(root.groups["Application"], "V2_0")

    await talk.configure(newer)
    await talk.commit(
        talk.forge(first),
        talk.forge(second),
        talk.forge(first, version="9"),
        talk.forge(**unknown),
        talk.forge(chaincode="lscc", results=b""),
        talk.deployment("other"),
    )
    await talk.probe("get k")


@conversation("cfgleave", "who left the channel is nobody in it", "5.3", "5.5", rig="blocks")
async def leaving(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(policy="OutOf(1,'Org1MSP.peer','Org2MSP.peer')")
    await talk.commit(talk.forge(cast.peer2), talk.forge(creator=cast.client2))

    def without(root: ConfigGroup) -> None:
        del root.groups["Application"].groups["Org2MSP"]

    await talk.configure(without)
    await talk.commit(
        talk.forge(cast.peer),
        talk.forge(cast.peer2),
        talk.forge(cast.peer2, cast.peer),
        talk.forge(creator=cast.client2),
        talk.forge(cast.peer, chaincode="qscc", results=b""),
        talk.forge(cast.peer2, chaincode="qscc", results=b""),
    )


@conversation(
    "cfgblocks", "who may sign blocks is decided by the configuration before", "5.3", rig="blocks"
)
async def block_validation(talk: BlocksTalk) -> None:
    cast = talk.cast

    def ours(root: ConfigGroup) -> None:
        """The channel's admins may change what orderers may do."""
        orderer = root.groups["Orderer"]
        for policy in orderer.policies.values():
            policy.mod_policy = "/Channel/Application/Admins"

    def theirs(root: ConfigGroup) -> None:
        orderer = root.groups["Orderer"]
        orderer.policies["BlockValidation"].policy.CopyFrom(signature_policy("OR('Org2MSP.peer')"))

    await talk.open(change=ours)
    await talk.configure(theirs)
    await talk.hand(talk.block(talk.change(a="1")))
    await talk.hand(talk.block(talk.change(a="1"), signers=[cast.peer]))
    await talk.hand(talk.block(talk.change(a="1"), signers=[cast.peer2]))


@conversation(
    "cfgtwo", "orderers' signatures are counted by the rule of the channel", "5.3", rig="blocks"
)
async def two_signatures(talk: BlocksTalk) -> None:
    cast = talk.cast

    def two(root: ConfigGroup) -> None:
        root.groups["Orderer"].policies["BlockValidation"].policy.CopyFrom(
            signature_policy("AND('OrdererMSP.orderer','Org2MSP.peer')")
        )

    await talk.open(change=two, deployed=())
    entry = talk.deployment()
    for signers in ([cast.orderer], [cast.orderer] * 2, [cast.peer2, cast.orderer]):
        await talk.hand(talk.block(entry, signers=signers))


@conversation(
    "cfgdefault",
    "a chaincode's default policy follows the configuration",
    "5.3",
    "5.5",
    rig="blocks",
)
async def default_policy(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open("V2_0", deployed=())

    def every(root: ConfigGroup) -> None:
        policy = implicit_policy(ImplicitMetaPolicy.ANY, "Endorsement")
        root.groups["Application"].policies["LifecycleEndorsement"].policy.CopyFrom(policy)

    written = results(("_lifecycle", write_set(writes={"k": "v"})))
    lifecycle = {"chaincode": "_lifecycle", "version": "syscc", "results": written}
    await talk.commit(talk.forge(first, **lifecycle), talk.forge(first, second, **lifecycle))
    await talk.configure(every)
    await talk.commit(talk.forge(first, **lifecycle), talk.forge(talk.cast.client, **lifecycle))


@conversation(
    "cfgamong",
    "a configuration among other transactions is taken like one alone",
    "5.3",
    rig="blocks",
)
async def among_others(talk: BlocksTalk) -> None:
    """No orderer makes such a block; behind it in the block a real peer waits for ever."""
    await talk.open()
    admins = (talk.cast.admin, talk.cast.admin2)
    transaction = config_transaction(
        talk.bundle, acl("Writers"), cast=talk.cast, seed="among", signers=admins
    )
    await talk.commit(talk.change(a="1"), talk.change(b="1"), transaction)
    await talk.commit(talk.change(a="2"))
    await talk.probe("range a z")


@conversation(
    "stopvscc",
    "a chaincode with an unknown validation plugin stops the channel",
    "5.5",
    "3.8",
    rig="blocks",
)
async def unknown_plugin(talk: BlocksTalk) -> None:
    await talk.open()
    value = replace(definition("other"), validation_plugin="mine").encode()
    write = results(("lscc", write_set(writes={"other": value})))
    await talk.commit(talk.deployment("other", results=write))
    await talk.commit(talk.change(a="1"))
    await talk.halt(talk.change(a="2"), talk.forge(chaincode="other", results=b""))
    await talk.chain()
