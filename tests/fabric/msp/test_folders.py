"""MSP folders: ours, cryptogen's and Fabric's sample (fabric-wire.md 6.3)."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.identity.certificates import subject_key_id
from treadle_fabric.msp import MSPError, load_local_msp, load_msp_config

ORGANIZATION = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
ADMIN = ORGANIZATION.issue_identity("admin", "Admin@org1.example.com")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ORGANIZATION.write_msp(tmp_path / "msp", ADMIN)
    return tmp_path / "msp"


def test_a_written_folder_loads_and_its_signer_signs_as_an_admin(forge, folder: Path) -> None:
    local = load_local_msp(folder, msp_id="Org1MSP")
    identity = local.msp.deserialize(local.signer.serialize())
    identity.verify(b"message", local.signer.sign(b"message"))
    local.msp.satisfies(identity, forge.role("ADMIN"))
    assert local.signer.serialize() == ADMIN.serialize()


def test_the_folder_and_the_organisation_give_the_same_configuration(folder: Path) -> None:
    assert load_msp_config(folder, msp_id="Org1MSP") == ORGANIZATION.msp_config()
    assert load_local_msp(folder, msp_id="Org1MSP").config == ORGANIZATION.msp_config()


def test_the_verifying_configuration_needs_no_signer(folder: Path) -> None:
    (folder / "keystore" / "priv_sk").unlink()
    (folder / "signcerts" / "cert.pem").unlink()
    assert load_msp_config(folder, msp_id="Org1MSP") == ORGANIZATION.msp_config()


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("cacerts/ca.org1.example.com-cert.pem", "valid ca certificate from directory {}/cacerts"),
        ("signcerts/cert.pem", "valid signer certificate from directory {}/signcerts"),
        ("keystore/priv_sk", "no private key in directory {}/keystore belongs to the signer"),
        ("config.yaml", "administrators must be declared when no admin ou classification is set"),
    ],
)
def test_what_is_missing_is_named(folder: Path, missing: str, text: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(MSPError) as caught:
        load_local_msp(folder, msp_id="Org1MSP")
    assert text.format(folder) in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(MSPError, match=f'cannot init crypto, folder "{tmp_path}/x" does not exist'):
        load_local_msp(tmp_path / "x", msp_id="Org1MSP")


def test_the_key_is_found_by_its_identifier_or_among_others(folder: Path) -> None:
    keystore = folder / "keystore"
    (keystore / "priv_sk").rename(keystore / "zzz.pem")
    (keystore / "aaa.pem").write_bytes(ORGANIZATION.issue_identity("peer", "x").private_key_pem)
    (keystore / "bbb").write_bytes(b"no key")
    (keystore / "ccc").write_bytes(ADMIN.private_key_pem + b" " * 70_000)
    (keystore / "folder").mkdir()
    assert load_local_msp(folder, msp_id="Org1MSP").signer.sign(b"")
    identifier = subject_key_id(ADMIN.certificate.public_key())  # type: ignore[arg-type]
    (keystore / "zzz.pem").rename(keystore / f"{identifier.hex()}_sk")
    assert load_local_msp(folder, msp_id="Org1MSP").signer.sign(b"")


def test_keys_in_sec1_form_are_read(folder: Path) -> None:
    key = load_pem_private_key(ADMIN.private_key_pem, None)
    sec1 = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert b"EC PRIVATE KEY" in sec1
    for text in (sec1, ADMIN.private_key_pem.replace(b" PRIVATE", b" EC PRIVATE")):
        (folder / "keystore" / "priv_sk").write_bytes(text)
        assert load_local_msp(folder, msp_id="Org1MSP").signer.sign(b"")


def test_a_key_of_someone_else_is_not_taken(folder: Path) -> None:
    other = ORGANIZATION.issue_identity("admin", "other")
    (folder / "keystore" / "priv_sk").write_bytes(other.private_key_pem)
    with pytest.raises(MSPError, match="belongs to the signer certificate"):
        load_local_msp(folder, msp_id="Org1MSP")


def test_an_expired_signer_is_refused(folder: Path) -> None:
    old = ORGANIZATION.issue_identity("admin", "old", lifetime=timedelta(minutes=-1))
    ORGANIZATION.write_msp(folder, old)
    with pytest.raises(MSPError, match=r"^signing identity expired 1m[\d.]+s ago$"):
        load_local_msp(folder, msp_id="Org1MSP")


def test_a_signer_of_another_authority_is_refused(folder: Path) -> None:
    other = GeneratedOrganization.generate(msp_id="Org1MSP", domain="other")
    stranger = other.issue_identity("admin", "stranger")
    (folder / "signcerts" / "cert.pem").write_bytes(stranger.certificate_pem)
    (folder / "keystore" / "priv_sk").write_bytes(stranger.private_key_pem)
    with pytest.raises(MSPError, match=f"unusable signer certificate {folder}/signcerts/cert.pem"):
        load_local_msp(folder, msp_id="Org1MSP")


def test_files_that_are_no_pem_are_skipped_with_a_warning(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "cacerts" / "README").write_text("not a certificate")
    load_local_msp(folder, msp_id="Org1MSP")
    assert f"Failed reading file {folder}/cacerts/README" in caplog.text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("NodeOUs: [", "failed unmarshalling configuration file"),
        ("- a", "expected a mapping"),
        ("NodeOUs: 3", "NodeOUs in .*: expected a mapping"),
        ("OrganizationalUnitIdentifiers: 3", "are not a list"),
        (
            "OrganizationalUnitIdentifiers: [{Certificate: cacerts/x.pem}]",
            "failed loading OrganizationalUnit certificate at",
        ),
    ],
)
def test_a_bad_config_file_is_refused(folder: Path, text: str, complaint: str) -> None:
    (folder / "config.yaml").write_text(text)
    with pytest.raises(MSPError, match=complaint):
        load_msp_config(folder, msp_id="Org1MSP")


def test_disabled_or_partial_node_units(folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_text(
        "NodeOUs: {Enable: false, AdminOUIdentifier: {OrganizationalUnitIdentifier: a}}"
    )
    loaded = FabricMSPConfig.FromString(load_msp_config(folder, msp_id="Org1MSP").config)
    assert not loaded.HasField("fabric_node_ous")
    path.write_text(
        "NodeOUs: {Enable: true, AdminOUIdentifier: "
        "{OrganizationalUnitIdentifier: a, Certificate: nowhere.pem}}"
    )
    loaded = FabricMSPConfig.FromString(load_msp_config(folder, msp_id="Org1MSP").config)
    assert loaded.fabric_node_ous.admin_ou_identifier.organizational_unit_identifier == "a"
    assert not loaded.fabric_node_ous.HasField("client_ou_identifier")


def test_all_parts_of_a_folder_are_read(forge, tmp_path: Path) -> None:
    root = forge.authority()
    middle = forge.authority("middle", issuer=root)
    admin = forge.certificate("admin", issuer=middle)
    tls_root = forge.authority("tls")
    parts = {
        "cacerts": root.pem,
        "intermediatecerts": middle.pem,
        "admincerts": admin.pem,
        "crls": forge.revocations(root),
        "tlscacerts": tls_root.pem,
        "tlsintermediatecerts": forge.authority("tls middle", issuer=tls_root).pem,
    }
    for name, content in parts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.pem").write_bytes(content)
    loaded = FabricMSPConfig.FromString(load_msp_config(tmp_path, msp_id="Org1MSP").config)
    assert [
        *loaded.root_certs,
        *loaded.intermediate_certs,
        *loaded.admins,
        *loaded.revocation_list,
        *loaded.tls_root_certs,
        *loaded.tls_intermediate_certs,
    ] == list(parts.values())


@pytest.mark.real_fabric
def test_the_sample_msp_of_fabric_loads(forge, fabric_sampleconfig: Path) -> None:
    local = load_local_msp(fabric_sampleconfig / "msp", msp_id="SampleOrg")
    identity = local.msp.deserialize(local.signer.serialize())
    local.msp.validate(identity)
    local.msp.satisfies(identity, forge.role("ADMIN", "SampleOrg"))
    identity.verify(b"message", local.signer.sign(b"message"))


CRYPTO_CONFIG = """
PeerOrgs:
  - Name: Org1
    Domain: org1.example.com
    EnableNodeOUs: true
    Template: {Count: 1}
    Users: {Count: 1}
  - {Name: Org2, Domain: org2.example.com, Users: {Count: 1}}
