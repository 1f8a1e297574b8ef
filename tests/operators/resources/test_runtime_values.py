"""Another value of a Secret is another pod, and nobody reads it from the pod."""

from __future__ import annotations

from harness.operating.chaincodes import instantiation
from treadle_operator.model import RuntimeSettings
from treadle_operator.resources.runtime_values import VALUES, noting_values

KEY = b"-----BEGIN PRIVATE KEY-----"


def settings(**annotations: str) -> RuntimeSettings:
    return instantiation(runtime={"podAnnotations": annotations}).spec.runtime


def note(values: dict[str, bytes], key: bytes = KEY) -> object:
    return noting_values(settings(), values, key=key).pod_annotations[VALUES]


def test_only_what_is_read_changes_the_note() -> None:
    values = {"PASSWORD": b"one", "TOKEN": b"two"}
    assert note(values) == note(dict(reversed(values.items())))
    others = ({"PASSWORD": b"on", "TOKEN": b"etwo"}, {"PASSWORD": b"two", "TOKEN": b"one"})
    assert note(values) not in {note(other) for other in others}
    assert note({"A": b"\xff\x00"}) != note({"A": b"\xff"})


def test_who_has_no_key_cannot_tell_which_value_it_is() -> None:
    assert note({"PASSWORD": b"one"}) != note({"PASSWORD": b"one"}, b"another")


def test_nothing_is_noted_where_nothing_is_read_and_nobody_else_can_note_it() -> None:
    mine = settings(**{"example.com/a": "1"})
    assert noting_values(mine, {}, key=KEY) is mine
    forged = settings(**{VALUES: "mine"})
    found = noting_values(forged, {"A": b"1"}, key=KEY).pod_annotations
    assert found[VALUES] == note({"A": b"1"})
