"""The other end of ``treadle.runtime.v1.Artifacts``: what builders and runtimes call.

Everything is streamed and checked against its head: the size, and the SHA-256.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BufferedReader
from typing import BinaryIO, Final, Protocol

import grpc
import grpc.aio
from treadle_runtime.v1 import runtime_pb2 as pb

from treadle_peer.chaincode import StreamLost
from treadle_peer.server.chaincode_grpc import PINGS_TO_PEER, Target, connect

_SERVICE: Final = "treadle.runtime.v1.Artifacts"
_PIECE: Final = 512 * 1024
_AWAY: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
    }
)


class ArtifactsError(Exception):
    """The peer refuses, or what came is not what was promised; the text is its sentence."""


class PeerAway(ArtifactsError):
    """The peer cannot be reached now; trying again may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package as the peer sends it; ``raw`` are the bytes given to install."""

    ccid: str
    language: str
    path: str
    raw: bytes


class _Promise(Protocol):
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...


async def fetch_package(target: Target) -> Package:
    """The package of the certificate's runtime; raises ArtifactsError."""
    try:
        async with await connect(target, PINGS_TO_PEER) as channel:
            call = channel.unary_stream(
                f"/{_SERVICE}/GetPackage",
                request_serializer=pb.GetPackageRequest.SerializeToString,
                response_deserializer=pb.GetPackageResponse.FromString,
            )(pb.GetPackageRequest())
            head, check = None, _Check("the package")
            content = bytearray()
            async for part in call:
                if part.WhichOneof("part") == "head":
                    head = part.head
                    continue
                check.take(part.data, most=0 if head is None else head.size)
                content += part.data
    except (grpc.aio.AioRpcError, StreamLost) as error:
        raise _told(error) from None
    if head is None:
        raise ArtifactsError("the peer sent nothing")
    check.finish(head)
    return Package(ccid=head.ccid, language=head.language, path=head.path, raw=bytes(content))


async def fetch_output(target: Target, sink: BinaryIO) -> str:
    """Write the output of the certificate's runtime to *sink*; its SHA-256 as hex.

    Raises ArtifactsError, and OSError from *sink*.
    """
    try:
        async with await connect(target, PINGS_TO_PEER) as channel:
            call = channel.unary_stream(
                f"/{_SERVICE}/GetOutput",
                request_serializer=pb.GetOutputRequest.SerializeToString,
                response_deserializer=pb.GetOutputResponse.FromString,
            )(pb.GetOutputRequest())
            head, check = None, _Check("the output")
            async for part in call:
                if part.WhichOneof("part") == "head":
                    head = part.head
                    continue
                check.take(part.data, most=0 if head is None else head.size)
                await asyncio.to_thread(sink.write, part.data)
    except (grpc.aio.AioRpcError, StreamLost) as error:
        raise _told(error) from None
    if head is None:
        raise ArtifactsError("the peer sent nothing")
    check.finish(head)
    return head.sha256


async def store_output(target: Target, source: BufferedReader) -> str:
    """Store what *source* holds as the output of the certificate's runtime; its SHA-256 as hex.

    Raises ArtifactsError, and OSError from *source*.
    """
    digest = (await asyncio.to_thread(hashlib.file_digest, source, "sha256")).hexdigest()
    head = pb.Output(sha256=digest, size=source.tell())
    try:
        async with await connect(target, PINGS_TO_PEER) as channel:
            put = channel.stream_unary(
                f"/{_SERVICE}/PutOutput",
                request_serializer=pb.PutOutputRequest.SerializeToString,
                response_deserializer=pb.PutOutputResponse.FromString,
            )
            await put(_pieces(head, source))
    except (grpc.aio.AioRpcError, StreamLost) as error:
        raise _told(error) from None
    return digest


class _Check:
    """Holds what comes against what was promised."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._digest = hashlib.sha256()
        self._size = 0

    def take(self, data: bytes, *, most: int) -> None:
        self._size += len(data)
        if self._size > most:
            raise ArtifactsError(f"more of {self._what} came than the {most} bytes of the head")
        self._digest.update(data)

    def finish(self, promise: _Promise) -> None:
        found = self._digest.hexdigest()
        if (self._size, found) != (promise.size, promise.sha256):
            raise ArtifactsError(
                f"{self._what} came with {self._size} bytes and SHA-256 {found}, "
                f"not with {promise.size} and {promise.sha256}"
            )


async def _pieces(head: pb.Output, source: BinaryIO) -> AsyncIterator[pb.PutOutputRequest]:
    yield pb.PutOutputRequest(head=head)
    await asyncio.to_thread(source.seek, 0)
    while piece := await asyncio.to_thread(source.read, _PIECE):
        yield pb.PutOutputRequest(data=piece)


def _told(error: grpc.aio.AioRpcError | StreamLost) -> ArtifactsError:
    if isinstance(error, StreamLost):
        return PeerAway(error.sentence)
    sentence = error.details() or error.code().name
    return PeerAway(sentence) if error.code() in _AWAY else ArtifactsError(sentence)
