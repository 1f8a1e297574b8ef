"""Capability levels and what they switch on (fabric-wire.md §5.10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.configuration_pb2 import Capabilities as CapabilitiesMessage

from treadle_fabric.channelconfig.errors import ConfigError
from treadle_fabric.channelconfig.keys import CAPABILITIES, get_value
from treadle_fabric.msp import MSPVersion

_APPLICATION = (
    "V1_1",
    "V1_2",
    "V1_3",
    "V1_4_2",
    "V2_0",
    "V2_5",
    "V1_1_PVTDATA_EXPERIMENTAL",
    "V1_1_RESOURCETREE_EXPERIMENTAL",
)
_LEVELS = ("V1_1", "V1_2", "V1_3", "V1_4_2", "V2_0", "V2_5")
_CHANNEL = ("V1_1", "V1_3", "V1_4_2", "V1_4_3", "V2_0")
_ORDERER = ("V1_1", "V1_4_2", "V2_0")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Capabilities of the Application group; every level includes the lower ones."""

    names: frozenset[str]

    @property
    def acls(self) -> bool:
        """Whether the configuration may hold ACLs."""
        return self._at_least("V1_2")

    @property
    def forbids_duplicate_tx_ids(self) -> bool:
        """Whether the second transaction with an id in one block is a DUPLICATE_TXID."""
        return self._at_least("V1_1")

    @property
    def new_instantiation_policy(self) -> bool:
        """Whether an upgrade must satisfy the instantiation policy that it brings, too."""
        return self._at_least("V1_1")

    @property
    def strict_validation(self) -> bool:
        """Whether validation is as strict as since 1.2 (chaincode name of events)."""
        return self._at_least("V1_2")

    @property
    def private_data(self) -> bool:
        """Whether chaincodes may have collections."""
        return self._at_least("V1_2") or "V1_1_PVTDATA_EXPERIMENTAL" in self.names

    @property
    def collection_upgrade(self) -> bool:
        """Whether an upgrade may change collections."""
        return self._at_least("V1_2")

    @property
    def key_level_endorsement(self) -> bool:
        """Whether keys may have their own endorsement policies."""
        return self._at_least("V1_3")

    @property
    def v2_lifecycle(self) -> bool:
        """Whether ``_lifecycle`` rules and the legacy lifecycle is read-only."""
        return self._at_least("V2_0")

    @property
    def v2_validation(self) -> bool:
        """Whether blocks are validated by the 2.0 rules."""
        return self._at_least("V2_0")

    @property
    def purge_private_data(self) -> bool:
        """Whether private data may be purged."""
        return self._at_least("V2_5")

    def _at_least(self, level: str) -> bool:
        return not self.names.isdisjoint(_LEVELS[_LEVELS.index(level) :])


@dataclass(frozen=True, slots=True)
class ChannelCapabilities:
    """Capabilities of the channel itself."""

    names: frozenset[str]

    @property
    def msp_version(self) -> MSPVersion:
        """The rules by which the channel's MSPs work (§6.4)."""
        if self.names & {"V1_4_3", "V2_0"}:
            return MSPVersion.V1_4_3
        if self.names & {"V1_3", "V1_4_2"}:
            return MSPVersion.V1_3
        return MSPVersion.V1_1 if "V1_1" in self.names else MSPVersion.V1_0

    @property
    def organization_endpoints(self) -> bool:
        """Whether orderer organisations may name their own endpoints."""
        return not self.names.isdisjoint({"V1_4_2", "V1_4_3", "V2_0"})

    @property
    def consensus_migration(self) -> bool:
        """Whether the consensus type may change."""
        return self.organization_endpoints


@dataclass(frozen=True, slots=True)
class OrdererCapabilities:
    """Capabilities of the ordering service."""

    names: frozenset[str]

    @property
    def creation_policy_as_admins(self) -> bool:
        """Whether a new channel may be authorised under the policy name ``Admins``."""
        return "V2_0" in self.names


def capability_names(group: ConfigGroup) -> frozenset[str]:
    """The capability names that *group* requires."""
    return frozenset(get_value(group, CAPABILITIES, CapabilitiesMessage).capabilities)


def check_supported(kind: str, names: Iterable[str]) -> None:
    """Raise ConfigError for a capability of *kind* (Channel, Application, Orderer) not known here.

    A Fabric peer panics in this case.
    """
    known = {"Channel": _CHANNEL, "Application": _APPLICATION, "Orderer": _ORDERER}[kind]
    for name in sorted(names):
        if name not in known:
            raise ConfigError(f"{kind} capability {name} is required but not supported")
