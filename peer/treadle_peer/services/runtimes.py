"""What an operator may ask of a peer: ``treadle.runtime.v1.Runtimes`` (design §4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from treadle_fabric.identity import IssuedCertificate
from treadle_fabric.packages import ImageReference, ServerReference
from treadle_runtime.v1 import runtime_pb2 as pb

from treadle_peer.chaincode import StreamPeer
from treadle_peer.chaincode.authority import ChaincodeAuthority, TooManyCertificates
from treadle_peer.chaincode.certificates import Purpose
from treadle_peer.chaincode.runtimes import (
    HIGHEST,
    Development,
    Developments,
    Epochs,
    NotAllowed,
    Origin,
    Phase,
    Refused,
    Removed,
    Report,
    ReportError,
    RequiredRuntimes,
    Runtime,
    RuntimeState,
    Superseded,
    Synced,
    Term,
    WatchEnded,
)
from treadle_peer.execution import PackageError
from treadle_peer.services.developing import (
    checked_ccid,
    development_message,
    issued_for_developers,
    policies_of,
    seconds_of,
)
from treadle_peer.services.operators import check_operator
from treadle_peer.services.refusals import CallRefused, Refusal

EPOCH: Final = "treadle-epoch"
"""Metadata of every call: the number of the operator's term."""

