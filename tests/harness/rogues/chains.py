"""Chaincodes that call each other, one after the other, many deep."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import AsyncExitStack
from functools import partial

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.rogues.orders import Deeds, Orders, Pace
from harness.rogues.shim import about, completed
from harness.rogues.stage import Stage, call_for_ever, deployed


def invocation(transaction: ChaincodeMessage, name: str) -> ChaincodeMessage:
    """INVOKE_CHAINCODE of *name*."""
    spec = ChaincodeSpec(
        type=ChaincodeSpec.GOLANG,
        chaincode_id=ChaincodeID(name=name),
        input=ChaincodeInput(args=[b"go"]),
    )
    return about(transaction, ChaincodeMessage.INVOKE_CHAINCODE, spec.SerializeToString())


async def calls_itself(stage: Stage, tx: ChaincodeMessage) -> None:
    """Invokes itself within the transaction, again and again."""
    for _ in range(50):
        await stage.pace.turn()
        reply = await stage.ask(invocation(tx, stage.orders.name))
        refused = reply.type == ChaincodeMessage.ERROR
        stage.deeds.note("refused calls" if refused else "calls")
        stage.deeds.at_work.set()
    await stage.say(completed(tx, b"recursed"))


async def _passes_on(follower: str | None, stage: Stage, tx: ChaincodeMessage) -> None:
    if follower is not None:
        await stage.ask(invocation(tx, follower))
    else:
        stage.deeds.note("reached the end")
    stage.deeds.note("calls")
    stage.deeds.at_work.set()
    await stage.say(completed(tx, b"deep"))


async def calls_a_long_chain(orders: Orders, deeds: Deeds) -> None:
    """``count`` chaincodes, each of which calls the next one."""
    names = [f"{orders.name}-{number}" for number in range(max(2, orders.count))]
    async with AsyncExitStack() as stack:
        for name, follower in zip(names, [*names[1:], None], strict=True):
            own = dataclasses.replace(orders, name=name)
            act = partial(_passes_on, follower)
            channel = await stack.enter_async_context(deployed(own, deeds, act))
        await deeds.start()
        first, pace = dataclasses.replace(orders, name=names[0]), Pace(orders.rate)
        async with asyncio.TaskGroup() as together:
            for _ in range(orders.callers):
                together.create_task(call_for_ever(channel, first, deeds, pace))
