"""Blocks of a real Fabric 2.5.9 peer come out of our ledger as they came out of it.

``golden/README.md`` says how the blocks were made and what is in them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import (
    Block,
    BlockMetadataIndex,
    ChannelHeader,
    Envelope,
    Payload,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TxValidationCode,
)
from treadle_fabric.wire import get_transactions_filter, set_metadata, set_transactions_filter
from treadle_peer.ledger import Ledger, RangeIterator, Simulator

GOLDEN = Path(__file__).parent / "golden"
STATE_CODES = (TxValidationCode.MVCC_READ_CONFLICT, TxValidationCode.PHANTOM_READ_CONFLICT)
BATCH = 100
POLICY = "VALIDATION_PARAMETER"


def golden_blocks() -> list[Block]:
    return [Block.FromString(file.read_bytes()) for file in sorted(GOLDEN.glob("*.block"))]


def as_validated(block: Block) -> Block:
    """The block before MVCC: state conflicts are not found yet, no commit hash."""
    before = Block()
    before.CopyFrom(block)
    codes = [0 if code in STATE_CODES else code for code in get_transactions_filter(block)]
    set_transactions_filter(before, codes)
    set_metadata(before, BlockMetadataIndex.COMMIT_HASH, b"")
    return before


@pytest.fixture
def replayed(tmp_path: Path) -> Iterator[Ledger]:
    """All golden blocks, committed by our ledger."""
    blocks = golden_blocks()
    ledger = Ledger.create(tmp_path / "ledger", as_validated(blocks[0]))
    for block in blocks[1:]:
        ledger.commit(as_validated(block))
    yield ledger
    ledger.close()


def test_there_are_all_golden_blocks() -> None:
    blocks = golden_blocks()
    assert [block.header.number for block in blocks] == list(range(24))
    found = {code for block in blocks for code in get_transactions_filter(block)}
    assert found == {0, 10, 11, 12}


def test_codes_and_commit_hashes_are_those_of_the_real_peer(tmp_path: Path) -> None:
    blocks = golden_blocks()
    with_genesis = Ledger.create(tmp_path / "ledger", as_validated(blocks[0]))
    assert with_genesis.block_bytes(0) == blocks[0].SerializeToString()
    for block in blocks[1:]:
        committed = with_genesis.commit(as_validated(block))
        assert committed.codes == get_transactions_filter(block), block.header.number
        assert committed.block.metadata == block.metadata, block.header.number
    with_genesis.close()


def test_blocks_are_kept_byte_for_byte(replayed: Ledger) -> None:
    for block in golden_blocks():
        assert replayed.block_bytes(block.header.number) == block.SerializeToString()


def test_every_transaction_is_found_with_its_code(replayed: Ledger) -> None:
    for block in golden_blocks():
        codes = get_transactions_filter(block)
        for index, envelope in enumerate(block.data.data):
            tx_id = channel_header(envelope).tx_id
            if tx_id:
                found = replayed.transaction(tx_id)
                assert found.validationCode == codes[index]
                assert found.transactionEnvelope.SerializeToString() == envelope
                assert replayed.block_by_tx_id(tx_id).header == block.header


def test_configuration_is_that_of_the_last_config_block(replayed: Ledger) -> None:
    assert replayed.config.sequence == 2


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a00000", [("rmw0", False), ("value of a00000", False)]),
        ("a00005", [("again", False), ("", True), ("value of a00005", False)]),
        ("e2", [("", True)]),
        ("k00100", [("new", False), ("value of k00100", False)]),
        (
            "a00002",
            [("nometa", False), ("", True), ("keepmeta", False), ("value of a00002", False)],
        ),
        ("r1", [("x", False)]),
    ],
)
def test_history_is_what_the_real_peer_answered(
    replayed: Ledger, key: str, expected: list[tuple[str, bool]]
) -> None:
    found = replayed.history_reader().history("probe", key)
    assert [(each.value.decode(), each.is_delete) for each in found] == expected


def test_simulating_again_gives_the_same_read_write_sets(tmp_path: Path) -> None:
    blocks = golden_blocks()
    ledger = Ledger.create(tmp_path / "ledger", as_validated(blocks[0]))
    compared = 0
    for block in blocks[1:]:
        for envelope in block.data.data:
            invocation = Invocation.of(envelope)
            if invocation is not None:
                assert invocation.simulate(ledger) == invocation.results, invocation.operations
                compared += 1
        ledger.commit(as_validated(block))
    ledger.close()
    assert compared == 67


def channel_header(envelope: bytes) -> ChannelHeader:
    payload = Payload.FromString(Envelope.FromString(envelope).payload)
    return ChannelHeader.FromString(payload.header.channel_header)


class Invocation:
    """A golden transaction of the probe chaincode: what it was told and what it did."""

    def __init__(self, chaincode: str, operations: list[list[str]], results: bytes) -> None:
        self.chaincode = chaincode
        self.operations = operations
        self.results = results
        self._handlers: dict[str, Callable[..., None]] = {
            name: getattr(self, f"_{name}")
            for name in ("put", "fill", "get", "meta", "unmeta", "getmeta", "range", "page")
        }
        self._handlers["del"] = self._delete
        self._handlers["composite"] = self._composite

    @classmethod
    def of(cls, envelope: bytes) -> Invocation | None:
        """The invocation in *envelope*; None for a configuration or a deployment."""
        payload = Payload.FromString(Envelope.FromString(envelope).payload)
        if channel_header(envelope).type != 3:
            return None
        action = Transaction.FromString(payload.data).actions[0]
        content = ChaincodeActionPayload.FromString(action.payload)
        proposal = ChaincodeProposalPayload.FromString(content.chaincode_proposal_payload)
        spec = ChaincodeInvocationSpec.FromString(proposal.input).chaincode_spec
        if spec.chaincode_id.name == "lscc":
            return None
        response = ProposalResponsePayload.FromString(content.action.proposal_response_payload)
        results = ChaincodeAction.FromString(response.extension).results
        operations = [json.loads(each) for each in spec.input.args]
        return cls(spec.chaincode_id.name, operations, results)

    def simulate(self, ledger: Ledger) -> bytes:
        """The read-write set that our simulator makes of the same operations."""
        with ledger.simulator("tx") as simulator:
            self._run(simulator, self.chaincode, self.operations)
            return simulator.results()

    def _run(self, simulator: Simulator, namespace: str, operations: list[list[str]]) -> None:
        # The peer looks up the definition of every chaincode that it calls.
        simulator.get_state("lscc", namespace)
        for name, *operands in operations:
            if name == "call":
                self._run(simulator, operands[0], [json.loads(operands[1])])
            elif name != "event":
                self._handlers[name](simulator, namespace, *operands)

    def _put(self, simulator: Simulator, namespace: str, key: str, value: str) -> None:
        simulator.set_state(namespace, key, value.encode())

    def _fill(self, simulator: Simulator, namespace: str, *operands: str) -> None:
        prefix, first, last = operands
        for number in range(int(first), int(last)):
            key = f"{prefix}{number:05d}"
            simulator.set_state(namespace, key, f"value of {key}".encode())

    def _delete(self, simulator: Simulator, namespace: str, key: str) -> None:
        simulator.delete_state(namespace, key)

    def _get(self, simulator: Simulator, namespace: str, key: str) -> None:
        simulator.get_state(namespace, key)

    def _meta(self, simulator: Simulator, namespace: str, key: str, *_: str) -> None:
        # The policy's bytes are the chaincode's making.
        entries = self._recorded(namespace).metadata_writes[0].entries
        simulator.set_state_metadata(namespace, key, {each.name: each.value for each in entries})

    def _unmeta(self, simulator: Simulator, namespace: str, key: str) -> None:
        simulator.set_state_metadata(namespace, key, {POLICY: b""})

    def _getmeta(self, simulator: Simulator, namespace: str, key: str) -> None:
        simulator.get_state_metadata(namespace, key)

    def _range(self, simulator: Simulator, namespace: str, *operands: str) -> None:
        start, end, limit = operands
        # The Go shim never asks for composite keys by accident.
        results = simulator.range(namespace, start or "\x01", end)
        more = pull_batch(results, BATCH + 1)
        while more and limit == "0":
            more = pull_batch(results, BATCH)
        results.close()

    def _page(self, simulator: Simulator, namespace: str, *operands: str) -> None:
        start, end, size, bookmark = operands
        simulator.range_page(namespace, bookmark or start, end, page_size=int(size))

    def _composite(self, simulator: Simulator, namespace: str, *parts: str) -> None:
        key = "\x00" + "".join(f"{part}\x00" for part in parts)
        simulator.set_state(namespace, key, b"composite")

    def _recorded(self, namespace: str) -> KVRWSet:
        sets = TxReadWriteSet.FromString(self.results).ns_rwset
        return next(KVRWSet.FromString(each.rwset) for each in sets if each.namespace == namespace)


def pull_batch(results: RangeIterator, count: int) -> bool:
    """Pull as the peer does for one batch and its look-ahead; whether there may be more."""
    return all(next(results, None) is not None for _ in range(count))


def test_the_replayed_ledger_verifies(replayed: Ledger) -> None:
    assert replayed.verify() == []
