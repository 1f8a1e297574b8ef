"""treadle.runtime.v1's messages as values of the operator. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import Final

from treadle_runtime.v1 import runtime_pb2 as pb

from treadle_operator.model import ChaincodeServer, Prebuilt, PrebuiltImage, Ref
from treadle_operator.model.developing import Development, DevelopmentPolicy
from treadle_operator.model.peering import (
    Certificate,
    Origin,
    Phase,
    Purpose,
    Refusal,
    Runtime,
    State,
)

PHASES: Final = {
    Phase.BUILDING: pb.PHASE_BUILDING,
    Phase.PULLING: pb.PHASE_PULLING,
    Phase.STARTING: pb.PHASE_STARTING,
    Phase.FAILED: pb.PHASE_FAILED,
}
PURPOSES: Final = {
    Purpose.RUNTIME: pb.PURPOSE_RUNTIME,
    Purpose.BUILDER: pb.PURPOSE_BUILDER,
    Purpose.DEVELOPMENT: pb.PURPOSE_DEVELOPMENT,
}
_STATES: Final = {
    pb.STATE_REQUIRED: State.REQUIRED,
    pb.STATE_BUILDING: State.BUILDING,
    pb.STATE_STARTING: State.STARTING,
    pb.STATE_REGISTERED: State.REGISTERED,
    pb.STATE_FAILED: State.FAILED,
    pb.STATE_STOPPED: State.STOPPED,
}
_ORIGINS: Final = {
    pb.ORIGIN_OPERATOR: Origin.OPERATOR,
    pb.ORIGIN_CLIENT: Origin.CLIENT,
    pb.ORIGIN_COMMITTED: Origin.COMMITTED,
}


def runtime_of(message: pb.Runtime) -> Runtime:
    """One row. A state that a newer peer knows counts as required, such an origin as a client's."""
    return Runtime(
        ccid=message.ccid,
        name=message.name,
        version=message.version,
        language=message.language,
        package_sha256=message.package_sha256,
        origin=_ORIGINS.get(message.origin, Origin.CLIENT),
        state=_STATES.get(message.state, State.REQUIRED),
        message=message.message,
        instances=message.instances,
        output_sha256=message.output.sha256,
        attempt=message.attempt,
        since=message.since.ToDatetime(tzinfo=UTC),
        execute_timeout=(
            message.execute_timeout.ToTimedelta() if message.HasField("execute_timeout") else None
        ),
        prebuilt=_prebuilt(message),
    )


def _prebuilt(message: pb.Runtime) -> Prebuilt | None:
    match message.WhichOneof("prebuilt"):
        case "image":
            return PrebuiltImage(message.image)
        case "server":
            secret = message.server.secret
            address = message.server.address
            return ChaincodeServer(address, bool(secret), Ref(secret) if secret else None)
    return None


def development_of(message: pb.Development) -> Development:
    """One chaincode that developers run."""
    return Development(
        ccid=message.ccid,
        connected=message.connected,
        developer=message.developer,
        remote=message.remote,
        since=message.since.ToDatetime(tzinfo=UTC),
        opening=message.opening,
        holders=frozenset(message.holders),
    )


def policy_message(policy: DevelopmentPolicy) -> pb.DevelopmentPolicy:
    """One chaincode that is to be left to developers."""
    message = pb.DevelopmentPolicy(
        ccid=policy.ccid, start_line=policy.start_line, holders=policy.holders
    )
    if policy.execute_timeout is not None:
        message.execute_timeout.FromTimedelta(policy.execute_timeout)
    return message


def certificate_of(message: pb.IssueCertificateResponse) -> Certificate:
    """An issued certificate."""
    return Certificate(
        certificate=message.certificate,
        private_key=message.private_key,
        authority=message.authority,
        fingerprint=message.fingerprint,
        not_after=message.not_after.ToDatetime(tzinfo=UTC),
        peer_address=message.peer_address,
        msp_id=message.msp_id,
    )


def refusal_of(message: pb.Refused) -> Refusal:
    """How many were refused for one reason."""
    return Refusal(
        count=message.count,
        since=message.since.ToDatetime(UTC),
        ccid=message.ccid,
        remote=message.last_from,
        reason=message.last_reason,
    )
