"""Policies: signature trees, implicit meta policies, lookup by path, the policy language."""

from treadle_fabric.policy.envelopes import (
    accept_all,
    n_out_of,
    reject_all,
    role_principal,
    signed_by,
    signed_by_any,
    signed_by_any_admin,
    signed_by_any_member,
)
from treadle_fabric.policy.errors import PolicyError
from treadle_fabric.policy.evaluation import Policy, SignedData, distinct, verified_identities
from treadle_fabric.policy.implicit import RejectPolicy
from treadle_fabric.policy.language import parse_policy
from treadle_fabric.policy.manager import PolicyManager
from treadle_fabric.policy.signature import compile_signature_policy

__all__ = [
    "Policy",
    "PolicyError",
    "PolicyManager",
    "RejectPolicy",
    "SignedData",
    "accept_all",
    "compile_signature_policy",
    "distinct",
    "n_out_of",
    "parse_policy",
    "reject_all",
    "role_principal",
    "signed_by",
    "signed_by_any",
    "signed_by_any_admin",
    "signed_by_any_member",
    "verified_identities",
]
