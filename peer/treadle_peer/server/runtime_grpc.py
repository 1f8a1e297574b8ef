"""``treadle.runtime.v1`` over gRPC: Runtimes for operators, Artifacts for builders and runtimes.

Both want TLS that has verified a client certificate; the services decide what it is worth.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from treadle_runtime.v1 import runtime_pb2 as pb

from treadle_peer.server.guard import Guard
from treadle_peer.server.tls import certificate_hash
from treadle_peer.services.artifacts import ArtifactsService
from treadle_peer.services.refusals import CallRefused
from treadle_peer.services.runtimes import EPOCH, RuntimesService

RUNTIMES_SERVICE = "treadle.runtime.v1.Runtimes"
ARTIFACTS_SERVICE = "treadle.runtime.v1.Artifacts"

_Request = TypeVar("_Request", bound=Message)
_Response = TypeVar("_Response", bound=Message)
Methods = dict[str, "grpc.RpcMethodHandler[Any, Any]"]
_Context = grpc.aio.ServicerContext[Any, Any]


def runtimes_handlers(service: RuntimesService, *, guard: Guard) -> grpc.GenericRpcHandler:
    """All calls of Runtimes, each for operators alone."""

    def plain(
        name: str, request: type[_Request], act: Callable[[_Request], _Response]
    ) -> grpc.RpcMethodHandler[_Request, _Response]:
        return grpc.unary_unary_rpc_method_handler(
            guard.unary(name, _answering(service, act)),
            request_deserializer=request.FromString,
            response_serializer=_bytes_of,
        )

    async def watch(
        _: pb.WatchRuntimesRequest, context: _Context
    ) -> AsyncIterator[pb.WatchRuntimesResponse]:
        try:
            term = service.enter(_certificate(context), _epoch(context))
            guard.proven()
            async for event in service.watch(term):
                yield event
        except CallRefused as refused:
            await _refuse(context, refused)

    watching = grpc.unary_stream_rpc_method_handler(
        guard.stream("WatchRuntimes", watch),
        request_deserializer=pb.WatchRuntimesRequest.FromString,
        response_serializer=_bytes_of,
    )
    methods: Methods = {
        "RequireRuntime": plain("RequireRuntime", pb.RequireRuntimeRequest, service.require),
        "ReleaseRuntime": plain("ReleaseRuntime", pb.ReleaseRuntimeRequest, service.release),
        "ListRuntimes": plain("ListRuntimes", pb.ListRuntimesRequest, service.list),
        "ReportRuntime": plain("ReportRuntime", pb.ReportRuntimeRequest, service.report),
        "IssueCertificate": plain("IssueCertificate", pb.IssueCertificateRequest, service.issue),
        "RetireCertificate": plain(
            "RetireCertificate", pb.RetireCertificateRequest, service.retire
        ),
        "ApplyPolicies": plain("ApplyPolicies", pb.ApplyPoliciesRequest, service.apply),
        "WatchRuntimes": watching,
    }
    return grpc.method_handlers_generic_handler(RUNTIMES_SERVICE, methods)


def _answering(
    service: RuntimesService, act: Callable[[_Request], _Response]
) -> Callable[[_Request, _Context], Awaitable[_Response]]:
    """*act*, for operators who lead."""

    async def answer(request: _Request, context: _Context) -> _Response:
        try:
            service.enter(_certificate(context), _epoch(context))
            return act(request)
        except CallRefused as refused:
            await _refuse(context, refused)

    return answer


def artifacts_handlers(service: ArtifactsService, *, guard: Guard) -> grpc.GenericRpcHandler:
    """All calls of Artifacts."""

    def sending(
        name: str, request: type[_Request], act: Callable[[str | None], AsyncIterator[_Response]]
    ) -> grpc.RpcMethodHandler[_Request, _Response]:
        async def send(_: _Request, context: _Context) -> AsyncIterator[_Response]:
            try:
                async for part in act(_fingerprint(context)):
                    guard.proven()
                    yield part
                    del part  # a large one must not wait for the next
            except CallRefused as refused:
                await _refuse(context, refused)

        return grpc.unary_stream_rpc_method_handler(
            guard.stream(name, send),
            request_deserializer=request.FromString,
            response_serializer=_bytes_of,
        )

    async def put(
        requests: AsyncIterator[pb.PutOutputRequest], context: _Context
    ) -> pb.PutOutputResponse:
        try:
            return await service.put_output(requests, _fingerprint(context))
        except CallRefused as refused:
            await _refuse(context, refused)

    putting = grpc.stream_unary_rpc_method_handler(
        guard.unary("PutOutput", put),
        request_deserializer=pb.PutOutputRequest.FromString,
        response_serializer=_bytes_of,
    )
    methods: Methods = {
        "GetPackage": sending("GetPackage", pb.GetPackageRequest, service.get_package),
        "GetOutput": sending("GetOutput", pb.GetOutputRequest, service.get_output),
        "PutOutput": putting,
    }
    return grpc.method_handlers_generic_handler(ARTIFACTS_SERVICE, methods)


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString()


def _certificate(context: _Context) -> bytes | None:
    certificates = context.auth_context().get("x509_pem_cert") or []
    return next(iter(certificates), None)


def _epoch(context: _Context) -> str | None:
    found = [value for key, value in context.invocation_metadata() or () if key == EPOCH]
    return str(found[-1]) if found else None


def _fingerprint(context: _Context) -> str | None:
    pem = _certificate(context)
    return None if pem is None else certificate_hash(pem).hex()


async def _refuse(context: _Context, refused: CallRefused) -> NoReturn:
    await context.abort(grpc.StatusCode[refused.code.value], refused.sentence)
    raise AssertionError("abort raises")
