"""Operations without HTTP: health, levels, metrics text."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from treadle_peer.services.metrics import Metrics
from treadle_peer.services.operations import LogControl, Operations

LOGGERS = ("treadle_peer", "treadle_fabric", "treadle_cli", "treadle_peer.chaincode", "gossip")


@pytest.fixture
def levels() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.usefixtures("levels")
def test_a_new_specification_resets_what_it_leaves_out() -> None:
    control = LogControl()
    control.activate("chaincode,gossip=debug:error")
    assert logging.getLogger("treadle_peer").level == logging.ERROR
    assert logging.getLogger("treadle_peer.chaincode").level == logging.DEBUG
    control.activate("warn")
    assert logging.getLogger("treadle_peer").level == logging.WARNING
    assert logging.getLogger("treadle_peer.chaincode").level == logging.NOTSET
    assert control.spec == "warn"


@pytest.mark.usefixtures("levels")
def test_a_wrong_specification_changes_nothing() -> None:
    control = LogControl()
    control.activate("error")
    with pytest.raises(ValueError, match="loud"):
        control.activate("loud")
    assert control.spec == "error"
    assert logging.getLogger("treadle_peer").level == logging.ERROR


def operations(**checks: str | None) -> Operations:
    def check(reason: str | None) -> str | None:
        return reason

    return Operations(
        version="1.2",
        metrics=Metrics(version="1.2", heights=lambda: {"ch": 3}),
        logs=LogControl(),
        runtimes=list,
        checks={name: lambda reason=reason: check(reason) for name, reason in checks.items()},
    )


def test_health_names_what_failed() -> None:
    assert operations(ordering=None).health().healthy
    report = operations(ordering="disk full", channels=None).health()
    assert not report.healthy
    body = report.as_json()
    assert body["status"] == "Service Unavailable"
    assert body["failed_checks"] == [{"component": "ordering", "reason": "disk full"}]


def test_metrics_have_fabrics_names_and_parse() -> None:
    metrics = Metrics(version="1.2", heights=lambda: {"ch": 3})
    metrics.deliver.blocks_sent.labels("ch", "true", 'a"b\\c\n').inc()
    metrics.ledger.block_processing_time.labels("ch").observe(0.2)
    text = metrics.render().decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    (sample,) = families["deliver_blocks_sent"].samples
    assert sample.labels["data_type"] == 'a"b\\c\n'
    assert sample.value == 1
    assert families["ledger_blockchain_height"].samples[0].labels == {"channel": "ch"}
    assert "fabric_version" in families
    assert families["ledger_block_processing_time"].type == "histogram"
    assert "_created" not in text
