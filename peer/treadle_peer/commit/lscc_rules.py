"""What a transaction of ``lscc`` must look like to be committed (fabric-wire.md §3.8).

The endorser of a deploy may be hostile: everything lscc checked at endorsement is checked again,
from the transaction and the committed state alone. Every violation is an endorsement failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeDeploymentSpec,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload
from treadle_fabric.channelconfig import Capabilities
from treadle_fabric.packages import CHAINCODE_NAME, CHAINCODE_VERSION
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import UnpackedTransaction, WireError, parse

from treadle_peer.channels import LEGACY_NAMESPACE, ChaincodeDefinition, legacy_definition
from treadle_peer.commit.collection_rules import require_valid_collections
from treadle_peer.commit.errors import EndorsementFailure
from treadle_peer.commit.policies import PolicyEvaluator
from treadle_peer.commit.rwset import NamespaceSet
from treadle_peer.commit.state import CommittedState

DEPLOY = "deploy"
UPGRADE = "upgrade"
_SYSTEM_NAMES = ("cscc", "escc", "lscc", "qscc", "vscc")
# Fabric's list. Treadle's number for Python packages is not in it: a peer of ours must not call
# valid what a peer of Fabric's calls invalid. A Python package is deployed under one of these.
_TYPES = (ChaincodeSpec.GOLANG, ChaincodeSpec.NODE, ChaincodeSpec.CAR, ChaincodeSpec.JAVA)


@dataclass(frozen=True, slots=True, kw_only=True)
class LsccRules:
    """The rules of one block; ``state`` is what is committed before it."""

    state: CommittedState
    policies: PolicyEvaluator
    capabilities: Capabilities

    def require(self, transaction: UnpackedTransaction, namespaces: Sequence[NamespaceSet]) -> None:
        """Raise EndorsementFailure unless *transaction* is a proper deploy or upgrade."""
        function, args = _invocation(transaction.proposal_payload_bytes)
        if function not in (DEPLOY, UPGRADE):
            text = f"committing an invocation of function {function} of lscc is invalid"
            raise EndorsementFailure(text)
        self._require_arg_count(function, args)
        spec = _deployment(function, args[1])
        lscc = _lscc_writes(namespaces)
        written = _definition(lscc, spec)
        _require_own_namespaces(namespaces, written.name)
        committed = self._committed(written.name)
        if function == DEPLOY:
            self._require_deploy(
                transaction, lscc=lscc, written=written, committed=committed, args=args
            )
        else:
            self._require_upgrade(
                transaction, lscc=lscc, written=written, committed=committed, args=args
            )

    def _require_arg_count(self, function: str, args: Sequence[bytes]) -> None:
        if len(args) < 2:
            raise EndorsementFailure(
                f"Wrong number of arguments for invocation lscc({function}): "
                f"expected at least 2, received {len(args)}"
            )
        if len(args) > (6 if self.capabilities.private_data else 5):
            raise EndorsementFailure(
                f"Wrong number of arguments for invocation lscc({function}): received {len(args)}"
            )

    def _committed(self, name: str) -> ChaincodeDefinition | None:
        try:
            return legacy_definition(self.state, name)
        except WireError as error:
            raise EndorsementFailure(f"chaincode {name} has bad definition: {error}") from error

    def _require_deploy(
        self,
        transaction: UnpackedTransaction,
        *,
        lscc: KVRWSet,
        written: ChaincodeDefinition,
        committed: ChaincodeDefinition | None,
        args: Sequence[bytes],
    ) -> None:
        if committed is not None:
            raise EndorsementFailure(f"Chaincode {written.name} is already instantiated")
        if self.capabilities.private_data:
            self._require_collections(DEPLOY, lscc=lscc, written=written, args=args)
        else:
            _require_single_write(DEPLOY, lscc)
        self._require_policy(transaction, written.instantiation_policy)

    def _require_upgrade(
        self,
        transaction: UnpackedTransaction,
        *,
        lscc: KVRWSet,
        written: ChaincodeDefinition,
        committed: ChaincodeDefinition | None,
        args: Sequence[bytes],
    ) -> None:
        if committed is None:
            raise EndorsementFailure(f"Upgrading non-existent chaincode {written.name}")
        if committed.version == written.version:
            raise EndorsementFailure(
                f"Existing version of the cc on the ledger ({written.version}) "
                "should be different from the upgraded one"
            )
        if self.capabilities.collection_upgrade:
            self._require_collections(UPGRADE, lscc=lscc, written=written, args=args)
        else:
            _require_single_write(UPGRADE, lscc)
        self._require_policy(transaction, committed.instantiation_policy)
        changed = written.instantiation_policy != committed.instantiation_policy
        if changed and self.capabilities.new_instantiation_policy:
            self._require_policy(transaction, written.instantiation_policy)

    def _require_collections(
        self, function: str, *, lscc: KVRWSet, written: ChaincodeDefinition, args: Sequence[bytes]
    ) -> None:
        require_valid_collections(
            self.state,
            upgrade=function == UPGRADE,
            definition=written,
            writes=lscc.writes,
            argument=args[5] if len(args) > 5 else None,
            strict=self.capabilities.strict_validation,
        )

    def _require_policy(self, transaction: UnpackedTransaction, policy: bytes) -> None:
        """The *creator of the transaction* must satisfy the instantiation policy."""
        if not policy:
            raise EndorsementFailure("no instantiation policy was specified")
        envelope = transaction.envelope
        creator = SignedData(
            data=envelope.raw, identity=envelope.creator, signature=envelope.signature
        )
        try:
            self.policies.require_signature_policy(policy, [creator])
        except EndorsementFailure as error:
            text = f"chaincode instantiation policy violated, error {error}"
            raise EndorsementFailure(text) from error


def upgraded_chaincode(transaction: UnpackedTransaction) -> str | None:
    """The chaincode that an ``lscc`` transaction upgrades, if it counts as an upgrade.

    Fabric counts the type GOLANG only (v14/validator.go, getUpgradeTxInstance); blocks must get
    the same codes here.
    """
    try:
        function, args = _invocation(transaction.proposal_payload_bytes)
        if function != UPGRADE or len(args) < 2:
            return None
        spec = parse(ChaincodeDeploymentSpec, args[1]).chaincode_spec
    except (EndorsementFailure, WireError):
        return None
    return spec.chaincode_id.name if spec.type == ChaincodeSpec.GOLANG else None


def _invocation(proposal_payload: bytes) -> tuple[str, list[bytes]]:
    try:
        payload = parse(ChaincodeProposalPayload, proposal_payload)
        args = parse(ChaincodeInvocationSpec, payload.input).chaincode_spec.input.args
    except WireError as error:
        raise EndorsementFailure(str(error)) from error
    if not args:
        raise EndorsementFailure("malformed chaincode invocation spec")
    return args[0].decode(errors="replace"), list(args[1:])


def _deployment(function: str, data: bytes) -> ChaincodeSpec:
    try:
        deployment = parse(ChaincodeDeploymentSpec, data)
    except WireError as error:
        raise EndorsementFailure(f"GetChaincodeDeploymentSpec error {error}") from error
    spec = deployment.chaincode_spec
    if not spec.HasField("chaincode_id"):
        raise EndorsementFailure(
            f"invocation of lscc({function}) does not have appropriate arguments"
        )
    name, version = spec.chaincode_id.name, spec.chaincode_id.version
    if spec.type not in _TYPES:
        raise EndorsementFailure(f"unexpected chaincode spec type: {spec.type}")
    if not CHAINCODE_NAME.fullmatch(name):
        raise EndorsementFailure(f"invalid chaincode name '{name}'")
    if name in _SYSTEM_NAMES:
        raise EndorsementFailure(f"chaincode name '{name}' is reserved for system chaincodes")
    if not CHAINCODE_VERSION.fullmatch(version):
        raise EndorsementFailure(f"invalid chaincode version '{version}'")
    return spec


def _lscc_writes(namespaces: Sequence[NamespaceSet]) -> KVRWSet:
    for namespace in namespaces:
        if namespace.name == LEGACY_NAMESPACE:
            if not namespace.public.writes:
                text = "LSCC must issue at least one single putState upon deploy/upgrade"
                raise EndorsementFailure(text)
            return namespace.public
    raise EndorsementFailure("No read write set for lscc was found")


def _definition(lscc: KVRWSet, spec: ChaincodeSpec) -> ChaincodeDefinition:
    name, version = spec.chaincode_id.name, spec.chaincode_id.version
    first = lscc.writes[0]
    if first.key != name:
        raise EndorsementFailure(f"expected key {name}, found {first.key}")
    try:
        written = ChaincodeDefinition.decode(first.value)
    except WireError as error:
        raise EndorsementFailure(f"unmarshalling of ChaincodeData failed, error {error}") from error
    if written.name != name:
        raise EndorsementFailure(f"expected cc name {name}, found {written.name}")
    if written.version != version:
        raise EndorsementFailure(f"expected cc version {version}, found {written.version}")
    return written


def _require_own_namespaces(namespaces: Sequence[NamespaceSet], name: str) -> None:
    for namespace in namespaces:
        if namespace.name not in (LEGACY_NAMESPACE, name) and namespace.public.writes:
            text = f"LSCC invocation is attempting to write to namespace {namespace.name}"
            raise EndorsementFailure(text)


def _require_single_write(function: str, lscc: KVRWSet) -> None:
    if len(lscc.writes) != 1:
        raise EndorsementFailure(f"LSCC can only issue a single putState upon {function}")
