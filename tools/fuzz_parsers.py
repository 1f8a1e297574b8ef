"""Coverage-guided fuzzing of the parsers: ``make fuzz [SECONDS=60] [TARGET=name]``.

Each target of ``tests/fuzz/targets`` gets a process of its own, one after the other, and a folder
below ``build/fuzz`` whose corpus later runs go on from; ``--keep`` puts the few inputs that reach
everything into ``tests/fuzz/corpus``. What breaks a target is kept there as
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
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
TARGETS = TESTS / "fuzz" / "targets"
CORPUS = TESTS / "fuzz" / "corpus"
INSTRUMENTED = ["treadle_fabric", "treadle_peer", "treadle_cli"]
SLOWEST_SECONDS = 30  # by the clock, on machines that do other things too
MEMORY_MIB = 2048
LONGEST_INPUT = 8192
_INSIDE = "--inside"  # a child: target, what starts it again, libFuzzer's flags, corpus
_MERGE = "-set_cover_merge=1"
_ZIP_DATE = (2026, 1, 1, 0, 0, 0)


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
        return _fuzz_here(arguments[1], arguments[2], arguments[3:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz")
    parser.add_argument("--keep", action="store_true", help="write tests/fuzz/corpus anew")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.targets) - set(targets()))
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}; targets: {' '.join(targets())}")
    outcomes = []
    for target in options.targets or targets():
        outcomes.append(_fuzz_in_child(target, options.folder / target, options.seconds))
        print(_line(outcomes[-1]), flush=True)
        if options.keep:
            _keep(target, options.folder / target)
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
    command = [sys.executable, str(Path(__file__)), _INSIDE, target, sys.argv[0], *flags]
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


def _keep(target: str, folder: Path) -> None:
    """The smallest part of the corpus that reaches the same edges, in one file."""
    least, again = folder / "least", folder / "again.sh"
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir()
    # libFuzzer starts itself anew after each input that breaks it.
    command = shlex.join([sys.executable, str(Path(__file__).resolve()), _INSIDE, target])
    again.write_text(f'#!/bin/sh\nexec {command} "$0" "$@"\n')
    again.chmod(0o755)
    flags = [_MERGE, "-use_counters=0", "-use_cmp=0", str(least), str(folder / "corpus")]
    with (folder / "merge.log").open("wb") as log:
        subprocess.run([str(again.resolve()), *flags], stdout=log, stderr=log, check=True)
    CORPUS.mkdir(exist_ok=True)
    with zipfile.ZipFile(CORPUS / f"{target}.zip", "w", zipfile.ZIP_DEFLATED) as kept:
        for file in sorted(least.iterdir()):
            kept.writestr(zipfile.ZipInfo(file.name, _ZIP_DATE), file.read_bytes())


def _fuzz_here(target: str, again: str, flags: Sequence[str]) -> int:
    """In the child: instrument the product, import the target, hand over to libFuzzer."""
    import atheris

    sys.path.insert(0, str(TESTS))
    with atheris.instrument_imports(include=INSTRUMENTED):
        module = importlib.import_module(f"fuzz.targets.{target}")
    _format_logs()
    if not any("merge" in flag for flag in flags):
        kept = importlib.import_module("fuzz.kept")
        _plant(Path(flags[-1]), (*module.seeds(), *kept.corpus(target), *kept.found(target)))
    atheris.Setup([again, *flags], module.one_input)
    atheris.Fuzz()
    return 0


def _plant(corpus: Path, inputs: Sequence[bytes]) -> None:
    for each in inputs:
        (corpus / hashlib.sha256(each).hexdigest()).write_bytes(each)


class _Formatter(logging.Handler):
    """Formats what the product logs, as a peer does, and throws it away."""

    def emit(self, record: logging.LogRecord) -> None:
        self.format(record)


def _format_logs() -> None:
    logging.getLogger().addHandler(_Formatter())
    logging.getLogger().setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
