"""The certificates of the port where the operator connects: whose they are, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from treadle_operator import identities

NOW = datetime.now(UTC)
HOSTS = ("peer0-internal.trade.svc", "localhost")
Data = dict[str, bytes]


def client(authority: Data) -> Data:
    return identities.new_operator(authority)


def anothers() -> Data:
    return client(identities.new_operator_authority())


def fresh(data: Data, authority: Data, *, days: float = 0) -> bool:
    return identities.is_fresh(data, authority, name="client", now=NOW + timedelta(days=days))


def test_the_operator_is_known_by_its_unit_and_the_port_by_its_names() -> None:
    authority = identities.new_operator_authority()
    issuer = x509.load_pem_x509_certificate(authority["ca.crt"])
    leaf = x509.load_pem_x509_certificate(client(authority)["client.crt"])
    port = identities.new_operator_port(authority, "peer0", HOSTS)
    server = x509.load_pem_x509_certificate(port["tls.crt"])
    (unit,) = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert unit.value == "treadle-operator"
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(HOSTS)
    for certificate in (leaf, server):
        certificate.verify_directly_issued_by(issuer)
        assert (certificate.not_valid_after_utc - NOW).days in {364, 365}
    assert port["ca.crt"] == client(authority)["ca.crt"] == authority["ca.crt"]


def test_a_certificate_is_issued_anew_at_two_thirds_of_its_year() -> None:
    authority = identities.new_operator_authority()
    data = client(authority)
    assert fresh(data, authority, days=243)
    assert not fresh(data, authority, days=244)


def test_the_authority_itself_is_replaced_before_it_ends() -> None:
    authority = identities.new_operator_authority()
    assert identities.is_fresh_authority(authority, NOW + timedelta(days=2400))
    assert not identities.is_fresh_authority(authority, NOW + timedelta(days=2500))


def without(key: str) -> Callable[[Data], Data]:
    return lambda data: {name: value for name, value in data.items() if name != key}


@pytest.mark.parametrize(
    "spoil",
    [
        without("client.crt"),
        without("client.key"),
        without("ca.crt"),
        lambda data: {**data, "client.crt": b"rubbish"},
        lambda data: {**data, "client.key": anothers()["client.key"]},
        lambda data: anothers(),
        lambda data: {**anothers(), "ca.crt": data["ca.crt"]},
        lambda data: {},
    ],
)
def test_what_is_damaged_or_another_authoritys_is_issued_anew(
    spoil: Callable[[Data], Data],
) -> None:
    authority = identities.new_operator_authority()
    assert not fresh(spoil(client(authority)), authority)


@pytest.mark.parametrize(
    "spoil",
    [
        without("ca.crt"),
        without("ca.key"),
        lambda data: {**data, "ca.key": identities.new_operator_authority()["ca.key"]},
        lambda data: {**data, "ca.crt": b""},
    ],
)
def test_an_authority_that_cannot_sign_is_replaced(spoil: Callable[[Data], Data]) -> None:
    assert not identities.is_fresh_authority(spoil(identities.new_operator_authority()), NOW)
