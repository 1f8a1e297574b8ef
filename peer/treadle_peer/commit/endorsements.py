"""Judging the endorsements of one transaction: v14 rules, v20 rules (fabric-wire.md §5.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import WireError, parse

from treadle_peer.channels import LEGACY_NAMESPACE, ChaincodeDefinition, legacy_definition
from treadle_peer.commit.dispatch import Invocation
from treadle_peer.commit.errors import (
    EndorsementFailure,
    InvalidTransaction,
    ValidationHalted,
)
from treadle_peer.commit.keylevel import KeyLevelPolicies
from treadle_peer.commit.lifecycle_rules import application_policy
from treadle_peer.commit.lscc_rules import LsccRules
from treadle_peer.commit.policies import PolicyEvaluator, endorsement_data
from treadle_peer.commit.state import CommittedState

SYSTEM_CHAINCODES = frozenset(("vscc", "escc", "lscc", "qscc", "cscc"))
_NEVER_INVOKED = frozenset(("vscc", "escc"))
_NEVER_WRITTEN = frozenset(("vscc", "escc", "cscc"))
_PLUGIN = "vscc"

_Evaluate = Callable[[bytes, Sequence[SignedData]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndorsementRules:
    """The rules of one block under one configuration."""

    bundle: Bundle
    state: CommittedState
    policies: PolicyEvaluator
    keys: KeyLevelPolicies

    def require(self, invocation: Invocation) -> None:
        """Raise InvalidTransaction unless all written namespaces are endorsed as they demand."""
        if self.bundle.application.capabilities.v2_validation:
            self._require_v20(invocation)
        elif invocation.chaincode in SYSTEM_CHAINCODES:
            self._require_system(invocation)
        else:
            self._require_v14(invocation)

    def _require_v14(self, invocation: Invocation) -> None:
        written = invocation.written(self.bundle.application.capabilities)
        _require_no_system_writes(invocation.chaincode, written)
        for namespace in written:
            if namespace in SYSTEM_CHAINCODES:
                policy = self.policies.any_member()
            else:
                policy = self._legacy_policy(namespace, invocation)
            self._require_namespace(
                invocation, namespace, policy, self.policies.require_signature_policy
            )

    def _legacy_policy(self, namespace: str, invocation: Invocation) -> bytes:
        definition = self._definition(namespace)
        if namespace == invocation.chaincode and definition.version != invocation.version:
            raise InvalidTransaction(
                TxValidationCode.EXPIRED_CHAINCODE,
                f"chaincode {namespace}:{invocation.version} didn't match "
                f"{definition.ccid} in lscc",
            )
        _require_plugin(namespace, definition.validation_plugin)
        return definition.policy

    def _definition(self, namespace: str) -> ChaincodeDefinition:
        code = TxValidationCode.INVALID_OTHER_REASON
        try:
            definition = legacy_definition(self.state, namespace)
        except WireError as error:
            raise InvalidTransaction(code, f"lscc's state for [{namespace}]: {error}") from error
        if definition is None:
            raise InvalidTransaction(code, f"lscc's state for [{namespace}] not found.")
        for value, field in ((definition.validation_plugin, "vscc"), (definition.policy, "policy")):
            if not value:
                text = f"lscc's state for [{namespace}] is invalid, {field} field must be set"
                raise InvalidTransaction(code, text)
        return definition

    def _require_system(self, invocation: Invocation) -> None:
        name = invocation.chaincode
        if name in _NEVER_INVOKED:
            text = f"committing an invocation of cc {name} is illegal"
            raise InvalidTransaction(TxValidationCode.ILLEGAL_WRITESET, text)
        capabilities = self.bundle.application.capabilities
        if name != LEGACY_NAMESPACE and any(n.writes(capabilities) for n in invocation.namespaces):
            # Neither qscc nor cscc can write. Fabric lets such a forgery pass with the signature
            # of any member, which would make every endorsement policy void.
            text = f"system chaincode {name} attempted to write"
            raise InvalidTransaction(TxValidationCode.ILLEGAL_WRITESET, text)
        policy = self.policies.any_member()
        self._require_namespace(invocation, name, policy, self.policies.require_signature_policy)

    def _require_v20(self, invocation: Invocation) -> None:
        for namespace in invocation.written(self.bundle.application.capabilities):
            plugin, policy = application_policy(self.bundle, self.state, namespace)
            _require_plugin(namespace, plugin)
            self._require_namespace(
                invocation, namespace, policy, self.policies.require_application_policy
            )

    def _require_namespace(
        self, invocation: Invocation, namespace: str, policy: bytes, evaluate: _Evaluate
    ) -> None:
        transaction = invocation.transaction
        pairs = [(entry.endorser, entry.signature) for entry in transaction.endorsements]
        signed = endorsement_data(transaction.proposal_response_payload_bytes, pairs)
        part = invocation.part(namespace)
        capabilities = self.bundle.application.capabilities
        if not capabilities.key_level_endorsement:
            _require_readable(signed)
            evaluate(policy, signed)
        else:
            self.keys.require(
                part,
                name=namespace,
                policy=policy,
                signed=signed,
                evaluate=evaluate,
                evaluate_key=self.policies.require_signature_policy,
            )
        if namespace == LEGACY_NAMESPACE and not capabilities.v2_validation:
            rules = LsccRules(state=self.state, policies=self.policies, capabilities=capabilities)
            rules.require(transaction, invocation.namespaces)
        self.keys.record(part)


def _require_no_system_writes(chaincode: str, written: Sequence[str]) -> None:
    if LEGACY_NAMESPACE in written:
        text = f"chaincode {chaincode} attempted to write to the namespace of LSCC"
        raise InvalidTransaction(TxValidationCode.ILLEGAL_WRITESET, text)
    if not _NEVER_WRITTEN.isdisjoint(written):
        raise InvalidTransaction(
            TxValidationCode.ILLEGAL_WRITESET,
            f"chaincode {chaincode} attempted to write to the namespace of a system chaincode "
            "that cannot be invoked",
        )


def _require_plugin(namespace: str, plugin: str) -> None:
    if plugin != _PLUGIN:
        raise ValidationHalted(
            f"chaincode {namespace} demands validation plugin {plugin}; this peer has only "
            f"{_PLUGIN} and cannot tell whether the transaction is valid"
        )


def _require_readable(signed: Sequence[SignedData]) -> None:
    """Before key-level endorsement, one unreadable endorser spoiled the whole set."""
    try:
        for entry in signed:
            parse(SerializedIdentity, entry.identity)
    except WireError as error:
        raise EndorsementFailure(f"Unmarshal endorser error: {error}") from error
