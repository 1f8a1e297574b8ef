"""Signature policies that are built rather than parsed: any member, any admin, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole

RoleNumber: TypeAlias = MSPRole.MSPRoleType.ValueType


def role_principal(msp_id: str, role: RoleNumber) -> MSPPrincipal:
    """The principal "``role`` of ``msp_id``"; ``role`` is an MSPRole number."""
    content = MSPRole(msp_identifier=msp_id, role=role).SerializeToString(deterministic=True)
    return MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=content)


def n_out_of(n: int, rules: Iterable[SignaturePolicy]) -> SignaturePolicy:
    """The rule "at least ``n`` of ``rules``"."""
    return SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=n, rules=rules))


def signed_by(index: int) -> SignaturePolicy:
    """The rule "signed by the principal at ``index``"."""
    return SignaturePolicy(signed_by=index)


def signed_by_any_member(msp_ids: Sequence[str]) -> SignaturePolicyEnvelope:
    """One signature of a member of any of the MSPs (Fabric's default endorsement policy)."""
    return signed_by_any(MSPRole.MEMBER, msp_ids)


def signed_by_any_admin(msp_ids: Sequence[str]) -> SignaturePolicyEnvelope:
    """One signature of an admin of any of the MSPs (Fabric's default instantiation policy)."""
    return signed_by_any(MSPRole.ADMIN, msp_ids)


def signed_by_any(role: RoleNumber, msp_ids: Sequence[str]) -> SignaturePolicyEnvelope:
    """One signature of ``role`` of any of the MSPs; ids are sorted, as peers must agree."""
    ordered = sorted(msp_ids)
    return SignaturePolicyEnvelope(
        version=0,
        rule=n_out_of(1, [signed_by(index) for index in range(len(ordered))]),
        identities=[role_principal(msp_id, role) for msp_id in ordered],
    )


def accept_all() -> SignaturePolicyEnvelope:
    """Satisfied by everything, also by no signature at all."""
    return SignaturePolicyEnvelope(version=0, rule=n_out_of(0, []))


def reject_all() -> SignaturePolicyEnvelope:
    """Satisfied by nothing."""
    return SignaturePolicyEnvelope(version=0, rule=n_out_of(1, []))
