"""``treadle ledger verify`` on copies of a loaded peer's folder in which something was changed."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.loaded_folder import LoadedFolder
from harness.runtimes import CHANNEL
from treadle_cli.errors import TreadleError
from treadle_cli.ledgers import verify_ledgers
from treadle_peer.ledger import LedgerStore
from treadle_peer.ledger.families import BLOCKS, FAMILIES, HISTORY, INDEXES, LEDGER_FORMAT, STATE
from treadle_peer.ledger.keys import number, position
from treadle_peer.main.recovery import restore_ordering
from treadle_peer.order import OrderStore, open_ordering_identity
from treadle_peer.order import store as order_store
from treadle_peer.storage import Database, Family, Format

pytestmark = pytest.mark.toolchain("go")

VERIFY = [sys.executable, "-m", "treadle_cli.main", "ledger", "verify"]


def problems_of(data: Path) -> tuple[str, ...]:
    """What the command would say of the one channel, or why it cannot."""
    try:
        reports = {report.channel: report.problems for report in verify_ledgers(data)}
    except TreadleError as error:
        return (str(error),)
    return reports[CHANNEL]


def ledger_of(data: Path) -> Database:
    folder = data / "ledger" / "channels" / CHANNEL
    return Database.open(folder, format=LEDGER_FORMAT, families=FAMILIES)


def ordering_of(data: Path) -> Database:
    families = [Family("channels"), Family("blocks")]
    return Database.open(
        data / "ordering" / "blocks", format=Format("ordering", 1), families=families
    )


def change_one_byte(database: Database, family: str, key: bytes) -> None:
    """In the middle of the value, or, where that is empty, of the key."""
    value = database.get(family, key)
    assert value is not None, key
    batch = database.batch()
    if value:
        batch.put(family, key, _changed(value))
    else:
        batch.delete(family, key)
        batch.put(family, _changed(key), b"")
    database.write(batch)
    database.close()


def _changed(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def key_in(database: Database, family: str, part: bytes) -> bytes:
    return next(key for key, _ in database.scan(family) if part in key)


@pytest.fixture
def data(loaded: LoadedFolder, tmp_path: Path) -> Path:
    return shutil.copytree(loaded.data, tmp_path / "data", ignore=shutil.ignore_patterns("run"))


def test_a_folder_as_the_kill_left_it_is_sound(data: Path) -> None:
    assert problems_of(data) == ()


def test_the_command_lists_what_is_wrong_and_fails(data: Path) -> None:
    database = ledger_of(data)
    change_one_byte(database, STATE, key_in(database, STATE, b"client0-"))
    command = [*VERIFY, str(data), "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    reports = {report["channel"]: report for report in json.loads(done.stdout)}
    assert len(reports[CHANNEL]["problems"]) == 1
    assert "state: differs from the replay" in reports[CHANNEL]["problems"][0]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("family", "find", "told"),
    [
        (BLOCKS, lambda _: position(3, 0), "block 3 holds other data than its header says"),
        (BLOCKS, lambda _: number(3), "block 3"),
        (STATE, lambda base: key_in(base, STATE, b"client0-"), "state: differs from the replay"),
        (HISTORY, lambda base: key_in(base, HISTORY, b"client0-"), "history: differs from the"),
        (INDEXES, lambda base: key_in(base, INDEXES, b"t"), "indexes: differs from the replay"),
        (INDEXES, lambda base: key_in(base, INDEXES, b"h"), "indexes: differs from the replay"),
    ],
    ids=["envelope", "header", "state", "history", "transaction-index", "hash-index"],
)
def test_one_changed_byte_is_noticed(
    data: Path, family: str, find: Callable[[Database], bytes], told: str
) -> None:
    database = ledger_of(data)
    change_one_byte(database, family, find(database))
    problems = problems_of(data)
    assert any(told in each for each in problems), problems


def test_no_byte_of_a_block_can_change_unnoticed(data: Path) -> None:
    """Header, orderer's signature, codes, commit hash: every 23rd byte, without the ordering."""
    with LedgerStore.open(data / "ledger") as store:
        ledger = store.get(CHANNEL)
        assert ledger is not None
        head = ledger._database.get(BLOCKS, number(3))
        assert head is not None
        for at in range(0, len(head), 23):
            batch = ledger._database.batch()
            batch.put(BLOCKS, number(3), head[:at] + bytes([head[at] ^ 1]) + head[at + 1 :])
            ledger._database.write(batch)
            assert ledger.verify(), f"byte {at} of {len(head)}"


def test_one_changed_byte_in_the_ordering_is_noticed(data: Path) -> None:
    database = ordering_of(data)
    change_one_byte(database, "blocks", order_store._key(CHANNEL, 2))
    problems = problems_of(data)
    assert any(each.startswith("ordering: block ") for each in problems), problems


def test_another_chain_in_the_ordering_is_noticed(data: Path) -> None:
    database = ordering_of(data)
    last, _ = next(database.scan("blocks", reverse=True))
    count = int.from_bytes(last[-8:], "big")
    batch = database.batch()
    for block in range(3, count + 1):
        batch.delete("blocks", order_store._key(CHANNEL, block))
    database.write(batch)
    database.close()
    told = "ordering: has only 3 blocks; a start takes the others from the ledger"
    assert problems_of(data) == (told,)


def test_a_channel_that_the_ordering_lost_is_noticed(data: Path) -> None:
    """Its name and all its blocks, and the whole folder of the ordering's blocks."""
    database = ordering_of(data)
    batch = database.batch()
    for family in ("channels", "blocks"):
        for key, _ in database.scan(family):
            batch.delete(family, key)
    database.write(batch)
    database.close()
    told = "ordering: has only 0 blocks; a start takes the others from the ledger"
    assert problems_of(data) == (told,)
    shutil.rmtree(data / "ordering" / "blocks")
    assert problems_of(data) == (told,)


def test_a_channel_that_another_ordering_orders_is_not_missed(data: Path) -> None:
    """Nor restored: its blocks are not ours to continue."""
    shutil.rmtree(data / "ordering")
    other = open_ordering_identity(data / "ordering" / "identity")
    assert problems_of(data) == ()
    orders = OrderStore(data / "ordering" / "blocks")
    with LedgerStore.open(data / "ledger") as ledgers:
        restore_ordering(orders, ledgers, orderer=other)
    assert orders.channels() == []
    orders.close()


def test_an_ordering_without_an_identity_is_noticed(data: Path) -> None:
    shutil.rmtree(data / "ordering" / "identity")
    (problem,) = problems_of(data)
    assert problem.startswith("the ordering's identity cannot be read: ")


def test_a_changed_byte_in_a_file_is_noticed(data: Path) -> None:
    """Not through the database: RocksDB's own checksums find it."""
    ledger_of(data).close()  # what was in the log is in tables now
    tables = (data / "ledger" / "channels" / CHANNEL / "data").glob("*.sst")
    largest = max(tables, key=lambda file: file.stat().st_size)
    largest.write_bytes(_changed(largest.read_bytes()))
    problems = problems_of(data)
    assert any("it is damaged: restore it from a backup" in each for each in problems), problems


def test_a_terminal_is_told_how_far_it_is(data: Path) -> None:
    controller, terminal = pty.openpty()
    with subprocess.Popen([*VERIFY, str(data)], stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        out, _ = process.communicate(timeout=60)
    shown = os.read(controller, 65536).decode()
    os.close(controller)
    assert process.returncode == 0
    assert f"{CHANNEL}: block 0 of " in shown
    assert shown.endswith("\r\x1b[K")
    assert out.decode().endswith("blocks, sound\n")
