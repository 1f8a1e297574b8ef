"""The operator dies at any of its writes; the next one ends where an undisturbed one does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from harness.operating.account import new_account
from harness.operating.fixtures import Cluster, is_quiet, reason_is
from harness.operating.process import OperatorProcess
from harness.operating.proxy import Moment, Proxy
from harness.operating.world import Body, Namespace, secret_bytes

pytestmark = pytest.mark.kubernetes

Say = Callable[[str], None]
SPEC = {"external": {"host": "p.example.com", "service": {"type": "NodePort"}}}


def clean_run(cluster: Cluster, folder: Path) -> tuple[dict[str, Body], int]:
    """What an undisturbed operator leaves, and with how many writes."""
    return run(cluster, folder, at=0, moment="before")


def run(cluster: Cluster, folder: Path, *, at: int, moment: Moment) -> tuple[dict[str, Body], int]:
    """Kill the first operator at write *at* (0: never) and let a second one finish."""
    account = new_account(cluster.plane)
    space = Namespace(cluster.plane.api, account.namespace)
    space.create_peer(**SPEC)
    victim: list[OperatorProcess] = []

    def act(number: int, now: Moment) -> bool:
        if (number, now) != (at, moment):
            return True
        os.kill(victim[0].pid, signal.SIGKILL)
        return False

    with Proxy(cluster.server, act) as proxy:
        first = OperatorProcess(account, folder, server=proxy.url, name=f"first-{moment}-{at}")
        with first:
            victim.append(first)
            if at:
                assert first.started.wait(within=60) == -signal.SIGKILL
            else:
                reason_is(space, "PeerStarting")
                is_quiet(first, reconciles=1)
        with OperatorProcess(
            account, folder, server=proxy.url, name=f"second-{moment}-{at}"
        ) as second:
            reason_is(space, "PeerStarting")
            is_quiet(second, reconciles=1)
        # An Event that is there already is the one thing to run into: that is its purpose.
        refused = [path for _, path, status in proxy.writes if status >= 300]
        assert all(path.endswith("/events") for path in refused), proxy.writes
        check_chain(space)
        return space.dump(), len(proxy.writes)


def check_chain(space: Namespace) -> None:
    """Everything issued comes from one of the two authorities that are there."""
    secrets = {s["metadata"]["name"]: secret_bytes(s) for s in space.all("Secret")}
    operators = secrets.pop("peer0-operator-authority")
    for name, leaf in (("peer0-operator", "client.crt"), ("peer0-runtime", "tls.crt")):
        certificate = x509.load_pem_x509_certificate(secrets.pop(name)[leaf])
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(operators["ca.crt"]))
    (authority,) = [data for name, data in secrets.items() if name.endswith("-authority")]
    for data in secrets.values():
        for leaf, issuer in (("signcert.pem", "ca.crt"), ("tls.crt", "tlsca.crt")):
            if leaf in data:
                certificate = x509.load_pem_x509_certificate(data[leaf])
                root = x509.load_pem_x509_certificate(authority[issuer])
                certificate.verify_directly_issued_by(root)


def points(count: int) -> list[tuple[int, Moment]]:
    return [(number, moment) for number in range(1, count + 1) for moment in ("before", "after")]


def hold(cluster: Cluster, folder: Path, say: Say, *, every: int) -> None:
    wanted, count = clean_run(cluster, folder)
    assert count > 12
    # The last write is the status, and before it come the Events that it makes.
    chosen = sorted({*points(count)[::every], (count, "before")})
    say(f"{len(chosen)} of {2 * count} points around {count} writes")
    for number, moment in chosen:
        found, _ = run(cluster, folder, at=number, moment=moment)
        assert found == wanted, f"killed {moment} write {number} of {count}"


def test_a_kill_at_some_writes_changes_nothing_in_the_end(
    cluster: Cluster, tmp_path: Path, say: Say
) -> None:
    hold(cluster, tmp_path, say, every=7)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_kill_at_any_write_changes_nothing_in_the_end(
    cluster: Cluster, tmp_path: Path, say: Say
) -> None:
    hold(cluster, tmp_path, say, every=1)
