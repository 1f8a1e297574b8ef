"""Name constraints of authorities (RFC 5280 4.2.1.10)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from treadle_fabric.msp import MSP, MSPError, MSPVersion

NEWEST = MSPVersion.V1_4_3


def refusal(msp: MSP, serialized: bytes) -> str:
    with pytest.raises(MSPError) as caught:
        msp.validate(msp.deserialize(serialized))
    return str(caught.value)


def names(*values: str) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.SubjectAlternativeName([x509.DNSName(value) for value in values]), False)]


@pytest.mark.parametrize(
    ("name", "extensions", "accepted"),
    [
        ("some user", [], True),
        ("user", [], False),
        ("user", names("a.good.example"), True),
        ("user", names("good.example"), True),
        ("user", names("a.evil.example"), False),
        ("user", names("a.good.example", "bad.good.example"), False),
        ("user", names("notgood.example"), False),
        ("host.good.example", [], False),
    ],
)
def test_name_constraints_of_the_authority(forge, name, extensions, accepted: bool) -> None:
    constraints = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName("good.example")],
        excluded_subtrees=[x509.DNSName("bad.good.example")],
    )
    root = forge.authority(extensions=[(constraints, True)])
    msp = MSP.from_config(forge.config(root, fabric_node_ous=forge.units("admin")), version=NEWEST)
    user = forge.certificate(name, issuer=root, units=["admin"], extensions=extensions)
    if accepted:
        msp.validate(msp.deserialize(user.serialized()))
    else:
        assert "x509: " in refusal(msp, user.serialized())


def test_ip_name_constraints(forge) -> None:
    constraints = x509.NameConstraints([x509.IPAddress(ip_network("10.0.0.0/8"))], None)
    root = forge.authority(extensions=[(constraints, True)])
    msp = MSP.from_config(forge.config(root, fabric_node_ous=forge.units("admin")), version=NEWEST)
    for address, accepted in (("10.1.2.3", True), ("11.1.2.3", False)):
        san = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        user = forge.certificate("u", issuer=root, units=["admin"], extensions=[(san, False)])
        if accepted:
            msp.validate(msp.deserialize(user.serialized()))
        else:
            assert "is not permitted by any constraint" in refusal(msp, user.serialized())


def test_constraints_on_other_names_are_refused_when_critical(forge) -> None:
    constraints = x509.NameConstraints([x509.RFC822Name("good.example")], None)
    root = forge.authority(extensions=[(constraints, True)])
    with pytest.raises(MSPError, match="x509: unhandled critical extension"):
        MSP.from_config(forge.config(root, fabric_node_ous=forge.units("admin")), version=NEWEST)
