"""The command line is read as Fabric's flag library reads it."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_cli.peer.flags import SWITCHES, normalise


def test_switches_take_values_after_an_equals_sign() -> None:
    assert normalise(["--tls=true", "--waitForEvent=false", "-n=cc"]) == ["--tls", "-ncc"]


def test_a_switch_with_nonsense_is_refused() -> None:
    with pytest.raises(click.UsageError, match='invalid argument "maybe" for "--tls" flag'):
        normalise(["--tls=maybe"])


def test_an_empty_short_value_stays_empty() -> None:
    assert normalise(["-n="]) == ["-n", ""]


def test_json_values_and_long_flags_are_left_alone() -> None:
    arguments = ["-c", '{"Args":["a=b"]}', "--peerAddresses=a:1", "a=b"]
    assert normalise(arguments) == arguments


def test_nothing_after_a_double_dash_is_touched() -> None:
    assert normalise(["--tls=true", "--", "--tls=true"]) == ["--tls", "--", "--tls=true"]


words = st.text(min_size=1).filter(lambda word: "=" not in word)


@given(st.lists(words))
def test_words_without_an_equals_sign_never_change(arguments: list[str]) -> None:
    assert normalise(arguments) == arguments


@given(st.sampled_from(sorted(SWITCHES)), st.sampled_from(["true", "T", "1", "false", "F", "0"]))
def test_every_switch_accepts_gos_booleans(name: str, value: str) -> None:
    assert normalise([f"{name}={value}"]) == ([name] if value in {"true", "T", "1"} else [])
