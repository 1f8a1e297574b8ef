"""A process that registers by plain gRPC and stays, for tests that need no real chaincode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage


@asynccontextmanager
async def registered(
    address: str,
    ccid: str,
    credentials: grpc.ChannelCredentials,
    metadata: tuple[tuple[str, str], ...] = (),
) -> AsyncIterator[grpc.aio.StreamStreamCall[ChaincodeMessage, ChaincodeMessage]]:
    """A stream of *ccid* that the peer has greeted."""
    async with grpc.aio.secure_channel(address, credentials) as channel:
        stream = channel.stream_stream(
            "/protos.ChaincodeSupport/Register",
            ChaincodeMessage.SerializeToString,
            ChaincodeMessage.FromString,
        )(metadata=metadata)
        name = ChaincodeID(name=ccid).SerializeToString()
        await stream.write(ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=name))
        for expected in (ChaincodeMessage.REGISTERED, ChaincodeMessage.READY):
            message = await stream.read()
            assert message.type == expected
        yield stream
        stream.cancel()
