"""The authorities of one MSP: roots, intermediates, revocation lists, certifier ids.

Built once from a FabricMSPConfig (fabric-wire.md 6.1, 6.3), then only asked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig

from treadle_fabric.identity.certificates import (
    UNREADABLE,
    CertificateError,
    certificate_der,
    is_ecdsa_signed,
    load_certificate,
    sanitise_certificate,
)
from treadle_fabric.identity.numbers import decimal
from treadle_fabric.identity.signatures import SignatureError, curve_order
from treadle_fabric.msp.chains import (
    Chain,
    TrustAnchors,
    check_signed_by,
    is_authority,
    subject_key_identifier,
    unique_chain,
)
from treadle_fabric.msp.errors import MSPError

_CRL_BLOCK: Final = re.compile(rb"-----BEGIN X509 CRL-----")


@dataclass(frozen=True, slots=True)
class Authorities:
    """Sanitised authorities. ``inner`` are DERs of those that may not issue identities."""

    anchors: TrustAnchors
    inner: frozenset[bytes]
    revocations: tuple[x509.CertificateRevocationList, ...]

    def sanitise(self, certificate: x509.Certificate) -> x509.Certificate:
        """The certificate in low-S form.

        Raises MSPError when no authority of this MSP vouches for an ECDSA-signed certificate.
        """
        return sanitise_below(certificate, self.anchors)

    def identity_chain(self, certificate: x509.Certificate) -> Chain:
        """The chain of an identity: not a CA itself, issued by a leaf of the CA tree."""
        if is_authority(certificate):
            raise MSPError(
                "An X509 certificate with Basic Constraint: "
                "Certificate Authority equals true cannot be used as an identity"
            )
        return self._issued_chain(certificate, issuer=1)

    def certifiers_identifier(self, pem: bytes) -> bytes:
        """Identifier of a CA of this MSP, named by its certificate, as OU certifier."""
        try:
            certificate = load_certificate(pem)
            clean = self.sanitise(certificate)
        except (CertificateError, MSPError) as error:
            raise MSPError(f"sanitizeCert failed {error}") from None
        if clean in self.anchors.roots:
            return chain_identifier((clean,))
        if clean in self.anchors.intermediates:
            return chain_identifier(self._issued_chain(clean, issuer=0))
        raise MSPError(
            "Failed adding OU. Certificate "
            f"[{clean.subject.rfc4514_string()}] not in root or intermediate certs."
        )

    def check_not_revoked(self, certificate: x509.Certificate, chain: Chain) -> None:
        """Raise MSPError when a CRL that the issuer really signed lists the certificate."""
        try:
            issuer_key_id = subject_key_identifier(chain[1])
        except MSPError as error:
            raise error.within("could not obtain Subject Key Identifier for signer cert") from None
        for revocations in self.revocations:
            if _authority_key_id(revocations) != issuer_key_id:
                continue
            entry = revocations.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None and _signed_by(revocations, chain[1]):
                raise MSPError("The certificate has been revoked")

    def _issued_chain(self, certificate: x509.Certificate, *, issuer: int) -> Chain:
        try:
            chain = unique_chain(certificate, self.anchors)
        except MSPError as error:
            raise error.within("failed getting validation chain") from None
        if len(chain) < 2:
            raise MSPError(f"expected a chain of length at least 2, got {len(chain)}")
        if certificate_der(chain[issuer]) in self.inner:
            raise MSPError(
                "invalid validation chain. Parent certificate should be a leaf of the "
                f"certification tree [{certificate.subject.rfc4514_string()}]"
            )
        return chain


def build_authorities(config: FabricMSPConfig) -> Authorities:
    """Load, sanitise and check the CAs of an MSP; raises MSPError."""
    if not config.root_certs:
        raise MSPError("expected at least one CA certificate")
    raw = TrustAnchors(
        roots=load_certificates(config.root_certs),
        intermediates=load_certificates(config.intermediate_certs),
    )
    anchors = TrustAnchors(
        roots=_unique(_sanitised_authority(each, raw) for each in raw.roots),
        intermediates=_unique(_sanitised_authority(each, raw) for each in raw.intermediates),
    )
    authorities = Authorities(
        anchors=anchors,
        inner=_inner_authorities(anchors),
        revocations=tuple(map(_load_revocations, config.revocation_list)),
    )
    for certificate in (*anchors.roots, *anchors.intermediates):
        _check_authority(certificate, authorities)
    return authorities


def check_tls_authorities(config: FabricMSPConfig) -> None:
    """Check that the TLS CAs are CAs and form valid chains; raises MSPError."""
    anchors = TrustAnchors(
        roots=load_certificates(config.tls_root_certs),
        intermediates=load_certificates(config.tls_intermediate_certs),
    )
    revocations = tuple(map(_load_revocations, config.revocation_list))
    authorities = Authorities(anchors=anchors, inner=frozenset(), revocations=revocations)
    for certificate in (*anchors.roots, *anchors.intermediates):
        _check_authority(certificate, authorities)


def load_certificates(texts: Iterable[bytes]) -> Chain:
    """Certificates of PEM texts, with keys that Fabric can use; raises MSPError."""
    try:
        return tuple(map(load_certificate, texts))
    except CertificateError as error:
        raise MSPError(f"getCertFromPem error: {error}") from None


def sanitise_below(certificate: x509.Certificate, anchors: TrustAnchors) -> x509.Certificate:
    """Low-S form of a certificate; see ``Authorities.sanitise``."""
    if not is_ecdsa_signed(certificate):
        return certificate
    if is_authority(certificate) and _is_self_signed(certificate):
        root = _low_s(certificate, issuer=certificate)
        unique_chain(root, TrustAnchors(roots=(root,), intermediates=anchors.intermediates))
        return root
    chain = unique_chain(certificate, anchors)
    if len(chain) < 2:
        raise MSPError(
            "failed to traverse certificate verification chain for leaf or intermediate "
            f"certificate, with subject {certificate.subject.rfc4514_string()}"
        )
    return _low_s(certificate, issuer=chain[1])


def check_key_type(certificate: x509.Certificate) -> None:
    """Raise MSPError unless the certificate's key is ECDSA or RSA."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise MSPError("Certificate's public key type not recognized. Supported keys: [ECDSA, RSA]")


