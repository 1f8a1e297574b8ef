"""Validation on channels with Application capability V2_0 (wire §5.5, §5.4)."""

from __future__ import annotations

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)
from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from google.protobuf.message import Message
from harness.crafting import results, write_set
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from harness.differential.material import FixedSigner
from treadle_fabric.policy import parse_policy

WRITTEN = write_set(writes={"k": "v"})
DEFAULT = ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Endorsement")
OTHER = results(("other", WRITTEN))


def signature(policy: str) -> ApplicationPolicy:
    """A policy of signatures."""
    return ApplicationPolicy(signature_policy=parse_policy(policy))


def definition(name: str, policy: ApplicationPolicy | bytes, plugin: str = "vscc") -> bytes:
    """What ``_lifecycle`` writes when a definition is committed."""

    def stored(message: Message) -> bytes:
        return StateData(Bytes=message.SerializeToString()).SerializeToString()

    parameter = policy if isinstance(policy, bytes) else policy.SerializeToString()
    fields = ["Collections", "EndorsementInfo", "Sequence", "ValidationInfo"]
    prefix = f"namespaces/fields/{name}/"
    info = ChaincodeValidationInfo(validation_plugin=plugin, validation_parameter=parameter)
    writes: dict[str, str | bytes] = {
        f"namespaces/metadata/{name}": StateMetadata(
            datatype="ChaincodeDefinition", fields=fields
        ).SerializeToString(),
        prefix + "Sequence": StateData(Int64=1).SerializeToString(),
        prefix + "EndorsementInfo": stored(
            ChaincodeEndorsementInfo(version="1", endorsement_plugin="escc")
        ),
        prefix + "ValidationInfo": stored(info),
        prefix + "Collections": stored(CollectionConfigPackage()),
    }
    return results(("_lifecycle", write_set(writes=writes)))


def defining(talk: BlocksTalk, content: bytes, *endorsers: FixedSigner) -> bytes:
    """A transaction of ``_lifecycle``, endorsed by both organisations unless told otherwise."""
    both = (talk.cast.peer, talk.cast.peer2)
    return talk.forge(
        *(endorsers or both), chaincode="_lifecycle", version="syscc", results=content
    )


async def opened(
    talk: BlocksTalk, policy: ApplicationPolicy | bytes, capability: str = "V2_0"
) -> None:
    """A channel where ``probe`` has *policy*."""
    await talk.open(capability, deployed=())
    await talk.commit(defining(talk, definition("probe", policy)))