_PHASES: Final = {
    pb.PHASE_BUILDING: Phase.BUILDING,
    pb.PHASE_PULLING: Phase.PULLING,
    pb.PHASE_STARTING: Phase.STARTING,
    pb.PHASE_FAILED: Phase.FAILED,
}
_PURPOSES: Final = {
    pb.PURPOSE_RUNTIME: Purpose.RUNTIME,
    pb.PURPOSE_BUILDER: Purpose.BUILDER,
    pb.PURPOSE_DEVELOPMENT: Purpose.DEVELOPMENT,
}
_ORIGINS: Final = {
    Origin.OPERATOR: pb.ORIGIN_OPERATOR,
    Origin.CLIENT: pb.ORIGIN_CLIENT,
    Origin.COMMITTED: pb.ORIGIN_COMMITTED,
}
_STATES: Final = {
    RuntimeState.REQUIRED: pb.STATE_REQUIRED,
    RuntimeState.BUILDING: pb.STATE_BUILDING,
    RuntimeState.STARTING: pb.STATE_STARTING,
    RuntimeState.REGISTERED: pb.STATE_REGISTERED,
    RuntimeState.FAILED: pb.STATE_FAILED,
    RuntimeState.STOPPED: pb.STATE_STOPPED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimesService:
    """Every method raises CallRefused.

    *evict(chosen, sentence)* ends the streams of the callers that *chosen(ccid, caller)* names.
    ``peer_address`` is what pods dial, ``development_address`` what developers do, ``msp_id`` the
    peer's.
    """

    required: RequiredRuntimes
    developments: Developments
    epochs: Epochs
    authority: ChaincodeAuthority
    evict: Callable[[Callable[[str, StreamPeer], bool], str], None]
    peer_address: str
    development_address: str
    msp_id: str

    def enter(self, certificate_pem: bytes | None, epoch: str | None) -> Term:
        """Who calls, by certificate and metadata; before anything else of a call."""
        operator = check_operator(certificate_pem)
        number = epoch or "0"
        if not (number.isascii() and number.isdigit() and len(number) < 20) or (
            int(number) > HIGHEST
        ):
            raise CallRefused(Refusal.INVALID_ARGUMENT, f"{EPOCH} is a number below 2^63")
        term = Term(operator, int(number))
        try:
            self.epochs.enter(term)
        except Superseded as later:
            raise CallRefused(Refusal.FAILED_PRECONDITION, str(later)) from later
        return term

    def require(self, request: pb.RequireRuntimeRequest) -> pb.RequireRuntimeResponse:
        """RequireRuntime."""
        ccid, timeout = checked_ccid(request.ccid), None
        if request.HasField("execute_timeout"):
            timeout = seconds_of(request.execute_timeout, "an execute timeout")
        try:
            self.required.require(ccid, Origin.OPERATOR)
        except PackageError as error:
            raise CallRefused(Refusal.NOT_FOUND, f"{ccid} is not installed: {error}") from error
        return pb.RequireRuntimeResponse(runtime=message_of(self.required.bound(ccid, timeout)))

    def release(self, request: pb.ReleaseRuntimeRequest) -> pb.ReleaseRuntimeResponse:
        """ReleaseRuntime."""
        ccid = request.ccid
        if self.required.get(ccid) is not None:
            self.required.release(ccid)
            for purpose in (Purpose.RUNTIME, Purpose.BUILDER):
                self.authority.retire_all(ccid, purpose)
            sentence = f"the runtime of {ccid} was released"
            # A developer's process of that name is not part of it.
            self.evict(lambda name, caller: name == ccid and self._is_managed(caller), sentence)
        return pb.ReleaseRuntimeResponse()

    def list(self, _: pb.ListRuntimesRequest) -> pb.ListRuntimesResponse:
        """ListRuntimes."""
        return pb.ListRuntimesResponse(
            runtimes=map(message_of, self.required.rows()),
            developments=map(development_message, self.developments.rows()),
        )

    async def watch(self, term: Term) -> AsyncIterator[pb.WatchRuntimesResponse]:
        """WatchRuntimes, until a later term than the caller's begins."""
        watch = self.required.watch()
        forget = self.epochs.hold(term, watch.end)
        try:
            while True:
                match await watch.next():
                    case Synced():
                        yield pb.WatchRuntimesResponse(synced=pb.Synced())
                    case Removed(ccid):
                        yield pb.WatchRuntimesResponse(removed=ccid)
                    case Runtime() as runtime:
                        yield pb.WatchRuntimesResponse(runtime=message_of(runtime))
                    case Development() as row:
                        yield pb.WatchRuntimesResponse(development=development_message(row))
                    case Refused() as refused:
                        yield pb.WatchRuntimesResponse(refused=_refused(refused))
        except WatchEnded as ended:
            raise CallRefused(Refusal.FAILED_PRECONDITION, str(ended)) from ended
        finally:
            forget()
            self.required.unwatch(watch)

    def report(self, request: pb.ReportRuntimeRequest) -> pb.ReportRuntimeResponse:
        """ReportRuntime."""
        phase = _PHASES.get(request.phase)
        if phase is None:
            raise CallRefused(Refusal.INVALID_ARGUMENT, "a report needs a phase")
        try:
            report = Report.checked(
                phase=phase,
                message=request.message,
                log_tail=request.log_tail,
                pods=request.pod_addresses,
            )
        except ReportError as error:
            raise CallRefused(Refusal.INVALID_ARGUMENT, str(error)) from error
        runtime = self.required.report(request.ccid, report)
        if runtime is None:
            raise _not_required(request.ccid)
        return pb.ReportRuntimeResponse(runtime=message_of(runtime))

    def issue(self, request: pb.IssueCertificateRequest) -> pb.IssueCertificateResponse:
        """IssueCertificate."""
        purpose = _PURPOSES.get(request.purpose)
        if purpose is None:
            raise CallRefused(Refusal.INVALID_ARGUMENT, "a certificate needs a purpose")
        if purpose is Purpose.DEVELOPMENT:
            made, over = issued_for_developers(self.developments, request, _lifetime(request))
            return self._answer(made, over, self.development_address)
        runtime = self.required.get(request.ccid)
        if runtime is None or runtime.record.stopped:
            raise _not_required(request.ccid)
        if purpose is Purpose.BUILDER and _needs_no_build(runtime):
            raise CallRefused(
                Refusal.FAILED_PRECONDITION,
                f"the output of {request.ccid} is stored, or its package names what runs; there "
                "is nothing to build",
            )
        try:
            issued, end = self.authority.issue_lasting(request.ccid, purpose, _lifetime(request))
        except TooManyCertificates as error:
            raise CallRefused(Refusal.RESOURCE_EXHAUSTED, str(error)) from error
        return self._answer(issued, end, self.peer_address)

    def retire(self, request: pb.RetireCertificateRequest) -> pb.RetireCertificateResponse:
        """RetireCertificate."""
        fingerprint = request.fingerprint
        # The development certificate is not the operator's to retire.
        if self.authority.lasting(fingerprint) is not None:
            self.authority.retire(fingerprint)
            self.evict(
                lambda _, caller: caller.fingerprint == fingerprint, "its certificate is retired"
            )
        return pb.RetireCertificateResponse()

    def apply(self, request: pb.ApplyPoliciesRequest) -> pb.ApplyPoliciesResponse:
        """ApplyPolicies."""
        try:
            self.developments.apply(policies_of(request))
        except NotAllowed as error:
            raise CallRefused(Refusal.FAILED_PRECONDITION, str(error)) from error
        return pb.ApplyPoliciesResponse()

    def _answer(
        self, issued: IssuedCertificate, end: datetime, address: str
    ) -> pb.IssueCertificateResponse:
        answer = pb.IssueCertificateResponse(
            certificate=issued.certificate_pem,
            private_key=issued.key_pem,
            authority=self.authority.certificate_pem,
            fingerprint=issued.fingerprint,
            peer_address=address,
            msp_id=self.msp_id,
        )
        answer.not_after.FromDatetime(end)
        return answer

    def _is_managed(self, caller: StreamPeer) -> bool:
        issued = self.authority.lasting(caller.fingerprint or "")
        return issued is not None and issued.purpose is not Purpose.DEVELOPMENT


def message_of(runtime: Runtime) -> pb.Runtime:
    """The runtime as the API shows it."""
    record = runtime.record
    name, _, version = record.ccid.partition(":")
    message = pb.Runtime(
        ccid=record.ccid,
        name=name,
        version=version,
        language=runtime.contents.language,
        package_sha256=runtime.contents.sha256,
        origin=_ORIGINS[record.origin],
        state=_STATES[runtime.state],
        message=runtime.message,
        instances=runtime.instances,
        attempt=record.attempt,
    )
    if record.output is not None:
        message.output.CopyFrom(pb.Output(sha256=record.output.sha256, size=record.output.size))
    match runtime.contents.prebuilt:
        case ImageReference() as image:
            message.image = image.reference
        case ServerReference() as server:
            message.server.CopyFrom(pb.Server(address=server.address, secret=server.secret))
    if record.execute_timeout is not None:
        message.execute_timeout.FromTimedelta(timedelta(seconds=record.execute_timeout))
    message.since.FromDatetime(runtime.since)
    return message


def _needs_no_build(runtime: Runtime) -> bool:
    return runtime.record.output is not None or runtime.contents.prebuilt is not None


def _refused(row: Refused) -> pb.Refused:
    message = pb.Refused(
        count=row.count, last_reason=row.reason, last_from=row.remote, ccid=row.ccid
    )
    message.since.FromDatetime(row.since)
    return message


def _not_required(ccid: str) -> CallRefused:
    return CallRefused(Refusal.NOT_FOUND, f"the runtime {ccid} is not required")


def _lifetime(request: pb.IssueCertificateRequest) -> timedelta | None:
    given = request.HasField("lifetime")
    return timedelta(seconds=seconds_of(request.lifetime, "a lifetime")) if given else None
