"""cscc: joining channels and reading their configuration (fabric-wire.md §4.7, §5.10)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.query_pb2 import ChannelInfo, ChannelQueryResponse
from fabric_protos.peer.resources_pb2 import ConfigTree
from treadle_fabric.channelconfig import ConfigError
from treadle_fabric.wire import WireError, channel_id_of, last_config_index, parse, serialize

from treadle_peer.channels import Channel, Channels, JoinError, check_config_block
from treadle_peer.endorse.acl import AccessControl
from treadle_peer.endorse.errors import AccessDenied
from treadle_peer.endorse.scc.base import (
    SystemCall,
    SystemChaincodeError,
    SystemOutcome,
    text,
)
from treadle_peer.ledger import Ledger


class Cscc:
    """Joins channels and answers from their ledgers."""

    name = "cscc"

    def __init__(self, *, channels: Channels, acl: AccessControl) -> None:
        self._channels = channels
        self._acl = acl
        self._functions: dict[str, Callable[[SystemCall], Awaitable[bytes]]] = {
            "JoinChain": self._join,
            "GetConfigBlock": self._config_block,
            "GetChannelConfig": self._channel_config,
            "GetConfigTree": self._config_tree,
            "GetChannels": self._names,
        }

    async def invoke(self, call: SystemCall) -> SystemOutcome:
        """See SystemChaincode."""
        count = len(call.args)
        if count < 1 or (count < 2 and call.function != "GetChannels"):
            raise SystemChaincodeError(f"Incorrect number of arguments, {count}")
        caller = call.proposal.chaincode_name
        if caller != self.name:
            raise SystemChaincodeError(
                "Rejecting invoke of CSCC from another chaincode, "
                f"original invocation for '{caller}'"
            )
        function = self._functions.get(call.function)
        if function is None:
            raise SystemChaincodeError(f"Requested function {call.function} not found.")
        return SystemOutcome(await function(call))

    async def _join(self, call: SystemCall) -> bytes:
        block = _read_block(call.args[1])
        try:
            channel_id = channel_id_of(block)
        except WireError as error:
            raise SystemChaincodeError(
                f'"JoinChain" request failed to extract channel id from the block due to [{error}]'
            ) from error
        _check_block(block, channel_id)
        try:
            self._acl.check("cscc/JoinChain", "", call.signed)
        except AccessDenied as error:
            raise SystemChaincodeError(
                f"access denied for [JoinChain][{channel_id}]: [{error}]"
            ) from error
        try:
            self._channels.join(block)
        except (JoinError, ConfigError) as error:
            raise SystemChaincodeError(str(error)) from error
        return b""

    async def _config_block(self, call: SystemCall) -> bytes:
        channel = self._channel(call, unknown="Unknown channel ID, {}")
        return await asyncio.to_thread(_latest_config_block, channel.ledger)

    async def _channel_config(self, call: SystemCall) -> bytes:
        if not call.args[1]:
            raise SystemChaincodeError("empty channel name provided")
        channel = self._channel(call, unknown="unknown channel ID, {}")
        return serialize(await asyncio.to_thread(lambda: channel.ledger.config))

    async def _config_tree(self, call: SystemCall) -> bytes:
        """From Fabric 1.4; its clients still ask."""
        channel = self._channel(call, unknown="Unknown chain ID, {}")
        config = await asyncio.to_thread(lambda: channel.ledger.config)
        return serialize(ConfigTree(channel_config=config))

    async def _names(self, call: SystemCall) -> bytes:
        try:
            self._acl.check("cscc/GetChannels", "", call.signed)
        except AccessDenied as error:
            raise SystemChaincodeError(f"access denied for [GetChannels]: {error}") from error
        infos = [ChannelInfo(channel_id=name) for name in self._channels.names()]
        return serialize(ChannelQueryResponse(channels=infos))

    def _channel(self, call: SystemCall, *, unknown: str) -> Channel:
        function, channel_id = call.function, text(call.args[1])
        try:
            self._acl.check(f"cscc/{function}", channel_id, call.signed)
        except AccessDenied as error:
            raise SystemChaincodeError(
                f"access denied for [{function}][{channel_id}]: {error}"
            ) from error
        channel = self._channels.get(channel_id)
        if channel is None:
            raise SystemChaincodeError(unknown.format(channel_id))
        return channel


def _read_block(data: bytes) -> Block:
    try:
        return parse(Block, data)
    except WireError as error:
        raise SystemChaincodeError(f"Failed to reconstruct the genesis block, {error}") from error


def _check_block(block: Block, channel_id: str) -> None:
    try:
        check_config_block(block)
    except ConfigError as error:
        raise SystemChaincodeError(
            f'"JoinChain" for channelID = {channel_id} failed because of validation '
            f"of configuration block, because of {error}"
        ) from error


def _latest_config_block(ledger: Ledger) -> bytes:
    newest = ledger.block(ledger.height - 1)
    return ledger.block_bytes(last_config_index(newest))
