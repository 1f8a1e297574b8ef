"""Who signs: serialised identities and the private key behind one (fabric-wire.md 6.1, 6.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from fabric_protos.msp.identities_pb2 import SerializedIdentity

from treadle_fabric.identity.certificates import (
    CertificateError,
    certificate_pem,
    decode_pem,
    load_certificate,
    sanitise_certificate,
)
from treadle_fabric.identity.signatures import sign


class Signer(Protocol):
    """Whoever can sign as a member of an MSP."""

    @property
    def msp_id(self) -> str:
        """The MSP that the identity belongs to."""
        ...

    def serialize(self) -> bytes:
        """SerializedIdentity bytes: what goes into SignatureHeader.creator."""
        ...

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256(message), DER, low-S."""
        ...


def serialize_identity(*, msp_id: str, certificate: bytes) -> bytes:
    """SerializedIdentity bytes of a PEM certificate."""
    identity = SerializedIdentity(mspid=msp_id, id_bytes=certificate)
    return identity.SerializeToString(deterministic=True)


def load_private_key(text: bytes) -> ec.EllipticCurvePrivateKey:
    """The ECDSA key of a PEM block: PKCS#8 or SEC 1, under any label; raises CertificateError."""
    block = decode_pem(text)
    if block is None:
        raise CertificateError("could not decode the PEM structure of the private key")
    try:
        key = load_der_private_key(block.content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The reason may quote key material; the label is enough to find the file.
        raise CertificateError(f"unusable private key in PEM block {block.label!r}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError("the private key is not an ECDSA key")
    return key


def private_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Unencrypted PKCS#8 PEM: the one form that Go, Node, Java and Python readers share."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A certificate of an MSP with its private key; implements Signer."""

    msp_id: str
    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey = field(repr=False)
    _serialized: bytes = field(repr=False)

    @classmethod
    def from_pem(cls, *, msp_id: str, certificate: bytes, private_key: bytes) -> SigningIdentity:
        """Build from PEM texts; the certificate is sanitised to low-S.

        Raises CertificateError when one is unusable or they do not belong together.
        """
        clean = sanitise_certificate(load_certificate(certificate))
        key = load_private_key(private_key)
        if clean.public_key() != key.public_key():
            raise CertificateError("the private key does not belong to the certificate")
        serialized = serialize_identity(msp_id=msp_id, certificate=certificate_pem(clean))
        return cls(msp_id=msp_id, certificate=clean, _key=key, _serialized=serialized)

    @property
    def certificate_pem(self) -> bytes:
        """The sanitised certificate."""
        return certificate_pem(self.certificate)

    @property
    def private_key_pem(self) -> bytes:
        """The private key as unencrypted PKCS#8; for MSP folders and Secrets only."""
        return private_key_pem(self._key)

    def serialize(self) -> bytes:
        """SerializedIdentity bytes with the sanitised certificate."""
        return self._serialized

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256(message), DER, low-S."""
        return sign(self._key, message)
