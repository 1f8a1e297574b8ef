"""Organisational units: which an MSP demands and which tell roles apart (fabric-wire.md 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, FabricNodeOUs
from fabric_protos.msp.msp_principal_pb2 import MSPRole

from treadle_fabric.msp.errors import MSPError

CertifiersIdentifier = Callable[[bytes], bytes]


class MSPVersion(IntEnum):
    """Generations of MSP rules; the channel capability chooses (fabric-wire.md 6.4)."""

    V1_0 = 0
    V1_1 = 1
    V1_3 = 2
    V1_4_3 = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """An OU and the chain identifier of its certifier; an empty identifier means any."""

    name: str
    certifier: bytes

    def __str__(self) -> str:
        return f"{self.name}({self.certifier[:8].hex().upper()})"


@dataclass(frozen=True, slots=True)
class NodeUnits:
    """The OUs that make an identity client, peer, admin or orderer; keyed by MSPRole numbers."""

    enforced: bool
    by_role: Mapping[int, Unit]


@dataclass(frozen=True, slots=True)
class UnitRules:
    """All OU rules of one MSP."""

    msp_id: str
    version: MSPVersion
    accepted: frozenset[Unit]
    nodes: NodeUnits

    def check(self, units: Sequence[Unit]) -> None:
        """Check the OUs of an identity; raises MSPError."""
        self._check_accepted(units)
        if self.nodes.enforced:
            self._check_one_role(units)

    def check_role(self, names: Sequence[str], role: MSPRole.MSPRoleType.ValueType) -> None:
        """Check that one of the OU ``names`` stands for ``role``; raises MSPError."""
        if not self.nodes.enforced:
            raise MSPError("NodeOUs not activated. Cannot tell apart identities.")
        unit = self.nodes.by_role.get(role)
        role_name = MSPRole.MSPRoleType.Name(role)
        if unit is None:
            raise MSPError(
                f"cannot test for classification, node ou for type [{role_name}], "
                f"not defined, msp: [{self.msp_id}]"
            )
        if unit.name not in names:
            raise MSPError(f"The identity does not contain OU [{role_name}], MSP: [{self.msp_id}]")

    def _check_accepted(self, units: Sequence[Unit]) -> None:
        if not self.accepted or self.accepted.intersection(units):
            return
        if not units:
            raise MSPError("the identity certificate does not contain an Organizational Unit (OU)")
        raise MSPError(
            f"none of the identity's organizational units {_list(units)} are in MSP {self.msp_id}"
        )

    def _check_one_role(self, units: Sequence[Unit]) -> None:
        special = {unit.name: unit for unit in self.nodes.by_role.values()}
        found = [unit for unit in units if unit.name in special]
        # Fabric looks at no more than two: the second one is already one too many.
        for unit in found[:2]:
            certifier = special[unit.name].certifier
            if certifier and certifier != unit.certifier:
                raise MSPError(
                    f"certifiersIdentifier does not match: {_list(units)}, MSP: [{self.msp_id}]"
                )
        if len(found) != 1:
            texts = _TOO_MANY_ROLES if found else _TOO_FEW_ROLES
            text = texts[self.version is MSPVersion.V1_4_3]
            raise MSPError(f"{text}. OUs: {_list(units)}, MSP: [{self.msp_id}]")


# Before and from v1.4.3, which added admin and orderer.
_TOO_FEW_ROLES: Final = (
    "the identity does not have an OU that resolves to client or peer",
    "the identity does not have an OU that resolves to client, peer, orderer, or admin role",
)
_TOO_MANY_ROLES: Final = (
    "the identity must be a client or a peer identity to be valid, not a combination of them",
    "the identity must have a client, a peer, an orderer, or an admin OU role to be valid, "
    "not a combination of them",
)


def build_unit_rules(
    config: FabricMSPConfig, *, version: MSPVersion, certifier: CertifiersIdentifier
) -> UnitRules:
    """OU rules of a configuration; ``certifier`` turns a CA's PEM into its identifier.

    Raises MSPError.
    """
    accepted = frozenset(
        Unit(name=each.organizational_unit_identifier, certifier=certifier(each.certificate))
        for each in config.organizational_unit_identifiers
    )
    if version is MSPVersion.V1_0 or not config.HasField("fabric_node_ous"):
        nodes = NodeUnits(enforced=False, by_role={})
    else:
        nodes = _node_units(config.fabric_node_ous, version=version, certifier=certifier)
    return UnitRules(msp_id=config.name, version=version, accepted=accepted, nodes=nodes)


def _node_units(
    config: FabricNodeOUs, *, version: MSPVersion, certifier: CertifiersIdentifier
) -> NodeUnits:
    # Presence matters: an absent message is no rule, an empty one is a rule for the OU "".
    present = {descriptor.name for descriptor, _ in config.ListFields()}
    declared = [
        (MSPRole.CLIENT, "client_ou_identifier", config.client_ou_identifier),
        (MSPRole.PEER, "peer_ou_identifier", config.peer_ou_identifier),
    ]
    if version is MSPVersion.V1_4_3:
        declared += [
            (MSPRole.ADMIN, "admin_ou_identifier", config.admin_ou_identifier),
            (MSPRole.ORDERER, "orderer_ou_identifier", config.orderer_ou_identifier),
        ]
    else:
        _require_names(config)
    by_role = {
        int(role): Unit(
            name=unit.organizational_unit_identifier,
            certifier=certifier(unit.certificate) if unit.certificate else b"",
        )
        for role, name, unit in declared
        if name in present
    }
    return NodeUnits(enforced=config.enable and bool(by_role), by_role=by_role)


def _require_names(config: FabricNodeOUs) -> None:
    for name, unit in (
        ("Client", config.client_ou_identifier),
        ("Peer", config.peer_ou_identifier),
    ):
        if not unit.organizational_unit_identifier:
            raise MSPError(f"Failed setting up NodeOUs. {name}OU must be different from nil.")


def _list(units: Sequence[Unit]) -> str:
    return f"[{' '.join(map(str, units))}]"
