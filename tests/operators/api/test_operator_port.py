"""The Secrets of the port where the operator connects are kept, and made anew where they fail."""

from __future__ import annotations

import pytest
from cryptography import x509
from harness.operating.fixtures import Start, is_quiet, reason_is
from harness.operating.world import Namespace, secret_bytes
from harness.processes import wait_until

pytestmark = pytest.mark.kubernetes

NAMES = ("peer0-operator-authority", "peer0-runtime", "peer0-operator")


def held(space: Namespace) -> list[dict[str, bytes]]:
    return [secret_bytes(space.get("Secret", name)) for name in NAMES]


def belong(space: Namespace) -> bool:
    """Whether both certificates come from the authority that is there."""
    found = [space.find("Secret", name) for name in NAMES]
    if None in found:
        return False
    authority, server, client = held(space)
    if not server["ca.crt"] == client["ca.crt"] == authority["ca.crt"]:
        return False
    issuer = x509.load_pem_x509_certificate(authority["ca.crt"])
    for leaf in (server["tls.crt"], client["client.crt"]):
        x509.load_pem_x509_certificate(leaf).verify_directly_issued_by(issuer)
    return True


def fingerprint(space: Namespace) -> str:
    template = space.get("StatefulSet", "peer0")["spec"]["template"]
    found: str = template["metadata"]["annotations"]["treadle.dev/fingerprint"]
    return found


def test_a_lost_authority_takes_both_certificates_with_it_and_the_pod_follows(
    space: Namespace, start: Start
) -> None:
    space.create_peer()
    start()
    reason_is(space, "PeerStarting")
    assert belong(space)
    before, pod = held(space), fingerprint(space)
    space.api.delete(space.path("Secret", NAMES[0])).expect()
    wait_until(lambda: belong(space) and held(space)[0] != before[0], within=60, what="new ones")
    assert all(old != new for old, new in zip(before, held(space), strict=True))
    wait_until(lambda: fingerprint(space) != pod, within=60, what="the pod's new template")


def test_a_damaged_certificate_of_the_operator_is_issued_anew_and_no_pod_is_replaced(
    space: Namespace, start: Start
) -> None:
    space.create_peer()
    operator = start()
    reason_is(space, "PeerStarting")
    is_quiet(operator, reconciles=1)
    authority, server, client = held(space)
    pod = fingerprint(space)
    damage = {"data": {"client.crt": "cnViYmlzaA=="}}
    space.api.merge(space.path("Secret", NAMES[2]), damage).expect()
    wait_until(
        lambda: secret_bytes(space.get("Secret", NAMES[2]))["client.crt"].startswith(b"-----"),
        within=60,
        what="another certificate",
    )
    is_quiet(operator, reconciles=2)
    assert belong(space)
    assert held(space)[:2] == [authority, server]
    assert held(space)[2] != client
    assert fingerprint(space) == pod


def test_somebody_elses_secret_of_that_name_is_left_alone(space: Namespace, start: Start) -> None:
    body = {"metadata": {"name": "peer0-operator"}, "stringData": {"password": "theirs"}}
    space.api.create(space.path("Secret"), body).expect()
    before = space.get("Secret", "peer0-operator")
    space.create_peer()
    start()
    reason_is(space, "NameTaken")
    assert "Secret peer0-operator is there already" in space.condition()[2]
    assert space.get("Secret", "peer0-operator") == before
