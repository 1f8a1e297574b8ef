"""Which certificates become identities, and which of those are valid (fabric-wire.md 6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from fabric_protos.msp.msp_config_pb2 import MSPConfig
from treadle_fabric.identity import (
    GeneratedOrganization,
    certificates,
    serialize_identity,
    signatures,
)
from treadle_fabric.msp import MSP, MSPError, MSPManager, MSPVersion

ORGANIZATION = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
NEWEST = MSPVersion.V1_4_3


@pytest.fixture
def msp() -> MSP:
    return MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)


def plain_msp(forge, *roots, **values) -> MSP:
    """An MSP without NodeOUs whose admin is an extra identity."""
    admin = forge.certificate("admin", issuer=roots[0])
    if values.get("intermediate_certs"):
        admin = values.pop("admin")
    values["admins"] = [admin.pem]
    return MSP.from_config(forge.config(*roots, **values), version=NEWEST)


def refusal(msp: MSP, serialized: bytes) -> str:
    with pytest.raises(MSPError) as caught:
        msp.validate(msp.deserialize(serialized))
    return str(caught.value)


def test_an_issued_identity_is_valid_and_verifies_its_signatures(msp: MSP) -> None:
    signer = ORGANIZATION.issue_identity("peer", "peer0")
    identity = msp.deserialize(signer.serialize())
    msp.validate(identity)
    identity.verify(b"message", signer.sign(b"message"))
    assert (identity.msp_id, identity.serialized) == ("Org1MSP", signer.serialize())
    with pytest.raises(MSPError, match=r"^The signature is invalid$"):
        identity.verify(b"other", signer.sign(b"message"))


def test_the_unique_id_is_msp_id_and_hash_of_the_certificate(msp: MSP) -> None:
    signer = ORGANIZATION.issue_identity("peer", "peer0")
    digest = certificates.fingerprint(signer.certificate)
    assert msp.deserialize(signer.serialize()).unique_id == "Org1MSP" + digest


def test_the_high_s_twin_of_a_certificate_is_the_same_identity(msp: MSP) -> None:
    signer = ORGANIZATION.issue_identity("client", "user")
    r, s = signatures.decode_signature(signer.certificate.signature)
    order = signatures.guess_order(signer.certificate.signature)
    twin = certificates._replace_signature(
        signer.certificate.public_bytes(Encoding.DER), signatures.encode_signature(r, order - s)
    )
    pem = certificates.certificate_pem(certificates.parse_certificate(twin))
    assert pem != signer.certificate_pem
    identity = msp.deserialize_certificate(pem)
    assert identity == msp.deserialize(signer.serialize())
    assert identity.serialized == signer.serialize()


def test_an_expired_identity_is_still_valid_for_the_msp(msp: MSP) -> None:
    signer = ORGANIZATION.issue_identity("peer", "old", lifetime=timedelta(minutes=-1))
    identity = msp.deserialize(signer.serialize())
    msp.validate(identity)
    assert identity.expires_at() < datetime.now(UTC)


def test_an_identity_of_another_authority_is_refused(msp: MSP) -> None:
    other = GeneratedOrganization.generate(msp_id="Org1MSP", domain="other.example.com")
    assert refusal(msp, other.issue_identity("admin", "Admin").serialize()) == (
        "the supplied identity is not valid: x509: certificate signed by unknown authority"
    )


def test_an_authority_that_only_bears_the_right_name_is_refused(msp: MSP) -> None:
    other = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
    assert refusal(msp, other.issue_identity("admin", "Admin").serialize()) == (
        "the supplied identity is not valid: x509: certificate signed by unknown authority "
        '(possibly because of "x509: ECDSA verification failure" while trying to verify '
        'candidate authority certificate "ca.org1.example.com")'
    )


def test_the_wrong_msp_id_is_named(msp: MSP) -> None:
    signer = GeneratedOrganization.generate(msp_id="Org2MSP", domain="x").issue_identity(
        "peer", "p"
    )
    assert refusal(msp, signer.serialize()) == "expected MSP ID Org1MSP, received Org2MSP"


@pytest.mark.parametrize(
    ("serialized", "text"),
    [
        (b"\xff", "could not deserialize a SerializedIdentity"),
        (b"\x0a\x07Org1MSP", "could not decode the PEM structure"),
        (
            serialize_identity(
                msp_id="Org1MSP", certificate=b"-----BEGIN X-----\nAAAA\n-----END X-----\n"
            ),
            "parseCertificate failed",
        ),
    ],
)
def test_bytes_that_are_no_identity_are_refused(msp: MSP, serialized: bytes, text: str) -> None:
    assert text in refusal(msp, serialized)


def test_an_authority_is_no_identity(forge) -> None:
    root = forge.authority()
    assert refusal(plain_msp(forge, root), root.serialized()) == (
        "could not obtain certification chain: An X509 certificate with Basic Constraint: "
        "Certificate Authority equals true cannot be used as an identity"
    )


def test_only_leaves_of_the_authority_tree_issue_identities(forge) -> None:
    root = forge.authority()
    middle = forge.authority("middle", issuer=root)
    good = forge.certificate("good", issuer=middle)
    msp = plain_msp(forge, root, intermediate_certs=[middle.pem], admin=good)
    msp.validate(msp.deserialize(good.serialized()))
    text = refusal(msp, forge.certificate("bad", issuer=root).serialized())
    assert "Parent certificate should be a leaf of the certification tree" in text


def test_two_chains_are_one_too_many(forge) -> None:
    root, other = forge.authority("root"), forge.authority("other")
    middle = forge.authority("middle", issuer=root)
    crossed = x509.CertificateBuilder(
        issuer_name=other.certificate.subject,
        subject_name=middle.certificate.subject,
        public_key=middle.key.public_key(),
        serial_number=7,
        not_valid_before=middle.certificate.not_valid_before_utc,
        not_valid_after=middle.certificate.not_valid_after_utc,
        extensions=list(middle.certificate.extensions),
    ).sign(other.key, signatures.SHA256())
    admin = forge.certificate("admin", issuer=root)
    config = forge.config(
        root,
        other,
        intermediate_certs=[middle.pem, crossed.public_bytes(Encoding.PEM)],
        fabric_node_ous=forge.units("admin"),
    )
    msp = MSP.from_config(config, version=NEWEST)
    text = refusal(msp, forge.certificate("user", issuer=middle).serialized())
    assert text == "this MSP only supports a single validation chain, got 2"
    assert "leaf" in refusal(msp, admin.serialized())


def test_a_revoked_identity_is_refused_and_others_are_not(forge) -> None:
    root = forge.authority()
    bad, good = (forge.certificate(name, issuer=root) for name in ("bad", "good"))
    msp = plain_msp(forge, root, revocation_list=[forge.revocations(root, bad)])
    msp.validate(msp.deserialize(good.serialized()))
    assert refusal(msp, bad.serialized()) == (
        "could not validate identity against certification chain: The certificate has been revoked"
    )


def test_a_revocation_list_that_the_authority_did_not_sign_is_ignored(forge) -> None:
    root, enemy = forge.authority(), forge.authority()
    user = forge.certificate("user", issuer=root)
    msp = plain_msp(forge, root, revocation_list=[forge.revocations(root, user, signer=enemy)])
    msp.validate(msp.deserialize(user.serialized()))


def test_a_revoked_intermediate_makes_the_msp_unusable(forge) -> None:
    root = forge.authority()
    middle = forge.authority("middle", issuer=root)
    with pytest.raises(MSPError, match=r"CA Certificate is not valid.*has been revoked"):
        plain_msp(
            forge,
            root,
            intermediate_certs=[middle.pem],
            admin=forge.certificate("admin", issuer=middle),
            revocation_list=[forge.revocations(root, middle)],
        )


@pytest.mark.parametrize("key", ["p384", "rsa"])
def test_authorities_may_have_other_keys(forge, key: str) -> None:
    root = forge.authority(key=key)
    msp = plain_msp(forge, root)
    msp.validate(msp.deserialize(forge.certificate("user", issuer=root).serialized()))


CLIENT_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


@pytest.mark.parametrize(
    ("extensions", "text"),
    [
        ([(CLIENT_ONLY, False)], "x509: certificate specifies an incompatible key usage"),
        ([(STRANGE, True)], "x509: unhandled critical extension"),
    ],
)
def test_extensions_that_go_refuses(forge, extensions, text: str) -> None:
    root = forge.authority()
    user = forge.certificate("user", issuer=root, extensions=extensions)
    assert refusal(plain_msp(forge, root), user.serialized()).endswith(text)


def test_fabric_ca_attributes_do_no_harm(forge) -> None:
    root = forge.authority()
    msp = plain_msp(forge, root)
    user = forge.certificate("user", issuer=root, extensions=[(STRANGE, False)])
    msp.validate(msp.deserialize(user.serialized()))


def test_an_identity_older_than_its_authority_is_refused(forge) -> None:
    root = forge.authority()
    early = root.certificate.not_valid_before_utc - timedelta(days=1)
    user = forge.certificate("user", issuer=root, start=early, days=60)
    assert "certificate has expired or is not yet valid" in refusal(
        plain_msp(forge, root), user.serialized()
    )


def test_the_path_length_is_respected(forge) -> None:
    root = forge.authority(path_length=0)
    middle = forge.authority("middle", issuer=root)
    with pytest.raises(MSPError, match="too many intermediates for path length constraint"):
        plain_msp(
            forge,
            root,
            intermediate_certs=[middle.pem],
            admin=forge.certificate("admin", issuer=middle),
        )


def test_idemix_is_refused_with_a_sentence() -> None:
    with pytest.raises(MSPError, match=r"only X\.509 MSPs"):
        MSP.from_config(MSPConfig(type=1), version=NEWEST)


def test_a_manager_finds_the_msp_that_an_identity_names() -> None:
    organizations = [
        GeneratedOrganization.generate(msp_id=f"Org{number}MSP", domain=f"org{number}")
        for number in (2, 1)
    ]
    manager = MSPManager(
        MSP.from_config(each.msp_config(), version=NEWEST) for each in organizations
    )
    assert manager.msp_ids == ("Org1MSP", "Org2MSP")
    for each in organizations:
        serialized = each.issue_identity("peer", "peer0").serialize()
        assert manager.deserialize(serialized).msp_id == each.msp_id
        assert manager.deserialize(serialized) is manager.deserialize(serialized)
    with pytest.raises(MSPError, match=r"^MSP Org3MSP is not defined on channel$"):
        manager.deserialize(b"\x0a\x07Org3MSP")
    with pytest.raises(MSPError, match=r"^MSP Org3MSP is not defined on channel$"):
        manager.get("Org3MSP")


def test_padded_identities_do_not_fill_the_cache() -> None:
    manager = MSPManager([MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)])
    signer = ORGANIZATION.issue_identity("peer", "peer0")
    padded = serialize_identity(
        msp_id="Org1MSP", certificate=b"x" * 20_000 + b"\n" + signer.certificate_pem
    )
    assert manager.deserialize(padded) == manager.deserialize(signer.serialize())
    assert len(manager._identities) == 1
