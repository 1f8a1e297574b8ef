"""What builders and runtimes fetch and bring: ``treadle.runtime.v1.Artifacts`` (design §4).

Whose artefact it is says the client certificate. Bytes pass in pieces; nothing is held whole.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from treadle_runtime.v1 import runtime_pb2 as pb

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.certificates import Purpose
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.chaincode.runtimes import (
    Output,
    OutputDraft,
    OutputError,
    OutputStore,
    RequiredRuntimes,
    Runtime,
)
from treadle_peer.execution import PackageError
from treadle_peer.services.refusals import CallRefused, Refusal

_PIECE: Final = 256 * 1024
_LARGEST_PIECE: Final = 1024 * 1024
_SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactsService:
    """Every method takes the fingerprint of a verified client certificate; raises CallRefused.

    ``patience`` in seconds: how long the next piece of an output may take to come.
    """

    required: RequiredRuntimes
    authority: ChaincodeAuthority
    packages: FilePackageStore
    outputs: OutputStore
    patience: float = 60.0
    _settling: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get_package(self, fingerprint: str | None) -> AsyncIterator[pb.GetPackageResponse]:
        """GetPackage."""
        runtime = self._runtime(fingerprint, Purpose.BUILDER)
        name, _, version = runtime.ccid.partition(":")
        try:
            package = await asyncio.to_thread(self.packages.get, name, version)
            file = await asyncio.to_thread(self.packages.open, name, version)
        except (PackageError, OSError) as error:
            raise CallRefused(Refusal.NOT_FOUND, str(error)) from error
        head = pb.PackageHead(
            ccid=runtime.ccid,
            language=package.language,
            path=package.path,
            sha256=runtime.contents.sha256,
            size=len(package.raw),
        )
        del package
        yield pb.GetPackageResponse(head=head)
        async for piece in _pieces(file):
            yield pb.GetPackageResponse(data=piece)

    async def get_output(self, fingerprint: str | None) -> AsyncIterator[pb.GetOutputResponse]:
        """GetOutput."""
        runtime = self._runtime(fingerprint, Purpose.RUNTIME)
        output = runtime.record.output
        if output is None:
            raise CallRefused(Refusal.NOT_FOUND, f"no output of {runtime.ccid} is stored")
        file = await asyncio.to_thread(self.outputs.open, runtime.ccid)
        yield pb.GetOutputResponse(head=pb.Output(sha256=output.sha256, size=output.size))
        async for piece in _pieces(file):
            yield pb.GetOutputResponse(data=piece)

    async def put_output(
        self, requests: AsyncIterator[pb.PutOutputRequest], fingerprint: str | None
    ) -> pb.PutOutputResponse:
        """PutOutput."""
        runtime = self._runtime(fingerprint, Purpose.BUILDER)
        promised = await self._head(requests)
        try:
            draft = await asyncio.to_thread(self.outputs.receive, runtime.ccid, promised)
        except OutputError as error:
            raise CallRefused(Refusal.RESOURCE_EXHAUSTED, str(error)) from error
        try:
            await self._receive(requests, draft)
            await asyncio.to_thread(draft.check)
            await self._settle(runtime.ccid, draft, promised, fingerprint)
        except OutputError as error:
            raise CallRefused(Refusal.INVALID_ARGUMENT, str(error)) from error
        finally:
            await asyncio.to_thread(draft.discard)
        return pb.PutOutputResponse(output=pb.Output(sha256=promised.sha256, size=promised.size))

    def _runtime(self, fingerprint: str | None, purpose: Purpose) -> Runtime:
        """The runtime whose certificate it is."""
        known = None if fingerprint is None else self.authority.lasting(fingerprint)
        if known is None:
            raise _denied("this certificate was not issued by IssueCertificate")
        if known.purpose is not purpose:
            raise _denied(
                f"this is a certificate for a {known.purpose.value}, not a {purpose.value}"
            )
        runtime = self.required.get(known.ccid)
        stored = runtime is not None and runtime.record.output is not None
        if stored and purpose is Purpose.BUILDER:
            text = (
                f"the output of {known.ccid} is stored; its builder's certificates ended with that"
            )
            raise _denied(text)
        if known.retired:
            raise _denied("this certificate is retired")
        if runtime is None or runtime.record.stopped:
            raise _denied(f"the runtime {known.ccid} is not required any more")
        return runtime

    async def _head(self, requests: AsyncIterator[pb.PutOutputRequest]) -> Output:
        first = await self._next(requests)
        if first is None or first.WhichOneof("part") != "head":
            raise CallRefused(Refusal.INVALID_ARGUMENT, "an output begins with its head")
        if not _SHA256.fullmatch(first.head.sha256):
            text = "the head needs the output's SHA-256 as 64 lower-case hex digits"
            raise CallRefused(Refusal.INVALID_ARGUMENT, text)
        return Output(sha256=first.head.sha256, size=first.head.size)

    async def _receive(
        self, requests: AsyncIterator[pb.PutOutputRequest], draft: OutputDraft
    ) -> None:
        while (request := await self._next(requests)) is not None:
            if request.WhichOneof("part") != "data" or len(request.data) > _LARGEST_PIECE:
                text = f"after the head come data of at most {_LARGEST_PIECE} bytes"
                raise CallRefused(Refusal.INVALID_ARGUMENT, text)
            await asyncio.to_thread(draft.write, request.data)

    async def _next(
        self, requests: AsyncIterator[pb.PutOutputRequest]
    ) -> pb.PutOutputRequest | None:
        try:
            async with asyncio.timeout(self.patience):
                return await anext(requests, None)
        except TimeoutError:
            text = f"nothing more of the output came for {self.patience:g} s"
            raise CallRefused(Refusal.DEADLINE_EXCEEDED, text) from None

    async def _settle(
        self, ccid: str, draft: OutputDraft, output: Output, fingerprint: str | None
    ) -> None:
        """Keep the first output only; two builders may have finished together."""
        async with self._settling:
            self._runtime(fingerprint, Purpose.BUILDER)
            await asyncio.to_thread(draft.settle)
            self.required.output_stored(ccid, output)
            self.authority.retire_all(ccid, Purpose.BUILDER)


def _denied(sentence: str) -> CallRefused:
    return CallRefused(Refusal.PERMISSION_DENIED, sentence)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
