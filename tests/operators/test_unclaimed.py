"""Which runtimes a peer is told to let go."""

from __future__ import annotations

from dataclasses import replace

from harness.operating.chaincodes import instantiation, package
from treadle_operator.model import ChaincodeInstantiation
from treadle_operator.reconcile.channels import unclaimed
from treadle_operator.reconcile.directory import Entries, read_entries

OLD, NEW = "asset:1.0", "asset:2.0"
PACKAGES = (package(), package("asset-2.0", version="2.0"))


def on_ledger(
    one: ChaincodeInstantiation, ccid: str, peer: str = "peer0"
) -> ChaincodeInstantiation:
    return replace(one, status={"legacyID": ccid, "targets": [{"peer": peer}]})


def left(*instantiations: ChaincodeInstantiation, peer: str = "peer0") -> list[str]:
    return unclaimed(peer, [NEW, OLD], Entries(instantiations, PACKAGES))


def test_a_runtime_that_nobody_names_is_let_go() -> None:
    assert left() == [OLD, NEW]
    assert left(instantiation()) == [NEW]
    assert left(instantiation(), peer="peer1") == [OLD, NEW]


def test_who_is_being_deleted_names_nothing() -> None:
    one = on_ledger(instantiation(), OLD)
    gone = replace(one, meta=replace(one.meta, deleting=True))
    assert left(gone) == [OLD, NEW]


def test_the_old_runtime_stays_until_the_upgrade_is_on_the_ledger() -> None:
    wanted = instantiation(packageRef={"name": "asset-2.0"})
    assert left(on_ledger(wanted, OLD)) == []
    assert left(on_ledger(wanted, OLD, "peer1")) == [OLD]
    assert left(on_ledger(wanted, NEW)) == [OLD]


def test_a_missing_package_does_not_stop_what_runs() -> None:
    orphan = instantiation(packageRef={"name": "gone-1.0"})
    assert left(on_ledger(orphan, OLD)) == [NEW]


def test_a_spec_that_is_not_understood_does_not_stop_what_runs() -> None:
    place = {"namespace": "trade", "name": "asset", "uid": "u-1"}
    status = {"legacyID": OLD, "targets": [{"peer": "peer0"}]}
    strange = {"metadata": place, "spec": {"mode": "Sideways"}, "status": status}
    assert unclaimed("peer0", [NEW, OLD], read_entries([strange], [])) == [NEW]
    going = {**strange, "metadata": {**place, "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert unclaimed("peer0", [NEW, OLD], read_entries([going], [])) == [OLD, NEW]
