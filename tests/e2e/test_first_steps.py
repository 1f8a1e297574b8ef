"""What the README promises of a fresh cluster."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from e2e.first_steps import first_steps
from e2e.kubectl import Kubectl
from harness.fabric_cli import FabricCli

pytestmark = [pytest.mark.e2e, pytest.mark.real_fabric, pytest.mark.timeout(1800)]


def test_the_lines_of_the_readme_end_with_a_chaincode_that_counts(
    trade: Kubectl, cli: FabricCli, say: Callable[[str], None]
) -> None:
    begun = time.monotonic()
    trade.typed(first_steps()[-1], within=700)
    say(f"counter was Ready {time.monotonic() - begun:.0f} s after its peer")
    count = int(cli.query("counter", "next", channel="mychannel"))
    cli.invoke("counter", "next", channel="mychannel")
    assert int(cli.query("counter", "next", channel="mychannel")) == count + 1
