"""Principals of policies: role, organisational unit, exact identity (fabric-wire.md 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from fabric_protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    MSPRole,
    OrganizationUnit,
)
from google.protobuf.message import DecodeError, Message

from treadle_fabric.identity.certificates import certificate_der
from treadle_fabric.msp.errors import MSPError
from treadle_fabric.msp.identities import Identity
from treadle_fabric.msp.units import MSPVersion, Unit, UnitRules

M = TypeVar("M", bound=Message)

_NODE_ROLES: Final = frozenset({MSPRole.CLIENT, MSPRole.PEER})
_MAX_NESTING: Final = 32
_OTHER_MSP: Final = "the identity is a member of a different MSP (expected {}, got {})"


def flatten(principal: MSPPrincipal, *, version: MSPVersion, depth: int = 0) -> list[MSPPrincipal]:
    """The principals that a combined one joins, or the principal itself; raises MSPError."""
    if principal.principal_classification != MSPPrincipal.COMBINED:
        return [principal]
    if version <= MSPVersion.V1_1:
        raise MSPError(f"invalid principal type {int(principal.principal_classification)}")
    if depth == _MAX_NESTING:
        raise MSPError(f"CombinedPrincipal nested more than {_MAX_NESTING} levels")
    combined = _parse(CombinedPrincipal, principal.principal)
    if not combined.principals:
        raise MSPError("No principals in CombinedPrincipal")
    parts = (flatten(each, version=version, depth=depth + 1) for each in combined.principals)
    return [part for flat in parts for part in flat]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Compares identities of one MSP with principals. ``admins`` are DERs of admin certificates."""

    msp_id: str
    version: MSPVersion
    admins: frozenset[bytes]
    units: UnitRules
    deserialize: Callable[[bytes], Identity]
    validate: Callable[[Identity], None]
    units_of: Callable[[Identity], Sequence[Unit]]

    def match(self, identity: Identity, principal: MSPPrincipal) -> None:
        """Check one principal that is not combined; raises MSPError."""
        kind, content = principal.principal_classification, principal.principal
        if kind == MSPPrincipal.ROLE:
            self._match_role(identity, _parse(MSPRole, content))
        elif kind == MSPPrincipal.IDENTITY:
            self._match_identity(identity, content)
        elif kind == MSPPrincipal.ORGANIZATION_UNIT:
            self._match_unit(identity, _parse(OrganizationUnit, content))
        elif kind == MSPPrincipal.ANONYMITY and self.version >= MSPVersion.V1_3:
            _match_anonymity(_parse(MSPIdentityAnonymity, content))
        else:
            raise MSPError(f"invalid principal type {int(kind)}")

    def _match_role(self, identity: Identity, role: MSPRole) -> None:
        if role.msp_identifier != self.msp_id:
            raise MSPError(_OTHER_MSP.format(role.msp_identifier, identity.msp_id))
        by_unit = self.version is MSPVersion.V1_4_3 and self.units.nodes.enforced
        if role.role == MSPRole.MEMBER:
            self.validate(identity)
        elif role.role == MSPRole.ADMIN:
            self._match_admin(identity, by_unit=by_unit)
        elif role.role in _NODE_ROLES or (role.role == MSPRole.ORDERER and by_unit):
            name = MSPRole.MSPRoleType.Name(role.role)
            self._match_node(identity, role.role, f"The identity is not a [{name}]")
        else:
            raise MSPError(f"invalid MSP role type {int(role.role)}")

    def _match_admin(self, identity: Identity, *, by_unit: bool) -> None:
        if certificate_der(identity.certificate) in self.admins:
            return
        if not by_unit:
            raise MSPError("This identity is not an admin")
        self._match_node(identity, MSPRole.ADMIN, "The identity is not an admin")

    def _match_node(
        self, identity: Identity, role: MSPRole.MSPRoleType.ValueType, refusal: str
    ) -> None:
        try:
            self.validate(identity)
        except MSPError as error:
            raise error.within(
                f"The identity is not valid under this MSP [{self.msp_id}]"
            ) from None
        try:
            self.units.check_role([unit.name for unit in self.units_of(identity)], role)
        except MSPError as error:
            raise error.within(f"{refusal} under this MSP [{self.msp_id}]") from None

    def _match_identity(self, identity: Identity, serialized: bytes) -> None:
        try:
            wanted = self.deserialize(serialized)
        except MSPError as error:
            raise error.within("invalid identity principal, not a certificate") from None
        if wanted.unique_id != identity.unique_id:
            raise MSPError("The identities do not match")
        self.validate(wanted)

    def _match_unit(self, identity: Identity, wanted: OrganizationUnit) -> None:
        if wanted.msp_identifier != self.msp_id:
            raise MSPError(_OTHER_MSP.format(wanted.msp_identifier, identity.msp_id))
        self.validate(identity)
        unit = Unit(
            name=wanted.organizational_unit_identifier, certifier=wanted.certifiers_identifier
        )
        if unit not in self.units_of(identity):
            raise MSPError("The identities do not match")


def _match_anonymity(anonymity: MSPIdentityAnonymity) -> None:
    kind = anonymity.anonymity_type
    if kind == MSPIdentityAnonymity.ANONYMOUS:
        raise MSPError(
            "Principal is anonymous, but X.509 MSP does not support anonymous identities"
        )
    if kind != MSPIdentityAnonymity.NOMINAL:
        raise MSPError(f"Unknown principal anonymity type: {int(kind)}")


def _parse(message: type[M], content: bytes) -> M:
    try:
        return message.FromString(content)
    except DecodeError as error:
        name = message.DESCRIPTOR.name
        raise MSPError(f"could not unmarshal {name} from principal: {error}") from None
