"""What `treadle ledger verify` notices: every kind of tampering with a channel's ledger."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.common.common_pb2 import Block
from treadle_peer.ledger.families import BLOCKS, HISTORY, INDEXES, META, STATE
from treadle_peer.ledger.keys import history_key, number, position, state_key


@pytest.mark.parametrize(
    ("family", "key", "value", "problem"),
    [
        (STATE, state_key("ns", "a"), None, "state: differs from the replay"),
        (STATE, state_key("ns", "a"), bytes(16) + b"forged", "state: differs from the replay"),
        (STATE, state_key("ns", "extra"), bytes(16) + b"x", "state: differs from the replay"),
        (HISTORY, history_key("ns", "b", block=1, tx=0), None, "history: differs"),
        (INDEXES, b"tforged", bytes(13), "indexes: differs"),
        (BLOCKS, position(1, 0), b"other", "holds other data than its header says"),
        (BLOCKS, position(1, 1), b"more", "holds other data than its header says"),
        (BLOCKS, number(1), None, "cannot be replayed: no such block number"),
        (META, b"commit-hash", b"other", "the chain ends with"),
    ],
)
def test_verification_notices_every_tampering(
    chain: Any, family: str, key: bytes, value: bytes | None, problem: str
) -> None:
    chain.put(a=b"1", b=b"1")
    chain.put(a=b"2")
    assert chain.ledger.verify() == []
    database = chain.ledger._database
    batch = database.batch()
    if value is None:
        batch.delete(family, key)
    else:
        batch.put(family, key, value)
    database.write(batch)
    assert any(problem in each for each in chain.ledger.verify())


@pytest.mark.parametrize(("slot", "problem"), [(2, "validation codes"), (4, "commit hash")])
def test_verification_notices_changed_metadata(chain: Any, slot: int, problem: str) -> None:
    chain.put(a=b"1")
    database = chain.ledger._database
    head = Block.FromString(database.get(BLOCKS, number(1)))
    head.metadata.metadata[slot] = b"\x0b" if slot == 2 else b""
    batch = database.batch()
    batch.put(BLOCKS, number(1), head.SerializeToString())
    database.write(batch)
    assert any(problem in each for each in chain.ledger.verify())
