"""The operator's port of one peer: calls with deadlines, and the watch that never gives up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypedDict, cast

import grpc
import grpc.aio
from treadle_fabric.client import Endpoint
from treadle_fabric.client.endpoints import channel_options
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import RuntimesStub

from treadle_operator.errors import OperatorError, PeerRefused
from treadle_operator.model.developing import Development, DevelopmentPolicy
from treadle_operator.model.peering import Certificate, Phase, Purpose, Refusal, Runtime
from treadle_operator.peers.messages import (
    PHASES,
    PURPOSES,
    certificate_of,
    development_of,
    policy_message,
    refusal_of,
    runtime_of,
)
from treadle_operator.peers.refusals import translated

if TYPE_CHECKING:
    from treadle_runtime.v1.runtime_pb2_grpc import RuntimesAsyncStub

_log: Final = logging.getLogger(__name__)

_EPOCH: Final = "treadle-epoch"
_SECONDS: Final = 15.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

Told = Callable[[str], object]
Epoch = Callable[[], int]
"""The present term of this operator; raises NotLeading while another one may work."""


class _Terms(TypedDict):
    timeout: float
    metadata: tuple[tuple[str, str], ...]


class RuntimesClient:
    """What treadle.runtime.v1 of one peer tells and does.

    ``told`` is called with the ccid of each runtime or development that changes, and with an empty
    text when the list becomes complete or the watch is lost; ``refused`` when ``refusals`` has
    changed. Every method raises PeerUnavailable or PeerRefused.
    """

    def __init__(
        self,
        peer: str,
        endpoint: Endpoint,
        *,
        told: Told,
        epoch: Epoch,
        refused: Callable[[], object] = lambda: None,
    ) -> None:
        """Needs the running loop; ``start`` begins to watch."""
        self.refusals: dict[datetime, Refusal] = {}
        self.developments: dict[str, Development] = {}
        self.development_refusal = ""
        self._refused = refused
        self._peer = peer
        self._told = told
        self._epoch = epoch
        self._channel = _open(endpoint)
        # The generated stub is for both kinds of channel; only its type knows two.
        self._stub = cast("RuntimesAsyncStub", RuntimesStub(self._channel))
        self._rows: dict[str, Runtime] = {}
        self._watching: asyncio.Task[None] | None = None
        self.synced = False
        self._tried = asyncio.Event()

    @property
    def rows(self) -> Mapping[str, Runtime]:
        """What is required, by ccid."""
        return self._rows

    def start(self) -> None:
        """Watch until ``close``."""
        self._watching = asyncio.create_task(self._watch())

    async def tried(self, within: float) -> None:
        """Return once the watch is complete for the first time, or has failed, or not in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._tried.wait()

    async def close(self) -> None:
        """End the watch and the connection."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._channel.close()

    async def require(self, ccid: str, execute_timeout: timedelta | None) -> Runtime:
        """See PeerLink."""
        with translated(self._peer):
            request = pb.RequireRuntimeRequest(ccid=ccid)
            if execute_timeout is not None:
                request.execute_timeout.FromTimedelta(execute_timeout)
            answer = await self._stub.RequireRuntime(request, **self._terms())
        return runtime_of(answer.runtime)

    async def release(self, ccid: str) -> None:
        """See PeerLink."""
        with translated(self._peer):
            request = pb.ReleaseRuntimeRequest(ccid=ccid)
            await self._stub.ReleaseRuntime(request, **self._terms())

    async def report(
        self, ccid: str, phase: Phase, message: str, log_tail: str, pods: Collection[str]
    ) -> Runtime:
        """See PeerLink."""
        request = pb.ReportRuntimeRequest(
            ccid=ccid,
            phase=PHASES[phase],
            message=message,
            log_tail=log_tail,
            pod_addresses=sorted(pods),
        )
        with translated(self._peer):
            answer = await self._stub.ReportRuntime(request, **self._terms())
        return runtime_of(answer.runtime)

    async def issue(
        self, ccid: str, purpose: Purpose, lifetime: timedelta | None, *, holder: str = ""
    ) -> Certificate:
        """See PeerLink."""
        request = pb.IssueCertificateRequest(ccid=ccid, purpose=PURPOSES[purpose], holder=holder)
        if lifetime is not None:
            request.lifetime.FromTimedelta(lifetime)
        with translated(self._peer):
            answer = await self._stub.IssueCertificate(request, **self._terms())
        return certificate_of(answer)

    async def apply_policies(self, policies: Sequence[DevelopmentPolicy]) -> None:
        """See PeerLink."""
        request = pb.ApplyPoliciesRequest(development=map(policy_message, policies))
        try:
            with translated(self._peer):
                await self._stub.ApplyPolicies(request, **self._terms())
        except PeerRefused as error:
            self._learn_refusal(error.message, policies)
            raise
        self._learn_refusal("", policies)

    async def retire(self, fingerprint: str) -> None:
        """See PeerLink."""
        with translated(self._peer):
            request = pb.RetireCertificateRequest(fingerprint=fingerprint)
            await self._stub.RetireCertificate(request, **self._terms())

    def _terms(self) -> _Terms:
        """A deadline, and the epoch that tells a paused operator from its successor."""
        return {"timeout": _SECONDS, "metadata": ((_EPOCH, str(self._epoch())),)}

    async def _watch(self) -> None:
        pause, said = _FIRST_PAUSE, ""
        while True:
            try:
                with translated(self._peer):
                    await self._follow()
                reason = f"Peer {self._peer} ended the watch of its runtimes"
            except OperatorError as error:
                reason = str(error)
            self._tried.set()
            if self.synced:
                pause, said = _FIRST_PAUSE, ""
                self.synced = False
                self._told("")
            if reason != said:
                _log.info("no watch of runtimes: %s", reason)
                said = reason
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(self) -> None:
        """Until the stream ends. What came before ``synced`` replaces what was known."""
        first: dict[str, Runtime] = {}
        self.refusals = {}
        developed, self.developments = self.developments, {}
        metadata = self._terms()["metadata"]
        call = self._stub.WatchRuntimes(pb.WatchRuntimesRequest(), metadata=metadata)
        try:
            async for event in call:
                kind = event.WhichOneof("event")
                if kind == "synced":
                    self._replace(first)
                    self._told_changes(developed)
                elif kind == "development":
                    self._learn_development(event.development)
                elif kind == "removed":
                    self._forget(event.removed, first)
                elif kind == "runtime":
                    self._learn(runtime_of(event.runtime), first)
                elif kind == "refused":
                    row = refusal_of(event.refused)
                    self.refusals[row.since] = row
                    self._refused()
        finally:
            call.cancel()

    def _replace(self, first: dict[str, Runtime]) -> None:
        before, self._rows, self.synced = self._rows, first, True
        changed = [ccid for ccid in before | first if before.get(ccid) != first.get(ccid)]
        self._tried.set()
        for ccid in changed:
            self._told(ccid)
        self._told("")

    def _learn(self, runtime: Runtime, first: dict[str, Runtime]) -> None:
        if not self.synced:
            first[runtime.ccid] = runtime
        elif self._rows.get(runtime.ccid) != runtime:
            self._rows[runtime.ccid] = runtime
            self._told(runtime.ccid)

    def _learn_development(self, message: pb.Development) -> None:
        if message.open:
            self.developments[message.ccid] = development_of(message)
        else:
            self.developments.pop(message.ccid, None)
        if self.synced:
            self._told(message.ccid)

    def _learn_refusal(self, sentence: str, policies: Sequence[DevelopmentPolicy]) -> None:
        if self.development_refusal != sentence:
            self.development_refusal = sentence
            for policy in policies:
                self._told(policy.ccid)

    def _told_changes(self, before: dict[str, Development]) -> None:
        """What a watch that begins anew knows otherwise than the last one."""
        now = self.developments
        for ccid in before | now:
            if before.get(ccid) != now.get(ccid):
                self._told(ccid)

    def _forget(self, ccid: str, first: dict[str, Runtime]) -> None:
        rows = self._rows if self.synced else first
        if rows.pop(ccid, None) is not None and self.synced:
            self._told(ccid)


def _open(endpoint: Endpoint) -> grpc.aio.Channel:
    tls = endpoint.tls
    credentials = grpc.ssl_channel_credentials(
        root_certificates=tls.root_certificates if tls else None,
        private_key=tls.client_key if tls else None,
        certificate_chain=tls.client_certificate if tls else None,
    )
    options = channel_options(endpoint)
    return grpc.aio.secure_channel(endpoint.address, credentials, options=options)
