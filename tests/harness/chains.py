"""A channel's blocks as a client reads them, checked link by link."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, Payload
from treadle_fabric.client import Channel
from treadle_fabric.wire import (
    block_data_hash,
    block_header_hash,
    get_transactions_filter,
)


class ChainBook:
    """All blocks read so far: their number, the last hash, the code of each transaction."""

    def __init__(self) -> None:
        self.height = 0
        self.codes: dict[str, int] = {}
        self._tip_hash = b""

    async def read_on(self, channel: Channel, *, height: int) -> None:
        """Read up to *height*; the last block of the last time is read again, and compared."""
        if self.height:
            again = await channel.block(self.height - 1)
            assert block_header_hash(again.header) == self._tip_hash, (
                f"block {self.height - 1} is another one than before"
            )
        if height <= self.height:
            assert height == self.height, f"{height} blocks, after {self.height} were seen"
            return
        async for block in channel.blocks(start=self.height, stop=height - 1, within=30):
            self._add(block)

    def missing(self, acknowledged: dict[str, int]) -> dict[str, int]:
        """Acknowledged transactions that are not in the chain with that code."""
        return {
            tx_id: code for tx_id, code in acknowledged.items() if self.codes.get(tx_id) != code
        }

    def _add(self, block: Block) -> None:
        header = block.header
        assert header.number == self.height
        assert header.previous_hash == self._tip_hash, f"block {header.number} breaks the chain"
        assert header.data_hash == block_data_hash(block.data.data)
        codes = get_transactions_filter(block)
        assert len(codes) == len(block.data.data)
        for data, code in zip(block.data.data, codes, strict=True):
            tx_id = _tx_id(data)
            assert tx_id not in self.codes or not tx_id, f"{tx_id} was ordered twice"
            self.codes[tx_id] = code
        self._tip_hash = block_header_hash(header)
        self.height += 1


def _tx_id(envelope: bytes) -> str:
    payload = Payload.FromString(Envelope.FromString(envelope).payload)
    return ChannelHeader.FromString(payload.header.channel_header).tx_id


def copy_of_ledger(data: Path, target: Path) -> Path:
    """A copy of a dead peer's ledgers, as the crash left them."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(data / "ledger", target)
    return target


def verified(ledgers: Path) -> dict[str, Any]:
    """What ``treadle ledger verify`` says about a folder that holds one channel."""
    command = [sys.executable, "-m", "treadle_cli.main", "ledger", "verify", str(ledgers)]
    done = subprocess.run(
        [*command, "-o", "json"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    (report,) = json.loads(done.stdout)
    assert report["problems"] == []
    result: dict[str, Any] = report
    return result
