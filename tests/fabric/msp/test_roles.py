"""Roles, organisational units and the other principals (fabric-wire.md 6.4)."""

from __future__ import annotations

import pytest
from fabric_protos.msp.msp_config_pb2 import FabricOUIdentifier
from fabric_protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    OrganizationUnit,
)
from treadle_fabric.identity import ROLES, GeneratedOrganization
from treadle_fabric.msp import MSP, Identity, MSPError, MSPVersion
from treadle_fabric.msp.authorities import chain_identifier

NEWEST = MSPVersion.V1_4_3
ORGANIZATION = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
SIGNERS = {role: ORGANIZATION.issue_identity(role, role) for role in ROLES}


def answer(msp: MSP, identity: Identity, principal: MSPPrincipal) -> str:
    """The refusal, or "" when the identity satisfies the principal; asked twice, for the cache."""
    answers = set()
    for _ in range(2):
        try:
            msp.satisfies(identity, principal)
            answers.add("")
        except MSPError as error:
            answers.add(str(error))
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("wanted", ["MEMBER", "ADMIN", "CLIENT", "PEER", "ORDERER"])
def test_with_node_units_everyone_is_a_member_and_exactly_its_role(
    forge, role: str, wanted: str
) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS[role].serialize())
    said = answer(msp, identity, forge.role(wanted))
    if wanted in ("MEMBER", role.upper()):
        assert said == ""
    else:
        what = "an admin" if wanted == "ADMIN" else f"a [{wanted}]"
        assert said == (
            f"The identity is not {what} under this MSP [Org1MSP]: "
            f"The identity does not contain OU [{wanted}], MSP: [Org1MSP]"
        )


@pytest.mark.parametrize(
    ("version", "valid"),
    [
        (MSPVersion.V1_0, {"client", "peer", "admin", "orderer"}),
        (MSPVersion.V1_1, {"client", "peer"}),
        (MSPVersion.V1_3, {"client", "peer"}),
        (MSPVersion.V1_4_3, {"client", "peer", "admin", "orderer"}),
    ],
)
def test_which_roles_each_generation_of_rules_knows(
    forge, version: MSPVersion, valid: set[str]
) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=version)
    said = {
        role: answer(msp, msp.deserialize(signer.serialize()), forge.role("MEMBER"))
        for role, signer in SIGNERS.items()
    }
    assert {role for role, text in said.items() if not text} == valid
    refusals = [text for text in said.values() if text]
    assert all("an OU that resolves to client or peer. OUs:" in text for text in refusals)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        ([], "does not have an OU that resolves to client, peer, orderer, or admin role. OUs: []"),
        (["sales"], "does not have an OU that resolves to client, peer, orderer, or admin role"),
        (["client", "peer"], "or an admin OU role to be valid, not a combination of them"),
        (["peer", "peer"], "or an admin OU role to be valid, not a combination of them"),
    ],
)
def test_an_identity_must_have_exactly_one_role(forge, units: list[str], text: str) -> None:
    root = forge.authority()
    config = forge.config(root, fabric_node_ous=forge.units("client", "peer", "admin", "orderer"))
    msp = MSP.from_config(config, version=NEWEST)
    identity = msp.deserialize(forge.certificate("user", issuer=root, units=units).serialized())
    said = answer(msp, identity, forge.role("MEMBER"))
    assert said.startswith("could not validate identity's OUs: the identity ")
    assert text in said


def test_units_are_listed_with_their_certifier(forge) -> None:
    root = forge.authority()
    config = forge.config(root, fabric_node_ous=forge.units("admin"))
    msp = MSP.from_config(config, version=NEWEST)
    identity = msp.deserialize(forge.certificate("u", issuer=root, units=["a", "b"]).serialized())
    certifier = chain_identifier([root.certificate])[:8].hex().upper()
    assert f"OUs: [a({certifier}) b({certifier})], MSP: [Org1MSP]" in answer(
        msp, identity, forge.role("MEMBER")
    )


