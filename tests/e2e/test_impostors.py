"""Pods that are not a chaincode's own are refused, whatever they present, and people are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import pytest
from e2e.accounts import CHANNEL
from e2e.counters import Counter
from e2e.impostors import Impostor, foreign_papers, papers_of, secret_of
from e2e.kubectl import Kubectl
from harness.fabric_cli import FabricCli
from harness.processes import wait_until
from treadle_operator.names import runtime_name

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.real_fabric,
    pytest.mark.timeout(900),
]

RUN = token_hex(2)  # a run's own names: a ledger forgets nothing, and a run may leave something
NAME = f"guarded-{RUN}"
KEPT, FOREIGN = f"kept-{RUN}", f"foreign-{RUN}"
OLD, NEW = f"{NAME}:1", f"{NAME}:2"
EVENT_SECONDS = 90.0  # the peer counts for ten seconds, the operator writes every thirty
NOT_ACCEPTED = f"peer will not accept external chaincode connection {NEW} (except in dev mode)"
IMPOSTORS = {
    "no certificate": Impostor(name=f"bare-{RUN}", ccid=NEW, papers=None, port=7052),
    "a foreign certificate": Impostor(name=FOREIGN, ccid=NEW, papers=FOREIGN, port=7052),
    "the right Secret": Impostor(name=f"thief-{RUN}", ccid=NEW, papers=runtime_name("peer0", NEW)),
    "the certificate of a retired version": Impostor(name=f"old-{RUN}", ccid=NEW, papers=KEPT),
}
BECAUSE = {
    "no certificate": "it was not launched by this peer",
    "a foreign certificate": "it was not launched by this peer",
    "the right Secret": "is not the address of a pod that the operator reported",
    "the certificate of a retired version": "retired",
}
KNOCKER = Impostor(name=f"knocker-{RUN}", ccid=NEW, papers=FOREIGN, port=7053)


@dataclass(frozen=True, slots=True)
class Said:
    """What each impostor printed, and how many refusals the Peer's Event counts more for them."""

    logs: dict[str, str]
    counted: int


@pytest.fixture(scope="module")
def upgraded(trade: Kubectl) -> Iterator[Kubectl]:
    """A chaincode in its second version; KEPT is a copy of the first one's Secret."""
    guarded = Counter(trade, NAME)
    trade.apply(guarded.package("1"), guarded.package("2"), guarded.instantiation("1"))
    guarded.ready()
    trade.apply(secret_of(KEPT, papers_of(trade, OLD)))
    trade.apply(guarded.instantiation("2"))
    trade.wait(guarded.resource, f"jsonpath={{.status.legacyID}}={NEW}", within=300)
    trade.run("wait", guarded.deployment("1"), "--for=delete", "--timeout=60s")
    guarded.ready()
    trade.apply(secret_of(FOREIGN, foreign_papers(trade, NEW)))
    yield trade
    trade.run("delete", "secret", KEPT, FOREIGN)
    trade.run("delete", guarded.resource)


def refusals(there: Kubectl) -> list[dict[str, Any]]:
    """The Events about refused registrations at peer0, one for each run of it."""
    chosen = "--field-selector=reason=RegistrationRefused,involvedObject.name=peer0"
    found: list[dict[str, Any]] = there.get("events", chosen)["items"]
    return found


def counted(there: Kubectl) -> int:
    return sum(one["count"] for one in refusals(there))


@pytest.fixture(scope="module")
def said(upgraded: Kubectl) -> Iterator[Said]:
    """All of them came at once, and each of their programs has ended."""
    before = counted(upgraded)
    like = upgraded.get("deployment", runtime_name("peer0", NEW))
    everyone = [*IMPOSTORS.values(), KNOCKER]
    upgraded.apply(*(one.pod(like) for one in everyone))
    for one in everyone:
        upgraded.wait(f"pod/{one.name}", "jsonpath={.status.phase}=Failed", within=120)
    logs = {one.name: upgraded.run("logs", one.name) for one in everyone}
    wait_until(
        lambda: counted(upgraded) >= before + len(IMPOSTORS),
        within=EVENT_SECONDS,
        what=f"an Event that counts {before} and {len(IMPOSTORS)} more",
    )
    yield Said(logs, counted(upgraded) - before)
    upgraded.run("delete", "pod", *(one.name for one in everyone), "--grace-period=0", "--force")


@pytest.mark.parametrize("presents", IMPOSTORS)
def test_a_pod_is_refused_with_the_peers_sentence(said: Said, presents: str) -> None:
    log = said.logs[IMPOSTORS[presents].name]
    assert NOT_ACCEPTED in log
    assert BECAUSE[presents] in log


def test_a_foreign_certificate_does_not_get_past_the_handshake_of_the_pods_port(
    said: Said,
) -> None:
    log = said.logs[KNOCKER.name]
    assert "code = Unavailable" in log
    assert "peer will not accept" not in log


def test_one_event_on_the_peer_counts_the_refusals(upgraded: Kubectl, said: Said) -> None:
    assert said.counted == len(IMPOSTORS)
    newest = max(refusals(upgraded), key=lambda one: one["firstTimestamp"])
    assert newest["type"] == "Warning"
    assert f"{newest['count']} registrations" in newest["message"]


def test_the_real_pod_goes_on_undisturbed(upgraded: Kubectl, said: Said, cli: FabricCli) -> None:
    assert said.logs
    assert cli.query(NAME, "next", channel=CHANNEL) == "1"
    chosen = f"--selector=treadle.dev/runtime={runtime_name('peer0', NEW)}"
    pods = [
        one for one in upgraded.get("pods", chosen)["items"] if "ownerReferences" in one["metadata"]
    ]
    restarts = [
        state["restartCount"] for pod in pods for state in pod["status"]["containerStatuses"]
    ]
    assert restarts == [0]
