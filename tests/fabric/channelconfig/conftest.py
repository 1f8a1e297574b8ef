"""Organisations, channels made of them, and the golden blocks of the real tools."""

from __future__ import annotations

from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.common.configtx_pb2 import ConfigEnvelope, ConfigGroup
from treadle_fabric.channelconfig import (
    Bundle,
    OrganizationDefinition,
    SystemChannel,
    genesis_block,
    read_config_block,
    system_channel,
)
from treadle_fabric.identity import GeneratedOrganization

GOLDEN = Path(__file__).parent / "golden"


class Network:
    """Two application organisations and one of orderers, with generated keys."""

    def __init__(self) -> None:
        self.org1 = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
        self.org2 = GeneratedOrganization.generate(msp_id="Org2MSP", domain="org2.example.com")
        self.orderer = GeneratedOrganization.generate(msp_id="OrdererMSP", domain="example.com")
        self.admin1 = self.org1.issue_identity("admin", "admin1")
        self.admin2 = self.org2.issue_identity("admin", "admin2")
        self.client1 = self.org1.issue_identity("client", "client1")
        self.orderer_admin = self.orderer.issue_identity("admin", "orderer-admin")

    def definitions(self) -> list[OrganizationDefinition]:
        """Both application organisations; the first has an anchor peer."""
        return [
            OrganizationDefinition("Org1", self.org1.msp_config(), (("peer0", 7051),)),
            OrganizationDefinition("Org2", self.org2.msp_config()),
        ]

    def orderer_definition(self) -> OrganizationDefinition:
        """The orderers' organisation."""
        return OrganizationDefinition("OrdererOrg", self.orderer.msp_config())

    def genesis(self, *, channel_id: str = "mychannel", capability: str = "V2_5") -> Block:
        """Block 0 of a channel of both organisations."""
        return genesis_block(
            channel_id=channel_id,
            organizations=self.definitions(),
            orderer_organization=self.orderer_definition(),
            orderer_addresses=["127.0.0.1:7050"],
            application_capability=capability,
        )

    def system(self, *, capability: str = "V2_5", consortium: str | None = None) -> SystemChannel:
        """What new channels of both organisations start from."""
        return system_channel(
            organizations=self.definitions(),
            orderer_organization=self.orderer_definition(),
            orderer_addresses=["127.0.0.1:7050"],
            application_capability=capability,
            consortium=consortium,
        )


@pytest.fixture(scope="session")
def network() -> Network:
    """Keys are made once; nothing in them changes."""
    return Network()


@pytest.fixture
def bundle(network: Network) -> Bundle:
    """A channel of both organisations at sequence 0."""
    return Bundle.from_block(network.genesis())


class Golden:
    """The files of one golden network (golden/README.md)."""

    def __init__(self, level: str) -> None:
        self.level = level

    def block(self, name: str) -> Block:
        """``whole``, ``system``, ``created`` or ``updated``."""
        return Block.FromString((GOLDEN / f"{self.level}.{name}.block").read_bytes())

    def creation(self) -> Envelope:
        """The unsigned channel creation transaction."""
        return Envelope.FromString((GOLDEN / f"{self.level}.create.tx").read_bytes())

    def envelope(self, name: str) -> ConfigEnvelope:
        """What a config block holds."""
        return read_config_block(self.block(name))[1]

    def system(self) -> SystemChannel:
        """The orderer's system channel as a starting point."""
        root = self.envelope("system").config.channel_group
        consortium = root.groups["Consortiums"].groups["SampleConsortium"]
        organizations = dict(consortium.groups.items())
        template = ConfigGroup()
        template.CopyFrom(root)
        del template.groups["Consortiums"]
        return SystemChannel(
            template=template, organizations=organizations, consortium="SampleConsortium"
        )


@pytest.fixture(params=["legacy", "current"])
def golden(request: pytest.FixtureRequest) -> Golden:
    """Both golden networks: Application V1_4_2 and V2_5."""
    return Golden(request.param)