def test_a_role_counts_only_below_its_certifier(forge) -> None:
    good, other = forge.authority("good"), forge.authority("other")
    units = forge.units("client", "admin", certificate=good.pem)
    msp = MSP.from_config(forge.config(good, other, fabric_node_ous=units), version=NEWEST)
    for root, accepted in ((good, True), (other, False)):
        user = forge.certificate("user", issuer=root, units=["client"])
        said = answer(msp, msp.deserialize(user.serialized()), forge.role("MEMBER"))
        assert (said == "") == accepted
        assert accepted or "certifiersIdentifier does not match" in said


def test_a_certifier_must_be_an_authority_of_the_msp(forge) -> None:
    root, other = forge.authority(), forge.authority("other")
    units = forge.units("admin", certificate=other.pem)
    with pytest.raises(MSPError, match="not in root or intermediate certs"):
        MSP.from_config(forge.config(root, fabric_node_ous=units), version=NEWEST)


def test_accepted_units_are_demanded_of_everyone(forge) -> None:
    root = forge.authority()
    unit = FabricOUIdentifier(certificate=root.pem, organizational_unit_identifier="COP")
    admin = forge.certificate("admin", issuer=root, units=["COP"])
    config = forge.config(root, admins=[admin.pem], organizational_unit_identifiers=[unit])
    msp = MSP.from_config(config, version=NEWEST)
    for units, text in (
        (["COP", "x"], ""),
        (["x"], "none of the identity's organizational units [x("),
        ([], "the identity certificate does not contain an Organizational Unit (OU)"),
    ):
        user = forge.certificate("user", issuer=root, units=units)
        said = answer(msp, msp.deserialize(user.serialized()), forge.role("MEMBER"))
        assert (text in said) if text else (said == "")


@pytest.mark.parametrize("version", list(MSPVersion))
def test_without_node_units_admins_are_the_listed_certificates(forge, version) -> None:
    root = forge.authority()
    admin, user = (forge.certificate(name, issuer=root) for name in ("admin", "user"))
    msp = MSP.from_config(forge.config(root, admins=[admin.pem]), version=version)
    known, other = (msp.deserialize(each.serialized()) for each in (admin, user))
    assert answer(msp, known, forge.role("ADMIN")) == ""
    assert answer(msp, other, forge.role("ADMIN")) == "This identity is not an admin"
    assert answer(msp, other, forge.role("PEER")) == (
        "The identity is not a [PEER] under this MSP [Org1MSP]: "
        "NodeOUs not activated. Cannot tell apart identities."
    )
    assert answer(msp, other, forge.role("ORDERER")) == "invalid MSP role type 4"


def test_with_node_units_a_listed_client_is_an_admin_too(forge) -> None:
    root = forge.authority()
    client = forge.certificate("c", issuer=root, units=["client"])
    units = forge.units("client", "peer", "admin")
    msp = MSP.from_config(
        forge.config(root, admins=[client.pem], fabric_node_ous=units), version=NEWEST
    )
    assert answer(msp, msp.deserialize(client.serialized()), forge.role("ADMIN")) == ""


def test_a_listed_admin_must_be_client_or_admin(forge) -> None:
    root = forge.authority()
    peer = forge.certificate("p", issuer=root, units=["peer"])
    units = forge.units("client", "peer", "admin")
    config = forge.config(root, admins=[peer.pem], fabric_node_ous=units)
    with pytest.raises(MSPError, match=r"admin 0 is invalid: \[The identity does not contain OU"):
        MSP.from_config(config, version=NEWEST)
    with pytest.raises(MSPError, match=r"admin 0 is invalid: The identity is not a \[CLIENT\]"):
        MSP.from_config(config, version=MSPVersion.V1_3)


@pytest.mark.parametrize("units", [None, "client"])
def test_someone_must_be_able_to_be_admin(forge, units: str | None) -> None:
    values = {"fabric_node_ous": forge.units(units)} if units else {}
    with pytest.raises(MSPError, match="administrators must be declared when no admin ou"):
        MSP.from_config(forge.config(forge.authority(), **values), version=NEWEST)


