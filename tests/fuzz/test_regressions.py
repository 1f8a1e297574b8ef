"""Every seed, and every input that once broke a parser, within time and memory, without a fuzzer.

``found/<target>`` holds the latter, named by what they are.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from types import ModuleType

import pytest
from fuzz.kept import FOUND, corpus
from harness.memory import MIB

HERE = Path(__file__).parent
TARGETS = sorted(file.stem for file in (HERE / "targets").glob("*.py"))
FINDINGS = sorted(FOUND.glob("*/*"))
DEADLINE = 5.0  # seconds of the processor for one input
MOST_MEMORY = 400 * MIB  # for one input, beyond what there was before


def most_memory(*, reset: bool = False) -> int:
    """The most bytes that this process has had since the last reset (no thread could watch it:
    much of what takes memory does not let one run)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def target(name: str) -> ModuleType:
    return importlib.import_module(f"fuzz.targets.{name}")


def run(name: str, data: bytes) -> None:
    started = time.process_time()
    target(name).one_input(data)
    assert time.process_time() - started < DEADLINE, "it took too long"


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_of_a_target_is_handled(name: str) -> None:
    seeds = list(target(name).seeds())
    assert seeds
    for seed in seeds:
        run(name, seed)


@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_has_reached_is_handled(name: str) -> None:
    inputs = corpus(name)
    assert inputs, "make fuzz FUZZ_ARGS=--keep writes them"
    for each in inputs:
        run(name, each)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("file", FINDINGS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_was_found_once_stays_mended(file: Path) -> None:
    target(file.parent.name)
    before = most_memory(reset=True)
    run(file.parent.name, file.read_bytes())
    assert most_memory() - before < MOST_MEMORY


def test_every_finding_belongs_to_a_target() -> None:
    assert {file.parent.name for file in FINDINGS} <= set(TARGETS)
