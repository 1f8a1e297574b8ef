"""Collections in deploys and upgrades, as every peer must judge them (fabric-wire.md §3.8, §5.10).

This peer endorses no collections yet, but others of its network may.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fabric_protos.common.policies_pb2 import SignaturePolicy
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVWrite
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage, StaticCollectionConfig
from treadle_fabric.wire import WireError, parse

from treadle_peer.channels import LEGACY_NAMESPACE, ChaincodeDefinition, collection_key
from treadle_peer.commit.errors import EndorsementFailure
from treadle_peer.commit.state import CommittedState

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def require_valid_collections(
    state: CommittedState,
    *,
    upgrade: bool,
    definition: ChaincodeDefinition,
    writes: Sequence[KVWrite],
    argument: bytes | None,
    strict: bool,
) -> None:
    """Raise EndorsementFailure unless argument, write set and committed state agree.

    An empty *argument* is a package without collections, which an upgrade may not fall back to;
    None says nothing of collections, and keeps those there are. Channels that only try private
    data out, before V1_2, are not *strict*: any readable package will do.
    """
    key = collection_key(definition.name)
    if _written(definition, writes, key) != (argument or b""):
        raise EndorsementFailure(
            "collection configuration arguments supplied for chaincode "
            f"{definition.ccid} do not match the configuration in the lscc writeset"
        )
    stored = state.get_state(LEGACY_NAMESPACE, key)
    if stored and not upgrade:
        text = f"collection data should not exist for chaincode {definition.ccid}"
        raise EndorsementFailure(text)
    if argument is None:
        return
    package = _package(definition, argument)
    if not strict:
        return
    collections = _collections(package)
    if upgrade and stored:
        _require_compatible(collections, _collections(_package(definition, stored)))


def _written(definition: ChaincodeDefinition, writes: Sequence[KVWrite], key: str) -> bytes:
    if len(writes) > 2:
        raise EndorsementFailure("LSCC can only issue one or two putState upon deploy")
    if len(writes) < 2:
        return b""
    if writes[1].key != key:
        raise EndorsementFailure(
            f"invalid key for the collection of chaincode {definition.ccid}; "
            f"expected '{key}', received '{writes[1].key}'"
        )
    return writes[1].value


def _package(definition: ChaincodeDefinition, data: bytes) -> CollectionConfigPackage:
    try:
        return parse(CollectionConfigPackage, data)
    except WireError as error:
        text = f"invalid collection configuration supplied for chaincode {definition.ccid}"
        raise EndorsementFailure(text) from error


def _collections(package: CollectionConfigPackage) -> dict[str, StaticCollectionConfig]:
    collections: dict[str, StaticCollectionConfig] = {}
    for entry in package.config:
        if not entry.HasField("static_collection_config"):
            raise EndorsementFailure("unknown collection configuration type")
        _require_valid(entry.static_collection_config, collections)
        collections[entry.static_collection_config.name] = entry.static_collection_config
    return collections


def _require_valid(
    collection: StaticCollectionConfig, known: Mapping[str, StaticCollectionConfig]
) -> None:
    name = collection.name
    if not _NAME.fullmatch(name):
        raise EndorsementFailure(f"collection-name: {name} not allowed")
    if name in known:
        text = f"collection-name: {name} -- found duplicate collection configuration"
        raise EndorsementFailure(text)
    maximum, required = collection.maximum_peer_count, collection.required_peer_count
    if maximum < required:
        raise EndorsementFailure(
            f"collection-name: {name} -- maximum peer count ({maximum}) "
            f"cannot be less than the required peer count ({required})"
        )
    if required < 0:
        raise EndorsementFailure(
            f"collection-name: {name} -- requiredPeerCount ({required}) cannot be less than zero"
        )
    _require_alternatives(name, collection.member_orgs_policy.signature_policy.rule)


def _require_alternatives(name: str, rule: SignaturePolicy) -> None:
    """Member policies may only join identities by OR."""
    if rule.WhichOneof("Type") != "n_out_of":
        return
    if rule.n_out_of.n != 1:
        raise EndorsementFailure(
            f"collection-name: {name} -- error in member org policy: "
            f"signature policy is not an OR concatenation, NOutOf {rule.n_out_of.n}"
        )
    for part in rule.n_out_of.rules:
        _require_alternatives(name, part)


def _require_compatible(
    new: Mapping[str, StaticCollectionConfig], old: Mapping[str, StaticCollectionConfig]
) -> None:
    missing = [name for name in old if name not in new]
    if missing:
        raise EndorsementFailure(
            "the following existing collections are missing in the new collection "
            f"configuration package: {missing}"
        )
    changed = [name for name in old if old[name].block_to_live != new[name].block_to_live]
    if changed:
        raise EndorsementFailure(
            f"the BlockToLive in the following existing collections must not be modified: {changed}"
        )
