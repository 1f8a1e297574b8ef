"""Signing identities, signatures, certificates, and generated organisations.

Keys and certificates only: what an MSP makes of an identity is in ``treadle_fabric.msp``.
"""

from treadle_fabric.identity.authority import (
    DEFAULT_LIFETIME,
    CertificateAuthority,
    IssuedCertificate,
)
from treadle_fabric.identity.certificates import CertificateError
from treadle_fabric.identity.organization import (
    ROLES,
    GeneratedOrganization,
    Role,
    node_ou_file,
)
from treadle_fabric.identity.signatures import SignatureError, Signed, verify_signature
from treadle_fabric.identity.signers import Signer, SigningIdentity, serialize_identity

__all__ = [
    "DEFAULT_LIFETIME",
    "ROLES",
    "CertificateAuthority",
    "CertificateError",
    "GeneratedOrganization",
    "IssuedCertificate",
    "Role",
    "SignatureError",
    "Signed",
    "Signer",
    "SigningIdentity",
    "node_ou_file",
    "serialize_identity",
    "verify_signature",
]
