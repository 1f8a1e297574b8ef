"""Status is fact: the operator alone writes it, and kubectl shows it."""

from __future__ import annotations

from typing import Any

import pytest
from harness.kubernetes.api import APPLY_PATCH, Api
from harness.kubernetes.control_plane import ControlPlane
from harness.kubernetes.resources import PLURALS, changed, collection, example

pytestmark = pytest.mark.kubernetes

_READY = {
    "type": "Ready",
    "status": "False",
    "reason": "Waiting",
    "message": "start it",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "observedGeneration": 1,
}
STATUS: dict[str, dict[str, Any]] = {
    "Peer": {
        "endpoints": {"peer": "peer0.default.svc:7051", "operations": "peer0.default.svc:9443"},
        "channels": [{"name": "mychannel", "joined": True}],
        "runtimes": [
            {"ccid": "a:1", "state": "Registered", "origin": "Client", "mode": "Production"}
        ],
    },
    "ChaincodePackage": {
        "packageID": "counter_1:" + "0" * 64,
        "legacyID": "counter:1",
        "sha256": "0" * 64,
        "targets": [{"peer": "peer0", "installed": False, "message": "the peer is away"}],
    },
    "ChaincodeInstantiation": {
        "legacyID": "counter:1",
        "sequence": 1,
        "targets": [
            {
                "peer": "peer0",
                "mode": "Development",
                "registered": False,
                "initialised": True,
                "message": "nobody is connected",
            }
        ],
    },
}
COLUMNS = {
    "tpeer": (
        "NAME MSP MODE READY REASON ENDPOINT MESSAGE AGE",
        "peer0 Org1MSP Production False Waiting peer0.default.svc:7051 start it",
    ),
    "ccpkg": (
        "NAME CHAINCODE VERSION LANGUAGE READY REASON PACKAGE ID MESSAGE AGE",
        "counter-1 counter 1 python False Waiting counter_1:" + "0" * 64 + " start it",
    ),
    "ccinst": (
        "NAME PACKAGE CHANNEL MODE READY REASON MESSAGE AGE",
        "counter counter-1 mychannel Development False Waiting start it",
    ),
}


def _wanted(kind: str) -> dict[str, Any]:
    return {"observedGeneration": 1, "conditions": [_READY], **STATUS[kind]}


def _apply_status(api: Api, kind: str, namespace: str, status: dict[str, Any]) -> Any:
    created = api.create(collection(kind, namespace), example(kind)).expect()
    name = created["metadata"]["name"]
    path = f"{collection(kind, namespace)}/{name}/status"
    manifest = {
        "apiVersion": created["apiVersion"],
        "kind": kind,
        "metadata": {"name": name},
        "status": status,
    }
    query = "?fieldManager=treadle-operator&force=true&fieldValidation=Strict"
    return api.request("PATCH", path + query, manifest, content_type=APPLY_PATCH)


@pytest.mark.parametrize("kind", PLURALS)
def test_status_cannot_be_written_with_the_object(api: Api, kind: str, namespace: str) -> None:
    manifest = changed(example(kind), {"status": _wanted(kind)})
    created = api.create(collection(kind, namespace), manifest).expect()
    assert "status" not in created
    path = f"{collection(kind, namespace)}/{created['metadata']['name']}"
    replaced = api.replace(path, changed(created, {"status": _wanted(kind)})).expect()
    assert "status" not in replaced
    assert replaced["metadata"]["generation"] == 1


@pytest.mark.parametrize("kind", PLURALS)
def test_status_that_is_applied_is_kept_whole_and_leaves_the_spec(
    api: Api, kind: str, namespace: str
) -> None:
    stored = _apply_status(api, kind, namespace, _wanted(kind)).expect()
    assert stored["status"] == _wanted(kind)
    assert stored["metadata"]["generation"] == 1


@pytest.mark.parametrize("field", ["type", "status", "reason", "message", "lastTransitionTime"])
@pytest.mark.parametrize("kind", PLURALS)
def test_a_condition_needs_all_its_parts(api: Api, kind: str, field: str, namespace: str) -> None:
    broken = {name: value for name, value in _READY.items() if name != field}
    answer = _apply_status(api, kind, namespace, {"conditions": [broken]})
    assert not answer.accepted


@pytest.mark.parametrize("reason", ["no words", "lowercase", ""])
def test_a_reason_is_one_word_in_camel_case(api: Api, reason: str, namespace: str) -> None:
    status = {"conditions": [_READY | {"reason": reason}]}
    answer = _apply_status(api, "Peer", namespace, status)
    assert "status.conditions[0].reason" in answer.body["message"]


def test_kubectl_shows_columns_by_short_name_and_all_kinds_by_category(
    cluster: ControlPlane, namespace: str
) -> None:
    for kind in PLURALS:
        _apply_status(cluster.api, kind, namespace, _wanted(kind)).expect()
    for short, (head, row) in COLUMNS.items():
        shown = cluster.kubectl("-n", namespace, "get", short, "-o", "wide").splitlines()
        assert " ".join(shown[0].split()) == head
        assert " ".join(shown[1].split()).startswith(row)
    everything = cluster.kubectl("-n", namespace, "get", "treadle", "-o", "name").split()
    assert everything == [
        "chaincodeinstantiation.treadle.dev/counter",
        "chaincodepackage.treadle.dev/counter-1",
        "peer.treadle.dev/peer0",
    ]


def test_kubectl_waits_for_ready(cluster: ControlPlane, namespace: str) -> None:
    status = {"conditions": [_READY | {"status": "True", "reason": "Ready"}]}
    _apply_status(cluster.api, "Peer", namespace, status).expect()
    told = cluster.kubectl("-n", namespace, "wait", "--for=condition=Ready", "tpeer/peer0")
    assert told == "peer.treadle.dev/peer0 condition met\n"
