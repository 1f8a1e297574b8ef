"""The suite covers what it says, and its exceptions are few and documented."""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path

import pytest
from harness.differential.catalog import SECTIONS, all_conversations
from harness.differential.deliberate import DELIBERATE, MOST
from harness.differential.golden import kept

_recordings = functools.cache(kept)
DIFFERENCES = Path(__file__).resolve().parents[2] / "docs" / "differences.md"
_LINES = re.MULTILINE | re.DOTALL


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_wire_document_has_a_conversation(section: str) -> None:
    assert any(section in each.sections for each in all_conversations().values())


@pytest.mark.parametrize("section", SECTIONS)
def test_something_is_heard_about_every_section(section: str) -> None:
    recordings = _recordings()
    assert any(
        event.kind in ("message", "end")
        for key, each in all_conversations().items()
        if section in each.sections and key in recordings
        for event in recordings[key].events
    )


def test_there_are_enough_conversations() -> None:
    assert len(all_conversations()) >= 120


def test_titles_are_told_apart() -> None:
    titles = Counter(each.title for each in all_conversations().values())
    assert not [title for title, count in titles.items() if count > 1]


def test_recordings_and_conversations_are_the_same_set() -> None:
    assert set(_recordings()) == set(all_conversations())


def test_deliberate_differences_are_few() -> None:
    assert len(DELIBERATE) <= MOST


def test_deliberate_differences_have_a_conversation_each() -> None:
    counts = Counter(meant.conversation for meant in DELIBERATE)
    assert set(counts.values()) == {1}
    assert set(counts) <= set(all_conversations())
    assert all(meant.reason for meant in DELIBERATE)


def test_answers_that_differ_are_the_deliberate_differences() -> None:
    (table,) = re.findall(r"^## Answers that differ$(.*?)^## ", DIFFERENCES.read_text(), _LINES)
    rows = re.findall(r"^\| (?!conversation|-)(.*?) \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(f"`{meant.conversation}`" for meant in DELIBERATE)
