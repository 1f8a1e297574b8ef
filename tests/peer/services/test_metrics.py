"""Names, kinds and labels are those that Fabric's dashboards ask for (its metrics reference)."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from treadle_peer.chaincode import LaunchEnd
from treadle_peer.services.metrics import Metrics

CHANNEL = "channel"
DELIVER = "channel filtered data_type"
BROADCAST = "status channel type"
ABOUT = "channel chaincode"
SHIM = "type channel chaincode"
CALL = "service method"

# Name, kind and labels as Fabric 2.5 declares them in metrics.go of each package.
FABRIC = [
    ("deliver_streams_opened", "counter", ""),
    ("deliver_streams_closed", "counter", ""),
    ("deliver_requests_received", "counter", DELIVER),
    ("deliver_requests_completed", "counter", f"{DELIVER} success"),
    ("deliver_blocks_sent", "counter", DELIVER),
    ("broadcast_processed_count", "counter", BROADCAST),
    ("broadcast_validate_duration", "histogram", BROADCAST),
    ("broadcast_enqueue_duration", "histogram", BROADCAST),
    ("endorser_proposals_received", "counter", ""),
    ("endorser_successful_proposals", "counter", ""),
    ("endorser_proposal_duration", "histogram", f"{ABOUT} success"),
    ("endorser_proposal_validation_failures", "counter", ""),
    ("endorser_proposal_acl_failures", "counter", ABOUT),
    ("endorser_duplicate_transaction_failures", "counter", ABOUT),
    ("endorser_proposal_simulation_failures", "counter", ABOUT),
    ("endorser_chaincode_instantiation_failures", "counter", ABOUT),
    ("endorser_endorsement_failures", "counter", f"{ABOUT} chaincodeerror"),
    ("chaincode_launch_duration", "histogram", "chaincode success"),
    ("chaincode_launch_failures", "counter", "chaincode"),
    ("chaincode_launch_timeouts", "counter", "chaincode"),
    ("chaincode_shim_requests_received", "counter", SHIM),
    ("chaincode_shim_requests_completed", "counter", f"{SHIM} success"),
    ("chaincode_shim_request_duration", "histogram", f"{SHIM} success"),
    ("chaincode_execute_timeouts", "counter", "chaincode"),
    ("grpc_server_unary_requests_received", "counter", CALL),
    ("grpc_server_unary_requests_completed", "counter", f"{CALL} code"),
    ("grpc_server_unary_request_duration", "histogram", f"{CALL} code"),
    ("grpc_server_stream_requests_received", "counter", CALL),
    ("grpc_server_stream_requests_completed", "counter", f"{CALL} code"),
    ("ledger_block_processing_time", "histogram", CHANNEL),
    (
        "ledger_transaction_count",
        "counter",
        "channel transaction_type chaincode validation_code",
    ),
]


def by_name(metrics: Metrics) -> dict[str, Any]:
    """The single metrics of all families."""
    families = [value for value in vars(metrics).values() if hasattr(value, "__slots__")]
    found = [getattr(family, name) for family in families for name in family.__slots__]
    return {metric.describe()[0].name: metric for metric in found}


@pytest.mark.parametrize(("name", "kind", "labels"), FABRIC, ids=lambda value: value or "-")
def test_a_metric_is_declared_as_fabric_declares_it(name: str, kind: str, labels: str) -> None:
    metrics = Metrics(version="1", heights=dict)
    metric = by_name(metrics)[name]
    child = metric.labels(**dict.fromkeys(labels.split(), "x")) if labels else metric
    if kind == "counter":
        child.inc()
    else:
        child.observe(1)
    text = metrics.render().decode()
    assert f"# TYPE {name} {kind}\n" in text
    (family,) = [one for one in text_string_to_metric_families(text) if one.name == name]
    shown = family.samples[0].labels.keys() - {"le"}
    assert shown == set(labels.split())


def test_what_happens_to_chaincodes_is_counted_under_its_name_and_version() -> None:
    metrics = Metrics(version="1", heights=dict)
    seen = metrics.chaincode
    for end in LaunchEnd:
        seen.launch_ended("cc:1", end, seconds=2)
    seen.request_received("cc:1", "ch", "GET_STATE")
    seen.request_completed("cc:1", "ch", "GET_STATE", seconds=0.1, success=False)
    seen.execution_timed_out("cc:1")
    lines = metrics.render().decode().splitlines()
    request = 'type="GET_STATE",channel="ch",chaincode="cc:1"'
    for expected in (
        'chaincode_launch_duration_count{chaincode="cc:1",success="true"} 1.0',
        'chaincode_launch_duration_sum{chaincode="cc:1",success="false"} 4.0',
        'chaincode_launch_failures{chaincode="cc:1"} 1.0',
        'chaincode_launch_timeouts{chaincode="cc:1"} 1.0',
        f"chaincode_shim_requests_received{{{request}}} 1.0",
        f'chaincode_shim_requests_completed{{{request},success="false"}} 1.0',
        f'chaincode_shim_request_duration_sum{{{request},success="false"}} 0.1',
        'chaincode_execute_timeouts{chaincode="cc:1"} 1.0',
    ):
        assert expected in lines
