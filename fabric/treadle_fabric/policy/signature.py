"""Signature policies: n-out-of trees over principals (fabric-wire.md 6.5).

Evaluation is greedy and never backtracks, exactly as in Fabric: every rule is tried in order, each
``signed_by`` takes the first free identity that satisfies its principal, and what a satisfied rule
took stays taken, also beyond n. A different order of identities may thus decide differently, and
peers must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal

from treadle_fabric.msp import Identity, MSPError, MSPManager
from treadle_fabric.policy.errors import PolicyError
from treadle_fabric.policy.evaluation import Policy, SignedData, distinct, verified_identities

Satisfies = Callable[[Identity, MSPPrincipal], bool]
# The positions of used identities after success, or None.
Outcome = frozenset[int] | None
Rule = Callable[[Sequence[Identity], frozenset[int]], Outcome]


@dataclass(frozen=True, slots=True)
class CompiledSignaturePolicy:
    """A compiled envelope; implements Policy."""

    envelope: SignaturePolicyEnvelope
    _rule: Rule
    _msps: MSPManager

    def evaluate(self, signed: Sequence[SignedData]) -> None:
        """See Policy."""
        self.evaluate_identities(verified_identities(signed, self._msps))

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """See Policy."""
        if self._rule(distinct(identities), frozenset()) is None:
            raise PolicyError("signature set did not satisfy policy")


def compile_signature_policy(envelope: SignaturePolicyEnvelope, msps: MSPManager) -> Policy:
    """A policy ready to evaluate; raises PolicyError when the envelope makes no sense."""
    if envelope.version != 0:
        raise PolicyError(
            "This evaluator only understands messages of version 0, "
            f"but version was {envelope.version}"
        )
    if not envelope.HasField("rule"):
        raise PolicyError("Empty policy element")

    def satisfies(identity: Identity, principal: MSPPrincipal) -> bool:
        try:
            msps.get(identity.msp_id).satisfies(identity, principal)
        except MSPError:
            return False
        return True

    compiler = _Compiler(principals=tuple(envelope.identities), satisfies=satisfies)
    return CompiledSignaturePolicy(envelope, compiler.compile(envelope.rule), msps)


@dataclass(frozen=True, slots=True)
class _Compiler:
    principals: tuple[MSPPrincipal, ...]
    satisfies: Satisfies

    def compile(self, rule: SignaturePolicy) -> Rule:
        # Protobuf reads no message nested deeper than 100, so neither does this recursion.
        kind = rule.WhichOneof("Type")
        if kind == "signed_by":
            return self._signed_by(rule.signed_by)
        if kind == "n_out_of":
            rules = [self.compile(each) for each in rule.n_out_of.rules]
            return _n_out_of(rule.n_out_of.n, rules)
        raise PolicyError("Unknown type: <nil>:<nil>")

    def _signed_by(self, index: int) -> Rule:
        if not 0 <= index < len(self.principals):
            raise PolicyError(
                f"identity index out of range, requested {index}, "
                f"but identities length is {len(self.principals)}"
            )
        principal, satisfies = self.principals[index], self.satisfies

        def rule(identities: Sequence[Identity], used: frozenset[int]) -> Outcome:
            for position, identity in enumerate(identities):
                if position not in used and satisfies(identity, principal):
                    return used | {position}
            return None

        return rule


def _n_out_of(needed: int, rules: Sequence[Rule]) -> Rule:
    def rule(identities: Sequence[Identity], used: frozenset[int]) -> Outcome:
        satisfied = 0
        for each in rules:
            outcome = each(identities, used)
            if outcome is not None:
                satisfied += 1
                used = outcome
        return used if satisfied >= needed else None

    return rule
