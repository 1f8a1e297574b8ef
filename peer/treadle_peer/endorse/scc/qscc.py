"""qscc: questions about a channel's chain (fabric-wire.md §4.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from treadle_fabric.wire import serialize

from treadle_peer.channels import Channels
from treadle_peer.endorse.acl import AccessControl
from treadle_peer.endorse.errors import AccessDenied
from treadle_peer.endorse.scc.base import (
    SystemCall,
    SystemChaincodeError,
    SystemOutcome,
    text,
)
from treadle_peer.ledger import Ledger, LedgerError

_CHAIN_INFO = "GetChainInfo"
_NEWEST = 2**64 - 1
_ESCAPES = {
    **{"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"},
    **{'"': r"\"", "\\": r"\\"},
}
_SURROGATES = 0xDC80  # what ``text`` makes of the bytes from 0x80 that are no UTF-8


class Qscc:
    """Answers from the ledger of the channel that the second argument names."""

    name = "qscc"

    def __init__(self, *, channels: Channels, acl: AccessControl) -> None:
        self._channels = channels
        self._acl = acl

    async def invoke(self, call: SystemCall) -> SystemOutcome:
        """See SystemChaincode."""
        if len(call.args) < 2:
            raise SystemChaincodeError(f"Incorrect number of arguments, {len(call.args)}")
        function, channel_id = call.function, text(call.args[1])
        caller = call.proposal.chaincode_name
        if caller != self.name:
            raise SystemChaincodeError(
                "Rejecting invoke of QSCC from another chaincode because of potential for "
                f"deadlocks, original invocation for '{caller}'"
            )
        if function != _CHAIN_INFO and len(call.args) < 3:
            raise SystemChaincodeError(f"missing 3rd argument for {function}")
        channel = self._channels.get(channel_id)
        if channel is None:
            raise SystemChaincodeError(f"Invalid chain ID, {channel_id}")
        try:
            self._acl.check(f"qscc/{function}", channel_id, call.signed)
        except AccessDenied as error:
            denied = f"access denied for [{function}][{channel_id}]: [{error}]"
            raise SystemChaincodeError(denied) from error
        argument = call.args[2] if len(call.args) > 2 else b""
        query = _QUERIES.get(function)
        if query is None:
            raise SystemChaincodeError(f"Requested function {function} not found.")
        return SystemOutcome(await asyncio.to_thread(query, channel.ledger, argument))


def _chain_info(ledger: Ledger, argument: bytes) -> bytes:
    return serialize(ledger.chain_info())


def _block_by_number(ledger: Ledger, argument: bytes) -> bytes:
    number = _parse_number(argument)
    newest = ledger.height - 1
    try:
        return ledger.block_bytes(newest if number == _NEWEST else number)
    except LedgerError as error:
        raise SystemChaincodeError(f"Failed to get block number {number}, error {error}") from error


def _block_by_hash(ledger: Ledger, argument: bytes) -> bytes:
    try:
        return serialize(ledger.block_by_hash(argument))
    except LedgerError as error:
        raise SystemChaincodeError(
            f"Failed to get block hash {text(argument)}, error {error}"
        ) from error


def _transaction(ledger: Ledger, argument: bytes) -> bytes:
    try:
        return serialize(ledger.transaction(text(argument)))
    except LedgerError as error:
        raise SystemChaincodeError(
            f"Failed to get transaction with id {text(argument)}, error {error}"
        ) from error


def _block_by_tx_id(ledger: Ledger, argument: bytes) -> bytes:
    try:
        return serialize(ledger.block_by_tx_id(text(argument)))
    except LedgerError as error:
        raise SystemChaincodeError(
            f"Failed to get block for txID {text(argument)}, error {error}"
        ) from error


def _parse_number(argument: bytes) -> int:
    digits = text(argument)
    number = int(digits) if digits.isascii() and digits.isdigit() else -1
    if 0 <= number <= _NEWEST:
        return number
    reason = "invalid syntax" if number < 0 else "value out of range"
    raise SystemChaincodeError(
        "Failed to parse block number with error strconv.ParseUint: "
        f"parsing {_quoted(digits)}: {reason}"
    )


def _quoted(given: str) -> str:
    """*given* in quotes as Go's strconv writes it."""
    return '"' + "".join(_ESCAPES.get(each) or _character(each) for each in given) + '"'


def _character(given: str) -> str:
    number = ord(given)
    if _SURROGATES <= number < _SURROGATES + 0x80:
        return f"\\x{number - _SURROGATES + 0x80:02x}"
    if given.isprintable():
        return given
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


_QUERIES: dict[str, Callable[[Ledger, bytes], bytes]] = {
    _CHAIN_INFO: _chain_info,
    "GetBlockByNumber": _block_by_number,
    "GetBlockByHash": _block_by_hash,
    "GetTransactionByID": _transaction,
    "GetBlockByTxID": _block_by_tx_id,
}
