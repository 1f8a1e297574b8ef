"""The registry of required runtimes and its launcher: clocks, restarts, reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from treadle_fabric.packages import build_legacy_package
from treadle_peer.chaincode import Observer, StreamPeer
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launching import Launches
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.chaincode.runtimes import (
    OperatorLauncher,
    Origin,
    Phase,
    Report,
    ReportError,
    RequiredRuntimes,
    RuntimeRecords,
    RuntimeState,
)
from treadle_peer.execution import ExecutionError, PackageError
from treadle_peer.storage import StorageError

CCID = "asset:1"


@dataclass
class Side:
    """What a peer has for its operator."""

    required: RequiredRuntimes
    launches: Launches
    launcher: OperatorLauncher
    failed: list[tuple[str, str]]


MakeSide = Callable[..., Side]


@pytest.fixture
def make_side(tmp_path: Path) -> MakeSide:
    """Opens the same folder anew each time, as a peer that was restarted."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "main.go").write_text("package main\n")
    packages = FilePackageStore(tmp_path / "chaincodes")
    packages.install(
        build_legacy_package(
            name="asset", version="1", language="golang", path="asset", source=source
        )
    )

    def make(*, build_timeout: float = 60.0, startup_timeout: float = 60.0) -> Side:
        failed: list[tuple[str, str]] = []

        def on_failed(ccid: str, sentence: str) -> None:
            failed.append((ccid, sentence))
            launches.failed(ccid, sentence)

        required = RequiredRuntimes(
            records=RuntimeRecords(tmp_path / "runtimes"), packages=packages, on_failed=on_failed
        )
        launcher = OperatorLauncher(
            required=required,
            authority=ChaincodeAuthority.open(tmp_path / "authority"),
            committed=lambda ccid: ccid == "committed:1",
            build_timeout=build_timeout,
            startup_timeout=startup_timeout,
        )
        launches = Launches(
            launcher=launcher,
            startup_timeout=startup_timeout,
            report=lambda ccid, failure: None,
            observer=Observer(),
        )
        return Side(required, launches, launcher, failed)

    return make


def report(phase: Phase, message: str = "", pods: tuple[str, ...] = ()) -> Report:
    return Report.checked(phase=phase, message=message, log_tail="", pods=pods)


async def state_of(side: Side, wanted: RuntimeState) -> None:
    watch = side.required.watch()
    async with asyncio.timeout(5):
        while (runtime := side.required.get(CCID)) is None or runtime.state is not wanted:
            await watch.next()
    side.required.unwatch(watch)


async def test_the_startup_timeout_counts_from_the_end_of_the_build(make_side: MakeSide) -> None:
    side = make_side(startup_timeout=0.5)
    begun = asyncio.get_running_loop().time()
    joined = asyncio.create_task(side.launches.join(CCID))
    await state_of(side, RuntimeState.REQUIRED)
    side.required.report(CCID, report(Phase.BUILDING))
    await asyncio.sleep(1.0)  # what is measured: a build that is longer than the start may be
    assert not joined.done()
    side.required.report(CCID, report(Phase.STARTING))
    with pytest.raises(ExecutionError, match="timeout expired while starting chaincode asset:1"):
        await joined
    assert 1.5 <= asyncio.get_running_loop().time() - begun < 4
    runtime = side.required.get(CCID)
    assert runtime is not None
    assert runtime.state is RuntimeState.FAILED
    assert runtime.message == "no process registered within 0.5 s"


async def test_the_build_timeout_bounds_the_wait_for_an_operator(make_side: MakeSide) -> None:
    side = make_side(build_timeout=0.1)
    with pytest.raises(ExecutionError) as told:
        await side.launches.join(CCID)
    assert str(told.value).startswith(
        "error building chaincode: error building image: the build took longer than 0 s "
        "(treadle.chaincode.buildTimeout); no operator is connected"
    )
    await state_of(side, RuntimeState.FAILED)


async def test_a_process_that_registers_during_a_build_ends_the_wait(make_side: MakeSide) -> None:
    side = make_side()
    joined = asyncio.create_task(side.launches.join(CCID))
    await state_of(side, RuntimeState.REQUIRED)
    side.required.connected(CCID, 1)
    side.launches.registered(CCID)
    async with asyncio.timeout(5):
        await joined
    await state_of(side, RuntimeState.REGISTERED)


async def test_a_start_that_is_withdrawn_is_no_failure_of_the_runtime(make_side: MakeSide) -> None:
    side = make_side()
    joined = asyncio.create_task(side.launches.join(CCID))
    await state_of(side, RuntimeState.REQUIRED)
    side.required.report(CCID, report(Phase.STARTING))
    for _ in range(5):
        await asyncio.sleep(0)  # the launch comes to where it waits for the process
    side.launches.give_up(CCID, "a developer runs it now")
    with pytest.raises(ExecutionError, match="a developer runs it now"):
        await joined
    runtime = side.required.get(CCID)
    assert runtime is not None
    assert (runtime.state, runtime.message) == (RuntimeState.STARTING, "")
    assert side.failed == []


