"""The suite covers what it says, and its exceptions are few and documented."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from harness.differential.catalog import SECTIONS, all_conversations
from harness.differential.deliberate import DELIBERATE, MOST
from harness.differential.golden import kept

DIFFERENCES = Path(__file__).resolve().parents[2] / "docs" / "differences.md"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_wire_document_has_a_conversation(section: str) -> None:
    assert any(section in each.sections for each in all_conversations().values())


def test_there_are_enough_conversations() -> None:
    assert len(all_conversations()) >= 120


def test_titles_are_told_apart() -> None:
    titles = Counter(each.title for each in all_conversations().values())
    assert not [title for title, count in titles.items() if count > 1]


def test_recordings_and_conversations_are_the_same_set() -> None:
    assert set(kept()) == set(all_conversations())


def test_deliberate_differences_are_few() -> None:
    assert len(DELIBERATE) <= MOST


@pytest.mark.parametrize("meant", DELIBERATE, ids=lambda each: each.conversation)
def test_deliberate_differences_are_documented(meant: object) -> None:
    assert f"`{meant.conversation}`" in DIFFERENCES.read_text()  # type: ignore[attr-defined]
    assert meant.reason  # type: ignore[attr-defined]
