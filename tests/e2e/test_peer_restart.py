"""A peer whose pod is killed in the middle of work is soon in use again, by every language."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from e2e.accounts import CHANNEL, Accounts
from e2e.conftest import Connect
from e2e.counters import CALL_BEGINS, INIT_BEGINS, Counter, new_counter
from e2e.kubectl import Kubectl
from e2e.peer_pod import height, kill_peer, wait_for_another
from harness.chaincodes import LANGUAGES
from harness.fabric_cli import FabricCli
from harness.processes import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.real_fabric, pytest.mark.timeout(1800)]

Say = Callable[[str], None]
AIM_SECONDS = 5.0
BUSY_SECONDS = 60.0  # what a machine with much else to do is allowed


def test_a_peer_that_dies_during_init_and_an_invoke_does_each_of_them_once(
    trade: Kubectl, connected: Connect, say: Say
) -> None:
    counter = new_counter(trade, "slow", slow=True)
    with connected(trade) as cli:
        before = height(cli)
    counter.begin()
    wait_until(lambda: INIT_BEGINS in counter.printed("1"), within=180, what="Init")
    ready = wait_for_another(trade, kill_peer(trade))
    counter.ready()
    say(f"Init committed {time.monotonic() - ready:.1f} s after the peer was ready again")
    # The peer was killed before Init was done: so that ran anew, here or in another container.
    printed = counter.printed("1", "--previous") + counter.printed("1")
    assert printed.count(INIT_BEGINS) > 1, printed
    with connected(trade) as cli:
        assert height(cli) == before + 1
        dies_during_an_invoke(cli, counter)
    with connected(trade) as cli:
        assert height(cli) == before + 1
        wait_until(
            lambda: invoked(cli, counter.name, "next"), within=BUSY_SECONDS, what="an invoke"
        )
        assert height(cli) == before + 2
        assert cli.query(counter.name, "next", channel=CHANNEL) == "2"
    trade.run("delete", counter.resource)


def dies_during_an_invoke(cli: FabricCli, counter: Counter) -> None:
    """The client of that invoke is told that it failed; returns when the peer is ready again."""
    with ThreadPoolExecutor() as clients:
        call = clients.submit(
            cli.invoke, counter.name, "slowly", channel=CHANNEL, succeeds=False, timeout=120
        )
        wait_until(lambda: CALL_BEGINS in counter.printed("1"), within=60, what="the invoke")
        killed = kill_peer(counter.there)
        call.result(timeout=120)
    wait_for_another(counter.there, killed)


def invoked(cli: FabricCli, name: str, *arguments: str) -> bool:
    """Whether an invoke of it has committed."""
    try:
        cli.invoke(name, *arguments, channel=CHANNEL)
    except AssertionError:
        return False
    return True


def test_every_shim_is_invoked_soon_after_the_peer_is_ready_again(
    trade: Kubectl,
    accounts: Accounts,
    connected: Connect,
    say: Say,
) -> None:
    names = {language: accounts.ready(language) for language in LANGUAGES}
    ready = wait_for_another(trade, kill_peer(trade))

    def seconds(cli: FabricCli, name: str) -> float:
        wait_until(
            lambda: invoked(cli, name, "set", "restarted", "yes"),
            within=BUSY_SECONDS,
            what=f"an invoke of {name}",
        )
        return time.monotonic() - ready

    with connected(trade) as cli, ThreadPoolExecutor() as clients:
        running = {one: clients.submit(seconds, cli, name) for one, name in names.items()}
        taken = {one: future.result() for one, future in running.items()}
    for language, one in taken.items():
        say(f"{language}: invoked {one:.1f} s after the peer was ready (aim {AIM_SECONDS:g} s)")
    assert max(taken.values()) < BUSY_SECONDS
