"""Evaluating policies that are stored as bytes: in definitions, packages and key metadata."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.policy import (
    Policy,
    PolicyError,
    SignedData,
    compile_signature_policy,
    signed_by_any_member,
)
from treadle_fabric.wire import Octets, WireError, parse, serialize

from treadle_peer.commit.errors import EndorsementFailure


class PolicyEvaluator:
    """Compiles each policy once; lives as long as one configuration validates one block."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._compiled: dict[tuple[bool, bytes], Policy] = {}

    def any_member(self) -> bytes:
        """The policy of system chaincodes: any member of any application organisation."""
        ids = sorted(organization.msp_id for organization in self._bundle.application.orgs)
        return serialize(signed_by_any_member(ids))

    def require_signature_policy(self, policy: bytes, signed: Sequence[SignedData]) -> None:
        """Raise EndorsementFailure unless *signed* satisfy a SignaturePolicyEnvelope."""
        self._require((False, policy), signed)

    def require_application_policy(self, policy: bytes, signed: Sequence[SignedData]) -> None:
        """Raise EndorsementFailure unless *signed* satisfy an ApplicationPolicy."""
        self._require((True, policy), signed)

    def _require(self, key: tuple[bool, bytes], signed: Sequence[SignedData]) -> None:
        try:
            self._policy(key).evaluate(signed)
        except (PolicyError, WireError) as error:
            raise EndorsementFailure(str(error)) from error

    def _policy(self, key: tuple[bool, bytes]) -> Policy:
        if key not in self._compiled:
            is_application, policy = key
            compile_ = self._application if is_application else self._signature
            self._compiled[key] = compile_(policy)
        return self._compiled[key]

    def _signature(self, policy: bytes) -> Policy:
        return compile_signature_policy(parse(SignaturePolicyEnvelope, policy), self._bundle.msps)

    def _application(self, policy: bytes) -> Policy:
        application = parse(ApplicationPolicy, policy)
        kind = application.WhichOneof("Type")
        if kind == "signature_policy":
            return compile_signature_policy(application.signature_policy, self._bundle.msps)
        if kind == "channel_config_policy_reference":
            return self._bundle.policies.policy(application.channel_config_policy_reference)
        raise PolicyError("unsupported policy type")


def endorsement_data(
    payload: Octets, endorsements: Sequence[tuple[bytes, bytes]]
) -> list[SignedData]:
    """What endorsers signed: *payload* followed by their identity (§5.5).

    *endorsements* are (serialised identity, signature).
    """
    return [
        SignedData(data=(payload, endorser), identity=endorser, signature=signature)
        for endorser, signature in endorsements
    ]
