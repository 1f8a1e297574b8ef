"""What clusters say of pods is told without the passwords of addresses."""

from __future__ import annotations

from typing import Any

import pytest
from harness.operating.runtimes import told
from treadle_operator.model.peering import State
from treadle_operator.reconcile.runtime_observing import is_told, running_finding


def ended(message: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": 1, "message": message}}


def pod(name: str, state: dict[str, Any]) -> dict[str, Any]:
    """With one container."""
    return {
        "metadata": {"name": "p", "creationTimestamp": "2026-11-23T08:00:00Z"},
        "spec": {"containers": [{"name": name, "image": "registry.example.com/x:1"}]},
        "status": {"containerStatuses": [{"name": name, "state": state}]},
    }


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("chaincode", ended("ser:pa55@host/x: https://user:pa55@host/y is away\n")),
        ("output", ended("https://user:pa55@host/y is away")),
        ("chaincode", {"waiting": {"reason": "ErrImagePull", "message": "https://me:pa55@r/x"}}),
    ],
)
def test_no_password_of_an_address_is_told(name: str, state: dict[str, Any]) -> None:
    found = running_finding({}, [pod(name, state)])
    said = found.ended.said if found.ended else found.message
    assert "://***@" in said
    assert "pa55" not in said
    # What the peer makes of it is what it was told: it is not told again and again.
    assert is_told(found, told(State.FAILED, found.message))
