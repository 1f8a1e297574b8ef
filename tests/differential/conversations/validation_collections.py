"""Collections in deployments and upgrades, which peers must judge alike (wire §3.8)."""

from __future__ import annotations

from typing import Any

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVWrite
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from harness.crafting import results, write_set
from harness.differential.blocks_crafting import definition
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import serialize

# A collection whose policy is empty is never asked for: it stops a real peer for good.


def collection(name: str = "col", **changes: Any) -> CollectionConfig:
    """A proper collection but for *changes*."""
    policy = CollectionPolicyConfig(signature_policy=parse_policy("OR('Org1MSP.member')"))
    made: dict[str, Any] = {
        "name": name,
        "member_orgs_policy": policy,
        "required_peer_count": 0,
        "maximum_peer_count": 1,
    }
    return CollectionConfig(static_collection_config=StaticCollectionConfig(**(made | changes)))


@conversation(
    "lscccollections",
    "collections of a deployment are as its arguments say, and proper",
    "3.8",
    rig="blocks",
)
async def collections(talk: BlocksTalk) -> None:
    await talk.open(deployed=())
    every = CollectionPolicyConfig(
        signature_policy=parse_policy("AND('Org1MSP.member','Org2MSP.member')")
    )
    packages = (
        [collection()],
        [collection("a b")],
        [collection("")],
        [collection(), collection()],
        [collection(), collection("second")],
        [collection(required_peer_count=2)],
        [collection(required_peer_count=-1)],
        [collection(member_orgs_policy=every)],
        [CollectionConfig()],
        [],
    )
    for index, each in enumerate(packages):
        name = f"cc{index}"
        await talk.commit(
            with_collections(talk, name, serialize(CollectionConfigPackage(config=each)))
        )
    await talk.commit(with_collections(talk, "raw", b"\xff"))
    package = serialize(CollectionConfigPackage(config=packages[0]))
    await talk.commit(with_collections(talk, "unwritten", package, write=b""))
    await talk.commit(with_collections(talk, "unsaid", b"", write=package))
    await talk.commit(with_collections(talk, "other", package, write=package + package))
    await talk.ask("lscc", "GetCollectionsConfig", "cc0", hint="protos.CollectionConfigPackage")


def with_collections(
    talk: BlocksTalk,
    name: str,
    package: bytes | None,
    *,
    write: bytes | None = None,
    verb: str = "deploy",
    version: str = "1",
) -> bytes:
    """A deployment with *package* as argument and *write* (the same) in its write set."""
    written = package if write is None else write
    content = write_set(writes={name: definition(name, version).encode()})
    if written:
        content.writes.append(KVWrite(key=f"{name}~collection", value=written))
    deployment = Deployment(name=name, version=version)
    args = deployment_args(verb, talk.channel, deployment)
    if package is not None:
        args.append(package)
    return talk.deployment(name, version, verb=verb, args=args, results=results(("lscc", content)))


@conversation(
    "lsccmorecollections",
    "an upgrade keeps the collections there are, and their lives",
    "3.8",
    rig="blocks",
)
async def more_collections(talk: BlocksTalk) -> None:
    await talk.open(deployed=())

    def package(*entries: CollectionConfig) -> bytes:
        return serialize(CollectionConfigPackage(config=entries))

    await talk.commit(with_collections(talk, "probe", package(collection("one"))))
    changes = (
        package(collection("two")),
        package(collection("one", block_to_live=5)),
        package(collection("one"), collection("two")),
        b"",
        None,
        package(collection("two"), collection("one", maximum_peer_count=3)),
    )
    for index, each in enumerate(changes, start=2):
        await talk.commit(with_collections(talk, "probe", each, verb="upgrade", version=str(index)))
    await talk.ask("lscc", "GetCollectionsConfig", "probe", hint="protos.CollectionConfigPackage")
