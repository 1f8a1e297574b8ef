"""Packages of the legacy lifecycle: deployment specs, plain and signed (fabric-wire.md §3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header, HeaderType, Payload
from fabric_protos.peer.chaincode_pb2 import (
    CDSData,
    ChaincodeDeploymentSpec,
    ChaincodeID,
    ChaincodeInput,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_response_pb2 import Endorsement
from fabric_protos.peer.signed_cc_dep_spec_pb2 import SignedChaincodeDeploymentSpec

from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.packages.languages import language_name, package_number
from treadle_fabric.packages.sources import pack_source
from treadle_fabric.wire import (
    SignerLike,
    WireError,
    encode_signed_cds_data,
    parse,
    serialize,
    sha256,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodePackage:
    """One legacy package.

    ``raw`` are the bytes given to install, ``deployment_spec`` the CDS bytes inside (unknown
    fields of 1.4 included), ``code`` the gzipped tar, empty for development packages. ``data``
    and ``id`` are the hashes the ledger records. A plain package has no instantiation policy and
    no owners.
    """

    name: str
    version: str
    path: str
    language: str
    code: bytes
    raw: bytes
    deployment_spec: bytes
    signed: bool
    instantiation_policy: bytes
    owner_endorsements: tuple[Endorsement, ...]
    data: bytes
    id: bytes


def parse_legacy_package(raw: bytes) -> ChaincodePackage:
    """Read a CDS or a signed CDS; where both readings work, signed wins, as in Fabric.

    Raises PackageFormatError ``could not unmarshal chaincode package to CDS or SignedCDS``.
    """
    package = _read_signed(raw) or _read_plain(raw)
    if package is None:
        raise PackageFormatError("could not unmarshal chaincode package to CDS or SignedCDS")
    return package


def build_legacy_package(
    *,
    name: str,
    version: str,
    language: str,
    path: str,
    source: Path,
    dependencies: bool = False,
) -> bytes:
    """The CDS of the project in folder *source*, byte for byte the same on every machine.

    *path* becomes the package's path, except for a Go module, whose import path it is;
    *dependencies* as in ``pack_source``. Raises PackageFormatError when the project breaks a rule
    of its language.
    """
    packed = pack_source(
        language=language, source=source, path=path, legacy=True, dependencies=dependencies
    )
    return wrap_code(
        name=name, version=version, language=language, path=packed.path, code=packed.code
    )


def wrap_code(*, name: str, version: str, language: str, path: str, code: bytes) -> bytes:
    """The CDS around an existing code package; empty *code* makes a development package."""
    spec = ChaincodeSpec(
        type=package_number(language),
        chaincode_id=ChaincodeID(path=path, name=name, version=version),
        input=ChaincodeInput(),
    )
    return serialize(ChaincodeDeploymentSpec(chaincode_spec=spec, code_package=code))


def sign_package(
    *, deployment_spec: bytes, instantiation_policy: bytes, owner: SignerLike | None = None
) -> bytes:
    """A signed package of CDS bytes; *owner* may be absent, as in ``package -s`` without ``-S``."""
    endorsements = []
    if owner is not None:
        endorsements.append(_endorse(deployment_spec, instantiation_policy, owner))
    return _signed_envelope(deployment_spec, instantiation_policy, endorsements)


def add_signature(raw: bytes, owner: SignerLike) -> bytes:
    """The signed package *raw* with one more owner (``peer chaincode signpackage``)."""
    package = parse_legacy_package(raw)
    if not package.signed:
        raise PackageFormatError("invalid signed deployment spec")
    mine = _endorse(package.deployment_spec, package.instantiation_policy, owner)
    return _signed_envelope(
        package.deployment_spec,
        package.instantiation_policy,
        [*package.owner_endorsements, mine],
    )


def _endorse(deployment_spec: bytes, policy: bytes, owner: SignerLike) -> Endorsement:
    endorser = owner.serialize()
    signature = owner.sign(deployment_spec + policy + endorser)
    return Endorsement(endorser=endorser, signature=signature)


def _signed_envelope(
    deployment_spec: bytes, policy: bytes, endorsements: Sequence[Endorsement]
) -> bytes:
    signed = SignedChaincodeDeploymentSpec(
        chaincode_deployment_spec=deployment_spec,
        instantiation_policy=policy,
        owner_endorsements=endorsements,
    )
    header = Header(channel_header=serialize(ChannelHeader(type=HeaderType.CHAINCODE_PACKAGE)))
    payload = Payload(header=header, data=serialize(signed))
    return serialize(Envelope(payload=serialize(payload)))


def _read_plain(raw: bytes) -> ChaincodePackage | None:
    spec = _read_deployment_spec(raw)
    if spec is None:
        return None
    code_hash, metadata_hash = _hashes(spec)
    data = serialize(CDSData(hash=code_hash, metadatahash=metadata_hash))
    return _package(
        raw=raw, cds=raw, spec=spec, signed=None, data=data, id=sha256(code_hash, metadata_hash)
    )


def _read_signed(raw: bytes) -> ChaincodePackage | None:
    signed = _open_envelope(raw)
    if signed is None or not signed.instantiation_policy:
        return None
    spec = _read_deployment_spec(signed.chaincode_deployment_spec)
    if spec is None:
        return None
    code_hash, metadata_hash = _hashes(spec)
    owners = [endorsement.endorser for endorsement in signed.owner_endorsements]
    signature_hash = sha256(signed.instantiation_policy, *owners)
    return _package(
        raw=raw,
        cds=signed.chaincode_deployment_spec,
        spec=spec,
        signed=signed,
        data=encode_signed_cds_data(code_hash, metadata_hash, signature_hash),
        id=sha256(code_hash, metadata_hash, signature_hash),
    )


def _open_envelope(raw: bytes) -> SignedChaincodeDeploymentSpec | None:
    try:
        payload = parse(Payload, parse(Envelope, raw).payload)
        header = parse(ChannelHeader, payload.header.channel_header)
        if header.type != HeaderType.CHAINCODE_PACKAGE:
            return None
        return parse(SignedChaincodeDeploymentSpec, payload.data)
    except WireError:
        return None


def _read_deployment_spec(data: bytes) -> ChaincodeDeploymentSpec | None:
    try:
        cds = parse(ChaincodeDeploymentSpec, data)
    except WireError:
        return None
    spec = cds.chaincode_spec
    # Fabric dereferences both without a look; a name that cannot be printed marks garbage.
    if not (cds.HasField("chaincode_spec") and spec.HasField("chaincode_id")):
        return None
    return cds if spec.chaincode_id.name.isprintable() else None


def _hashes(cds: ChaincodeDeploymentSpec) -> tuple[bytes, bytes]:
    chaincode_id = cds.chaincode_spec.chaincode_id
    metadata = sha256(chaincode_id.name.encode(), chaincode_id.version.encode())
    return sha256(cds.code_package), metadata


def _package(
    *,
    raw: bytes,
    cds: bytes,
    spec: ChaincodeDeploymentSpec,
    signed: SignedChaincodeDeploymentSpec | None,
    data: bytes,
    id: bytes,
) -> ChaincodePackage:
    chaincode_id = spec.chaincode_spec.chaincode_id
    return ChaincodePackage(
        name=chaincode_id.name,
        version=chaincode_id.version,
        path=chaincode_id.path,
        language=language_name(spec.chaincode_spec.type),
        code=spec.code_package,
        raw=raw,
        deployment_spec=cds,
        signed=signed is not None,
        instantiation_policy=signed.instantiation_policy if signed else b"",
        owner_endorsements=tuple(signed.owner_endorsements) if signed else (),
        data=data,
        id=id,
    )
