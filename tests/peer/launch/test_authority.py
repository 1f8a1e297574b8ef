"""The authority of the chaincode port: kept, exact about who may come, quick to forget."""

from __future__ import annotations

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from treadle_peer.chaincode import authority as module
from treadle_peer.chaincode.authority import ChaincodeAuthority, Standing


def test_same_authority_after_a_restart(tmp_path: Path) -> None:
    first = ChaincodeAuthority.open(tmp_path)
    second = ChaincodeAuthority.open(tmp_path)
    assert first.certificate_pem == second.certificate_pem
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_crash_between_the_two_files_makes_a_new_authority(tmp_path: Path) -> None:
    ChaincodeAuthority.open(tmp_path)
    (tmp_path / "ca.pem").unlink()
    again = ChaincodeAuthority.open(tmp_path)
    assert ChaincodeAuthority.open(tmp_path).certificate_pem == again.certificate_pem


def test_server_certificate_names_all_hosts(tmp_path: Path) -> None:
    issued = ChaincodeAuthority.open(tmp_path).server_certificate(["peer0.org1", "127.0.0.1"])
    certificate = x509.load_pem_x509_certificate(issued.certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.org1"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_launch_certificate_counts_until_it_is_retired(tmp_path: Path) -> None:
    authority = ChaincodeAuthority.open(tmp_path)
    issued = authority.issue("asset:" + "v" * 100)
    assert authority.standing(issued.fingerprint) is Standing.ACTIVE
    assert authority.owner(issued.fingerprint) == "asset:" + "v" * 100
    authority.retire(issued.fingerprint)
    authority.retire(issued.fingerprint)
    assert authority.standing(issued.fingerprint) is Standing.RETIRED
    assert authority.owner(issued.fingerprint) is None
    assert authority.standing("00" * 32) is Standing.UNKNOWN


def test_launch_certificates_do_not_outlive_the_run_of_the_peer(tmp_path: Path) -> None:
    issued = ChaincodeAuthority.open(tmp_path).issue("asset:1")
    later = ChaincodeAuthority.open(tmp_path)
    assert later.standing(issued.fingerprint) is Standing.UNKNOWN


def test_files_are_what_each_shim_reads(tmp_path: Path) -> None:
    authority = ChaincodeAuthority.open(tmp_path / "ca")
    issued = authority.issue("asset:1")
    files = authority.write_files(tmp_path / "launch", issued)
    assert files.key_pem.read_bytes() == issued.key_pem
    assert base64.b64decode(files.key_base64.read_bytes(), validate=True) == issued.key_pem
    assert base64.b64decode(files.certificate_base64.read_bytes()) == issued.certificate_pem
    assert files.root.read_bytes() == authority.certificate_pem
    for path in (files.key_pem, files.key_base64):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_development_certificate_is_kept(tmp_path: Path) -> None:
    first = ChaincodeAuthority.open(tmp_path).development_certificate()
    later = ChaincodeAuthority.open(tmp_path)
    assert later.standing(first.fingerprint) is Standing.DEVELOPMENT
    assert later.development_certificate().fingerprint == first.fingerprint


def test_development_certificate_is_renewed_after_half_of_its_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = ChaincodeAuthority.open(tmp_path)
    first = authority.development_certificate()

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return datetime.now(UTC) + timedelta(days=16)

    monkeypatch.setattr(module, "datetime", Later)
    second = authority.development_certificate()
    assert second.fingerprint != first.fingerprint
    assert authority.standing(first.fingerprint) is Standing.UNKNOWN
    assert authority.standing(second.fingerprint) is Standing.DEVELOPMENT
