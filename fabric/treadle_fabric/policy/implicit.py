"""Policies that exist by their place in the configuration: implicit meta, and missing ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy

from treadle_fabric.msp import Identity, MSPManager
from treadle_fabric.policy.errors import PolicyError
from treadle_fabric.policy.evaluation import Policy, SignedData, distinct, verified_identities


@dataclass(frozen=True, slots=True)
class RejectPolicy:
    """What a lookup finds where no policy is; implements Policy."""

    name: str

    def evaluate(self, signed: Sequence[SignedData]) -> None:
        """Always raises PolicyError."""
        raise PolicyError(f"no such policy: '{self.name}'")

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """Always raises PolicyError."""
        raise PolicyError(f"no such policy: '{self.name}'")


@dataclass(frozen=True, slots=True)
class MetaPolicy:
    """Satisfied when ``threshold`` of ``children`` are; implements Policy."""

    name: str
    threshold: int
    children: tuple[Policy, ...]
    _msps: MSPManager

    def evaluate(self, signed: Sequence[SignedData]) -> None:
        """See Policy."""
        self.evaluate_identities(verified_identities(signed, self._msps))

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """See Policy."""
        candidates, satisfied = distinct(identities), 0
        for child in self.children:
            if satisfied == self.threshold:
                return
            satisfied += _satisfied(child, candidates)
        if satisfied < self.threshold:
            raise PolicyError(
                f"implicit policy evaluation failed - {satisfied} sub-policies were satisfied, "
                f"but this policy requires {self.threshold} of the '{self.name}' sub-policies "
                "to be satisfied"
            )


def make_meta_policy(
    definition: ImplicitMetaPolicy, children: Sequence[Policy], msps: MSPManager
) -> MetaPolicy:
    """The meta policy over the same-named policies of all sub groups; raises PolicyError."""
    return MetaPolicy(
        name=definition.sub_policy,
        threshold=_threshold(definition.rule, len(children)),
        children=tuple(children),
        _msps=msps,
    )


def _threshold(rule: ImplicitMetaPolicy.Rule.ValueType, count: int) -> int:
    if rule not in ImplicitMetaPolicy.Rule.values():
        raise PolicyError(f"unknown implicit meta rule {int(rule)}")
    # No sub group: zero is a majority, and any, of nothing.
    if count == 0:
        return 0
    if rule == ImplicitMetaPolicy.ANY:
        return 1
    return count if rule == ImplicitMetaPolicy.ALL else count // 2 + 1


def _satisfied(policy: Policy, identities: Sequence[Identity]) -> bool:
    try:
        policy.evaluate_identities(identities)
    except PolicyError:
        return False
    return True
