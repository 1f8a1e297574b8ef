"""Packages of every language become pods that the real Fabric CLI invokes: nothing is mocked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from e2e.accounts import CHANNEL, Accounts, answers, balance
from e2e.kubectl import Kubectl
from harness.chaincodes import LANGUAGES
from harness.fabric_cli import FabricCli
from harness.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.real_fabric, pytest.mark.timeout(1800)]


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=pytest.mark.toolchain(one)) for one in LANGUAGES]
)
def test_a_package_becomes_a_pod_that_registers_and_answers(
    trade: Kubectl,
    cli: FabricCli,
    accounts: Accounts,
    language: str,
    say: Callable[[str], None],
) -> None:
    name = accounts.ready(language)
    say(f"{language}: Ready {accounts.seconds[language]:.0f} s after apply, built from nothing")
    before = balance(cli, name, "a"), balance(cli, name, "b")
    assert sum(before) == 100
    cli.invoke(name, "transfer", "a", "b", "30", channel=CHANNEL)
    assert (balance(cli, name, "a"), balance(cli, name, "b")) == (before[0] - 30, before[1] + 30)
    deployments = trade.get("deployments", "--selector=app.kubernetes.io/component=chaincode")
    assert all(one["status"]["readyReplicas"] == 1 for one in deployments["items"])


@pytest.mark.toolchain("go")
def test_a_chaincode_whose_pod_is_killed_registers_again(
    trade: Kubectl, cli: FabricCli, accounts: Accounts
) -> None:
    name = accounts.ready("go")
    chosen = ["pods", "--selector=app.kubernetes.io/component=chaincode"]
    pods = [
        one["metadata"]["name"]
        for one in trade.get(*chosen)["items"]
        if name in one["metadata"]["name"]
    ]
    assert pods
    trade.run("delete", "pod", *pods, "--grace-period=0", "--force")
    wait_until(lambda: answers(cli, name), within=60, what=f"{name} answering from a new pod")
