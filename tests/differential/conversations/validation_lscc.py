"""Deployments and upgrades at validation, honest and forged (wire §3.8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite
from fabric_protos.peer.chaincode_pb2 import ChaincodeDeploymentSpec
from harness.crafting import results, write_set
from harness.differential.blocks_crafting import definition
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import serialize

VALUE = definition("third").encode()


def deploying(talk: BlocksTalk, *, verb: str = "deploy", **spec: Any) -> list[bytes]:
    """Arguments of lscc; *spec* are fields of a Deployment of ``third``."""
    return deployment_args(
        verb, talk.channel, Deployment(**({"name": "third", "version": "1"} | spec))
    )


def written(**values: bytes) -> bytes:
    """Results that write *values* to lscc; a ``_`` stands for ``~``."""
    return results(("lscc", in_order(*((key.replace("_", "~"), v) for key, v in values.items()))))


def in_order(*writes: tuple[str, bytes]) -> KVRWSet:
    """Writes in this order, which need not be that of the keys."""
    return KVRWSet(writes=[KVWrite(key=key, value=value) for key, value in writes])


@conversation("lsccdeploy", "a deployment defines a chaincode", "3.8", "3.5", rig="blocks")
async def deploy(talk: BlocksTalk) -> None:
    await talk.open(deployed=())
    await talk.commit(talk.forge())
    await talk.commit(talk.deployment("probe"), talk.forge())
    await talk.commit(talk.forge(), talk.deployment("probe"), talk.deployment("probe", "2"))
    await talk.ask("lscc", "getccdata", talk.channel, "probe")
    await talk.ask("lscc", "getchaincodes", hint="protos.ChaincodeQueryResponse")
    await talk.probe("put a 1")


@conversation(
    "lscctwice", "of two deployments in a block the first is kept", "3.8", "5.6", rig="blocks"
)
async def twice(talk: BlocksTalk) -> None:
    await talk.open(deployed=())

    def reading(version: str) -> bytes:
        content = write_set(
            writes={"probe": definition("probe", version).encode()}, reads={"probe": None}
        )
        return talk.deployment("probe", version, results=results(("lscc", content)))

    await talk.commit(reading("2"), reading("1"))
    await talk.ask("lscc", "getccdata", talk.channel, "probe")
    await talk.commit(talk.forge(version="2"), talk.forge(version="1"))


@conversation(
    "lsccblind", "of two blind deployments in a block the last is kept", "3.8", rig="blocks"
)
async def blind(talk: BlocksTalk) -> None:
    await talk.open(deployed=())
    await talk.commit(talk.deployment("probe", "1"), talk.deployment("probe", "2"))
    await talk.ask("lscc", "getccdata", talk.channel, "probe")


@conversation("lsccwho", "an admin of the channel must deploy", "3.8", rig="blocks")
async def creators(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(deployed=())
    everybody = (cast.client, cast.peer, cast.orderer, cast.false_admin, cast.admin, cast.admin2)
    for index, creator in enumerate(everybody):
        await talk.commit(talk.deployment(f"cc{index}", creator=creator))
    await talk.commit(talk.deployment("unendorsed", endorsers=[]))
    await talk.commit(talk.deployment("byclient", endorsers=[cast.client2]))


@conversation(
    "lsccinstpolicy", "the instantiation policy names who may deploy", "3.8", rig="blocks"
)
async def instantiation_policy(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open(deployed=())
    policies = (
        b"",
        b"\xff",
        serialize(parse_policy("OR('Org2MSP.admin')")),
        serialize(parse_policy("OR('Org1MSP.client')")),
        serialize(parse_policy("AND('Org1MSP.admin','Org2MSP.admin')")),
        serialize(parse_policy("OutOf(0,'Org1MSP.admin')")),
    )
    for index, policy in enumerate(policies):
        name = f"cc{index}"
        value = replace(definition(name), instantiation_policy=policy).encode()
        write = results(("lscc", write_set(writes={name: value})))
        for creator in (cast.admin2, cast.client):
            await talk.commit(talk.deployment(name, creator=creator, results=write))


@conversation(
    "lsccspecs", "the deployment spec must be proper: name, version, type", "3.8", rig="blocks"
)
async def specs(talk: BlocksTalk) -> None:
    await talk.open(deployed=())
    names = (
        "good",
        "bad name",
        "a/b",
        "-a",
        "a--b",
        "a_b-c",
        "ü",
        "cscc",
        "lscc",
        "_lifecycle",
        "",
    )
    await talk.commit(*(talk.deployment(name) for name in names))
    versions = ("1.0_a-b+c", "1/2", "", " ", "ü", "1:2")
    for index, version in enumerate(versions):
        await talk.commit(talk.deployment(f"v{index}", version))
    for kind in range(7):
        name = f"t{kind}"
        args = deploying(talk, name=name)
        spec = ChaincodeDeploymentSpec.FromString(args[2])
        spec.chaincode_spec.type = kind  # type: ignore[assignment]
        args[2] = serialize(spec)
        await talk.commit(talk.deployment(name, args=args))


@conversation("lsccargs", "lscc is called with two to six arguments", "3.8", rig="blocks")
async def arguments(talk: BlocksTalk) -> None:
    await talk.open(deployed=())
    args = deploying(talk)
    changed = (
        [],
        args[:1],
        args[:2],
        [b"remove", *args[1:]],
        [b"DEPLOY", *args[1:]],
        [b"install", args[2]],
        [b"getid", args[1], b"third"],
        [args[0], args[1], b"\xff"],
        [args[0], args[1], b""],
        [*args, b"x"],
        [*args, b"", b""],
        [args[0], b"elsewhere", *args[2:]],
    )
    for each in changed:
        await talk.commit(talk.deployment("third", args=each))
    for position, each in enumerate((args[:3], args[:4], [*args, b""])):
        name = f"cc{position}"
        spec = deploying(talk, name=name)[2]
        await talk.commit(talk.deployment(name, args=[*each[:2], spec, *each[3:]]))


@conversation(
    "lsccwrites", "a deployment writes its definition and nothing else", "3.8", rig="blocks"
)
async def writes(talk: BlocksTalk) -> None:
    await talk.open()
    own, foreign = write_set(writes={"k": "v"}), definition("probe").encode()
    good = in_order(("third", VALUE))
    for content in (
        b"",
        results(("lscc", KVRWSet())),
        results(("third", own)),
        written(other=VALUE),
        written(third=foreign),
        written(third=b"\xff"),
        written(third=b""),
        written(third=definition("third", "2").encode()),
        written(other=VALUE, third=VALUE),
        written(third=VALUE, other=VALUE),
        written(third=VALUE, third_collection=b"x"),
        written(third=VALUE, third_collection=b"", more=b"x"),
        results(("lscc", good), ("probe", own)),
        results(("lscc", good), ("cscc", own)),
        results(("lscc", good), ("probe", write_set(policies={"k": "Org1MSP"}))),
        results(("lscc", good), ("third", own)),
    ):
        await talk.commit(talk.deployment("third", results=content))
    await talk.ask("lscc", "getccdata", talk.channel, "third")


@conversation("lsccupgrade", "an upgrade replaces the definition", "3.8", rig="blocks")
async def upgrade(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open()
    await talk.commit(talk.deployment("probe", "1", verb="upgrade"))
    await talk.commit(talk.deployment("nobody", "1", verb="upgrade"))
    await talk.commit(talk.deployment("probe", "2", verb="upgrade", creator=cast.client))
    await talk.commit(talk.deployment("probe", "2", verb="upgrade", policy="OR('Org2MSP.peer')"))
    await talk.commit(talk.forge(version="1"), talk.forge(version="2"))
    await talk.commit(talk.forge(cast.peer2, version="2"))
    await talk.ask("lscc", "getccdata", talk.channel, "probe")
    await talk.commit(talk.deployment("probe", "1", verb="upgrade"))
    await talk.commit(talk.forge(version="1"))
    await talk.probe("get k")


@conversation(
    "lsccconflicts",
    "invokes and earlier upgrades in the block of an upgrade conflict",
    "3.8",
    "5.5",
    rig="blocks",
)
async def conflicts(talk: BlocksTalk) -> None:
    await talk.open(deployed=("probe", "other"))
    golang = [talk.deployment("probe", version, verb="upgrade") for version in ("2", "3")]
    of_other = results(("other", write_set(writes={"k": "v"})))
    await talk.commit(
        talk.forge(),
        golang[0],
        talk.forge(),
        golang[1],
        talk.forge(chaincode="other", results=of_other),
        talk.forge(chaincode="other", results=results(("probe", write_set(writes={"k": "v"})))),
        talk.forge(version="9"),
        talk.forge(endorsers=[]),
    )
    await talk.ask("lscc", "getccdata", talk.channel, "probe")
    args = deploying(talk, verb="upgrade", name="probe", version="1", language_type=2)
    node = talk.deployment("probe", "1", verb="upgrade", args=args)
    await talk.commit(talk.forge(version="3"), node, talk.forge(version="3"))


@conversation(
    "lsccconflictbad",
    "an upgrade that is not valid conflicts with nothing",
    "3.8",
    "5.5",
    rig="blocks",
)
async def invalid_upgrade(talk: BlocksTalk) -> None:
    await talk.open()
    bad = talk.deployment("probe", "2", verb="upgrade", creator=talk.cast.client)
    await talk.commit(talk.forge(), bad, talk.forge())
    stale = talk.deployment(
        "probe",
        "2",
        verb="upgrade",
        results=results(
            (
                "lscc",
                write_set(
                    writes={"probe": definition("probe", "2").encode()}, reads={"probe": (9, 9)}
                ),
            )
        ),
    )
    await talk.commit(talk.forge(), stale, talk.forge())


@conversation(
    "lsccnewpolicy",
    "an upgrade needs the old instantiation policy and the new one",
    "3.8",
    rig="blocks",
)
async def both_policies(talk: BlocksTalk) -> None:
    cast = talk.cast
    await talk.open()

    def upgrading(version: str, policy: str, creator: object) -> bytes:
        value = replace(
            definition("probe", version), instantiation_policy=serialize(parse_policy(policy))
        )
        write = results(("lscc", write_set(writes={"probe": value.encode()})))
        return talk.deployment("probe", version, verb="upgrade", creator=creator, results=write)

    await talk.commit(upgrading("2", "OR('Org2MSP.admin')", cast.admin))
    await talk.commit(upgrading("2", "OR('Org2MSP.admin')", cast.admin2))
    await talk.commit(upgrading("3", "OR('Org1MSP.admin')", cast.admin))
    await talk.commit(upgrading("3", "OR('Org1MSP.admin','Org2MSP.admin')", cast.admin2))
