"""core.yaml, CORE_* variables, logging specifications, durations: a value, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import scratch
from treadle_fabric.wire import format_duration, parse_duration
from treadle_peer.config import ConfigurationError, load_config, parse_logging_spec
from treadle_peer.config.keys import TREADLE, USED, environment_name

_KEYS = (*sorted(USED), *sorted(TREADLE))
_VALUES = (
    "",
    "true",
    "~",
    "[]",
    "[a, 1, ~]",
    "{}",
    "{a: 1}",
    "0",
    "-1",
    "0x7f",
    "1e400",
    "9" * 5000,
    "0b_",
    "2001-99-99",
    "!!binary a",
    "!!python/object:x {}",
    "30s",
    "1h1m1s",
    "9" * 400 + "s",
    "٣s",
    "127.0.0.1:7051",
    "localhost:²",
    "a:" + "9" * 5000,
    "[::1]:1",
    "*a",
    "&a [*a]",
    '"\\ud800"',
    "/dev/null",
    "dev",
    "Org1MSP",
)
_LONGEST_FILE = 400
_SPECS = (
    "info",
    "debug",
    "a=info",
    "a,b=warn",
    ":",
    "=",
    ",",
    "chaincode=debug:",
    "a=b=info",
    "\n",
)


def seeds() -> Iterator[bytes]:
    """Every value in a file and in a variable; texts that are trouble for YAML."""
    for number in range(len(_VALUES)):
        yield bytes((1, 0, 3, 0, number))
        yield bytes((2, 0, 1, 3, 0, number))
        for key in range(0, len(_KEYS), 5):
            yield bytes((1, 0, key, 0, number))
    for text in (
        b"peer:\n  id: x\n  listenAddress: 0.0.0.0:7051\n",
        b"[" * 5000,
        b"a: &a\n  b: *a\n",
        b"peer: {id: 2001-99-99}\n",
        b"peer: {id: 0b_}\n",
        b"1: 2\n~: 3\n",
        b"? [a]\n: b\n",
        b"? {a: b}\n: c\n",
        b"x: &x [1,1]\ny: &y [*x,*x]\nz: [*y,*y]\n",
        b"\xef\xbb\xbfpeer: {}\n",
        b"--- 1\n--- 2\n",
    ):
        yield bytes((0,)) + text
    for spec in range(len(_SPECS)):
        yield bytes((3, spec))
    for text in (b"1h30m", b"-1.5s", b"1", b"\xd9\xa3s", b"9" * 400 + b"s", b".s"):
        yield bytes((4,)) + text


def one_input(data: bytes) -> None:
    """The same outcome twice."""
    octets = Octets(data)
    way = octets.byte() % 5
    if way == 3:
        _spec("".join(octets.pick(_SPECS) if octets.flag() else octets.text() for _ in range(6)))
    elif way == 4:
        _duration(octets.rest().decode(errors="ignore"))
    else:
        # PyYAML needs a millisecond for each bracket left open.
        file = octets.take(_LONGEST_FILE).decode(errors="ignore") if way == 0 else ""
        environment = {}
        if way == 1:
            file = _file(octets)
        elif way == 2:
            environment = _environment(octets)
        folder = scratch() / "configuration"
        folder.mkdir(exist_ok=True)
        (folder / "core.yaml").write_text(file, encoding="utf-8", errors="replace")
        environment["FABRIC_CFG_PATH"] = str(folder)
        assert _outcome(environment, folder) == _outcome(environment, folder)


def _file(octets: Octets) -> str:
    lines = []
    for _ in range(1 + octets.below(6)):
        key, value = octets.pick(_KEYS), octets.pick((*_VALUES, octets.text()))
        *sections, last = key.split(".")
        opened = "".join(f"{section}: {{" for section in sections)
        lines.append(f"{opened}{last}: {value}{'}' * len(sections)}\n")
    return "".join(lines)


def _environment(octets: Octets) -> dict[str, str]:
    found = {}
    for _ in range(1 + octets.below(6)):
        name = environment_name(octets.pick(_KEYS)) if octets.below(4) else octets.text()
        found[name] = octets.pick((*_VALUES, octets.text()))
    return found


def _outcome(environment: dict[str, str], folder: Path) -> object:
    try:
        return load_config(environment, working_folder=folder)
    except ConfigurationError as error:
        lines = said(error).splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def _spec(text: str) -> None:
    try:
        parsed = parse_logging_spec(text)
    except ValueError as error:
        _starts(error, "invalid logging specification")
        return
    assert parse_logging_spec(parsed.text) == parsed


def _duration(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        _starts(error, "time: ")
        return
    again = parse_duration(format_duration(seconds))
    assert abs(again - seconds) <= max(1e-6, abs(seconds) * 1e-9)


def _starts(error: ValueError, words: str) -> None:
    assert said(error).startswith(words), "not a refusal of ours"
