"""Whom Secrets belong to, and who wants them kept."""

from __future__ import annotations

import pytest
from harness.operating.stored import peer
from treadle_operator.errors import Blocked
from treadle_operator.model import Manifest, Peer
from treadle_operator.resources import msp_files, organization_metadata, secret_metadata

KEEP, GO = {"deletionPolicy": "Retain"}, {"deletionPolicy": "Delete"}


def shared(*members: Peer, kept_before: str = "") -> tuple[set[str], str]:
    """Owners and ``retained-for`` of the organisation's Secret."""
    live: Manifest = {"metadata": {"annotations": {"treadle.dev/retained-for": kept_before}}}
    found = organization_metadata(members[0], "s", members=members, live=live)
    owners, annotations = found["ownerReferences"], found["annotations"]
    assert isinstance(owners, list)
    assert isinstance(annotations, dict)
    return {owner["name"] for owner in owners}, annotations["treadle.dev/retained-for"]


def test_a_retained_secret_has_no_owner_and_one_to_delete_has_its_peer() -> None:
    assert secret_metadata(peer(**KEEP), "s", {})["ownerReferences"] == []
    (owner,) = secret_metadata(peer(**GO), "s", {})["ownerReferences"]  # type: ignore[misc]
    assert owner["name"] == "peer0"


def test_an_organisation_goes_with_the_last_of_those_that_let_it_go() -> None:
    assert shared(peer("a", **GO), peer("b", **GO)) == ({"a", "b"}, "")


def test_one_who_wants_it_kept_keeps_it_for_all() -> None:
    assert shared(peer("a", **GO), peer("b", **KEEP)) == (set(), "b")


def test_it_stays_for_a_peer_that_is_gone_until_one_of_its_name_lets_it_go() -> None:
    assert shared(peer("a", **GO), kept_before="b") == (set(), "b")
    assert shared(peer("a", **GO), peer("b", **GO), kept_before="b") == ({"a", "b"}, "")


def test_an_msp_secret_says_what_it_lacks() -> None:
    with pytest.raises(Blocked, match=r"our-msp has no cacert\.pem and no key\.pem") as caught:
        msp_files("our-msp", {"signcert.pem": b"x", "key.pem": b""})
    assert caught.value.reason == "SecretInvalid"


def test_only_known_files_are_put_into_the_folder() -> None:
    data = dict.fromkeys(("cacert.pem", "signcert.pem", "key.pem", "../evil", "notes"), b"x")
    places = dict(msp_files("s", data).places)
    assert places == {
        "cacert.pem": "cacerts/cacert.pem",
        "key.pem": "keystore/priv_sk",
        "signcert.pem": "signcerts/cert.pem",
    }