@pytest.mark.parametrize("missing", ["client", "peer"])
def test_older_rules_need_client_and_peer_units(forge, missing: str) -> None:
    given = {"client", "peer"} - {missing}
    config = forge.config(forge.authority(), fabric_node_ous=forge.units(*given))
    with pytest.raises(MSPError, match=f"{missing.capitalize()}OU must be different from nil"):
        MSP.from_config(config, version=MSPVersion.V1_1)


def test_another_msp_is_named(forge) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    text = "the identity is a member of a different MSP (expected Org2MSP, got Org1MSP)"
    assert answer(msp, identity, forge.role("MEMBER", "Org2MSP")) == text
    unit = OrganizationUnit(msp_identifier="Org2MSP", organizational_unit_identifier="peer")
    assert answer(msp, identity, forge.principal(MSPPrincipal.ORGANIZATION_UNIT, unit)) == text


def test_organization_unit_principals_compare_name_and_certifier(forge) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    certifier = chain_identifier([ORGANIZATION.ca.certificate])
    for name, certified_by, said in (
        ("peer", certifier, ""),
        ("client", certifier, "The identities do not match"),
        ("peer", b"", "The identities do not match"),
    ):
        unit = OrganizationUnit(
            msp_identifier="Org1MSP",
            organizational_unit_identifier=name,
            certifiers_identifier=certified_by,
        )
        assert answer(msp, identity, forge.principal(MSPPrincipal.ORGANIZATION_UNIT, unit)) == said


def test_identity_principals_compare_certificates(forge) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    same, other, garbage = (
        forge.principal(MSPPrincipal.IDENTITY, content)
        for content in (SIGNERS["peer"].serialize(), SIGNERS["admin"].serialize(), b"\xff")
    )
    assert answer(msp, identity, same) == ""
    assert answer(msp, identity, other) == "The identities do not match"
    assert answer(msp, identity, garbage).startswith("invalid identity principal, not a certif")


def combined(forge, *parts: MSPPrincipal) -> MSPPrincipal:
    return forge.principal(MSPPrincipal.COMBINED, CombinedPrincipal(principals=parts))


def test_combined_principals_must_all_be_satisfied(forge) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    member, peer, admin = (forge.role(name) for name in ("MEMBER", "PEER", "ADMIN"))
    assert answer(msp, identity, combined(forge, member, combined(forge, peer))) == ""
    assert "is not an admin" in answer(msp, identity, combined(forge, member, admin))
    assert answer(msp, identity, combined(forge)) == "No principals in CombinedPrincipal"
    old = MSP.from_config(ORGANIZATION.msp_config(), version=MSPVersion.V1_1)
    assert answer(old, identity, combined(forge, member)) == "invalid principal type 4"


def test_principals_nested_without_end_are_refused(forge) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    principal = forge.role("MEMBER")
    for _ in range(2000):
        principal = combined(forge, principal)
    assert "nested more than" in answer(msp, identity, principal)


@pytest.mark.parametrize(
    ("kind", "said"),
    [(0, ""), (1, "X.509 MSP does not support anonymous identities"), (7, "anonymity type: 7")],
)
def test_anonymity_principals(forge, kind: int, said: str) -> None:
    principal = forge.principal(MSPPrincipal.ANONYMITY, MSPIdentityAnonymity(anonymity_type=kind))
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    assert (
        (said in answer(msp, identity, principal))
        if said
        else (answer(msp, identity, principal) == "")
    )
    old = MSP.from_config(ORGANIZATION.msp_config(), version=MSPVersion.V1_1)
    assert answer(old, identity, principal) == "invalid principal type 3"


def test_unknown_principals_and_roles_are_refused(forge) -> None:
    msp = MSP.from_config(ORGANIZATION.msp_config(), version=NEWEST)
    identity = msp.deserialize(SIGNERS["peer"].serialize())
    assert answer(msp, identity, MSPPrincipal(principal_classification=9)) == (
        "invalid principal type 9"
    )
    unknown = b"\x0a\x07Org1MSP\x10\x09"
    assert answer(msp, identity, forge.principal(MSPPrincipal.ROLE, unknown)) == (
        "invalid MSP role type 9"
    )
    assert "could not unmarshal MSPRole" in answer(
        msp, identity, forge.principal(MSPPrincipal.ROLE, b"\xff")
    )
