"""A peer is not kept from its files by clients that hold all the descriptors it asked for."""

from __future__ import annotations

import resource
import subprocess
import sys

_REPORT = """
import resource
from treadle_peer.main.run import allow_connections
resource.setrlimit(resource.RLIMIT_NOFILE, (200, {hard}))
allow_connections()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_a_peer_takes_all_descriptors_that_the_system_allows() -> None:
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 5000)
    report = [sys.executable, "-W", "ignore", "-c", _REPORT.format(hard=hard)]
    said = subprocess.run(report, capture_output=True, text=True, check=True)
    assert said.stdout.split() == [str(hard), str(hard)]
