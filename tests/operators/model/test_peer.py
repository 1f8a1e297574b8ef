"""A stored Peer becomes a value, or a sentence about one field."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from harness.kubernetes.resources import example
from harness.operating.stored import FULL, JSON, peer, stored_peer
from hypothesis import given
from hypothesis import strategies as st
from treadle_operator.errors import InvalidObject
from treadle_operator.model import DeletionPolicy, Mode, Peer, Ref, parse_peer


def test_a_minimal_peer_has_a_generated_identity_and_orders_for_itself() -> None:
    spec = peer().spec
    assert (spec.msp_id, spec.mode, spec.deletion_policy) == (
        "Org1MSP",
        Mode.PRODUCTION,
        DeletionPolicy.RETAIN,
    )
    assert (spec.identity, spec.ordering, spec.external) == (None, None, None)
    assert spec.allow_development
    assert spec.tls.enabled
    assert spec.tls.secret is None


def test_a_full_peer_is_read_whole() -> None:
    spec = peer("peer1", **FULL).spec
    assert spec.identity is not None
    assert (spec.identity.msp, spec.identity.admin) == (Ref("our-msp"), Ref("our-admin"))
    assert spec.tls.secret == Ref("our-tls")
    assert spec.external is not None
    assert (spec.external.host, spec.external.port) == ("peer1.example.com", 443)
    assert spec.external.service_type == "LoadBalancer"
    assert (spec.storage.size, spec.storage.storage_class) == ("50Gi", "fast")
    assert spec.chaincode.execute_timeout == "45s"
    assert spec.channels[0].capability == "V2_5"


def test_development_with_a_given_identity_has_to_be_allowed() -> None:
    given_identity = {**FULL, "allowDevelopment": None}
    assert not peer(**given_identity).spec.allow_development


@pytest.mark.parametrize("size", ["minimal", "full"])
def test_the_examples_for_users_are_understood(size: str) -> None:
    body = example("Peer", size)
    body["metadata"] |= {"namespace": "trade", "uid": "u"}
    assert parse_peer(body).spec.msp_id == body["spec"]["mspID"]


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"mspID": None}, "spec.mspID", "missing"),
        ({"mspID": "Org 1"}, "spec.mspID", "letters, digits"),
        ({"mode": "Dev"}, "spec.mode", "Production or Development"),
        ({"tls": {"enabled": False}}, "spec.tls.enabled", "mode Development only"),
        ({"tls": {"enabled": "no"}}, "spec.tls.enabled", "true or false"),
        ({"channels": [1]}, "spec.channels[0]", "an object, not a number"),
        ({"channels": [{"name": ""}]}, "spec.channels[0].name", "empty"),
        ({"external": {"host": "a:b"}}, "spec.external.host", "host:port"),
        ({"identity": {"mspSecretRef": {"name": "a"}}}, "spec.identity.adminSecretRef", "missing"),
        (
            {"ordering": {"embedded": {}, "external": {"endpoints": []}}},
            "spec.ordering",
            "not both",
        ),
        (
            {"ordering": {"external": {"endpoints": []}}},
            "spec.ordering.external.tlsCASecretRef",
            "missing",
        ),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field(changes: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(InvalidObject, match=sentence) as caught:
        peer(**changes)
    assert caught.value.field == field


def test_a_name_that_is_too_long_for_its_children_is_refused() -> None:
    with pytest.raises(InvalidObject) as caught:
        peer("p" * 41)
    assert caught.value.field == "metadata.name"


@given(st.dictionaries(st.sampled_from(sorted(FULL)), JSON, max_size=4))
def test_whatever_a_spec_holds_it_is_a_peer_or_a_sentence(spec: dict[str, object]) -> None:
    with contextlib.suppress(InvalidObject):
        assert isinstance(parse_peer(stored_peer(spec=spec)), Peer)


@given(JSON)
def test_whatever_an_object_is_it_is_a_peer_or_a_sentence(value: object) -> None:
    body: dict[str, object] = {"metadata": value, "spec": value, "status": value}
    with pytest.raises(InvalidObject):
        parse_peer(body)


def test_builders_and_defaults_of_chaincode_pods_are_read() -> None:
    chaincode = {
        "builders": {
            "golang": {
                "image": "registry.example.com/go:1",
                "env": [{"name": "GOPROXY", "value": "https://mirror.example.com"}],
                "caBundleRef": {"name": "roots"},
            }
        },
        "runtimeDefaults": {"replicas": 2, "resources": {"limits": {"memory": "1Gi"}}},
    }
    found = peer(chaincode=chaincode).spec.chaincode
    assert set(found.builders) == {"golang", "node", "java", "python"}
    golang, node = found.builders["golang"], found.builders["node"]
    assert (golang.image, golang.ca_bundle) == ("registry.example.com/go:1", Ref("roots"))
    assert [(one.name, one.value) for one in golang.env] == [
        ("GOPROXY", "https://mirror.example.com")
    ]
    assert (node.image, node.env, node.ca_bundle) == (None, (), None)
    assert found.runtime_defaults.replicas == 2
    assert not found.external_servers
    assert peer(chaincode={"allowExternalServers": True}).spec.chaincode.external_servers
    assert found.runtime_defaults.resources == {"limits": {"memory": "1Gi"}}
