"""Passwords in addresses are never shown, also those that no address should hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from treadle_fabric.redaction import without_credentials

HIDDEN = {
    "no https://me:pw@host/x": "no https://***@host/x",
    "no https://token@host/x": "no https://***@host/x",
    "no https://me:p@ss@host/x": "no https://***@host/x",
    "no https://me:pa/ss@host/x": "no https://***@host/x",
    "no https://me:p/@ss@host/x": "no https://***@host/x",
    "no https://me:p://w@host/x": "no https://***@host/x",
    "https://me:p@s/s@host/x": "https://***@host/x",
    "GOPROXY=https://me:pw@host": "GOPROXY=https://***@host",
    "p@s/s@host/x is away": "***@host/x is away",
    "a https://me:1@h b https://me:2@h": "a https://***@h b https://***@h",
}
KEPT = (
    "cannot reach https://host:8443/x",
    'Get "https://modules.example.net/example.com/x/@v/list": no such host',
    "https://packages.example.net:443/@types/node is away",
    "image ghcr.io/acme/x@sha256:00 of me@example.com",
    "",
)


@pytest.mark.parametrize("text", HIDDEN)
def test_a_user_and_the_whole_password_of_an_address_are_hidden(text: str) -> None:
    assert without_credentials(text) == HIDDEN[text]


@pytest.mark.parametrize("text", KEPT)
def test_what_names_a_package_or_a_host_is_kept(text: str) -> None:
    assert without_credentials(text) == text


@settings(deadline=None)
@given(st.text(alphabet="ab:/@. \n"), st.text(alphabet="a:/@", min_size=1))
def test_nothing_before_the_last_at_of_an_address_with_a_password_gets_through(
    before: str, password: str
) -> None:
    shown = without_credentials(f"{before} ftp://me:SECRET{password}SECRET@host")
    assert "SECRET" not in shown
    assert without_credentials(shown) == shown


def test_a_long_word_takes_no_longer_than_its_length() -> None:
    word = "://" * 200_000
    assert without_credentials(word) == word
