"""Accounts and transfers, and what else is not about the state."""

from __future__ import annotations

import asyncio
import json
import os

from fabric_chaincode_python.fabric_shim.stub import ChaincodeStub
from numbers_in_text import whole_number


async def _balance_of(stub: ChaincodeStub, account: str) -> int:
    value = await stub.get_state(account)
    if not value:
        raise ValueError(f"account {account} does not exist")
    return whole_number("balance", value.decode())


async def transfer(stub: ChaincodeStub, args: list[str]) -> object:
    """Move an amount between two accounts."""
    source, target = args[0], args[1]
    amount = whole_number("amount", args[2])
    if source == target:
        raise ValueError("the accounts must differ")
    source_balance = await _balance_of(stub, source)
    target_balance = await _balance_of(stub, target)
    if source_balance < amount:
        raise ValueError(f"account {source} holds {source_balance}, less than {amount}")
    await stub.put_state(source, str(source_balance - amount))
    await stub.put_state(target, str(target_balance + amount))
    moved = {"from": source, "to": target, "amount": amount}
    stub.set_event("transfer", json.dumps(moved, separators=(",", ":"), ensure_ascii=False))
    return moved | {"fromBalance": source_balance - amount, "toBalance": target_balance + amount}


async def query(stub: ChaincodeStub, args: list[str]) -> object:
    """Tell a balance."""
    return {"account": args[0], "balance": await _balance_of(stub, args[0])}


async def event(stub: ChaincodeStub, args: list[str]) -> object:
    """Set an event; the shim (2.5.4) accepts it and never sends it."""
    stub.set_event(args[0], args[1])
    return {"event": args[0]}


async def crash(_stub: ChaincodeStub, args: list[str]) -> object:
    """End the process at once, as a bug in native code would."""
    os._exit(whole_number("exit code", args[0]))


async def sleep(_stub: ChaincodeStub, args: list[str]) -> object:
    """Answer late."""
    slept = whole_number("milliseconds", args[0])
    await asyncio.sleep(slept / 1000)
    return {"slept": slept}


async def call(stub: ChaincodeStub, args: list[str]) -> object:
    """Invoke another chaincode; the shim (2.5.4) sends a message that no peer understands."""
    response = await stub.invoke_chaincode(args[0], args[2:], args[1])
    return {
        "status": response.status,
        "message": response.message,
        "payload": response.payload.decode(),
    }


async def info(stub: ChaincodeStub, _args: list[str]) -> object:
    """Tell where and by whom the transaction was sent."""
    return {
        "channel": stub.get_channel_id(),
        "txId": stub.get_txid(),
        "mspId": stub.get_creator()["mspid"],
    }
