"""Checking the ordering's blocks of a channel against each other."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.common.common_pb2 import Block
from google.protobuf.message import DecodeError
from treadle_fabric.wire import block_data_hash, block_header_hash

from treadle_peer.order.store import OrderStore
from treadle_peer.storage import StorageError


def chain_problems(store: OrderStore, channel_id: str) -> Iterator[str]:
    """What is wrong with the channel's blocks, one sentence each."""
    previous = b""
    for number in range(store.height(channel_id)):
        try:
            block = Block.FromString(store.block_bytes(channel_id, number))
        except (StorageError, DecodeError) as error:
            yield f"ordering: block {number} cannot be read: {error}"
            return
        header = block.header
        if header.number != number:
            yield f"ordering: block {number} says that it is block {header.number}"
        if header.previous_hash != previous:
            yield f"ordering: block {number} does not carry the hash of the block before it"
        if header.data_hash != block_data_hash(block.data.data):
            yield f"ordering: block {number} holds other data than its header says"
        previous = block_header_hash(header)
