"""MSPs, certificates, revocation lists and identities that nobody decent would issue."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, FabricOUIdentifier, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal
from fuzz.dertree import edit_der, element, split
from fuzz.forging import THEN
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import bundle, consortium
from treadle_fabric.identity import serialize_identity
from treadle_fabric.identity.certificates import (
    CertificateError,
    certificate_der,
    decode_pem,
    load_certificate,
)
from treadle_fabric.identity.signatures import sign
from treadle_fabric.identity.signers import load_private_key
from treadle_fabric.msp import MSP, MSPError, MSPManager, MSPVersion
from treadle_fabric.policy import role_principal
from treadle_fabric.wire import WireError, parse, serialize
from treadle_peer.endorse.checks import _expiry

_WAYS = ("identity", "authority", "config", "revocations", "text", "long text")
_UNITS = (
    b"x\n",
    b"a:b\n",
    b"-----BEGIN A-----\n",
    b"-----END A-----\n",
    b"-",
    b" ",
    b"AAAA\n",
    b"\n",
)
_VERSIONS = tuple(MSPVersion)
_MOST_EDITS = 6


def seeds() -> Iterator[bytes]:
    """Every way, unedited; edits of the two dates of a certificate; PEM texts."""
    for way in range(_WAYS.index("text")):
        for version in range(len(_VERSIONS)):
            yield bytes((way, version, 0))
    for way in range(2):
        for content in range(5, 9):
            for which in range(2):
                start = (way, 3, 0, 0, 1) if way else (way, 3, 0, 1)
                yield bytes((*start, 0, 1, 4, 1, which, 3, 11, content))
    for unit in range(len(_UNITS)):
        yield bytes((5, 2, 2, 0, unit, 3, 3, 0))
    pem = consortium().client.certificate_pem
    yield bytes((4,)) + pem
    yield bytes((4,)) + b"text\n" + pem.replace(b"\n", b"\r\n") + pem
    yield bytes((4,)) + consortium().client.private_key_pem
    yield bytes((4,)) + b"-----BEGIN A-----\nk: v\n\nAAAA\n-----END A-----\n"


def one_input(data: bytes) -> None:
    """An MSP and identities that answer every question, or an MSPError; the same one again."""
    octets = Octets(data)
    way = octets.pick(_WAYS)
    if way == "text":
        _text(octets.rest())
        return
    if way == "long text":
        _text(b"".join(_repeated(octets) for _ in range(1 + octets.below(4))))
        return
    version = octets.pick(_VERSIONS)
    try:
        if way == "identity":
            _identity(octets)
        elif way == "authority":
            _authority(octets, version)
        elif way == "revocations":
            _revocations(octets, version)
        else:
            raw = edit_many(MSPConfig, serialize(consortium().org1.msp_config()), octets)
            _ask(MSP.from_config(parse(MSPConfig, raw), version=version))
    except (MSPError, WireError) as error:
        said(error)


def _identity(octets: Octets) -> None:
    """An edited client, issued by the honest authority or left with the old signature."""
    resign = octets.byte() % 4 != 1
    people = consortium()
    der = _edited(certificate_der(people.client.certificate), octets, resign=resign)
    serialized = serialize_identity(msp_id="Org1MSP", certificate=_pem(der))
    _expiry(serialized)
    _question(bundle().msps, serialized, octets)


def _authority(octets: Octets, version: MSPVersion) -> None:
    resign, place = octets.byte() % 4 != 1, octets.byte() % 4
    root = _edited(certificate_der(consortium().org1.ca.certificate), octets, resign=resign)
    config = FabricMSPConfig.FromString(consortium().org1.msp_config().config)
    if place == 1:
        config.intermediate_certs.append(_pem(root))
    elif place == 2:
        config.admins.append(_pem(root))
    elif place == 3:
        unit = FabricOUIdentifier(certificate=_pem(root), organizational_unit_identifier="client")
        config.organizational_unit_identifiers.append(unit)
    else:
        config.root_certs[0] = _pem(root)
    _ask(MSP.from_config(MSPConfig(config=serialize(config)), version=version))


def _revocations(octets: Octets, version: MSPVersion) -> None:
    resign = octets.byte() % 4 != 1
    der = _edited(_honest_revocations(), octets, resign=resign)
    config = FabricMSPConfig.FromString(consortium().org1.msp_config().config)
    config.revocation_list.append(der if octets.flag() else _pem(der, "X509 CRL"))
    _ask(MSP.from_config(MSPConfig(config=serialize(config)), version=version))


def _ask(msp: MSP) -> None:
    _question(MSPManager([msp]), consortium().client.serialize(), Octets(b""))


def _question(msps: MSPManager, serialized: bytes, octets: Octets) -> None:
    identity = msps.deserialize(serialized)
    assert msps.deserialize(identity.serialized).unique_id == identity.unique_id
    msp = msps.get(identity.msp_id)
    principal = serialize(role_principal("Org1MSP", octets.below(6)))
    wanted = parse(MSPPrincipal, edit_many(MSPPrincipal, principal, octets))
    for check in (
        lambda: msp.validate(identity),
        lambda: msp.satisfies(identity, wanted),
        lambda: identity.verify(b"m", consortium().client.sign(b"m")),
    ):
        assert _outcome(check) == _outcome(check)
    identity.expires_at()


def _repeated(octets: Octets) -> bytes:
    return octets.pick(_UNITS) * octets.pick((1, 3, 1000, 500_000, 5_000_000))


def _outcome(check: object) -> str:
    try:
        check()  # type: ignore[operator]
    except MSPError as error:
        return said(error)
    return ""


def _text(text: bytes) -> None:
    block = decode_pem(text)
    if block is not None:
        assert len(block.rest) < len(text)
    for load in (load_certificate, load_private_key):
        try:
            load(text)
        except CertificateError as error:
            said(error)


def _edited(der: bytes, octets: Octets, *, resign: bool) -> bytes:
    """A certificate or list whose signed part is edited, and signed again by the authority."""
    outer = split(der)
    assert outer is not None
    parts = split(outer[0][1])
    assert parts is not None
    body = element(*parts[0])
    for _ in range(min(octets.byte(), _MOST_EDITS)):
        body = edit_der(body, octets)
    algorithm, signature = element(*parts[1]), element(*parts[2])
    if resign:
        key = load_private_key(consortium().org1.ca.key_pem)
        signature = element(0x03, b"\x00" + sign(key, body))
    return element(0x30, body + algorithm + signature)


@cache
def _honest_revocations() -> bytes:
    ca = consortium().org1.ca
    key = load_private_key(ca.key_pem)
    identifier = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    start = datetime.fromtimestamp(THEN, UTC)
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    revoked = x509.RevokedCertificateBuilder().serial_number(4711).revocation_date(start).build()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(start)
        .next_update(start + timedelta(days=30))
        .add_extension(authority, critical=False)
        .add_revoked_certificate(revoked)
    )
    return _signed_list(builder, key)


def _signed_list(
    builder: x509.CertificateRevocationListBuilder, key: ec.EllipticCurvePrivateKey
) -> bytes:
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def _pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    lines = base64.encodebytes(der)
    return f"-----BEGIN {label}-----\n".encode() + lines + f"-----END {label}-----\n".encode()
