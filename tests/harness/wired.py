"""A chaincode port over gRPC, and chaincodes that dial it."""

from __future__ import annotations

import asyncio
from typing import Any

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.memory_streams import register
from harness.supported import Callee
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    ClosableStream,
    Mode,
    Modes,
    SupportConfig,
)
from treadle_peer.config import KeepaliveConfig
from treadle_peer.server.chaincode_grpc import (
    Serve,
    Target,
    dial_peer,
    register_handlers,
)
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.server.tls import TLSMaterial
from treadle_peer.services.metrics import Metrics

KEEPALIVE = KeepaliveConfig(interval=7200, timeout=20, minimum_interval=60)


class Port:
    """A chaincode port that serves streams with *serve*."""

    def __init__(
        self, serve: Serve, *, tls: TLSMaterial | None = None, address: str = "127.0.0.1:0"
    ) -> None:
        self.listener = GrpcListener(
            ListenerOptions(
                address=address, setting="chaincodeListenAddress", tls=tls, keepalive=KEEPALIVE
            )
        )
        metrics = Metrics(version="0", heights=dict)
        guard = Guard(
            "protos.ChaincodeSupport", metrics=metrics.grpc, streams=self.listener.streams
        )
        self.listener.add([register_handlers(serve, guard=guard)])
        self.address = self.listener.bind()

    async def __aenter__(self) -> Port:
        await self.listener.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.listener.stop(0)


class Shim:
    """A chaincode that dials."""

    def __init__(self, stream: ClosableStream) -> None:
        self.stream = stream

    @classmethod
    async def dial(cls, address: str, **options: Any) -> Shim:
        return cls(await dial_peer(Target(address=address, **options)))

    async def say(self, *messages: Msg) -> None:
        for message in messages:
            await self.stream.send(message)

    async def hear(self) -> Msg | None:
        async with asyncio.timeout(10):
            return await self.stream.receive()

    async def start(self, ccid: str = "probe:1") -> Shim:
        """Register and take the greeting."""
        await self.say(register(ccid))
        assert [await self.hear() for _ in range(2)] == [
            Msg(type=Msg.REGISTERED),
            Msg(type=Msg.READY),
        ]
        return self


def developers_support(**rules: Any) -> ChaincodeSupport:
    """A ChaincodeSupport in development mode that knows every chaincode; none calls another."""
    return ChaincodeSupport(
        config=SupportConfig(),
        modes=Modes(Mode.DEVELOPMENT),
        rules=AdmissionRules(is_known=lambda ccid: True, **rules),
        invoker=Callee,
    )
