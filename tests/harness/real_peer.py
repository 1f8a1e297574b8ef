"""A real Fabric 2.5 peer, its orderer and one chaincode played by the test.

The test hands out the blocks, so a real peer can be given any block at all.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import grpc
from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.orderer.ab_pb2 import DeliverResponse, SeekInfo
from fabric_protos.orderer.ab_pb2_grpc import (
    AtomicBroadcastServicer,
    add_AtomicBroadcastServicer_to_server,
)
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeSupportStub
from fabric_protos.peer.peer_pb2_grpc import EndorserStub
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from harness.onepeer import CHANNEL
from harness.processes import Started, wait_until
from treadle_fabric.wire import unpack_payload

ChaincodeScript = Callable[["Shim", ChaincodeMessage], Awaitable[ChaincodeMessage]]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PlayedOrderer(AtomicBroadcastServicer):
    """Delivers the ``blocks`` of each channel from the wanted number on, and waits for more."""

    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self.blocks: dict[tuple[str, int], Block] = {}
        self.seeks: Counter[tuple[str, int]] = Counter()
        self._offers: dict[tuple[str, int], Block] = {}
        self._taken: Counter[tuple[str, int]] = Counter()  # seeks when an offer was taken
        self._turns: Counter[str] = Counter()  # streams so far, by channel
        self._changed = asyncio.Event()
        self._server = grpc.aio.server()
        add_AtomicBroadcastServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.address)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)

    def add(self, block: Block, channel_id: str = CHANNEL) -> None:
        """Deliver *block* to whoever asks for its number."""
        self.blocks[channel_id, block.header.number] = block
        self._wake()

    async def refused(self, block: Block, channel_id: str) -> None:
        """Deliver *block*; return when its number is asked for again, whenever it was delivered.

        That is so twice: a peer also hangs up when its configuration has changed.
        """
        place = channel_id, block.header.number
        for _ in range(2):
            self._offers[place] = block
            self._wake()
            while place in self._offers or self.seeks[place] <= self._taken[place]:
                await self._changed.wait()

    async def Deliver(
        self, requests: AsyncIterator[Envelope], context: object
    ) -> AsyncIterator[DeliverResponse]:
        async for request in requests:
            wanted = unpack_payload(request)
            number = SeekInfo.FromString(wanted.data).start.specified.number
            self.seeks[wanted.channel_id, number] += 1
            turn = self._turns[wanted.channel_id] = self._turns[wanted.channel_id] + 1
            self._wake()
            while True:
                block = await self._next(wanted.channel_id, number, turn)
                if block is None:
                    return
                yield DeliverResponse(block=block)
                number += 1

    async def _next(self, channel_id: str, number: int, turn: int) -> Block | None:
        """The block, or None when the peer has come back on another stream meanwhile."""
        place = channel_id, number
        while turn == self._turns[channel_id]:
            if place in self._offers:
                self._taken[place] = self.seeks[place]
                return self._offers.pop(place)
            if place in self.blocks:
                return self.blocks[place]
            await self._changed.wait()
        return None

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Shim:
    """The chaincode's end of the stream; one transaction at a time."""

    def __init__(self, address: str, name: str, script: ChaincodeScript) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        self._name = name
        self._script = script
        self._stream = ChaincodeSupportStub(self._channel).Register()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        payload = ChaincodeID(name=self._name).SerializeToString()
        await self._stream.write(ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=payload))
        for expected in (ChaincodeMessage.REGISTERED, ChaincodeMessage.READY):
            message = await self._stream.read()
            assert message.type == expected
        self._task = asyncio.create_task(self._serve())

    async def ask(self, message: ChaincodeMessage) -> ChaincodeMessage:
        await self._stream.write(message)
        answer: ChaincodeMessage = await self._stream.read()
        return answer

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await self._task
        await self._channel.close()

    async def _serve(self) -> None:
        while True:
            message = await self._stream.read()
            if message is grpc.aio.EOF:
                return
            await self._stream.write(await self._script(self, message))


class RealPeer:
    """``peer node start --peer-chaincodedev`` on free ports."""

    def __init__(self, *, binary: Path, config: Path, msp: Path, msp_id: str, folder: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.chaincode_address = f"127.0.0.1:{free_port()}"
        environment = {
            "FABRIC_CFG_PATH": str(config),
            "FABRIC_LOGGING_SPEC": "info",
            "CORE_PEER_ID": "real",
            "CORE_PEER_ADDRESS": self.address,
            "CORE_PEER_LISTENADDRESS": self.address,
            "CORE_PEER_CHAINCODELISTENADDRESS": self.chaincode_address,
            "CORE_PEER_CHAINCODEADDRESS": self.chaincode_address,
            "CORE_PEER_LOCALMSPID": msp_id,
            "CORE_PEER_MSPCONFIGPATH": str(msp),
            "CORE_PEER_FILESYSTEMPATH": str(folder / "production"),
            "CORE_LEDGER_SNAPSHOTS_ROOTDIR": str(folder / "snapshots"),
            "CORE_OPERATIONS_LISTENADDRESS": "127.0.0.1:0",
            "CORE_PEER_GOSSIP_BOOTSTRAP": self.address,
            "CORE_VM_ENDPOINT": "",
            "PATH": "/usr/bin:/bin",
        }
        folder.mkdir()
        self.process = Started(
            [str(binary), "node", "start", "--peer-chaincodedev"],
            output=folder / "peer.log",
            environment=environment,
        )
        self._channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        await asyncio.to_thread(self.process.wait_for_text, "Started peer with ID", within=30)
        self._channel = grpc.aio.insecure_channel(
            self.address, options=[("grpc.max_receive_message_length", -1)]
        )

    async def stop(self) -> None:
        if self._channel is not None:
            await self._channel.close()
        await asyncio.to_thread(self.process.stop)

    async def process_proposal(self, signed: SignedProposal) -> ProposalResponse:
        """The real answer; raises grpc.aio.AioRpcError where the real peer fails the call."""
        assert self._channel is not None
        answer: ProposalResponse = await EndorserStub(self._channel).ProcessProposal(
            signed, timeout=30, wait_for_ready=True
        )
        return answer

    async def committed(self, number: int) -> None:
        """Return once block *number* is committed."""
        text = f"Committed block [{number}]"

        def seen() -> bool:
            return text in self.process.text()

        await asyncio.to_thread(wait_until, seen, within=30, what=text)
