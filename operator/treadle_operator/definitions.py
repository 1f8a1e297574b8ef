"""Legacy definitions: what a spec asks for, and whether the ledger has it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from treadle_fabric.policy import PolicyError, parse_policy, signed_by_any_member
from treadle_fabric.wire import WireError, parse, serialize

from treadle_operator.errors import Blocked
from treadle_operator.model import CollectionEndorsement, CollectionSpec, InstantiationSpec
from treadle_operator.model.peering import Definition


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a spec asks for. ``policy`` None: any member of the channel endorses."""

    policy: bytes | None
    collections: bytes


def wanted_definition(spec: InstantiationSpec) -> Wanted:
    """The policies of *spec* as Fabric stores them; raises Blocked with PolicyInvalid."""
    policy = None
    if spec.endorsement_policy is not None:
        policy = serialize(_policy("spec.endorsementPolicy", spec.endorsement_policy))
    if not spec.collections:
        return Wanted(policy, b"")
    configs = [_collection(collection) for collection in spec.collections]
    return Wanted(policy, serialize(CollectionConfigPackage(config=configs)))


def is_policy(committed: Definition, wanted: Wanted, members: Sequence[str]) -> bool:
    """Whether the ledger has the policy; *members* are the channel's organisations."""
    if wanted.policy is not None:
        expected = parse(SignaturePolicyEnvelope, wanted.policy)
    else:
        expected = signed_by_any_member(sorted(members))
    try:
        return bool(parse(SignaturePolicyEnvelope, committed.policy) == expected)
    except WireError:
        return False


def are_collections(committed: Definition, wanted: Wanted) -> bool:
    """Whether the ledger has these collections, in any order."""
    try:
        return _by_name(committed.collections) == _by_name(wanted.collections)
    except WireError:
        return False


def _by_name(collections: bytes) -> dict[str, StaticCollectionConfig]:
    configs = parse(CollectionConfigPackage, collections).config
    return {
        config.static_collection_config.name: config.static_collection_config for config in configs
    }


def _collection(spec: CollectionSpec) -> CollectionConfig:
    where = f"spec.collections, {spec.name}"
    static = StaticCollectionConfig(
        name=spec.name,
        member_orgs_policy=CollectionPolicyConfig(
            signature_policy=_policy(f"{where}: policy", spec.policy)
        ),
        required_peer_count=spec.required_peer_count,
        maximum_peer_count=spec.max_peer_count,
        block_to_live=spec.block_to_live,
        member_only_read=spec.member_only_read,
        member_only_write=spec.member_only_write,
    )
    if spec.endorsement is not None:
        static.endorsement_policy.CopyFrom(_endorsement(where, spec.endorsement))
    return CollectionConfig(static_collection_config=static)


def _endorsement(where: str, given: CollectionEndorsement) -> ApplicationPolicy:
    if given.signature_policy is None:
        return ApplicationPolicy(channel_config_policy_reference=given.channel_config_policy or "")
    policy = _policy(f"{where}: endorsementPolicy.signaturePolicy", given.signature_policy)
    return ApplicationPolicy(signature_policy=policy)


def _policy(where: str, text: str) -> SignaturePolicyEnvelope:
    try:
        return parse_policy(text)
    except PolicyError as error:
        raise Blocked(
            "PolicyInvalid",
            f"{where} is no policy: {error}; write it like OR('Org1MSP.member') or "
            "AND('Org1MSP.peer', 'Org2MSP.peer')",
        ) from error
