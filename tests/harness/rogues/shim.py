"""A chaincode's end of the stream without any manners: raw messages, in any order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import grpc.aio
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeSupportStub
from fabric_protos.peer.proposal_response_pb2 import Response

_UNBOUNDED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

Kind = ChaincodeMessage.Type.ValueType


class Shim:
    """One stream. *papers* is a folder with the development certificate, for a port with TLS."""

    def __init__(self, address: str, *, papers: Path | None = None) -> None:
        if papers is None:
            self._channel = grpc.aio.insecure_channel(address, options=_UNBOUNDED)
        else:
            credentials = grpc.ssl_channel_credentials(
                (papers / "peer.crt").read_bytes(),
                (papers / "client_pem.key").read_bytes(),
                (papers / "client_pem.crt").read_bytes(),
            )
            self._channel = grpc.aio.secure_channel(address, credentials, options=_UNBOUNDED)
        self._stream = ChaincodeSupportStub(self._channel).Register()
        self._writing = asyncio.Lock()

    async def register(self, ccid: str) -> Shim:
        """Ask to be registered; the greeting is left to be heard."""
        payload = ChaincodeID(name=ccid).SerializeToString()
        await self.say(ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=payload))
        return self

    async def say(self, message: ChaincodeMessage) -> None:
        """Send; waits while the transport takes no more. Raises grpc.RpcError when it is over."""
        async with self._writing:
            await self._stream.write(message)

    async def hear(self) -> ChaincodeMessage | None:
        """The next message; None when the peer has ended the stream without an error."""
        message = await self._stream.read()
        return message if isinstance(message, ChaincodeMessage) else None

    def again(self) -> None:
        """Leave this stream behind and open another on the same connection."""
        self._stream.cancel()
        self._stream = ChaincodeSupportStub(self._channel).Register()

    async def close(self) -> None:
        """Let everything go."""
        await self._channel.close()


def about(transaction: ChaincodeMessage, kind: Kind, payload: bytes = b"") -> ChaincodeMessage:
    """A message of that kind about *transaction*."""
    return ChaincodeMessage(
        type=kind, payload=payload, txid=transaction.txid, channel_id=transaction.channel_id
    )


def completed(transaction: ChaincodeMessage, payload: bytes = b"") -> ChaincodeMessage:
    """A good answer to *transaction*."""
    answer = Response(status=200, payload=payload).SerializeToString()
    return about(transaction, ChaincodeMessage.COMPLETED, answer)