async def test_what_was_required_is_after_a_restart(make_side: MakeSide) -> None:
    first = make_side()
    first.required.require(CCID, Origin.CLIENT)
    assert kept(make_side()) == (RuntimeState.REQUIRED, Origin.CLIENT, 1, ())
    first.required.require(CCID, Origin.OPERATOR)
    first.required.report(CCID, report(Phase.FAILED, "no image"))
    first.required.require(CCID, Origin.CLIENT)
    first.required.report(CCID, report(Phase.STARTING, pods=("::ffff:10.0.0.2", "10.0.0.1")))
    pods = ("10.0.0.1", "10.0.0.2")
    assert kept(make_side()) == (RuntimeState.STARTING, Origin.OPERATOR, 2, pods)
    first.required.release(CCID)
    again = make_side()
    assert kept(again) == (RuntimeState.STOPPED, Origin.OPERATOR, 2, ())
    with pytest.raises(ExecutionError, match="nobody wants a runtime for asset:1 any more"):
        await again.launches.join(CCID)
    again.required.require(CCID, Origin.OPERATOR)
    assert kept(make_side()) == (RuntimeState.STARTING, Origin.OPERATOR, 3, ())


def kept(side: Side) -> tuple[RuntimeState, Origin, int, tuple[str, ...]]:
    (runtime,) = side.required.rows()
    record = runtime.record
    return runtime.state, record.origin, record.attempt, record.pods


async def test_a_failure_while_processes_run_does_not_hide_them(make_side: MakeSide) -> None:
    side = make_side()
    side.required.require(CCID, Origin.OPERATOR)
    side.required.connected(CCID, 2)
    side.required.report(CCID, report(Phase.FAILED, "one pod crashed"))
    runtime = side.required.get(CCID)
    assert runtime is not None
    assert (runtime.state, runtime.message) == (RuntimeState.REGISTERED, "one pod crashed")
    assert side.failed == [(CCID, "one pod crashed")]
    side.required.connected(CCID, 0)
    await state_of(side, RuntimeState.STARTING)


async def test_who_is_no_pod_that_stays_is_leaving(make_side: MakeSide) -> None:
    side = make_side()
    old, new = (
        StreamPeer(remote=f"10.0.0.{n}:4000", fingerprint=None, loopback=False) for n in (1, 2)
    )
    assert not side.launcher.is_leaving(CCID, old)
    side.required.require(CCID, Origin.OPERATOR)
    assert not side.launcher.is_leaving(CCID, old)
    side.required.report(CCID, report(Phase.STARTING, pods=("10.0.0.2",)))
    assert side.launcher.is_leaving(CCID, old)
    assert not side.launcher.is_leaving(CCID, new)


async def test_only_what_is_installed_can_be_required(make_side: MakeSide) -> None:
    side = make_side()
    with pytest.raises(PackageError):
        side.required.require("missing:1", Origin.OPERATOR)
    with pytest.raises(ExecutionError, match=r"error building chaincode: open .*missing"):
        await side.launches.join("missing:1")
    assert side.required.rows() == []
    assert side.required.report("missing:1", report(Phase.STARTING)) is None
    side.required.release("missing:1")


async def test_a_damaged_record_ends_the_start_in_a_sentence(
    make_side: MakeSide, tmp_path: Path
) -> None:
    make_side().required.require(CCID, Origin.OPERATOR)
    (file,) = (tmp_path / "runtimes").rglob("runtime.json")
    (file.parent.parent / "unfinished").mkdir()
    assert len(make_side().required.rows()) == 1
    assert not (file.parent.parent / "unfinished").exists()
    file.write_text("{")
    with pytest.raises(StorageError, match=r"runtime\.json is damaged"):
        make_side()


@pytest.mark.parametrize("pods", [["host"], ["10.0.0.1:80"], [""], ["10.0.0.1"] * 257])
def test_a_report_names_addresses(pods: list[str]) -> None:
    with pytest.raises(ReportError):
        Report.checked(phase=Phase.STARTING, message="", log_tail="", pods=pods)


def test_long_reports_are_cut() -> None:
    told = Report.checked(
        phase=Phase.FAILED, message="m" * 10_000, log_tail="a" * 20_000 + "the end", pods=()
    )
    assert told.sentence.endswith("a" * 1000 + "the end")
    assert len(told.sentence) < 21_000


def test_reports_tell_no_password_of_an_address_and_no_terminals_escapes() -> None:
    told = Report.checked(
        phase=Phase.FAILED,
        message="cannot fetch image x: https://robot:pa55@registry/x: no",
        log_tail="ser:pa55@host/x\n\x1b[1mcannot reach https://user:pa55@host/x\n",
        pods=(),
    )
    assert told.message == "cannot fetch image x: https://***@registry/x: no"
    assert told.log_tail == "***@host/x\ncannot reach https://***@host/x\n"
