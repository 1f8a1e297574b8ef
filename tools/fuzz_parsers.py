"""Coverage-guided fuzzing of the parsers: ``make fuzz [SECONDS=60] [TARGET=name]``.

Each target of ``tests/fuzz/targets`` gets a process of its own, one after the other, and a folder
below ``build/fuzz`` whose corpus later runs go on from. What breaks a target is kept there as
``crash-*``, ``timeout-*`` or ``oom-*``; it belongs into ``tests/fuzz/found/<target>``, with its
mend.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import logging
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
TARGETS = TESTS / "fuzz" / "targets"
KEPT = (TESTS / "fuzz" / "corpus", TESTS / "fuzz" / "found")
INSTRUMENTED = ["treadle_fabric", "treadle_peer", "treadle_cli", "tarfile", "yaml"]
SLOWEST_SECONDS = 30  # by the clock, on machines that do other things too
MEMORY_MIB = 2048
LONGEST_INPUT = 8192
_INSIDE = "--inside"  # a child: target, libFuzzer's flags, corpus


@dataclass(frozen=True, slots=True)
class Outcome:
    """What fuzzing one target gave; ``coverage`` counts edges, ``findings`` are files."""

    target: str
    seconds: int
    executions: int
    coverage: tuple[int, int]
    findings: tuple[Path, ...]


def targets() -> list[str]:
    """The names of all targets."""
    return sorted(file.stem for file in TARGETS.glob("*.py"))


def main(arguments: Sequence[str]) -> int:
    """Fuzz; the exit code says whether anything was found."""
    if arguments[:1] == [_INSIDE]:
        return _fuzz_here(arguments[1], arguments[2:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.targets) - set(targets()))
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}; targets: {' '.join(targets())}")
    outcomes = []
    for target in options.targets or targets():
        outcomes.append(_fuzz_in_child(target, options.folder / target, options.seconds))
        print(_line(outcomes[-1]), flush=True)
    return 1 if any(outcome.findings for outcome in outcomes) else 0


def _fuzz_in_child(target: str, folder: Path, seconds: int) -> Outcome:
    corpus, scratch = folder / "corpus", folder / "scratch"
    for each in (corpus, scratch):
        each.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    flags = [
        f"-max_total_time={seconds}",
        f"-timeout={SLOWEST_SECONDS}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        str(corpus),
    ]
    command = [sys.executable, str(Path(__file__)), _INSIDE, target, *flags]
    with (folder / "log").open("wb") as log:
        environment = os.environ | {"TMPDIR": str(scratch)}
        subprocess.run(command, stdout=log, stderr=log, env=environment, check=False)
    found = sorted(set(folder.iterdir()) - before - {folder / "log"})
    text = (folder / "log").read_text(errors="replace")
    if not found and "stat::number_of_executed_units" not in text:
        raise SystemExit(f"{target} did not run; see {folder / 'log'}")
    return _outcome(target, text, found)


def _outcome(target: str, log: str, found: Sequence[Path]) -> Outcome:
    coverage = [int(each) for each in re.findall(r" cov: (\d+)", log)] or [0]
    executions = [int(each) for each in re.findall(r"^#(\d+)", log, re.MULTILINE)] or [0]
    seconds = re.search(r"Done \d+ runs in (\d+) second", log)
    return Outcome(
        target=target,
        seconds=int(seconds[1]) if seconds else 0,
        executions=executions[-1],
        coverage=(coverage[0], coverage[-1]),
        findings=tuple(found),
    )


def _line(outcome: Outcome) -> str:
    first, last = outcome.coverage
    found = "; ".join(map(str, outcome.findings)) or "nothing found"
    return (
        f"{outcome.target:20} {outcome.seconds:5} s {outcome.executions:9} runs "
        f"coverage {first} -> {last}  {found}"
    )


def _fuzz_here(target: str, flags: Sequence[str]) -> int:
    """In the child: instrument the product, import the target, hand over to libFuzzer."""
    import atheris

    sys.path.insert(0, str(TESTS))
    with atheris.instrument_imports(include=INSTRUMENTED):
        module = importlib.import_module(f"fuzz.targets.{target}")
    _format_logs()
    corpus = Path(flags[-1])
    for seed in (*module.seeds(), *_kept(target)):
        (corpus / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
    atheris.Setup([sys.argv[0], *flags], module.one_input)
    atheris.Fuzz()
    return 0


def _kept(target: str) -> list[bytes]:
    folders = [folder / target for folder in KEPT]
    return [file.read_bytes() for folder in folders if folder.is_dir() for file in folder.iterdir()]


class _Formatter(logging.Handler):
    """Formats what the product logs, as a peer does, and throws it away."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


def _format_logs() -> None:
    logging.getLogger().addHandler(_Formatter())
    logging.getLogger().setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
