"""Generated organisations: two authorities, identities by role, MSP folders (fabric-wire.md 6.3).

The layout follows cryptogen's with NodeOUs on, so that Fabric's own CLI, peer and orderer accept
the folders and the MSPConfig.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, get_args

from fabric_protos.msp.msp_config_pb2 import (
    FabricCryptoConfig,
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)

from treadle_fabric.identity.authority import DEFAULT_LIFETIME, CertificateAuthority
from treadle_fabric.identity.certificates import CertificateError
from treadle_fabric.identity.files import write_private, write_public
from treadle_fabric.identity.signers import SigningIdentity

Role = Literal["client", "peer", "admin", "orderer"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_DESCRIPTION: Final = "organization.json"


@dataclass(frozen=True, slots=True)
class GeneratedOrganization:
    """An organisation whose authorities we hold. ``domain`` names its hosts and certificates."""

    msp_id: str
    domain: str
    ca: CertificateAuthority
    tls_ca: CertificateAuthority

    @classmethod
    def generate(cls, *, msp_id: str, domain: str) -> GeneratedOrganization:
        """Create both authorities."""
        return cls(
            msp_id=msp_id,
            domain=domain,
            ca=CertificateAuthority.create(common_name=f"ca.{domain}", organization=domain),
            tls_ca=CertificateAuthority.create(common_name=f"tlsca.{domain}", organization=domain),
        )

    def issue_identity(
        self, role: Role, name: str, *, lifetime: timedelta = DEFAULT_LIFETIME
    ) -> SigningIdentity:
        """A new identity whose OU is ``role``; ``name`` becomes the common name.

        Raises ValueError for an unknown role.
        """
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}: expected one of {', '.join(ROLES)}")
        issued = self.ca.issue(common_name=name, organizational_units=(role,), lifetime=lifetime)
        return SigningIdentity.from_pem(
            msp_id=self.msp_id, certificate=issued.certificate_pem, private_key=issued.key_pem
        )

    def msp_config(self) -> MSPConfig:
        """The verifying MSP for a channel configuration: no signer, NodeOUs on, TLS roots.

        Admins are known by their OU, which needs MSP rules v1.4.3: a channel capability of V1_4_3
        or V2_0 (fabric-wire.md 6.4).
        """
        fabric = FabricMSPConfig(
            name=self.msp_id,
            root_certs=[self.ca.certificate_pem],
            tls_root_certs=[self.tls_ca.certificate_pem],
            crypto_config=FabricCryptoConfig(
                signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
            ),
            fabric_node_ous=self._node_ous(),
        )
        return MSPConfig(type=0, config=fabric.SerializeToString(deterministic=True))

    def _node_ous(self) -> FabricNodeOUs:
        def unit(role: Role) -> FabricOUIdentifier:
            return FabricOUIdentifier(
                certificate=self.ca.certificate_pem, organizational_unit_identifier=role
            )

        return FabricNodeOUs(
            enable=True,
            client_ou_identifier=unit("client"),
            peer_ou_identifier=unit("peer"),
            admin_ou_identifier=unit("admin"),
            orderer_ou_identifier=unit("orderer"),
        )

    def write_msp(self, folder: Path, identity: SigningIdentity) -> None:
        """Write a local MSP folder for ``identity``; only its owner may read the private key."""
        authority = f"ca.{self.domain}-cert.pem"
        write_public(folder / "cacerts" / authority, self.ca.certificate_pem)
        write_public(
            folder / "tlscacerts" / f"tlsca.{self.domain}-cert.pem", self.tls_ca.certificate_pem
        )
        write_public(folder / "signcerts" / "cert.pem", identity.certificate_pem)
        write_private(folder / "keystore" / "priv_sk", identity.private_key_pem)
        write_public(folder / "config.yaml", node_ou_file(f"cacerts/{authority}"))

    def save(self, folder: Path) -> None:
        """Keep the organisation, private keys included, in ``folder``; ``load`` reads it back."""
        for name, authority in (("ca", self.ca), ("tlsca", self.tls_ca)):
            write_private(folder / name / "key.pem", authority.key_pem)
            write_public(folder / name / "cert.pem", authority.certificate_pem)
        description = {"mspID": self.msp_id, "domain": self.domain}
        # Last: its presence says that everything else is there.
        write_public(folder / _DESCRIPTION, json.dumps(description, indent=2).encode() + b"\n")

    @classmethod
    def load(cls, folder: Path) -> GeneratedOrganization:
        """Read what ``save`` wrote; raises CertificateError that names what is missing or wrong."""
        try:
            description = json.loads((folder / _DESCRIPTION).read_bytes())
            ca, tls_ca = (_load_authority(folder / name) for name in ("ca", "tlsca"))
            return cls(
                msp_id=description["mspID"], domain=description["domain"], ca=ca, tls_ca=tls_ca
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CertificateError(f"no generated organisation in {folder}: {error}") from error


def _load_authority(folder: Path) -> CertificateAuthority:
    return CertificateAuthority.from_pem(
        (folder / "cert.pem").read_bytes(), (folder / "key.pem").read_bytes()
    )


def node_ou_file(certificate: str) -> bytes:
    """An MSP's ``config.yaml`` with NodeOUs on; ``certificate`` is the CA's path in its folder."""
    lines = ["NodeOUs:", "  Enable: true"]
    for role in ROLES:
        lines += [
            f"  {role.capitalize()}OUIdentifier:",
            f"    Certificate: {certificate}",
            f"    OrganizationalUnitIdentifier: {role}",
        ]
    return ("\n".join(lines) + "\n").encode()
