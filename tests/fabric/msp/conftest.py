"""A workshop for certificates that no decent authority would issue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fabric_protos.msp.msp_config_pb2 import (
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from treadle_fabric.identity import serialize_identity
from treadle_fabric.identity.certificates import sanitise_certificate

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Made:
    """A certificate with its key, able to issue others."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def serialized(self, msp_id: str = "Org1MSP") -> bytes:
        return serialize_identity(msp_id=msp_id, certificate=self.pem)


@dataclass
class Forge:
    """Makes certificates, revocation lists, MSP configurations and principals."""

    key_makers: dict[str, Callable[[], Key]] = field(
        default_factory=lambda: {
            "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        }
    )

    def certificate(
        self,
        name: str,
        *,
        issuer: Made | None = None,
        units: Sequence[str] = (),
        authority: bool = False,
        path_length: int | None = None,
        key: str = "p256",
        start: datetime = START,
        days: float = 30,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        key_identifier: bool = True,
    ) -> Made:
        own = self.key_makers[key]()
        subject = x509.Name(
            [
                *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.BasicConstraints(authority, path_length), critical=True)
        )
        if key_identifier:
            identifier = x509.SubjectKeyIdentifier.from_public_key(own.public_key())
            builder = builder.add_extension(identifier, critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        signed = builder.sign(issuer.key if issuer else own, SHA256())
        return Made(sanitise_certificate(signed), own)

    def authority(self, name: str = "root", **options: object) -> Made:
        return self.certificate(name, authority=True, **options)  # type: ignore[arg-type]

    def revocations(self, issuer: Made, *revoked: Made, signer: Made | None = None) -> bytes:
        identifier = issuer.certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(START)
            .next_update(START + timedelta(days=30))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
                critical=False,
            )
        )
        for each in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(each.certificate.serial_number)
                .revocation_date(START)
                .build()
            )
        return builder.sign((signer or issuer).key, SHA256()).public_bytes(Encoding.PEM)

    def units(self, *roles: str, certificate: bytes = b"", enable: bool = True) -> FabricNodeOUs:
        return FabricNodeOUs(
            enable=enable,
            **{
                f"{role}_ou_identifier": FabricOUIdentifier(
                    organizational_unit_identifier=role, certificate=certificate
                )
                for role in roles
            },
        )

    def config(self, *roots: Made, msp_id: str = "Org1MSP", **values: object) -> MSPConfig:
        fabric = FabricMSPConfig(name=msp_id, root_certs=[root.pem for root in roots], **values)
        return MSPConfig(type=0, config=fabric.SerializeToString())

    def principal(
        self, kind: MSPPrincipal.Classification.ValueType, content: object
    ) -> MSPPrincipal:
        raw = content if isinstance(content, bytes) else content.SerializeToString()  # type: ignore[attr-defined]
        return MSPPrincipal(principal_classification=kind, principal=raw)

    def role(self, name: str, msp_id: str = "Org1MSP") -> MSPPrincipal:
        role = MSPRole(msp_identifier=msp_id, role=MSPRole.MSPRoleType.Value(name))
        return self.principal(MSPPrincipal.ROLE, role)


@pytest.fixture(scope="session")
def forge() -> Forge:
    return Forge()
