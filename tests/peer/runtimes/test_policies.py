"""The set of what is open for development: what is one, and what a crash may leave of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.supported import SupportedPeer
from treadle_peer.chaincode import Mode, StreamPeer
from treadle_peer.chaincode.authority import ChaincodeAuthority, Standing
from treadle_peer.chaincode.certificates import Purpose
from treadle_peer.chaincode.runtimes import (
    Developments,
    NotAllowed,
    NotOpen,
    Policies,
    Policy,
)
from treadle_peer.services.developing import issued_for_developers, policies_of
from treadle_peer.services.refusals import CallRefused, Refusal
from treadle_peer.storage import StorageError
from treadle_runtime.v1 import runtime_pb2 as pb


class Opened:
    """Developments of a peer whose modes the test looks at."""

    def __init__(self, folder: Path, *, allowed: bool = True) -> None:
        self.modes: dict[str, Mode | None] = {}
        self.authority = ChaincodeAuthority.open(folder / "authority")
        self.developments = Developments(
            policies=Policies(folder / "policies.json"),
            authority=self.authority,
            allowed=allowed,
            set_mode=self.modes.__setitem__,
            evict_retired=lambda: None,
            changed=lambda ccid: None,
        )
        self.developments.take_up()


def policies(*ccids: str) -> dict[str, Policy]:
    return {
        ccid: Policy(ccid=ccid, execute_timeout=2.5, start_line="go", holders=("anne",))
        for ccid in ccids
    }


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ([pb.DevelopmentPolicy()], "a ccid is name:version of a chaincode"),
        ([pb.DevelopmentPolicy(ccid="a:1")] * 2, "a set of policies names each ccid once"),
        ([pb.DevelopmentPolicy(ccid="a:1", start_line="x\ny")], "start_line is one line"),
        ([pb.DevelopmentPolicy(ccid="a:1", holders=["x\ny"])], "at most 1000 holders"),
        ([pb.DevelopmentPolicy(ccid=f"a:{n}") for n in range(1001)], "at most 1000"),
    ],
)
def test_a_set_that_says_nothing_usable_is_refused(
    asked: list[pb.DevelopmentPolicy], sentence: str
) -> None:
    with pytest.raises(CallRefused, match=sentence) as refused:
        policies_of(pb.ApplyPoliciesRequest(development=asked))
    assert refused.value.code is Refusal.INVALID_ARGUMENT


def test_a_policy_outlives_a_restart(tmp_path: Path) -> None:
    Opened(tmp_path).developments.apply(policies("a:1"))
    again = Opened(tmp_path)
    assert again.modes == {"a:1": Mode.DEVELOPMENT}
    assert again.developments.policy("a:1") == policies("a:1")["a:1"]


def test_what_a_crash_left_of_closing_is_done_at_the_next_start(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(policies("a:1", "b:1"))
    closing, _ = opened.developments.issue("a:1", None, holder="anne")
    staying, _ = opened.developments.issue("b:1", None, holder="anne")
    # The set is on disk, and the peer is killed before anything follows from it.
    Policies(tmp_path / "policies.json").replace(policies("b:1"))
    after = Opened(tmp_path)
    assert after.modes == {"b:1": Mode.DEVELOPMENT}
    assert after.authority.standing(closing.fingerprint) is Standing.RETIRED
    assert after.authority.standing(staying.fingerprint) is Standing.DEVELOPMENT


def test_a_peer_that_allows_none_closes_what_was_open(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(policies("a:1"))
    issued, _ = opened.developments.issue("a:1", None, holder="anne")
    after = Opened(tmp_path, allowed=False)
    assert after.modes == {}
    assert after.authority.standing(issued.fingerprint) is Standing.RETIRED
    after.developments.apply({})
    with pytest.raises(NotAllowed, match="allowDevelopment is false"):
        after.developments.apply(policies("a:1"))
    assert Opened(tmp_path).modes == {}, "it stays closed"


@pytest.mark.parametrize("content", ["", "[]", '{"development": [{}]}', '{"development": null}'])
def test_a_damaged_file_ends_the_start_in_a_sentence(tmp_path: Path, content: str) -> None:
    Policies(tmp_path / "policies.json").replace(policies("a:1"))
    (tmp_path / "policies.json").write_text(content)
    with pytest.raises(StorageError, match=r"policies\.json is damaged: restore it"):
        Policies(tmp_path / "policies.json")


def test_an_opening_is_the_same_until_it_is_closed_or_has_another_authority(
    tmp_path: Path,
) -> None:
    def opening(of: Opened) -> str:
        return of.developments.get("a:1").opening

    opened = Opened(tmp_path)
    opened.developments.apply(policies("a:1"))
    first = opening(opened)
    opened.developments.apply(policies("a:1", "b:1"))
    opened.developments.connected("a:1", None)
    assert first
    assert opening(opened) == opening(Opened(tmp_path)) == first
    opened.developments.apply(policies("b:1"))
    assert opening(opened) == ""
    opened.developments.apply(policies("a:1"))
    second = opening(opened)
    assert second != first
    shutil.rmtree(tmp_path / "authority")
    assert opening(Opened(tmp_path)) not in (first, second)


def held_by(*holders: str) -> dict[str, Policy]:
    return {"a:1": Policy(ccid="a:1", holders=holders)}


def test_the_certificates_of_a_holder_end_with_it_and_not_those_of_another(
    tmp_path: Path,
) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(held_by("one", "two"))
    going, _ = opened.developments.issue("a:1", None, holder="one")
    staying, _ = opened.developments.issue("a:1", None, holder="two")
    opened.developments.apply(held_by("two"))
    assert opened.developments.get("a:1").holders == ("two",)
    with pytest.raises(NotOpen, match="is open for development, but not for one"):
        opened.developments.issue("a:1", None, holder="one")
    for authority in (opened.authority, Opened(tmp_path).authority):
        assert authority.standing(going.fingerprint) is Standing.RETIRED
        assert authority.standing(staying.fingerprint) is Standing.DEVELOPMENT


def test_a_holder_always_gets_a_certificate_and_its_oldest_ones_end(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(held_by("one", "two"))
    other, _ = opened.developments.issue("a:1", None, holder="two")
    made = [opened.developments.issue("a:1", None, holder="one")[0] for _ in range(70)]
    counting = [opened.authority.standing(each.fingerprint) for each in made]
    assert counting == [Standing.RETIRED] * 66 + [Standing.DEVELOPMENT] * 4
    assert opened.authority.standing(other.fingerprint) is Standing.DEVELOPMENT


@contextlib.contextmanager
def unwritable(kept: Path) -> Iterator[None]:
    """Nothing can take the place of what is there."""
    kept.unlink()
    kept.mkdir()
    yield
    kept.rmdir()


def test_who_is_no_holder_has_no_certificate_that_counts(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(policies("a:1"))
    with pytest.raises(NotOpen, match="but not for"):
        opened.developments.issue("a:1", None, holder="")
    nobody = pb.IssueCertificateRequest(ccid="a:1", purpose=pb.PURPOSE_DEVELOPMENT)
    with pytest.raises(CallRefused, match="names one of the policy's holders") as refused:
        issued_for_developers(opened.developments, nobody, None)
    assert refused.value.code is Refusal.INVALID_ARGUMENT
    nobodys, _ = opened.authority.issue_lasting("a:1", Purpose.DEVELOPMENT)
    assert Opened(tmp_path).authority.standing(nobodys.fingerprint) is Standing.RETIRED


def test_what_failed_half_way_is_done_by_the_next_try(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(policies("a:1"))
    issued, _ = opened.developments.issue("a:1", None, holder="anne")
    with (
        unwritable(tmp_path / "authority" / "issued.json"),
        pytest.raises(OSError, match=r"issued\.json"),
    ):
        opened.developments.apply(policies("b:1"))
    opened.developments.apply(policies("b:1"))
    assert opened.modes == {"a:1": None, "b:1": Mode.DEVELOPMENT}
    assert [row.ccid for row in opened.developments.rows()] == ["b:1"]
    assert opened.authority.standing(issued.fingerprint) is Standing.RETIRED


async def test_a_developer_leaves_what_a_try_has_closed_half_way(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    opened.developments.apply(policies("probe:1"))
    opened.developments.issue("probe:1", None, holder="anne")
    peer = SupportedPeer(
        mode=Mode.DEVELOPMENT,
        caller=lambda remote, fingerprint: StreamPeer(
            remote=remote, fingerprint=fingerprint, loopback=True
        ),
        rules={"developed": opened.developments.connected},
    )
    stream, serving = await peer.chaincode()
    assert opened.developments.get("probe:1").connected
    with (
        unwritable(tmp_path / "authority" / "issued.json"),
        pytest.raises(OSError, match=r"issued\.json"),
    ):
        opened.developments.apply({})
    stream.hang_up()
    await serving
    row = opened.developments.get("probe:1")
    assert (row.open, row.connected, row.remote) == (True, False, "")
    opened.developments.apply({})
    assert opened.developments.rows() == []
