"""A stored ChaincodeInstantiation becomes a value, or a sentence about one field."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from harness.kubernetes.resources import example
from harness.operating.chaincodes import instantiation, stored_instantiation
from harness.operating.stored import JSON
from hypothesis import given
from hypothesis import strategies as st
from treadle_operator.errors import InvalidObject
from treadle_operator.model import (
    ChaincodeInstantiation,
    CollectionEndorsement,
    Lifecycle,
    Mode,
    Ref,
    SecretKey,
    Variable,
    parse_instantiation,
)


def test_a_minimal_instantiation_leaves_everything_to_peer_and_channel() -> None:
    spec = instantiation().spec
    assert (spec.package, spec.channel) == (Ref("asset-1.0"), "mychannel")
    assert (spec.lifecycle, spec.mode, spec.init, spec.endorsement_policy) == (None,) * 4
    assert spec.collections == ()
    assert (spec.runtime.replicas, spec.runtime.execute_timeout) == (None, None)


def test_the_full_example_is_read_whole() -> None:
    spec = _of_example("full").spec
    assert (spec.lifecycle, spec.mode, spec.channel) == (Lifecycle.V2, Mode.DEVELOPMENT, "trade")
    assert spec.init == ("init", "a", "100")
    assert spec.endorsement_policy == "AND('Org1MSP.member', 'Org2MSP.member')"
    (prices,) = spec.collections
    assert (prices.name, prices.required_peer_count, prices.max_peer_count) == ("prices", 0, 2)
    assert (prices.block_to_live, prices.member_only_read, prices.member_only_write) == (
        1000,
        True,
        True,
    )
    assert prices.endorsement == CollectionEndorsement("OR('Org2MSP.member')", None)
    runtime = spec.runtime
    assert (runtime.replicas, runtime.execute_timeout) == (2, "1m30s")
    assert runtime.env == (
        Variable("CORE_CHAINCODE_LOGGING_LEVEL", "debug", None),
        Variable("PRICE_SERVICE_PASSWORD", "", SecretKey("price-service", "password")),
    )
    assert runtime.pod_annotations == {"example.com/owner": "trade"}
    assert runtime.resources == {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "limits": {"cpu": 1, "memory": "256Mi"},
    }
    assert runtime.node_selector == {"kubernetes.io/arch": "amd64"}
    assert [dict(each)["key"] for each in runtime.tolerations if isinstance(each, dict)] == [
        "example.com/dedicated"
    ]
    assert list(runtime.affinity) == ["podAntiAffinity"]
    assert runtime.image_pull_secrets == [{"name": "registry"}]


def test_the_minimal_example_is_understood() -> None:
    assert _of_example("minimal").spec.package == Ref("counter-1")


def test_init_without_arguments_is_not_the_same_as_no_init() -> None:
    assert instantiation(init={}).spec.init == ()


def test_a_collection_has_fabrics_defaults() -> None:
    (one,) = instantiation(collections=[{"name": "c", "policy": "OR('A.member')"}]).spec.collections
    assert (one.required_peer_count, one.max_peer_count, one.block_to_live) == (0, 1, 0)
    assert (one.member_only_read, one.member_only_write, one.endorsement) == (False, False, None)


def _collection(**fields: object) -> dict[str, Any]:
    return {"collections": [{"name": "c", "policy": "p", **fields}]}


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"packageRef": None}, "spec.packageRef", "missing"),
        ({"packageRef": {}}, "spec.packageRef.name", "missing"),
        ({"channel": "Trade"}, "spec.channel", "lower-case"),
        ({"lifecycle": "V1"}, "spec.lifecycle", "Legacy or V2"),
        ({"mode": "Dev"}, "spec.mode", "Production or Development"),
        ({"init": {"args": [1]}}, "spec.init.args", "list of texts"),
        ({"endorsementPolicy": 1}, "spec.endorsementPolicy", "text, not a number"),
        (_collection(name="a b"), "spec.collections[0].name", "letters"),
        (_collection(requiredPeerCount=2), "spec.collections[0].maxPeerCount", "raise it"),
        (_collection(requiredPeerCount=-1), "spec.collections[0].requiredPeerCount", "between"),
        (_collection(blockToLive="1"), "spec.collections[0].blockToLive", "whole number"),
        (_collection(blockToLive=True), "spec.collections[0].blockToLive", "not a boolean"),
        (_collection(endorsementPolicy={}), "spec.collections[0].endorsementPolicy", "exactly"),
        (
            {"collections": [{"name": "c", "policy": "p"}] * 2},
            "spec.collections",
            "name of its own",
        ),
        ({"runtime": {"replicas": 33}}, "spec.runtime.replicas", "between 1 and 32"),
        ({"runtime": {"replicas": 0}}, "spec.runtime.replicas", "between 1 and 32"),
        (
            {"runtime": {"env": [{"name": "A", "value": "", "valueFrom": {}}]}},
            "spec.runtime.env[0].valueFrom",
            "not both",
        ),
        (
            {"runtime": {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}},
            "spec.runtime.env[0].valueFrom.secretKeyRef.key",
            "missing",
        ),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field(changes: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(InvalidObject, match=sentence) as caught:
        instantiation(**changes)
    assert caught.value.field == field


FIELDS = ["packageRef", "channel", "lifecycle", "mode", "init", "collections", "runtime"]
RUNTIME_FIELDS = ["replicas", "executeTimeout", "podAnnotations", "env", "resources", "tolerations"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3))
def test_whatever_a_spec_holds_it_is_an_instantiation_or_a_sentence(
    spec: dict[str, object],
) -> None:
    with contextlib.suppress(InvalidObject):
        found = parse_instantiation(stored_instantiation(**spec))
        assert isinstance(found, ChaincodeInstantiation)


@given(st.dictionaries(st.sampled_from(RUNTIME_FIELDS), JSON, max_size=3))
def test_whatever_a_runtime_holds_it_is_an_instantiation_or_a_sentence(
    runtime: dict[str, object],
) -> None:
    with contextlib.suppress(InvalidObject):
        assert isinstance(instantiation(runtime=runtime), ChaincodeInstantiation)


def _of_example(size: str) -> ChaincodeInstantiation:
    body = example("ChaincodeInstantiation", size)
    body["metadata"] |= {"namespace": "trade", "uid": "u"}
    return parse_instantiation(body)
