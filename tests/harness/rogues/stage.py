"""A registered rogue with clients of its own that call it without end."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, PutState
from harness.honest import deploy_once
from harness.rogues.orders import Deeds, Orders, Pace
from harness.rogues.shim import Shim, about, completed
from treadle_cli.local.network import LocalNetwork
from treadle_fabric.client import CallFailed, Channel, DeadlinePassed, EndorsementFailed

Act = Callable[["Stage", ChaincodeMessage], Awaitable[None]]
"""What the rogue does about one transaction."""

_PAUSE = 0.2


class Stage:
    """One rogue chaincode: reads its stream, acts on transactions, comes back when thrown out."""

    def __init__(self, orders: Orders, deeds: Deeds, act: Act) -> None:
        self.orders = orders
        self.deeds = deeds
        self.pace = Pace(orders.rate)
        self.deaf = False
        self._act = act
        self._acting: set[asyncio.Task[None]] = set()
        self._waiting: dict[str, asyncio.Future[ChaincodeMessage]] = {}
        self._shim: Shim

    async def say(self, message: ChaincodeMessage) -> None:
        """Send."""
        await self._shim.say(message)

    async def ask(self, request: ChaincodeMessage) -> ChaincodeMessage:
        """Send a request and wait for its reply; one at a time per transaction."""
        reply: asyncio.Future[ChaincodeMessage] = asyncio.get_running_loop().create_future()
        self._waiting[request.txid] = reply
        await self.say(request)
        return await reply

    async def serve(self) -> None:
        """Register and act for ever, coming back whenever the stream ends."""
        papers = Path(self.orders.folder) / "chaincode" / "authority" / "development"
        address = self.orders.addresses["chaincode"]
        while True:
            self._shim = Shim(address, papers=papers if self.orders.tls else None)
            try:
                with suppress(grpc.RpcError, asyncio.InvalidStateError):
                    await self._shim.register(f"{self.orders.name}:1")
                    await self._listen()
            finally:
                await self._shim.close()
            self.deeds.note("streams ended")
            await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        while (message := await self._shim.hear()) is not None:
            if message.type in {ChaincodeMessage.INIT, ChaincodeMessage.TRANSACTION}:
                task = asyncio.create_task(self._perform(message))
                self._acting.add(task)
                task.add_done_callback(self._acting.discard)
            elif message.txid in self._waiting:
                self._waiting.pop(message.txid).set_result(message)
            if self.deaf:
                await asyncio.Event().wait()

    async def _perform(self, transaction: ChaincodeMessage) -> None:
        # Whatever the peer makes of it: the rogue goes on with the next one.
        with suppress(grpc.RpcError, asyncio.InvalidStateError):
            if transaction.type == ChaincodeMessage.INIT:
                await self._initialise(transaction)
            else:
                await self._act(self, transaction)

    async def _initialise(self, transaction: ChaincodeMessage) -> None:
        for number in range(self.orders.keys):
            put = PutState(key=f"key{number:03d}", value=b"value").SerializeToString()
            await self.ask(about(transaction, ChaincodeMessage.PUT_STATE, put))
        await self.say(completed(transaction))


@asynccontextmanager
async def deployed(orders: Orders, deeds: Deeds, act: Act) -> AsyncIterator[Channel]:
    """Within the block a rogue of the kind *act* is connected and instantiated."""
    serving = asyncio.create_task(Stage(orders, deeds, act).serve())
    network = LocalNetwork.of_folder(
        Path(orders.folder) / "client",
        msp_id="Org1MSP",
        peer=orders.addresses["peer"],
        orderer=orders.addresses["ordering"],
        tls=orders.tls,
    )
    try:
        async with network:
            yield await deploy_once(network, orders.name)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def perform(orders: Orders, deeds: Deeds, act: Act) -> None:
    """Run a rogue of the kind *act* and its callers."""
    pace = Pace(orders.rate)
    async with deployed(orders, deeds, act) as channel, asyncio.TaskGroup() as together:
        await deeds.start()
        for _ in range(orders.callers):
            together.create_task(call_for_ever(channel, orders, deeds, pace))


async def call_for_ever(channel: Channel, orders: Orders, deeds: Deeds, pace: Pace) -> None:
    """One client of the rogue in a closed loop."""
    arguments = [b"go", bytes(orders.argument_bytes)]
    while True:
        await pace.turn()
        begun = time.monotonic()
        try:
            proposal = channel.propose(orders.name, arguments)
            endorsed = await channel.endorse(proposal, within=orders.patience)
            answer = f"value of {len(endorsed.payload)} bytes"
        except DeadlinePassed:
            deeds.unanswered += 1
            deeds.answered.set()
            continue
        except (EndorsementFailed, CallFailed) as error:
            answer = re.sub(r"[0-9a-f]{64}", "<tx>", str(error))
        deeds.answers[answer] += 1
        deeds.answered.set()
        deeds.longest = max(deeds.longest, time.monotonic() - begun)
