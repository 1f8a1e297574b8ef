"""A small certificate authority for generated organisations, TLS and chaincode certificates.

The certificates follow cryptogen's (ECDSA P-256, SHA-256 key identifiers, critical key usage), and
every TLS certificate carries SANs, because Go clients ignore the common name (fabric-wire.md 7.5).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from treadle_fabric.identity.certificates import (
    CertificateError,
    certificate_pem,
    fingerprint,
    load_certificate,
    sanitise_certificate,
    subject_key_id,
)
from treadle_fabric.identity.signers import load_private_key, private_key_pem

DEFAULT_LIFETIME: Final = timedelta(days=3650)
# Tolerates clocks that lag behind the issuing machine.
_BACKDATE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate with its fresh key; ``fingerprint`` is hex SHA-256 of the DER."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CertificateAuthority:
    """A root authority that holds its key in memory."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def create(cls, *, common_name: str, organization: str) -> CertificateAuthority:
        """A new self-signed root, valid for ten years."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name=common_name, organization=organization)
        start = _now() - _BACKDATE
        builder = (
            x509.CertificateBuilder(subject_name=name, issuer_name=name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + DEFAULT_LIFETIME)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_TLS_USAGES), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_subject_key_identifier(key), critical=False)
        )
        return cls(certificate=_signed(builder, key), _key=key)

    @classmethod
    def from_pem(cls, cert_pem: bytes, key_pem: bytes) -> CertificateAuthority:
        """Load a kept authority; raises CertificateError when the two do not belong together."""
        certificate, key = load_certificate(cert_pem), load_private_key(key_pem)
        if certificate.public_key() != key.public_key():
            raise CertificateError("the private key does not belong to the CA certificate")
        return cls(certificate=certificate, _key=key)

    @property
    def certificate_pem(self) -> bytes:
        """The root certificate."""
        return certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        """The root's private key as unencrypted PKCS#8."""
        return private_key_pem(self._key)

    def issue(
        self,
        *,
        common_name: str,
        organizational_units: Sequence[str] = (),
        hosts: Sequence[str] = (),
        client: bool = False,
        server: bool = False,
        lifetime: timedelta = DEFAULT_LIFETIME,
    ) -> IssuedCertificate:
        """Issue a certificate with a fresh P-256 key.

        ``hosts`` are DNS names or IP addresses and become SANs. ``client`` and ``server`` make it
        a TLS certificate; one without hosts gets its common name as SAN. It never outlives the CA.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        usages = _usages(client=client, server=server)
        names = tuple(hosts) or ((common_name,) if usages else ())
        start, end = self._validity(lifetime)
        builder = (
            x509.CertificateBuilder(
                subject_name=_name(common_name=common_name, units=organizational_units),
                issuer_name=self.certificate.subject,
            )
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(_key_usage(tls=bool(usages)), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_subject_key_identifier(key), critical=False)
            .add_extension(self._authority_key_identifier(), critical=False)
        )
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if names:
            builder = builder.add_extension(_alternative_names(names), critical=False)
        certificate = _signed(builder, self._key)
        return IssuedCertificate(
            certificate_pem=certificate_pem(certificate),
            key_pem=private_key_pem(key),
            fingerprint=fingerprint(certificate),
        )

    def _validity(self, lifetime: timedelta) -> tuple[datetime, datetime]:
        # Fabric checks a chain at the leaf's first second: it must not start before its CA.
        now = _now()
        start = max(now - _BACKDATE, self.certificate.not_valid_before_utc)
        return start, min(now + lifetime, self.certificate.not_valid_after_utc)

    def _authority_key_identifier(self) -> x509.AuthorityKeyIdentifier:
        identifier = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)


_TLS_USAGES: Final = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _usages(*, client: bool, server: bool) -> list[x509.ObjectIdentifier]:
    wanted = (client, server)
    return [usage for usage, want in zip(_TLS_USAGES, wanted, strict=True) if want]


def _name(*, common_name: str, organization: str = "", units: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "US")]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, authority: bool = False, tls: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=authority or tls,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _subject_key_identifier(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier(subject_key_id(key.public_key()))


def _alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    # Low-S from the start, so that the bytes do not change when a peer sanitises them.
    return sanitise_certificate(builder.sign(key, SHA256()))