@conversation(
    "v20define", "a definition needs the lifecycle policy's endorsers", "5.5", rig="blocks"
)
async def define(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open("V2_0", deployed=())
    content = definition("probe", signature("OR('Org1MSP.peer')"))
    await talk.commit(
        defining(talk, content, first),
        defining(talk, content, second),
        defining(talk, content, talk.cast.client, talk.cast.client2),
        talk.forge(),
    )
    await talk.commit(defining(talk, content, second, first), talk.forge())
    await talk.commit(talk.forge())


@conversation("v20policies", "a definition's own policy judges its invokes", "5.5", rig="blocks")
async def policies(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await opened(talk, signature("AND('Org1MSP.peer','Org2MSP.peer')"))
    await talk.commit(
        talk.forge(first, second),
        talk.forge(first),
        talk.forge(second),
        talk.forge(endorsers=[]),
        talk.forge(first, first),
        talk.forge(talk.cast.client, talk.cast.client2),
        talk.forge(talk.cast.stranger, first, second),
    )


@conversation(
    "v20default", "a definition may refer to a policy of the channel", "5.5", rig="blocks"
)
async def channel_policy(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await opened(talk, DEFAULT)
    await talk.commit(
        talk.forge(first, second), talk.forge(first), talk.forge(second), talk.forge(endorsers=[])
    )


@conversation(
    "v20references",
    "policies that are not there, or unreadable, hold for nobody",
    "5.5",
    rig="blocks",
)
async def references(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await talk.open("V2_0", deployed=())
    policies = (
        ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Nobody"),
        ApplicationPolicy(channel_config_policy_reference="/Channel/Application/Writers"),
        ApplicationPolicy(channel_config_policy_reference="Endorsement"),
        ApplicationPolicy(channel_config_policy_reference=""),
        b"\xff",
        b"\x1a\x00",
        signature("OutOf(0,'Org1MSP.peer')"),
    )
    for index, policy in enumerate(policies):
        name = f"cc{index}"
        await talk.commit(defining(talk, definition(name, policy)))
        content = results((name, WRITTEN))
        await talk.commit(talk.forge(first, second, chaincode=name, results=content))


@conversation("v20bad", "definitions that are not complete define nothing", "5.5", rig="blocks")
async def incomplete(talk: BlocksTalk) -> None:
    await talk.open("V2_0", deployed=())
    for index, content in enumerate(
        (
            definition("cc0", b""),
            definition("cc1", DEFAULT, plugin=""),
        )
    ):
        await talk.commit(defining(talk, content))
        await talk.commit(talk.forge(chaincode=f"cc{index}", results=b""))


@conversation(
    "v20called", "what is called must be defined and agree with the header", "5.5", rig="blocks"
)
async def called(talk: BlocksTalk) -> None:
    await opened(talk, signature("OR('Org1MSP.peer')"))
    await talk.commit(
        talk.forge(),
        talk.forge(version="old"),
        talk.forge(version=""),
        talk.forge(chaincode="nobody"),
        talk.forge(chaincode=""),
        talk.forge(called=ChaincodeID(name="other", version="1")),
        talk.forge(header_extension=b"\x12\x00"),
        talk.forge(header_extension=b""),
        talk.forge(header_extension=b"\xff"),
        talk.forge(action=b"\x1a\x00"),
        talk.forge(results=b"\xff"),
        talk.forge(results=results(("probe", b"\xff"))),
    )


@conversation(
    "v20events", "an event must be of the called chaincode, here too", "5.5", rig="blocks"
)
async def events(talk: BlocksTalk) -> None:
    await opened(talk, signature("OR('Org1MSP.peer')"))
    for event in (
        ChaincodeEvent(chaincode_id="probe", event_name="e"),
        ChaincodeEvent(chaincode_id="other", event_name="e"),
        ChaincodeEvent(),
    ):
        await talk.commit(talk.forge(events=event.SerializeToString()))
    await talk.commit(talk.forge(events=b"\xff"))


@conversation(
    "v20system",
    "system chaincodes other than the lifecycle cannot be committed",
    "5.5",
    "3.8",
    rig="blocks",
)
async def system(talk: BlocksTalk) -> None:
    await opened(talk, signature("OR('Org1MSP.peer')"))
    names = ("lscc", "qscc", "cscc", "vscc", "escc")
    await talk.commit(*(talk.forge(chaincode=name, results=b"") for name in names))
    await talk.commit(*(talk.forge(results=results((name, WRITTEN))) for name in names))
    await talk.commit(talk.deployment("other"))
    await talk.commit(talk.forge(results=results(("_lifecycle", WRITTEN))))


@conversation("v20written", "every written namespace needs its own endorsers", "5.5", rig="blocks")
async def written(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await opened(talk, signature("OR('Org1MSP.peer')"))
    await talk.commit(defining(talk, definition("other", signature("OR('Org2MSP.peer')"))))
    both = results(("other", WRITTEN), ("probe", WRITTEN))
    await talk.commit(
        talk.forge(first, results=OTHER),
        talk.forge(first, second, results=OTHER),
        talk.forge(first, results=both),
        talk.forge(second, results=both),
        talk.forge(first, second, results=both),
        talk.forge(second, chaincode="other", results=OTHER),
        talk.forge(first, results=results(("probe", WRITTEN), ("probe", WRITTEN))),
        talk.forge(first, results=results(("nobody", WRITTEN))),
        talk.forge(first, results=results(("nobody", write_set(reads={"k": None})))),
        talk.forge(first, results=results(("", WRITTEN))),
    )


@conversation("v20keys", "keys have policies of their own, here too", "5.5", rig="blocks")
async def keys(talk: BlocksTalk) -> None:
    first, second = talk.cast.peer, talk.cast.peer2
    await opened(talk, signature("OR('Org1MSP.peer')"))
    await talk.commit(talk.change(a="1", b="1"))
    await talk.commit(talk.change(policies={"a": "Org2MSP"}), talk.change(a="2"))
    await talk.commit(
        talk.change(first, a="2"),
        talk.change(second, a="2"),
        talk.change(first, second, a="2", b="2"),
        talk.change(second, b="3"),
    )


@conversation("v20mvcc", "reads and ids are judged as ever", "5.6", "5.4", rig="blocks")
async def mvcc(talk: BlocksTalk) -> None:
    await opened(talk, signature("OR('Org1MSP.peer')"))
    twice = talk.change(b="1")
    await talk.commit(talk.change(a="1"))
    await talk.commit(
        talk.change(reads={"a": (2, 0)}, a="2"), talk.change(reads={"a": (2, 0)}), twice, twice
    )
    await talk.commit(twice)


@conversation("v25", "capability V2_5 judges like V2_0", "5.5", rig="blocks")
async def newest(talk: BlocksTalk) -> None:
    await opened(talk, signature("OR('Org1MSP.peer')"), "V2_5")
    await talk.commit(
        talk.forge(),
        talk.forge(talk.cast.peer2),
        talk.forge(chaincode="nobody"),
        talk.forge(chaincode="lscc", results=b""),
    )


@conversation(
    "v20majority",
    "without a lifecycle policy a majority of members define chaincodes",
    "5.5",
    rig="blocks",
)
async def without_policy(talk: BlocksTalk) -> None:
    def change(root: ConfigGroup) -> None:
        del root.groups["Application"].policies["LifecycleEndorsement"]

    await talk.open("V2_0", deployed=(), change=change)
    content = definition("probe", signature("OR('Org1MSP.peer')"))
    await talk.commit(
        defining(talk, content, talk.cast.peer),
        defining(talk, content, talk.cast.client, talk.cast.client2),
    )
    await talk.commit(talk.forge())
