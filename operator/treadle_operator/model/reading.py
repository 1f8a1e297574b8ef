"""Typed reading of one object of a spec; every mistake is an InvalidObject. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from treadle_operator.errors import InvalidObject
from treadle_operator.model.common import Ref

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one object; ``path`` is where it lies, such as ``spec.tls``."""

    values: Mapping[str, object]
    path: str

    @classmethod
    def of_spec(cls, body: Mapping[str, object]) -> Fields:
        """The fields below ``spec``."""
        return Fields(body, "").inner("spec", required=True) or cls({}, "spec")

    def wrong(self, name: str, sentence: str) -> InvalidObject:
        """The error for field *name*."""
        return InvalidObject(f"{self.path}.{name}".lstrip("."), sentence)

    def has(self, name: str) -> bool:
        """Whether the field is there; null counts as absent."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string that is not empty; required without a default."""
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise self.wrong(name, "it is missing")
            return default
        if not isinstance(value, str):
            raise self.wrong(name, f"write text, not {_called(value)}")
        if not value and default is None:
            raise self.wrong(name, "it is empty")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "write true or false")
        return value

    def choice(self, name: str, default: _Choice) -> _Choice:
        """A member of *default*'s enumeration."""
        found = self.optional_choice(name, type(default))
        return default if found is None else found

    def optional_choice(self, name: str, choices: type[_Choice]) -> _Choice | None:
        """A member of the enumeration *choices*, or None."""
        if not self.has(name):
            return None
        value = self.text(name)
        try:
            return choices(value)
        except ValueError:
            allowed = " or ".join(member.value for member in choices)
            raise self.wrong(name, f"write {allowed}") from None

    def number(self, name: str, default: int, bounds: tuple[int, int]) -> int:
        """A whole number; *bounds* are the least and the most."""
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(name, f"write a whole number, not {_called(value)}")
        least, most = bounds
        if not least <= value <= most:
            raise self.wrong(name, f"write a number between {least} and {most}")
        return value

    def inner(self, name: str, *, required: bool = False) -> Fields | None:
        """The object in field *name*."""
        value = self.values.get(name)
        path = f"{self.path}.{name}".lstrip(".")
        if value is None:
            if required:
                raise InvalidObject(path, "it is missing")
            return None
        if not isinstance(value, Mapping):
            raise InvalidObject(path, f"write an object, not {_called(value)}")
        return Fields(value, path)

    def items(self, name: str) -> list[Fields]:
        """The list of objects in field *name*."""
        path = f"{self.path}.{name}"
        found = []
        for index, value in enumerate(self.sequence(name)):
            if not isinstance(value, Mapping):
                raise InvalidObject(f"{path}[{index}]", f"write an object, not {_called(value)}")
            found.append(Fields(value, f"{path}[{index}]"))
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """The list of strings in field *name*."""
        values = self.sequence(name)
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "write a list of texts")
        return tuple(str(value) for value in values)

    def sequence(self, name: str) -> Sequence[object]:
        """The list in field *name*, unread."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, f"write a list, not {_called(value)}")
        return value

    def mapping(self, name: str) -> Mapping[str, object]:
        """The object in field *name*, unread."""
        inner = self.inner(name)
        return inner.values if inner else {}

    def reference(self, name: str) -> Ref:
        """``{name: …}``; raises InvalidObject when it is missing."""
        inner = self.inner(name, required=True)
        return Ref(inner.text("name") if inner else "")

    def optional_reference(self, name: str) -> Ref | None:
        """``{name: …}``, or None."""
        return self.reference(name) if self.has(name) else None


def _called(value: object) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "an object")
