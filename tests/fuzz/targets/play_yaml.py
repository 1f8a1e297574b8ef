"""``treadle play``'s files: a plan, or every problem in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import scratch
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.inputs import parse_collections, parse_constructor, parse_transient
from treadle_cli.play import PlayError, make_plan

_EXAMPLES = Path(__file__).parents[3] / "examples" / "play"
_LONGEST_FILE = 400
_VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    float("inf"),
    10**400,
    "",
    "x",
    "Production",
    "30s",
    "9" * 400 + "s",
    "OR('Org1MSP.member')",
    "AND(" * 60,
    "../../out",
    "\0",
    "\ud800",
    [],
    [1, "a", None],
    [[[]]],
    {},
    {1: 2},
    {None: None},
    {"name": "a"},
    {"name": ["b"]},
    {(1, 2): 3},
)


@cache
def _examples() -> tuple[object, ...]:
    files = sorted(_EXAMPLES.rglob("*.yaml"))
    assert files
    return tuple(each for file in files for each in yaml.safe_load_all(file.read_text()))


def seeds() -> Iterator[bytes]:
    """Every example as it is and with every value in some place; trouble for YAML."""
    for number in range(len(_examples())):
        yield bytes((1, number, 0))
        for value in range(len(_VALUES)):
            yield bytes((1, number, 1, 3, value % 5, value % 3, 0, 0, value))
    for text in (
        b"a: &a [*a]\n",
        b"[" * 900,
        b"kind: Peer\napiVersion: treadle.dev/v1alpha1\nmetadata: {name: a}\nspec: {1: x}\n",
        b"kind: 2001-99-99\n",
        b"? [a]\n: b\n",
        b"&a {kind: *a}\n",
        b"a: !!bool x\n",
        b"a: !!int ''\n",
        b"<<: 1\n",
        b"\xff\xfe",
        b"--- a\n--- [b\n",
    ):
        yield bytes((0,)) + text
    member = b'[{"name":"a","policy":"OR(\'A.member\')","maxPeerCount":%d}]'
    yield bytes((2,)) + member % 2**31
    yield bytes((2,)) + b'{"Args":["a","\\ud800"]}'
    yield bytes((2,)) + b'{"a":"QQ==","\\ud800":""}'
    yield bytes((2,)) + b'[{"name":"\\ud800","policy":"OR(\'A.member\')"}]'
    yield bytes((2,)) + b"9" * 5000
    for text in (b"[{}]", b"[" * 5000, b'[{"name":"a","policy":"OR(\'A.member\')"}]', b"1e999"):
        yield bytes((2,)) + text


def one_input(data: bytes) -> None:
    """The same outcome twice."""
    octets = Octets(data)
    way = octets.byte() % 3
    if way == 2:
        _json(octets.rest())
        return
    # PyYAML needs a millisecond for each bracket left open.
    text = octets.take(_LONGEST_FILE) if way == 0 else _edited(octets)
    folder = scratch() / "play"
    folder.mkdir(exist_ok=True)
    file = folder / "resources.yaml"
    file.write_bytes(text)
    assert _outcome(file) == _outcome(file)


def _outcome(file: Path) -> str:
    try:
        return repr(make_plan(file))
    except PlayError as error:
        return said(error)


def _edited(octets: Octets) -> bytes:
    documents = []
    while True:
        document = octets.pick(_examples())
        for _ in range(octets.below(8)):
            document = _changed(document, octets, depth=0)
        documents.append(document)
        if octets.below(4) == 0 or len(documents) == 8:
            break
    return yaml.safe_dump_all(documents, allow_unicode=True).encode(errors="replace")


def _changed(tree: object, octets: Octets, *, depth: int) -> object:
    """A copy of *tree* with one value replaced, removed or added."""
    choice = octets.below(4) if depth else 3
    if isinstance(tree, dict) and tree and choice:
        keys = list(tree)
        key = keys[octets.below(len(keys))]
        copy = dict(tree)
        if choice == 1:
            del copy[key]
        elif choice == 2:
            copy[octets.pick(("name", "spec", "kind", octets.text(), 1, None))] = copy[key]
        else:
            copy[key] = _changed(copy[key], octets, depth=depth + 1)
        return copy
    if isinstance(tree, list) and tree and choice:
        place = octets.below(len(tree))
        return [*tree[:place], _changed(tree[place], octets, depth=depth + 1), *tree[place:]]
    return octets.pick((*_VALUES, octets.text()))


def _json(text: bytes) -> None:
    for parse in (parse_collections, _arguments, _transient):
        try:
            parse(text)
        except CommandError as error:
            said(error)


def _arguments(text: bytes) -> None:
    parse_constructor(text.decode(errors="surrogateescape"))


def _transient(text: bytes) -> None:
    parse_transient(text.decode(errors="surrogateescape"))
