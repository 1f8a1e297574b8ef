"""Typed access to the fields of a document; mistakes are collected, not raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treadle_fabric.wire import parse_duration

from treadle_cli.play.documents import Document, Path_
from treadle_cli.play.problems import Findings, nearest


@dataclass(frozen=True, slots=True)
class Fields:
    """One mapping within a document. Every getter returns a default when the field is wrong."""

    document: Document
    path: Path_
    values: Mapping[str, object]
    findings: Findings

    @classmethod
    def of_spec(cls, document: Document, findings: Findings) -> Fields:
        """The document's ``spec``; empty when it is missing or no mapping."""
        root = cls(document, (), document.body, findings)
        return root.mapping("spec") or cls(document, ("spec",), {}, findings)

    def wrong(self, name: str | int, text: str) -> None:
        """Note a problem with field *name*."""
        where = dotted((*self.path, name))
        who = f"{self.document.kind} {self.document.name}"
        self.findings.wrong(self.document.place((*self.path, name)), f"{who}: {where}: {text}")

    def known(self, used: Sequence[str], ignored: Sequence[str] = ()) -> None:
        """Note unknown fields, and the *ignored* ones that are present."""
        everything = [*used, *ignored]
        for name in self.values:
            if name not in everything:
                self.wrong(name, f"unknown field{nearest(name, everything)}")
            elif name in ignored:
                where = dotted((*self.path, name))
                self.findings.ignored.append(f"{self.document.kind} {where}")

    def has(self, name: str) -> bool:
        """Whether the field is present and not null."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """A string."""
        value = self.values.get(name)
        if value is None:
            if required:
                self.wrong(name, "it is missing")
            return default
        if isinstance(value, str):
            return value
        hint = f'; write "{value}"' if isinstance(value, int | float) else ""
        self.wrong(name, f"want text, got {value!r}{hint}")
        return default

    def flag(self, name: str, default: bool) -> bool:
        """A boolean."""
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.wrong(name, f"want true or false, got {value!r}")
        return default

    def choice(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """One of *allowed*."""
        value = self.text(name, default)
        if value in allowed:
            return value
        self.wrong(name, f"{value!r} is not allowed{nearest(value, allowed)}")
        return default

    def duration(self, name: str) -> float | None:
        """Seconds of a duration such as ``30s``; None when absent."""
        text = self.text(name)
        if not text:
            return None
        try:
            return parse_duration(text)
        except ValueError:
            self.wrong(name, f"{text!r} is no duration; write for example 30s or 5m")
            return None

    def mapping(self, name: str) -> Fields | None:
        """A nested mapping; None when absent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(name, "want a mapping of fields")
            return None
        return Fields(self.document, (*self.path, name), value, self.findings)

    def items(self, name: str) -> list[Fields]:
        """A list of mappings."""
        found = []
        for index, value in enumerate(self._list(name)):
            if isinstance(value, dict):
                path = (*self.path, name, index)
                found.append(Fields(self.document, path, value, self.findings))
            else:
                self.wrong(name, f"item {index + 1} must be a mapping of fields")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; numbers must be quoted."""
        values = self._list(name)
        for value in values:
            if not isinstance(value, str):
                self.wrong(name, f'want a list of text; write "{value}" in quotes')
                return ()
        return tuple(str(value) for value in values)

    def text_map(self, name: str) -> dict[str, str] | None:
        """A mapping of names to text; None when absent."""
        nested = self.mapping(name)
        return None if nested is None else {key: nested.text(key) for key in nested.values}

    def reference(self, name: str) -> str:
        """The name within ``{name: …}``; empty when absent."""
        nested = self.mapping(name)
        if nested is None:
            return ""
        nested.known(["name"])
        return nested.text("name", required=True)

    def _list(self, name: str) -> list[object]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(name, "want a list")
            return []
        return value


def dotted(path: Path_) -> str:
    """A path as people write it: ``spec.channels[0].name``."""
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).removeprefix(".")
