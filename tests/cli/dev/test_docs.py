"""What the pages for developers tell to type, the command takes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from treadle_cli.dev.commands import dev
from treadle_cli.dev.starting import language_of

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = ("develop-on-kubernetes.md", "development-mode.md")
_TYPED = re.compile(r"^    (treadle dev .*)$|`(treadle dev [^`]*)`", re.MULTILINE)


def typed() -> list[str]:
    """Every ``treadle dev …`` of the pages that is a whole command."""
    found = []
    for page in PAGES:
        for block, inline in _TYPED.findall((DOCS / page).read_text()):
            line = re.sub(r"<\w+>", "a", re.split(r"\s[|>]\s", block or inline)[0])
            words = shlex.split(line)[2:]
            if len(words) > 1 and words[-1] != "--":
                found.append(shlex.join(words))
    return sorted(set(found))


@pytest.mark.parametrize("line", typed())
def test_a_documented_line_is_one_that_the_command_takes(line: str) -> None:
    verb, *arguments = shlex.split(line)
    context = dev.commands[verb].make_context(verb, list(arguments))
    assert context.params.get("name") or context.params["words"] or context.params["ccid"]


def test_all_commands_are_documented() -> None:
    assert {line.split()[0] for line in typed()} == set(dev.commands)


def test_the_table_of_languages_holds_what_is_recognised() -> None:
    text = (DOCS / PAGES[0]).read_text()
    rows = re.findall(r"^\| (Go|Node|Python) \| `([^`]+)`", text, re.MULTILINE)
    known = {"Go": "golang", "Node": "node", "Python": "python"}
    started = [
        (known[language], command.split()) for language, command in rows if "{" not in command
    ]
    assert len(started) >= 4
    for language, command in started:
        assert language_of(command) == language


def test_the_launch_configurations_are_json_with_every_language() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", (DOCS / PAGES[0]).read_text(), re.DOTALL)
    names = [each["name"] for each in json.loads(block)["configurations"]]
    assert names == ["Go", "Node", "Java", "Python"]
