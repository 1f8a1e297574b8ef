"""Validation policies on channels with Application capability V2_0 (fabric-wire.md §3.10, §5.5).

A namespace is defined by ``_lifecycle``, or, from before the capability, by ``lscc``.
"""

from __future__ import annotations

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPRole
from fabric_protos.peer.lifecycle.chaincode_definition_pb2 import ChaincodeValidationInfo
from fabric_protos.peer.lifecycle.db_pb2 import StateData, StateMetadata
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.policy import n_out_of, role_principal, signed_by
from treadle_fabric.wire import WireError, parse, serialize

from treadle_peer.channels import LIFECYCLE_NAMESPACE, StateSource, legacy_definition
from treadle_peer.commit.errors import InvalidTransaction, ValidationHalted

_LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"
_DEFINITION_TYPE = "ChaincodeDefinition"


def application_policy(bundle: Bundle, state: StateSource, namespace: str) -> tuple[str, bytes]:
    """(validation plugin, marshalled ApplicationPolicy) of *namespace*.

    Raises InvalidTransaction INVALID_CHAINCODE when nothing defines it.
    """
    if namespace == LIFECYCLE_NAMESPACE:
        return "vscc", _lifecycle_policy(bundle)
    try:
        plugin, policy = _defined(state, namespace) or _legacy(state, namespace)
    except WireError as error:
        raise _undefined(f"chaincode {namespace} has bad definition: {error}") from error
    for value, field in ((plugin, "plugin"), (policy, "policy")):
        if not value:
            text = f"chaincode definition for [{namespace}] is invalid, {field} field must be set"
            raise _undefined(text)
    return plugin, policy


def _defined(state: StateSource, name: str) -> tuple[str, bytes] | None:
    stored = state.get_state(LIFECYCLE_NAMESPACE, f"namespaces/metadata/{name}")
    if not stored:
        return None
    if parse(StateMetadata, stored).datatype != _DEFINITION_TYPE:
        raise ValidationHalted(f"_lifecycle defines {name} as something else than a chaincode")
    field = state.get_state(LIFECYCLE_NAMESPACE, f"namespaces/fields/{name}/ValidationInfo")
    info = parse(ChaincodeValidationInfo, parse(StateData, field or b"").Bytes)
    return info.validation_plugin, info.validation_parameter


def _legacy(state: StateSource, name: str) -> tuple[str, bytes]:
    definition = legacy_definition(state, name)
    if definition is None:
        raise _undefined(f"chaincode {name} not found")
    policy = parse(SignaturePolicyEnvelope, definition.policy)
    return definition.validation_plugin, serialize(ApplicationPolicy(signature_policy=policy))


def _lifecycle_policy(bundle: Bundle) -> bytes:
    if "LifecycleEndorsement" in bundle.config.channel_group.groups["Application"].policies:
        return serialize(ApplicationPolicy(channel_config_policy_reference=_LIFECYCLE_POLICY))
    # A channel from before the capability: a member of a majority of the organisations.
    ids = sorted(organization.msp_id for organization in bundle.application.orgs)
    envelope = SignaturePolicyEnvelope(
        rule=n_out_of(len(ids) // 2 + 1, [signed_by(position) for position in range(len(ids))]),
        identities=[role_principal(msp_id, MSPRole.MEMBER) for msp_id in ids],
    )
    return serialize(ApplicationPolicy(signature_policy=envelope))


def _undefined(text: str) -> InvalidTransaction:
    return InvalidTransaction(TxValidationCode.INVALID_CHAINCODE, text)
