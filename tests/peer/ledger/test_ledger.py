"""One channel's ledger: what it keeps, finds and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex, Metadata
from treadle_fabric.wire import block_header_hash, get_metadata, set_transactions_filter
from treadle_peer.ledger import Ledger, LedgerError, SimulationError, Version
from treadle_peer.storage import StorageError


def test_a_new_ledger_holds_its_genesis_block(chain: Any, make_genesis: Any) -> None:
    genesis = make_genesis()
    info = chain.ledger.chain_info()
    assert chain.ledger.channel_id == "ch"
    assert (info.height, info.previousBlockHash) == (1, b"")
    assert info.currentBlockHash == block_header_hash(genesis.header)
    assert chain.ledger.block(0).data == genesis.data
    assert [*chain.ledger.block(0).metadata.metadata] == [b"", b"", b"\x00", b"", b""]
    assert chain.ledger.config.sequence == 1


def test_blocks_are_found_by_number_hash_and_transaction(chain: Any) -> None:
    committed = chain.put(a=b"1").block
    tx_id = next(chain.ledger.history_reader().history("ns", "a")).tx_id
    assert chain.ledger.block(1) == committed
    assert chain.ledger.block(2**64 - 1) == committed
    assert chain.ledger.block_by_hash(block_header_hash(committed.header)) == committed
    assert chain.ledger.block_by_tx_id(tx_id) == committed
    assert Block.FromString(chain.ledger.block_bytes(1)) == committed
    assert chain.ledger.has_transaction(tx_id)


def test_what_is_not_there_is_refused_in_fabrics_words(chain: Any) -> None:
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: chain.ledger.block(1), "no such block number [1] in index"),
        (
            lambda: chain.ledger.block_by_hash(b"\x01\xff"),
            "no such block hash [01ff] in index",
        ),
        (lambda: chain.ledger.transaction("t"), "no such transaction ID [t] in index"),
        (lambda: chain.ledger.block_by_tx_id("t"), "no such transaction ID [t] in index"),
    ]
    for use, text in cases:
        with pytest.raises(LedgerError) as refusal:
            use()
        assert str(refusal.value) == text
    assert not chain.ledger.has_transaction("t")


def test_a_block_that_does_not_continue_the_chain_is_refused(chain: Any) -> None:
    chain.put(a=b"1")
    wrong = chain.block([])
    wrong.header.number = 7
    with pytest.raises(LedgerError, match="block number should have been 2 but was 7"):
        chain.ledger.commit(wrong)
    wrong = chain.block([])
    wrong.header.previous_hash = b"\xab"
    with pytest.raises(LedgerError, match=r"Expected PreviousHash = \[[0-9a-f]{64}\], .*= \[ab\]"):
        chain.ledger.commit(wrong)
    assert chain.ledger.height == 2


def test_a_block_without_a_code_for_each_transaction_is_refused(
    chain: Any, make_transaction: Any
) -> None:
    block = chain.block([make_transaction(b"", tx_id="t")])
    set_transactions_filter(block, [])
    with pytest.raises(LedgerError, match=r"block \[1\] has 1 transactions but 0 validation codes"):
        chain.ledger.commit(block)


def test_final_codes_and_commit_hash_are_written_into_the_given_block(chain: Any) -> None:
    block = chain.block([b"\xff"], codes=[1])
    before = Block()
    before.CopyFrom(block)
    committed = chain.ledger.commit(block)
    assert committed.block is block
    assert (block.header, block.data) == (before.header, before.data)
    assert get_metadata(block, BlockMetadataIndex.COMMIT_HASH)
    assert Block.FromString(chain.ledger.block_bytes(block.header.number)) == block


def test_the_commit_hash_starts_with_block_one(chain: Any) -> None:
    assert chain.ledger.commit_hash == b""
    first = chain.put(a=b"1").block
    assert Metadata.FromString(first.metadata.metadata[4]).value == chain.ledger.commit_hash
    before = chain.ledger.commit_hash
    chain.put(a=b"1")
    assert chain.ledger.commit_hash != before


def test_the_first_transaction_with_an_id_keeps_it(chain: Any, make_transaction: Any) -> None:
    results = chain.simulate(lambda s: s.set_state("ns", "k", b"v"))
    chain.commit(
        make_transaction(results, tx_id="twin"), make_transaction(b"", tx_id="twin"), codes=[0, 9]
    )
    chain.commit(make_transaction(b"", tx_id="twin"), codes=[9])
    assert chain.ledger.transaction("twin").validationCode == 0
    assert chain.ledger.block_by_tx_id("twin").header.number == 1
    assert chain.ledger.locate("twin").tx == 0


def test_invalid_transactions_are_kept_with_their_code_and_without_effect(
    chain: Any, make_transaction: Any
) -> None:
    results = chain.simulate(lambda s: s.set_state("ns", "k", b"v"))
    committed = chain.commit(make_transaction(results, tx_id="bad"), codes=[10])
    assert committed.codes == [10]
    assert chain.ledger.transaction("bad").validationCode == 10
    with chain.ledger.reader() as reader:
        assert reader.get_state("ns", "k") is None
    assert list(chain.ledger.history_reader().history("ns", "k")) == []


def test_garbage_is_stored_as_it_came(chain: Any) -> None:
    committed = chain.commit(b"\xff\xff", b"", codes=[255, 1])
    assert [*chain.ledger.block(1).data.data] == [b"\xff\xff", b""]
    assert committed.codes == [255, 1]
    assert chain.ledger.verify() == []


def test_unreadable_results_get_fabrics_codes(chain: Any, make_transaction: Any) -> None:
    committed = chain.commit(make_transaction(b"\xff", tx_id="t"))
    assert committed.codes == [255]


def test_an_empty_read_write_set_is_valid(chain: Any) -> None:
    assert chain.commit_results(b"").codes == [0]


def test_an_empty_block_can_be_committed(chain: Any) -> None:
    chain.commit()
    assert chain.ledger.block(1).HasField("data")
    assert chain.ledger.verify() == []


def test_versions_count_all_transactions_of_the_block(chain: Any, make_transaction: Any) -> None:
    results = chain.simulate(lambda s: s.set_state("ns", "k", b"v"))
    chain.commit(
        make_transaction(b"", tx_id="x"), make_transaction(results, tx_id="y"), codes=[10, 0]
    )
    with chain.ledger.reader() as reader:
        assert reader.get("ns", "k").version == Version(1, 1)


def test_configuration_blocks_replace_the_configuration(
    chain: Any, make_configuration: Any
) -> None:
    before = chain.ledger.commit_hash
    chain.commit(make_configuration(2))
    assert chain.ledger.config.sequence == 2
    assert chain.ledger.commit_hash != before
    chain.commit(make_configuration(3), codes=[6])
    assert chain.ledger.config.sequence == 2


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # Metadata stays with a value that is written alone, goes with a deletion.
        ("meta", "put", {"p": b"1"}),
        ("meta", "delete put", {}),
        ("meta", "unmeta", {}),
        ("meta", "put+meta", {"q": b"2"}),
        ("delete", "meta", None),
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_metadata_follows_its_key(
    chain: Any, first: str, second: str, expected: dict[str, bytes] | None, together: bool
) -> None:
    steps: dict[str, Callable[[Any], object]] = {
        "meta": lambda s: s.set_state_metadata("ns", "k", {"p": b"1"}),
        "unmeta": lambda s: s.set_state_metadata("ns", "k", {}),
        "put": lambda s: s.set_state("ns", "k", b"new"),
        "delete": lambda s: s.delete_state("ns", "k"),
        "put+meta": lambda s: [
            s.set_state("ns", "k", b"new"),
            s.set_state_metadata("ns", "k", {"q": b"2"}),
        ],
    }
    chain.put(k=b"old")
    results = [chain.simulate(steps[name]) for name in (first, *second.split())]
    if together:
        chain.commit_results(*results)
    else:
        for each in results:
            chain.commit_results(each)
    with chain.ledger.reader() as reader:
        found = reader.get("ns", "k")
        assert (found is None) == (expected is None)
        assert reader.get_state_metadata("ns", "k") == (expected or {})


def test_history_is_newest_first_with_the_clients_time(chain: Any, make_transaction: Any) -> None:
    for seconds, value in ((5, b"one"), (7, b""), (6, b"three")):
        results = chain.simulate(lambda s, value=value: s.set_state("ns", "k", value))
        chain.commit(make_transaction(results, tx_id=f"t{seconds}", seconds=seconds))
    chain.put(kk=b"x")
    found = list(chain.ledger.history_reader().history("ns", "k"))
    assert [(each.tx_id, each.value, each.is_delete) for each in found] == [
        ("t6", b"three", False),
        ("t7", b"", True),
        ("t5", b"one", False),
    ]
    assert [each.timestamp.seconds for each in found] == [6, 7, 5]
    assert all(each.HasField("timestamp") for each in found)


def test_history_knows_the_blocks_of_its_beginning(chain: Any) -> None:
    chain.put(k=b"1")
    reader = chain.ledger.history_reader()
    chain.put(k=b"2")
    modifications = reader.history("ns", "k")
    assert [each.value for each in modifications] == [b"1"]
    modifications.close()


def test_histories_of_neighbours_do_not_mix(chain: Any) -> None:
    def work(simulator: Any) -> None:
        for key in ("", "\x00", "k", "k\x00", "k\x00\x01", "k\x01"):
            simulator.set_state("ns", key, key.encode() or b"empty")

    chain.commit_results(chain.simulate(work))
    reader = chain.ledger.history_reader()
    for key in ("", "\x00", "k", "k\x00", "k\x00\x01", "k\x01"):
        assert [each.value for each in reader.history("ns", key)] == [key.encode() or b"empty"]


def test_everything_survives_closing(tmp_path: Path, make_chain: Any) -> None:
    chain = make_chain(tmp_path / "ledger")
    chain.put(a=b"1")
    info, link = chain.ledger.chain_info(), chain.ledger.commit_hash
    chain.ledger.close()
    chain.ledger.close()
    ledger = Ledger.open(tmp_path / "ledger", "ch")
    assert (ledger.chain_info(), ledger.commit_hash) == (info, link)
    with ledger.reader() as reader:
        assert reader.get_state("ns", "a") == b"1"
    assert ledger.verify() == []
    ledger.close()


def test_opening_the_wrong_thing_is_refused(tmp_path: Path, make_chain: Any) -> None:
    with pytest.raises(LedgerError, match="no ledger of channel ch here"):
        Ledger.open(tmp_path / "none", "ch")
    chain = make_chain(tmp_path / "ledger")
    with pytest.raises(StorageError, match="in use"):
        Ledger.open(tmp_path / "ledger", "ch")
    chain.ledger.close()
    with pytest.raises(LedgerError, match="holds the ledger of ch, not of other"):
        Ledger.open(tmp_path / "ledger", "other")
    with pytest.raises(LedgerError, match="holds a ledger already"):
        make_chain(tmp_path / "ledger")


def test_a_ledger_needs_a_readable_genesis_block(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot create ledger from genesis block"):
        Ledger.create(tmp_path / "ledger", Block())


def test_private_data_is_refused_before_anything_is_written(chain: Any) -> None:
    from fabric_protos.ledger.rwset.rwset_pb2 import (
        CollectionHashedReadWriteSet,
        NsReadWriteSet,
        TxReadWriteSet,
    )

    collection = CollectionHashedReadWriteSet(collection_name="secret")
    space = NsReadWriteSet(namespace="ns", collection_hashed_rwset=[collection])
    results = TxReadWriteSet(ns_rwset=[space]).SerializeToString()
    with pytest.raises(LedgerError, match=r"uses private data of \[ns\]"):
        chain.commit_results(results)
    assert chain.put(a=b"1").codes == [0]


def test_a_simulation_error_is_a_ledger_error() -> None:
    assert issubclass(SimulationError, LedgerError)
