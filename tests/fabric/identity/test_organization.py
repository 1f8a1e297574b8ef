"""Generated organisations: identities by role, folders, persistence."""

from __future__ import annotations

from pathlib import Path

import pytest
from treadle_fabric.identity import ROLES, CertificateError, GeneratedOrganization, verify_signature
from treadle_fabric.identity.certificates import organizational_units

ORGANIZATION = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")


@pytest.mark.parametrize("role", ROLES)
def test_the_role_is_the_organizational_unit(role: str) -> None:
    identity = ORGANIZATION.issue_identity(role, "somebody")  # type: ignore[arg-type]
    assert organizational_units(identity.certificate) == (role,)
    assert identity.msp_id == "Org1MSP"
    verify_signature(identity.certificate.public_key(), b"message", identity.sign(b"message"))


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown role 'king'"):
        ORGANIZATION.issue_identity("king", "somebody")  # type: ignore[arg-type]


def test_a_saved_organisation_is_the_same_after_loading(tmp_path: Path) -> None:
    ORGANIZATION.save(tmp_path / "org")
    loaded = GeneratedOrganization.load(tmp_path / "org")
    assert loaded.msp_config() == ORGANIZATION.msp_config()
    assert (loaded.ca.key_pem, loaded.tls_ca.key_pem) == (
        ORGANIZATION.ca.key_pem,
        ORGANIZATION.tls_ca.key_pem,
    )
    assert loaded.domain == "org1.example.com"


def test_private_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    ORGANIZATION.save(tmp_path / "org")
    ORGANIZATION.write_msp(tmp_path / "msp", ORGANIZATION.issue_identity("peer", "peer0"))
    keys = [
        path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()
    ]
    assert len(keys) == 3
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


def test_loading_from_an_empty_folder_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=f"no generated organisation in {tmp_path}"):
        GeneratedOrganization.load(tmp_path)


def test_loading_a_damaged_organisation_says_what_is_wrong(tmp_path: Path) -> None:
    ORGANIZATION.save(tmp_path)
    (tmp_path / "ca" / "key.pem").write_bytes(ORGANIZATION.tls_ca.key_pem)
    with pytest.raises(CertificateError, match="does not belong to the CA certificate"):
        GeneratedOrganization.load(tmp_path)


def test_the_msp_folder_has_cryptogens_layout(tmp_path: Path) -> None:
    ORGANIZATION.write_msp(tmp_path, ORGANIZATION.issue_identity("admin", "Admin"))
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "cacerts/ca.org1.example.com-cert.pem",
        "tlscacerts/tlsca.org1.example.com-cert.pem",
        "signcerts/cert.pem",
        "keystore/priv_sk",
        "config.yaml",
    }
