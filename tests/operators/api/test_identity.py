"""Generated identities are made once and kept; given ones are checked; nothing is overwritten."""

from __future__ import annotations

import base64

import pytest
from harness.operating.fixtures import Start, is_quiet, metric, reason_is
from harness.operating.process import OperatorProcess
from harness.operating.world import Body, Namespace
from harness.processes import wait_until
from treadle_operator import identities

pytestmark = pytest.mark.kubernetes

KEEP, GO = {"deletionPolicy": "Retain"}, {"deletionPolicy": "Delete"}


def material(space: Namespace) -> dict[str, object]:
    return {secret["metadata"]["name"]: secret["data"] for secret in space.all("Secret")}


def authority(space: Namespace) -> Body:
    names = {s["metadata"]["name"]: s for s in space.all("Secret")}
    (found,) = [s for name, s in names.items() if name.startswith("org-") and "-authority" in name]
    return found


def owners(secret: Body) -> list[str]:
    return [owner["name"] for owner in secret["metadata"].get("ownerReferences", [])]


def remove_peer(space: Namespace, operator: OperatorProcess, name: str = "peer0") -> None:
    """Delete it and, as garbage collection would, what it owns."""
    is_quiet(operator, reconciles=1)
    space.api.delete(space.path("Peer", name)).expect()
    wait_until(
        lambda: metric(operator, 'treadle_operator_reconciles_total{.*"gone"'),
        within=60,
        what="the operator having seen it",
    )
    for kind in ("StatefulSet", "Service", "ConfigMap", "ServiceAccount", "NetworkPolicy"):
        for body in space.all(kind):
            if name in owners(body):
                space.api.delete(space.path(kind, body["metadata"]["name"])).expect()


def test_a_peer_of_the_same_name_takes_over_what_was_kept(space: Namespace, start: Start) -> None:
    space.create_peer()
    operator = start()
    reason_is(space, "PeerStarting")
    before = material(space)
    remove_peer(space, operator)
    space.create_peer()
    reason_is(space, "PeerStarting")
    assert material(space) == before


def test_another_organisation_under_the_name_is_refused(space: Namespace, start: Start) -> None:
    space.create_peer()
    operator = start()
    reason_is(space, "PeerStarting")
    before = material(space)
    remove_peer(space, operator)
    space.create_peer(mspID="Org2MSP")
    reason_is(space, "IdentityMismatch")
    status, reason, message = space.condition("IdentityReady")
    assert (status, reason) == ("False", "IdentityMismatch")
    assert "Secret peer0-msp belongs to Org1MSP" in message
    assert material(space) == before
    assert space.all("StatefulSet") == []


def test_a_volume_of_another_organisation_is_refused(space: Namespace, start: Start) -> None:
    annotations = {"treadle.dev/msp-id": "Org9MSP"}
    claim = {
        "metadata": {"name": "ledger-peer0-0", "annotations": annotations},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }
    space.api.create(space.path("PersistentVolumeClaim"), claim).expect()
    space.create_peer()
    start()
    reason_is(space, "IdentityMismatch")
    assert "ledger-peer0-0 belongs to Org9MSP" in space.condition()[2]
    assert space.all("Secret") == []


def test_a_lost_authority_is_never_made_anew_and_may_be_restored(
    space: Namespace, start: Start
) -> None:
    space.create_peer()
    start()
    reason_is(space, "PeerStarting")
    lost = authority(space)
    path = space.path("Secret", lost["metadata"]["name"])
    space.api.delete(path).expect()
    reason_is(space, "IdentityMismatch")
    assert "restore it from a backup" in space.condition()[2]
    assert space.api.get(path).code == 404
    kept = {"name", "labels", "annotations"}
    metadata = {key: value for key, value in lost["metadata"].items() if key in kept}
    space.api.create(space.path("Secret"), {**lost, "metadata": metadata}).expect()
    reason_is(space, "PeerStarting")


