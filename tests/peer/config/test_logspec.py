"""Logging specifications."""

import logging

import pytest
from treadle_peer.config import parse_logging_spec


def test_default_and_modules() -> None:
    spec = parse_logging_spec("gossip,chaincode=debug:endorser=ERROR:warn")
    assert spec.default == logging.WARNING
    assert spec.loggers == {
        "gossip": logging.DEBUG,
        "treadle_peer.chaincode": logging.DEBUG,
        "treadle_peer.endorse": logging.ERROR,
    }


def test_empty_means_info() -> None:
    assert parse_logging_spec("").default == logging.INFO


@pytest.mark.parametrize("text", ["loud", "a=b=info", "=info", "chaincode=", "a b=info"])
def test_wrong_ones_are_refused_with_their_segment(text: str) -> None:
    with pytest.raises(ValueError, match="invalid logging specification"):
        parse_logging_spec(text)
