"""The example contract on the Python shim; ../README.md lists its functions.

The Python shim is a server: it listens on CHAINCODE_SERVER_ADDRESS and registers as CHAINCODE_ID
when something dials it.
"""

from __future__ import annotations

import asyncio
import json
import logging

import accounts
import state
from fabric_chaincode_python.fabric_shim import server
from fabric_chaincode_python.fabric_shim.interfaces import Chaincode
from fabric_chaincode_python.fabric_shim.logging import LOGGER
from fabric_chaincode_python.fabric_shim.response import error, success
from fabric_chaincode_python.fabric_shim.stub import ChaincodeStub
from fabric_protos.peer.proposal_response_pb2 import Response
from numbers_in_text import whole_number

# What the function of that name answers: change it to see which code runs.
VERSION = "1"


async def version(_stub: ChaincodeStub, _args: list[str]) -> object:
    """Say which code runs."""
    return {"contract": "accounts", "version": VERSION}


# Name -> (parameters for the error text, number of required ones, the code).
FUNCTIONS = {
    "transfer": ("from, to, amount", 3, accounts.transfer),
    "query": ("account", 1, accounts.query),
    "set": ("key, value", 2, state.set_value),
    "get": ("key", 1, state.get_value),
    "delete": ("key", 1, state.delete),
    "range": ("start, end", 2, state.range_of_keys),
    "page": ("start, end, size, bookmark", 4, state.page),
    "history": ("key", 1, state.history),
    "event": ("name, payload", 2, accounts.event),
    "tag": ("value, type, attribute...", 3, state.tag),
    "tags": ("type, attribute...", 1, state.tags),
    "crash": ("exit code", 1, accounts.crash),
    "sleep": ("milliseconds", 1, accounts.sleep),
    "call": ("chaincode, channel, argument...", 2, accounts.call),
    "blob": ("key, size", 2, state.blob),
    "digest": ("key", 1, state.digest),
    "bulk": ("prefix, from, count, size", 4, state.bulk),
    "scan": ("start, end", 2, state.scan),
    "info": ("", 0, accounts.info),
    "version": ("", 0, version),
}


def encode(result: object) -> bytes:
    """Compact JSON, as the other languages write it."""
    return json.dumps(result, separators=(",", ":"), ensure_ascii=False).encode()


def status(args: list[str]) -> Response:
    """Answer with a status code of the caller's choice."""
    if len(args) < 2:
        raise ValueError("status needs the arguments: code, message")
    code = whole_number("code", args[0])
    return Response(status=code, message=args[1], payload=encode({"status": code}))


async def create_accounts(stub: ChaincodeStub) -> Response:
    """Create accounts from pairs of name and amount."""
    _, args = stub.get_function_and_parameters()
    if len(args) % 2:
        raise ValueError("init needs pairs of account and amount")
    for account, text in zip(args[::2], args[1::2], strict=True):
        await stub.put_state(account, str(whole_number("amount", text)))
    return success(encode({"accounts": len(args) // 2}))


async def run(stub: ChaincodeStub, name: str, args: list[str]) -> Response:
    """Run the named function."""
    if name == "fail":
        return error(" ".join(args))
    if name == "status":
        return status(args)
    if name not in FUNCTIONS:
        raise ValueError(f"unknown function: {name}")
    parameters, needs, code = FUNCTIONS[name]
    if len(args) < needs:
        raise ValueError(f"{name} needs the arguments: {parameters}")
    return success(encode(await code(stub, args)))


class Accounts(Chaincode):
    """Initialise and invoke; what the contract refuses is answered with status 500.

    The shim answers nothing at all to an exception, so only ``throw`` lets one through.
    """

    @staticmethod
    async def init(stub: ChaincodeStub) -> Response:
        try:
            return await create_accounts(stub)
        except Exception as refusal:
            return error(str(refusal))

    @staticmethod
    async def invoke(stub: ChaincodeStub) -> Response:
        name, args = stub.get_function_and_parameters()
        if name == "throw":
            raise RuntimeError(" ".join(args))
        try:
            return await run(stub, name, args)
        except Exception as refusal:
            return error(str(refusal))


if __name__ == "__main__":
    # The shim logs every value that it reads and writes, and whole proposals.
    LOGGER.setLevel(logging.WARNING)
    asyncio.set_event_loop(asyncio.new_event_loop())
    server.start(Accounts)
