"""An identity: a certificate in the light of one MSP (fabric-wire.md 6.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from treadle_fabric.identity.certificates import (
    certificate_pem,
    fingerprint,
    organizational_units,
)
from treadle_fabric.identity.signatures import SignatureError, Signed, verify_signature
from treadle_fabric.identity.signers import serialize_identity
from treadle_fabric.msp.errors import MSPError


@dataclass(frozen=True, slots=True)
class Identity:
    """A member, perhaps: deserialised, not validated.

    ``serialized`` is canonical (sanitised certificate, fresh PEM). ``unique_id`` is MSP id and hex
    SHA-256 of the sanitised DER: two identities are the same exactly when it is equal.
    """

    msp_id: str
    serialized: bytes = field(repr=False)
    unique_id: str
    certificate: x509.Certificate = field(compare=False)
    _public_key: PublicKeyTypes = field(repr=False, compare=False)

    def verify(self, message: Signed, signature: bytes) -> None:
        """Check a signature of this identity; raises MSPError (fabric-wire.md 6.2)."""
        try:
            verify_signature(self._public_key, message, signature)
        except SignatureError as error:
            raise MSPError(str(error)) from None

    def expires_at(self) -> datetime:
        """When the certificate ends, in UTC. MSPs ignore it; endorser and deliver do not."""
        return self.certificate.not_valid_after_utc

    @property
    def organizational_units(self) -> tuple[str, ...]:
        """The OU values of the certificate's subject."""
        return organizational_units(self.certificate)


def make_identity(*, msp_id: str, certificate: x509.Certificate) -> Identity:
    """Identity of a sanitised certificate."""
    return Identity(
        msp_id=msp_id,
        serialized=serialize_identity(msp_id=msp_id, certificate=certificate_pem(certificate)),
        unique_id=msp_id + fingerprint(certificate),
        certificate=certificate,
        _public_key=certificate.public_key(),
    )
