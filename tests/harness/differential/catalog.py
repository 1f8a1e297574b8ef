"""All conversations: what each is about, and where it is held."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).resolve().parents[2] / "differential" / "conversations"

Rig = Literal["development", "production", "blocks"]
"""Which pair of targets: peers in development mode with orderers, the same in production mode, or
peers that are handed any block the conversation makes."""

SECTIONS = (
    *(f"1.{n}" for n in range(2, 13)),
    "2.7",
    *(f"3.{n}" for n in range(3, 9)),
    *(f"4.{n}" for n in range(2, 8)),
    *(f"5.{n}" for n in range(1, 8)),
    "A",
)
"""Sections of the wire document that must have at least one conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One script; ``key`` names its channels, chaincodes and recording."""

    key: str
    title: str
    sections: tuple[str, ...]
    rig: Rig
    script: Callable[[Any], Awaitable[None]]

    @property
    def file(self) -> str:
        """The script's file in the conversations folder, without its ending."""
        return self.script.__module__.removeprefix(_PREFIX)


_PREFIX = "differential_conversations_"
_CATALOG: dict[str, Conversation] = {}


def conversation(
    key: str, title: str, *sections: str, rig: Rig = "development"
) -> Callable[[Callable[[Any], Awaitable[None]]], Callable[[Any], Awaitable[None]]]:
    """Register a script: *key* is short, lower-case and unique; *sections* of the wire document."""

    def register(script: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        assert key not in _CATALOG, f"two conversations are called {key}"
        unknown = set(sections) - set(SECTIONS)
        assert sections, f"{key}: no section"
        assert not unknown, f"{key}: no sections of the suite: {unknown}"
        _CATALOG[key] = Conversation(
            key=key, title=title, sections=sections, rig=rig, script=script
        )
        return script

    return register


def all_conversations() -> dict[str, Conversation]:
    """By key; imports every file of the conversations folder."""
    for file in sorted(FOLDER.glob("*.py")):
        name = f"{_PREFIX}{file.stem}"
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, file)
            assert spec is not None
            assert spec.loader is not None
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    return dict(sorted(_CATALOG.items()))
