"""A generated organisation, an ordering identity, and ordering services on real folders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from treadle_fabric.channelconfig import OrganizationDefinition
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_peer.order import (
    ChannelTemplate,
    OrderingIdentity,
    OrderingService,
    OrderStore,
    open_ordering_identity,
)


@dataclass(frozen=True)
class Network:
    """Who takes part: one organisation with an admin and a client, one ordering."""

    organization: GeneratedOrganization
    admin: SigningIdentity
    client: SigningIdentity
    orderer: OrderingIdentity
    template: ChannelTemplate

    def service(self, folder: Path) -> OrderingService:
        """An ordering on *folder*, not yet entered."""
        store = OrderStore(folder)
        return OrderingService(store, signer=self.orderer.signer, template=self.template)


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    organization = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.test")
    orderer = open_ordering_identity(tmp_path_factory.mktemp("ordering") / "identity")
    return Network(
        organization=organization,
        admin=organization.issue_identity("admin", "admin"),
        client=organization.issue_identity("client", "user"),
        orderer=orderer,
        template=ChannelTemplate(
            organizations=(OrganizationDefinition("Org1MSP", organization.msp_config()),),
            orderer=OrganizationDefinition(orderer.msp_id, orderer.msp_config),
            addresses=("127.0.0.1:7050",),
        ),
    )


@pytest.fixture
async def ordering(network: Network, tmp_path: Path) -> AsyncIterator[OrderingService]:
    async with network.service(tmp_path / "ordering") as service:
        yield service
