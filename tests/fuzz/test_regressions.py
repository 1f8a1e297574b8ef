"""Every seed, and every input that once broke a parser, within time and memory, without a fuzzer.

``found/<target>`` holds the latter, named by what they are; ``corpus/<target>`` inputs that reach
what the seeds do not.
"""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from types import ModuleType

import pytest
from harness.memory import MIB, PeakMemory

HERE = Path(__file__).parent
TARGETS = sorted(file.stem for file in (HERE / "targets").glob("*.py"))
FOUND = sorted(file for file in (HERE / "found").glob("*/*") if file.is_file())
DEADLINE = 5.0  # seconds of the processor for one input
MOST_MEMORY = 512 * MIB  # for one input, beyond what there was before


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


@pytest.mark.timeout(60)
@pytest.mark.parametrize("file", FOUND, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_was_found_once_stays_mended(file: Path) -> None:
    target(file.parent.name)
    with PeakMemory(os.getpid()) as memory:
        run(file.parent.name, file.read_bytes())
    assert memory.growth < MOST_MEMORY, memory


def test_every_finding_belongs_to_a_target() -> None:
    assert {file.parent.name for file in FOUND} <= set(TARGETS)