def chain_identifier(chain: Sequence[x509.Certificate]) -> bytes:
    """SHA-256 over the DERs of a chain of authorities, issuer first."""
    digest = hashlib.sha256()
    for certificate in chain:
        digest.update(certificate_der(certificate))
    return digest.digest()


def _unique(certificates: Iterable[x509.Certificate]) -> Chain:
    return tuple({certificate_der(each): each for each in certificates}.values())


def _sanitised_authority(certificate: x509.Certificate, anchors: TrustAnchors) -> x509.Certificate:
    check_key_type(certificate)
    return sanitise_below(certificate, anchors)


def _is_self_signed(certificate: x509.Certificate) -> bool:
    try:
        check_signed_by(certificate, certificate)
    except MSPError:
        return False
    return True


def _low_s(certificate: x509.Certificate, *, issuer: x509.Certificate) -> x509.Certificate:
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise MSPError("the issuer of an ECDSA-signed certificate has no ECDSA key")
    try:
        return sanitise_certificate(certificate, issuer_order=curve_order(key.curve))
    except (SignatureError, CertificateError) as error:
        raise MSPError(str(error)) from None


def _inner_authorities(anchors: TrustAnchors) -> frozenset[bytes]:
    inner: set[bytes] = set()
    for certificate in anchors.intermediates:
        try:
            chain = unique_chain(certificate, anchors)
        except MSPError as error:
            raise error.within(
                f"failed getting validation chain, (SN: {decimal(certificate.serial_number)})"
            ) from None
        inner.update(map(certificate_der, chain[1:]))
    return frozenset(inner)


def _check_authority(certificate: x509.Certificate, authorities: Authorities) -> None:
    number = certificate.serial_number
    if not is_authority(certificate):
        raise MSPError(f"CA Certificate did not have the CA attribute, (SN: {number:x})")
    try:
        subject_key_identifier(certificate)
    except MSPError as error:
        raise error.within(
            f"CA Certificate problem with Subject Key Identifier extension, (SN: {number:x})"
        ) from None
    try:
        chain = unique_chain(certificate, authorities.anchors)
        if len(chain) > 1:
            authorities.check_not_revoked(certificate, chain)
    except MSPError as error:
        raise error.within(f"CA Certificate is not valid, (SN: {decimal(number)})") from None


def _load_revocations(content: bytes) -> x509.CertificateRevocationList:
    try:
        is_pem = _CRL_BLOCK.search(content)
        load = x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl
        revocations = load(content)
        _ = revocations.extensions  # parsed when first asked for: fail here, not in a later check
    except UNREADABLE as error:
        raise MSPError(f"could not parse RevocationList: {error}") from None
    return revocations


def _authority_key_id(revocations: x509.CertificateRevocationList) -> bytes | None:
    try:
        found = revocations.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        raise MSPError(
            "could not obtain Authority Key Identifier for crl: "
            "authorityKeyIdentifier not found in certificate"
        ) from None
    return found.value.key_identifier


def _signed_by(revocations: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return False
    try:
        return revocations.is_signature_valid(key)
    except UNREADABLE:
        return False  # an algorithm that nobody has
