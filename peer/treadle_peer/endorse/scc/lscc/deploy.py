"""lscc deploy and upgrade: define a chaincode on a channel (fabric-wire.md §3.3, §3.4, §3.5).

``Init`` is not called here: the endorser calls it afterwards in the same simulation (§3.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeDeploymentSpec, ChaincodeID, LifecycleEvent
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from treadle_fabric.channelconfig import Bundle, Capabilities
from treadle_fabric.packages import OWN_NUMBERS, language_name
from treadle_fabric.policy import (
    PolicyError,
    compile_signature_policy,
    signed_by_any_admin,
    signed_by_any_member,
)
from treadle_fabric.wire import WireError, parse, serialize

from treadle_peer.channels import LEGACY_NAMESPACE, ChaincodeDefinition, Channels
from treadle_peer.endorse.scc.base import (
    SystemCall,
    SystemChaincodeError,
    SystemOutcome,
    text,
)
from treadle_peer.endorse.scc.lscc.names import check_name_and_version, wrong_arg_count
from treadle_peer.execution import InstalledPackage, PackageError, PackageStore

DEPLOY = "deploy"
UPGRADE = "upgrade"
_ENDORSEMENT_PLUGIN = "escc"
_VALIDATION_PLUGIN = "vscc"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """The arguments, read: what to define, and where."""

    function: str
    bundle: Bundle
    chaincode: ChaincodeID
    policy: bytes
    collections: bytes | None


class Deployer:
    """Carries out deploy and upgrade for channels the peer has joined."""

    def __init__(self, *, channels: Channels, packages: PackageStore) -> None:
        self._channels = channels
        self._packages = packages

    def run(self, call: SystemCall) -> SystemOutcome:
        """Write the definition into the simulation; the payload is the marshalled definition.

        Raises SystemChaincodeError with Fabric's text.
        """
        request = self._read(call)
        name, version = request.chaincode.name, request.chaincode.version
        check_name_and_version(name, version)
        package = self._package(name, version)
        definition = _definition(request, package)
        if request.function == DEPLOY:
            _check_new(call, name)
            _check_policy(call, request.bundle, definition.instantiation_policy)
        else:
            committed = _check_other_version(call, name, version)
            _check_policy(call, request.bundle, committed.instantiation_policy)
            _check_policy(call, request.bundle, definition.instantiation_policy)
        encoded = definition.encode()
        call.state("PUT_STATE").set_state(LEGACY_NAMESPACE, name, encoded)
        _check_collections(request)
        event = _upgrade_event(call, name) if request.function == UPGRADE else None
        return SystemOutcome(encoded, event)

    def _read(self, call: SystemCall) -> _Request:
        args = call.args
        if len(args) < 3:
            raise wrong_arg_count(len(args))
        channel_id = text(args[1])
        channel = self._channels.get(channel_id)
        if channel is None:
            raise SystemChaincodeError(f"invalid channel name: {channel_id}")
        if call.channel_id and call.channel_id != channel_id:
            # Fabric would check the policies of one channel and write to the other.
            raise SystemChaincodeError(
                f"the proposal is for channel '{call.channel_id}', "
                f"but asks for {call.function} on channel '{channel_id}'"
            )
        bundle = channel.bundle
        _check_capabilities(bundle.application.capabilities, channel_id, len(args))
        _check_plugins(args)
        return _Request(
            function=call.function,
            bundle=bundle,
            chaincode=_chaincode_id(args[2]),
            policy=_optional(args, 3) or _any_member(bundle),
            collections=args[6] if len(args) > 6 else None,
        )

    def _package(self, name: str, version: str) -> InstalledPackage:
        try:
            return self._packages.get(name, version)
        except PackageError as error:
            raise SystemChaincodeError(
                f"cannot get package for chaincode ({name}:{version})"
            ) from error


def _check_capabilities(capabilities: Capabilities, channel_id: str, count: int) -> None:
    if capabilities.v2_lifecycle:
        raise SystemChaincodeError(
            f"Channel '{channel_id}' has been migrated to the new lifecycle, LSCC is now read-only"
        )
    if not capabilities.private_data and count > 6:
        raise SystemChaincodeError(
            "as V1_2 or later capability is not enabled, "
            "private channel collections and data are not available"
        )
    if count > 7:
        raise wrong_arg_count(count)


def _check_plugins(args: Sequence[bytes]) -> None:
    """A definition with a plugin that a peer lacks would stop its channel at the next invoke."""
    for position, plugin in ((4, _ENDORSEMENT_PLUGIN), (5, _VALIDATION_PLUGIN)):
        given = text(_optional(args, position))
        if given and given != plugin:
            raise SystemChaincodeError(
                f"plugin '{given}' is not known to this peer; leave it out or name '{plugin}'"
            )


def _chaincode_id(data: bytes) -> ChaincodeID:
    try:
        spec = parse(ChaincodeDeploymentSpec, data).chaincode_spec
    except WireError as error:
        raise SystemChaincodeError(str(error)) from error
    if spec.type in OWN_NUMBERS:
        # Endorsed, it would be ordered and then marked invalid by every peer.
        raise SystemChaincodeError(
            f"a deploy cannot name the chaincode type {spec.type} "
            f"({language_name(spec.type).capitalize()}), which Fabric's validation does "
            "not know; name GOLANG: only the installed package decides how it is built"
        )
    return spec.chaincode_id


def _optional(args: Sequence[bytes], position: int) -> bytes:
    return args[position] if len(args) > position else b""


def _application_msp_ids(bundle: Bundle) -> list[str]:
    return sorted(organization.msp_id for organization in bundle.application.orgs)


def _any_member(bundle: Bundle) -> bytes:
    return serialize(signed_by_any_member(_application_msp_ids(bundle)))


def _definition(request: _Request, package: InstalledPackage) -> ChaincodeDefinition:
    """What is installed, completed by what the channel decides."""
    definition = ChaincodeDefinition(
        name=package.name,
        version=package.version,
        endorsement_plugin=_ENDORSEMENT_PLUGIN,
        validation_plugin=_VALIDATION_PLUGIN,
        policy=request.policy,
        data=package.data,
        id=package.id,
        instantiation_policy=package.instantiation_policy,
    )
    if definition.instantiation_policy:
        return definition
    default = serialize(signed_by_any_admin(_application_msp_ids(request.bundle)))
    return replace(definition, instantiation_policy=default)


def _check_new(call: SystemCall, name: str) -> None:
    # Without a ledger the write that follows fails instead, as in Fabric.
    if call.simulator is not None and call.simulator.get_state(LEGACY_NAMESPACE, name):
        raise SystemChaincodeError(f"chaincode with name '{name}' already exists")


def _check_other_version(call: SystemCall, name: str, version: str) -> ChaincodeDefinition:
    stored = call.simulator.get_state(LEGACY_NAMESPACE, name) if call.simulator else None
    if not stored:
        raise SystemChaincodeError(f"could not find chaincode with name '{name}'")
    try:
        committed = ChaincodeDefinition.decode(stored)
    except WireError as error:
        raise SystemChaincodeError(f"error while marshalling: {name}") from error
    if committed.name != name:
        raise SystemChaincodeError(f"chaincode name mismatch: {name}!={committed.name}")
    if committed.version == version:
        raise SystemChaincodeError(f"version already exists for chaincode with name '{name}'")
    if not committed.instantiation_policy:
        raise SystemChaincodeError("instantiation policy missing")
    return committed


def _check_policy(call: SystemCall, bundle: Bundle, policy: bytes) -> None:
    try:
        envelope = parse(SignaturePolicyEnvelope, policy)
    except WireError as error:
        reason = str(error).removeprefix("error unmarshalling SignaturePolicyEnvelope: ")
        raise SystemChaincodeError(f"Error unmarshalling to SignaturePolicy: {reason}") from error
    try:
        compiled = compile_signature_policy(envelope, bundle.msps)
    except PolicyError as error:
        raise SystemChaincodeError(str(error)) from error
    try:
        compiled.evaluate([call.signed])
    except PolicyError as error:
        raise SystemChaincodeError(f"instantiation policy violation: {error}") from error


def _check_collections(request: _Request) -> None:
    collections = request.collections
    if collections is None:
        return
    if (
        request.function == UPGRADE
        and not request.bundle.application.capabilities.collection_upgrade
    ):
        raise SystemChaincodeError(
            "as V1_2 capability is not enabled, collection upgrades are not allowed"
        )
    chaincode = request.chaincode
    try:
        package = parse(CollectionConfigPackage, collections)
    except WireError as error:
        raise SystemChaincodeError(
            "invalid collection configuration supplied for chaincode "
            f"{chaincode.name}:{chaincode.version}"
        ) from error
    if package.config:
        raise SystemChaincodeError(
            f"chaincode {chaincode.name} comes with private data collections, which this peer "
            "does not support yet: leave out the collection configuration"
        )


def _upgrade_event(call: SystemCall, name: str) -> ChaincodeEvent:
    return ChaincodeEvent(
        chaincode_id=LEGACY_NAMESPACE,
        tx_id=call.tx_id,
        event_name=UPGRADE,
        payload=serialize(LifecycleEvent(chaincode_name=name)),
    )
