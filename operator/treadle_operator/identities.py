"""Generated organisations as the contents of Secrets.

The authority's Secret is the root: whatever else is generated for an organisation is issued from
what that Secret holds, as it was read back from the API server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

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
