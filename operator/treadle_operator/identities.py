"""Generated organisations as the contents of Secrets.

The authority's Secret is the root: whatever else is generated for an organisation is issued from
what that Secret holds, as it was read back from the API server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from treadle_fabric.identity import (
    CertificateAuthority,
    CertificateError,
    GeneratedOrganization,
    Role,
    SigningIdentity,
    node_ou_file,
)

from treadle_operator.errors import Blocked
from treadle_operator.names import slug

Data = Mapping[str, bytes]

OPERATOR_UNIT: Final = "treadle-operator"
"""The organisational unit by which a peer knows its operator."""
_OPERATOR_LIFETIME: Final = timedelta(days=365)
_HANDOVER_LIFETIME: Final = timedelta(days=1)


def new_authority(msp_id: str, namespace: str) -> dict[str, bytes]:
    """The authority's Secret for a new organisation; ``domain`` names its certificates."""
    organization = slug(msp_id.removesuffix("MSP")) or "org"
    # A common name has at most 64 characters, and "tlsca." comes before this.
    domain = f"{organization}.{namespace}"[:56].rstrip("-.")
    made = GeneratedOrganization.generate(msp_id=msp_id, domain=domain)
    return {
        "domain": domain.encode(),
        "ca.crt": made.ca.certificate_pem,
        "ca.key": made.ca.key_pem,
        "tlsca.crt": made.tls_ca.certificate_pem,
        "tlsca.key": made.tls_ca.key_pem,
    }


def open_authority(msp_id: str, secret: str, data: Data) -> GeneratedOrganization:
    """The organisation that the authority's Secret holds; raises Blocked when it is damaged."""
    try:
        return GeneratedOrganization(
            msp_id=msp_id,
            domain=data["domain"].decode(),
            ca=CertificateAuthority.from_pem(data["ca.crt"], data["ca.key"]),
            tls_ca=CertificateAuthority.from_pem(data["tlsca.crt"], data["tlsca.key"]),
        )
    except (KeyError, ValueError, CertificateError) as error:
        raise Blocked(
            "SecretInvalid", f"Secret {secret} holds no organisation ({error}); restore it"
        ) from None


def new_member(organization: GeneratedOrganization, role: Role, name: str) -> dict[str, bytes]:
    """The MSP of a new member, with the keys of ``resources.msp``."""
    common_name = f"{name}.{organization.domain}"[:64].rstrip("-.")
    identity = organization.issue_identity(role, common_name)
    return {
        "cacert.pem": organization.ca.certificate_pem,
        "tlscacert.pem": organization.tls_ca.certificate_pem,
        "signcert.pem": identity.certificate_pem,
        "key.pem": identity.private_key_pem,
        "config.yaml": node_ou_file("cacerts/cacert.pem"),
    }


def new_user(
    organization: GeneratedOrganization, name: str, lifetime: timedelta
) -> dict[str, bytes]:
    """A client for a developer, who is to be nobody for longer than that."""
    common_name = f"{name}-developer.{organization.domain}"[:64].rstrip("-.")
    identity = organization.issue_identity("client", common_name, lifetime=lifetime)
    return {"user.crt": identity.certificate_pem, "user.key": identity.private_key_pem}


def new_server_certificate(
    organization: GeneratedOrganization, name: str, hosts: Sequence[str]
) -> dict[str, bytes]:
    """A TLS Secret for a server that is dialled by any of *hosts*."""
    issued = organization.tls_ca.issue(common_name=name, hosts=hosts, server=True)
    return {
        "tls.crt": issued.certificate_pem,
        "tls.key": issued.key_pem,
        "ca.crt": organization.tls_ca.certificate_pem,
    }


def new_operator_authority() -> dict[str, bytes]:
    """The authority of one peer's operator port, which serves nothing else."""
    made = CertificateAuthority.create(
        common_name="operator authority", organization="Treadle runtime"
    )
    return {"ca.crt": made.certificate_pem, "ca.key": made.key_pem}


def new_operator_port(authority: Data, peer: str, hosts: Sequence[str]) -> dict[str, bytes]:
    """What a peer shows and demands at that port."""
    issuer = CertificateAuthority.from_pem(authority["ca.crt"], authority["ca.key"])
    issued = issuer.issue(common_name=peer, hosts=hosts, server=True, lifetime=_OPERATOR_LIFETIME)
    keys = {"tls.crt": issued.certificate_pem, "tls.key": issued.key_pem}
    return {**keys, "ca.crt": authority["ca.crt"]}


def new_operator(authority: Data) -> dict[str, bytes]:
    """What the operator shows there."""
    issuer = CertificateAuthority.from_pem(authority["ca.crt"], authority["ca.key"])
    issued = issuer.issue(
        common_name="operator",
        organizational_units=(OPERATOR_UNIT,),
        client=True,
        lifetime=_OPERATOR_LIFETIME,
    )
    keys = {"client.crt": issued.certificate_pem, "client.key": issued.key_pem}
    return {**keys, "ca.crt": authority["ca.crt"]}


def new_handover() -> dict[str, bytes]:
    """What both sides of one handover show: issued by an authority that nobody keeps."""
    authority = CertificateAuthority.create(
        common_name="handover authority", organization="Treadle"
    )
    issued = authority.issue(
        common_name="handover", client=True, server=True, lifetime=_HANDOVER_LIFETIME
    )
    keys = {"tls.crt": issued.certificate_pem, "tls.key": issued.key_pem}
    return {**keys, "ca.crt": authority.certificate_pem}


def is_fresh_authority(data: Data, now: datetime) -> bool:
    """Whether an authority can be opened, and issue certificates for a while yet."""
    try:
        found = CertificateAuthority.from_pem(data["ca.crt"], data["ca.key"])
    except (KeyError, CertificateError):
        return False
    return not _is_due(found.certificate, now)


def is_fresh(data: Data, authority: Data, *, name: str, now: datetime) -> bool:
    """Whether ``<name>.crt`` is the authority's, is not due for renewal, and has its key."""
    try:
        certificate, key = data[f"{name}.crt"], data[f"{name}.key"]
        SigningIdentity.from_pem(msp_id="", certificate=certificate, private_key=key)
        leaf = x509.load_pem_x509_certificate(certificate)
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority["ca.crt"]))
    except (KeyError, ValueError, TypeError, CertificateError, InvalidSignature):
        return False
    return data.get("ca.crt") == authority["ca.crt"] and not _is_due(leaf, now)


def renewal_of(start: datetime, end: datetime) -> datetime:
    """When a certificate of this validity is to be replaced: at two thirds of it."""
    return start + (end - start) * 2 / 3


def _is_due(certificate: x509.Certificate, now: datetime) -> bool:
    due = renewal_of(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    return now >= due


def check_member(msp_id: str, secret: str, data: Data) -> None:
    """Raise Blocked unless certificate and key of an MSP belong together."""
    try:
        SigningIdentity.from_pem(
            msp_id=msp_id, certificate=data["signcert.pem"], private_key=data["key.pem"]
        )
    except (KeyError, CertificateError) as error:
        raise Blocked(
            "SecretInvalid", f"signcert.pem and key.pem of Secret {secret}: {error}"
        ) from None


def fingerprint(*contents: Data) -> str:
    """A hash that changes with any of *contents*; tells nothing of them."""
    digest = hashlib.sha256()
    for data in contents:
        for key in sorted(data):
            digest.update(hashlib.sha256(key.encode()).digest())
            digest.update(hashlib.sha256(data[key]).digest())
        digest.update(b"\0")
    return digest.hexdigest()[:16]
