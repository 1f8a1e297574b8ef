"""Ours in all conversations, once for all tests here."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from harness.differential.catalog import all_conversations
from harness.differential.events import Recording
from harness.differential.golden import kept
from harness.differential.reporting import held_by_ours


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Recording]:
    """What our peer says, by conversation."""
    return held_by_ours(all_conversations(), tmp_path_factory.mktemp("differential"))


@pytest.fixture(scope="session")
def golden() -> Mapping[str, Recording]:
    """What a real Fabric 2.5.9 peer said, by conversation."""
    return kept()