def test_peers_of_one_organisation_share_it_and_the_last_word_is_to_keep_it(
    space: Namespace, start: Start
) -> None:
    space.create_peer("peer0", **GO)
    space.create_peer("peer1", **GO)
    start()
    for name in ("peer0", "peer1"):
        reason_is(space, "PeerStarting", name)
    wait_until(lambda: owners(authority(space)) == ["peer0", "peer1"], within=60, what="two owners")
    assert owners(space.get("Secret", "peer1-msp")) == ["peer1"]
    policy = space.get("StatefulSet", "peer0")["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert policy["whenDeleted"] == "Delete"
    space.api.merge(space.path("Peer", "peer1"), {"spec": KEEP}).expect()
    wait_until(lambda: owners(authority(space)) == [], within=60, what="no owner")
    assert authority(space)["metadata"]["annotations"]["treadle.dev/retained-for"] == "peer1"
    assert owners(space.get("Secret", "peer0-msp")) == ["peer0"]


def given_secret(space: Namespace, name: str, data: dict[str, bytes]) -> None:
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    body = {"metadata": {"name": name}, "data": encoded}
    space.api.create(space.path("Secret"), body).expect()


def test_given_secrets_are_waited_for_checked_and_never_touched(
    space: Namespace, start: Start
) -> None:
    refs = {"mspSecretRef": {"name": "our-msp"}, "adminSecretRef": {"name": "our-admin"}}
    space.create_peer(identity=refs, tls={"secretRef": {"name": "our-tls"}})
    start()
    reason_is(space, "SecretMissing")
    assert "there is no Secret our-msp" in space.condition()[2]
    made = identities.open_authority("Org1MSP", "s", identities.new_authority("Org1MSP", "n"))
    member = identities.new_member(made, "peer", "peer0")
    other = identities.new_member(made, "admin", "admin")
    given_secret(space, "our-msp", {**member, "key.pem": other["key.pem"]})
    given_secret(space, "our-admin", other)
    reason_is(space, "SecretInvalid")
    assert "the private key does not belong to the certificate" in space.condition()[2]
    right = base64.b64encode(member["key.pem"]).decode()
    space.api.merge(space.path("Secret", "our-msp"), {"data": {"key.pem": right}}).expect()
    wait_until(lambda: "our-tls" in space.condition()[2], within=60, what="the next complaint")
    given_secret(space, "our-tls", identities.new_server_certificate(made, "peer0", ["peer0"]))
    reason_is(space, "PeerStarting")
    assert space.condition("IdentityReady")[:2] == ("True", "Given")
    managers = {
        secret["metadata"]["name"]: {m["manager"] for m in secret["metadata"]["managedFields"]}
        for secret in space.all("Secret")
    }
    made_anew = {"peer0-operator", "peer0-operator-authority", "peer0-runtime"}
    assert managers.keys() - made_anew == {"our-msp", "our-admin", "our-tls"}
    for name in ("our-msp", "our-admin", "our-tls"):
        assert "treadle-operator" not in managers[name]


def test_a_given_organisation_cannot_issue_a_tls_certificate(
    space: Namespace, start: Start
) -> None:
    made = identities.open_authority("Org1MSP", "s", identities.new_authority("Org1MSP", "n"))
    for name, role in (("our-msp", "peer"), ("our-admin", "admin")):
        given_secret(space, name, identities.new_member(made, role, "x"))  # type: ignore[arg-type]
    refs = {"mspSecretRef": {"name": "our-msp"}, "adminSecretRef": {"name": "our-admin"}}
    space.create_peer(identity=refs)
    start()
    reason_is(space, "TLSSecretNeeded")


def test_a_foreign_secret_of_our_name_is_left_alone(space: Namespace, start: Start) -> None:
    given_secret(space, "peer0-msp", {"password": b"of somebody"})
    before = space.get("Secret", "peer0-msp")
    space.create_peer()
    start()
    reason_is(space, "IdentityMismatch")
    assert "peer0-msp was not made by the operator" in space.condition()[2]
    assert space.get("Secret", "peer0-msp") == before