"""


@pytest.mark.real_fabric
def test_what_cryptogen_makes_loads(forge, fabric_bin: Path, tmp_path: Path) -> None:
    (tmp_path / "crypto.yaml").write_text(CRYPTO_CONFIG)
    subprocess.run(
        [fabric_bin / "cryptogen", "generate", "--config", "crypto.yaml", "--output", "out"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    organizations = tmp_path / "out" / "peerOrganizations"
    for path, msp_id, role in (
        ("org1.example.com/users/Admin@org1.example.com", "Org1MSP", "ADMIN"),
        ("org1.example.com/users/User1@org1.example.com", "Org1MSP", "CLIENT"),
        ("org1.example.com/peers/peer0.org1.example.com", "Org1MSP", "PEER"),
        ("org2.example.com/users/Admin@org2.example.com", "Org2MSP", "ADMIN"),
    ):
        local = load_local_msp(organizations / path / "msp", msp_id=msp_id)
        identity = local.msp.deserialize(local.signer.serialize())
        local.msp.satisfies(identity, forge.role(role, msp_id))
    assert load_msp_config(organizations / "org1.example.com" / "msp", msp_id="Org1MSP")


@pytest.mark.real_fabric
def test_the_real_command_line_accepts_our_folder(
    fabric_bin: Path, fabric_sampleconfig: Path, folder: Path
) -> None:
    # Nobody listens there: what counts is that the MSP is no longer the complaint.
    done = subprocess.run(
        [fabric_bin / "peer", "channel", "list"],
        env={
            "FABRIC_CFG_PATH": str(fabric_sampleconfig),
            "CORE_PEER_LOCALMSPID": "Org1MSP",
            "CORE_PEER_MSPCONFIGPATH": str(folder),
            "CORE_PEER_ADDRESS": "127.0.0.1:1",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    assert "endorser client failed to connect to 127.0.0.1:1" in done.stderr
