"""The fixed organisations of the differential suite: the same keys in every run.

Together with fixed nonces, times and signatures they make every byte that the suite sends the
same each time, so that answers recorded once can be compared with answers of today.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fabric_protos.common.common_pb2 import Block
from harness.onepeer import CHANNEL, joint_genesis
from treadle_fabric.identity import DEFAULT_LIFETIME, GeneratedOrganization, SigningIdentity
from treadle_fabric.identity.signatures import curve_order, to_low_s
from treadle_fabric.identity.signers import load_private_key

FOLDER = Path(__file__).resolve().parents[2] / "differential" / "material"

# name -> (folder of the organisation, role)
IDENTITIES = {
    "peer": ("org1", "peer"),
    "another_peer": ("org1", "peer"),
    "admin": ("org1", "admin"),
    "client": ("org1", "client"),
    "expired": ("org1", "client"),
    "peer2": ("org2", "peer"),
    "admin2": ("org2", "admin"),
    "client2": ("org2", "client"),
    "orderer": ("orderer", "orderer"),
    "stranger": ("elsewhere", "client"),
    "false_admin": ("elsewhere", "admin"),
}
_ORGANIZATIONS = {
    "org1": ("Org1MSP", "org1.test"),
    "org2": ("Org2MSP", "org2.test"),
    "orderer": ("OrdererMSP", "ord.test"),
    # Says that it is Org1MSP, with authorities of its own.
    "elsewhere": ("Org1MSP", "elsewhere.test"),
}


@dataclass(frozen=True, slots=True)
class FixedSigner:
    """An identity whose signatures depend on nothing but the message (RFC 6979), low-S."""

    identity: SigningIdentity
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, identity: SigningIdentity) -> FixedSigner:
        return cls(identity, load_private_key(identity.private_key_pem))

    @property
    def msp_id(self) -> str:
        return self.identity.msp_id

    def serialize(self) -> bytes:
        """SerializedIdentity bytes."""
        return self.identity.serialize()

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256, DER, low-S, the same each time."""
        signature = self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        return to_low_s(signature, order=curve_order(self._key.curve))


class FixedConsortium:
    """Two organisations, an orderer's and an impostor's: harness.onepeer.Consortium, but fixed."""

    def __init__(self, folder: Path = FOLDER) -> None:
        organizations = {name: GeneratedOrganization.load(folder / name) for name in _ORGANIZATIONS}
        self.org1, self.org2 = organizations["org1"], organizations["org2"]
        self.orderer_org = organizations["orderer"]
        signers = {
            name: FixedSigner.of(_load(folder / organization, name, organizations[organization]))
            for name, (organization, _) in IDENTITIES.items()
        }
        self.peer, self.another_peer = signers["peer"], signers["another_peer"]
        self.admin, self.client = signers["admin"], signers["client"]
        self.peer2, self.admin2, self.client2 = (
            signers[name] for name in ("peer2", "admin2", "client2")
        )
        self.orderer, self.expired = signers["orderer"], signers["expired"]
        self.stranger, self.false_admin = signers["stranger"], signers["false_admin"]

    def genesis(
        self,
        channel_id: str = CHANNEL,
        capability: str = "V1_4_2",
        orderer_address: str = "127.0.0.1:7050",
    ) -> Block:
        """Block 0 of a channel of both organisations."""
        return joint_genesis(
            self.org1,
            self.org2,
            orderer=self.orderer_org,
            channel_id=channel_id,
            capability=capability,
            orderer_address=orderer_address,
        )


def generate(folder: Path = FOLDER) -> None:
    """Make new keys and certificates; every recorded answer is void then."""
    organizations = {}
    for name, (msp_id, domain) in _ORGANIZATIONS.items():
        organizations[name] = GeneratedOrganization.generate(msp_id=msp_id, domain=domain)
        organizations[name].save(folder / name)
    for name, (organization, role) in IDENTITIES.items():
        lifetime = timedelta(seconds=-60) if name == "expired" else DEFAULT_LIFETIME
        identity = organizations[organization].issue_identity(role, name, lifetime=lifetime)
        target = folder / organization / "identities"
        target.mkdir(exist_ok=True)
        (target / f"{name}.pem").write_bytes(identity.certificate_pem)
        (target / f"{name}.key").write_bytes(identity.private_key_pem)


def _load(folder: Path, name: str, organization: GeneratedOrganization) -> SigningIdentity:
    return SigningIdentity.from_pem(
        msp_id=organization.msp_id,
        certificate=(folder / "identities" / f"{name}.pem").read_bytes(),
        private_key=(folder / "identities" / f"{name}.key").read_bytes(),
    )
