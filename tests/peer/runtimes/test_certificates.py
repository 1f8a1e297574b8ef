"""What the chaincode authority remembers of certificates that outlast a run of the peer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from treadle_peer.chaincode.authority import (
    LONGEST_LIFETIMES,
    MOST_CERTIFICATES,
    ChaincodeAuthority,
    Standing,
    TooManyCertificates,
)
from treadle_peer.chaincode.certificates import LastingCertificate, LastingCertificates, Purpose
from treadle_peer.storage import StorageError

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_holders_and_retired_ones_are_known_after_a_restart(tmp_path: Path) -> None:
    authority = ChaincodeAuthority.open(tmp_path)
    runtime, _ = authority.issue_lasting("asset:1", Purpose.RUNTIME)
    builder, _ = authority.issue_lasting("asset:1", Purpose.BUILDER)
    retired, _ = authority.issue_lasting("asset:1", Purpose.RUNTIME)
    authority.retire(retired.fingerprint)
    authority.retire(retired.fingerprint)
    for known in (authority, ChaincodeAuthority.open(tmp_path)):
        assert known.standing(runtime.fingerprint) is Standing.ACTIVE
        assert known.owner(runtime.fingerprint) == "asset:1"
        assert known.standing(builder.fingerprint) is Standing.BUILDER
        assert known.owner(builder.fingerprint) is None
        assert known.standing(retired.fingerprint) is Standing.RETIRED
        assert known.owner(retired.fingerprint) is None
    assert (tmp_path / "issued.json").stat().st_mode & 0o077 == 0


def test_all_of_one_purpose_can_be_retired_together(tmp_path: Path) -> None:
    authority = ChaincodeAuthority.open(tmp_path)
    builders = [authority.issue_lasting("asset:1", Purpose.BUILDER)[0] for _ in range(2)]
    runtime, _ = authority.issue_lasting("asset:1", Purpose.RUNTIME)
    other, _ = authority.issue_lasting("other:1", Purpose.BUILDER)
    authority.retire_all("asset:1", Purpose.BUILDER)
    assert {authority.standing(one.fingerprint) for one in builders} == {Standing.RETIRED}
    assert authority.standing(runtime.fingerprint) is Standing.ACTIVE
    assert authority.standing(other.fingerprint) is Standing.BUILDER


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("asked", [None, timedelta(days=4000), timedelta(minutes=5)])
def test_a_certificate_ends_in_time(
    tmp_path: Path, purpose: Purpose, asked: timedelta | None
) -> None:
    issued, end = ChaincodeAuthority.open(tmp_path).issue_lasting("asset:1", purpose, asked)
    expected = min(asked or LONGEST_LIFETIMES[purpose], LONGEST_LIFETIMES[purpose])
    assert abs(end - datetime.now(UTC) - expected) < timedelta(seconds=60)
    certificate = x509.load_pem_x509_certificate(issued.certificate_pem)
    assert certificate.not_valid_after_utc == end


def test_no_more_count_than_pods_could_hold(tmp_path: Path) -> None:
    authority = ChaincodeAuthority.open(tmp_path)
    issued = [
        authority.issue_lasting("asset:1", Purpose.RUNTIME)[0] for _ in range(MOST_CERTIFICATES)
    ]
    with pytest.raises(TooManyCertificates, match="64 runtime certificates of asset:1 count"):
        authority.issue_lasting("asset:1", Purpose.RUNTIME)
    authority.issue_lasting("other:1", Purpose.RUNTIME)
    authority.retire(issued[0].fingerprint)
    authority.issue_lasting("asset:1", Purpose.RUNTIME)


def test_certificates_whose_time_is_over_are_forgotten(tmp_path: Path) -> None:
    now = START
    known = LastingCertificates(tmp_path / "issued.json", now=lambda: now)
    for name, days in (("short", 1), ("long", 3)):
        known.add(
            LastingCertificate(
                fingerprint=name,
                ccid="asset:1",
                purpose=Purpose.RUNTIME,
                not_after=START + timedelta(days=days),
            )
        )
    now = START + timedelta(days=2)
    assert known.get("short") is None
    assert [one.fingerprint for one in known.counting("asset:1", Purpose.RUNTIME)] == ["long"]
    known.retire(["long"])
    assert "short" not in (tmp_path / "issued.json").read_text()
    assert "long" in (tmp_path / "issued.json").read_text()


@pytest.mark.parametrize("content", ["", "{}]", '[{"fingerprint": "a"}]', "[3]", "null"])
def test_a_damaged_file_ends_the_start_in_a_sentence(tmp_path: Path, content: str) -> None:
    ChaincodeAuthority.open(tmp_path).issue_lasting("asset:1", Purpose.RUNTIME)
    (tmp_path / "issued.json").write_text(content)
    with pytest.raises(StorageError, match=r"issued\.json is damaged: restore it from a backup"):
        ChaincodeAuthority.open(tmp_path)
