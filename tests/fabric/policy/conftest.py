"""Two organisations with one identity per role, and the MSPs that know them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from treadle_fabric.identity import ROLES, GeneratedOrganization, SigningIdentity
from treadle_fabric.msp import MSP, Identity, MSPManager, MSPVersion
from treadle_fabric.policy import SignedData


@dataclass(frozen=True)
class Network:
    """``signers`` and ``identities`` by (MSP id, role)."""

    msps: MSPManager
    signers: dict[tuple[str, str], SigningIdentity]
    identities: dict[tuple[str, str], Identity]

    def signed(self, *who: tuple[str, str], data: bytes = b"data") -> list[SignedData]:
        return [
            SignedData(data, self.signers[each].serialize(), self.signers[each].sign(data))
            for each in who
        ]


@pytest.fixture(scope="session")
def network() -> Network:
    organizations = [
        GeneratedOrganization.generate(msp_id=msp_id, domain=f"{msp_id.lower()}.example.com")
        for msp_id in ("A", "B")
    ]
    msps = MSPManager(
        MSP.from_config(each.msp_config(), version=MSPVersion.V1_4_3) for each in organizations
    )
    signers = {
        (each.msp_id, role): each.issue_identity(role, role)
        for each in organizations
        for role in ROLES
    }
    identities = {key: msps.deserialize(each.serialize()) for key, each in signers.items()}
    return Network(msps, signers, identities)
