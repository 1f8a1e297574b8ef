"""The questions lscc answers: what is installed, what is instantiated (fabric-wire.md §3.3)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeDeploymentSpec
from fabric_protos.peer.query_pb2 import ChaincodeInfo, ChaincodeQueryResponse
from treadle_fabric.wire import WireError, parse, serialize

from treadle_peer.channels import (
    LEGACY_NAMESPACE,
    ChaincodeDefinition,
    collection_key,
    is_collection_key,
)
from treadle_peer.endorse.scc.base import SystemCall, SystemChaincodeError
from treadle_peer.execution import InstalledPackage, PackageError, PackageStore

# Shims begin unbounded scans here, and the bound is part of the read set (§1.8).
_FIRST_SIMPLE_KEY = "\x01"
# How Go's text format writes what it does not write as it is or as an octal number.
_ESCAPES = {ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t", ord('"'): r"\"", ord("\\"): r"\\"}


def installed_chaincodes(packages: PackageStore) -> bytes:
    """ChaincodeQueryResponse of everything installed, by name, then version."""
    infos = [
        ChaincodeInfo(name=package.name, version=package.version, path=package.path, id=package.id)
        for package in packages.installed()
    ]
    return serialize(ChaincodeQueryResponse(chaincodes=infos))


def instantiated_chaincodes(call: SystemCall, packages: PackageStore) -> bytes:
    """ChaincodeQueryResponse of the channel's definitions in key order (trap 46)."""
    state = call.state("GET_STATE_BY_RANGE")
    entries = state.range(LEGACY_NAMESPACE, _FIRST_SIMPLE_KEY, "")
    try:
        infos = [
            _info(_decode(entry.key, entry.value), packages)
            for entry in entries
            if not is_collection_key(entry.key)
        ]
    finally:
        entries.close()
    return serialize(ChaincodeQueryResponse(chaincodes=infos))


def chaincode_name(call: SystemCall, name: str) -> bytes:
    """The name itself, if it is defined."""
    return _decode(name, _stored(call, name)).name.encode()


def chaincode_data(call: SystemCall, name: str) -> bytes:
    """The stored ChaincodeData."""
    return _stored(call, name)


def deployment_spec(call: SystemCall, name: str, packages: PackageStore) -> bytes:
    """The installed deployment spec of the committed definition."""
    definition = _decode(name, _stored(call, name))
    try:
        package = packages.get(definition.name, definition.version)
    except PackageError as error:
        raise SystemChaincodeError(f"invalid deployment spec: {error}") from error
    if package.data != definition.data:
        raise SystemChaincodeError("chaincode fingerprint mismatch: data mismatch")
    return package.deployment_spec


def collections(call: SystemCall, name: str) -> bytes:
    """The stored CollectionConfigPackage."""
    stored = call.state("GET_STATE").get_state(LEGACY_NAMESPACE, collection_key(name))
    if not stored:
        raise SystemChaincodeError(f"collections config not defined for chaincode {name}")
    return stored


def _stored(call: SystemCall, name: str) -> bytes:
    try:
        stored = call.state("GET_STATE").get_state(LEGACY_NAMESPACE, name)
    except SystemChaincodeError as error:
        raise SystemChaincodeError(f"transaction not found: {error}") from error
    if not stored:
        raise SystemChaincodeError(f"could not find chaincode with name '{name}'")
    return stored


def _decode(name: str, stored: bytes) -> ChaincodeDefinition:
    try:
        definition = ChaincodeDefinition.decode(stored)
    except WireError as error:
        raise SystemChaincodeError(f"error while marshalling: {name}") from error
    if definition.name != name:
        raise SystemChaincodeError(f"chaincode name mismatch: {name}!={definition.name}")
    return definition


def _info(definition: ChaincodeDefinition, packages: PackageStore) -> ChaincodeInfo:
    info = ChaincodeInfo(
        name=definition.name,
        version=definition.version,
        escc=definition.endorsement_plugin,
        vscc=definition.validation_plugin,
    )
    try:
        package = packages.get(definition.name, definition.version)
    except PackageError:
        # Defined here, installed elsewhere: path and input are unknown.
        return info
    info.path = package.path
    info.input = _input_text(package)
    return info


def _input_text(package: InstalledPackage) -> str:
    """The package's input as Go prints it; clients only show it."""
    spec = parse(ChaincodeDeploymentSpec, package.deployment_spec).chaincode_spec
    if not spec.HasField("input"):
        return "<nil>"
    given = spec.input
    parts = [f"args:{_quoted(arg)} " for arg in given.args]
    parts += [
        f"decorations:<key:{_quoted(key.encode())} value:{_quoted(value)} > "
        for key, value in sorted(given.decorations.items())
    ]
    if given.is_init:
        parts.append("is_init:true ")
    return "".join(parts)


def _quoted(data: bytes) -> str:
    return '"' + "".join(_ESCAPES.get(byte) or _character(byte) for byte in data) + '"'


def _character(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
