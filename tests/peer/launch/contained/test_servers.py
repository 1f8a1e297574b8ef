"""Where chaincode that is a server is dialled."""

from __future__ import annotations

import pytest
from treadle_peer.chaincode.launch.containers.starting import server_host
from treadle_peer.execution import ExecutionError


def test_in_the_hosts_network_a_server_is_dialled_on_loopback() -> None:
    assert server_host("host", "") == "127.0.0.1"


def test_in_another_network_a_server_is_dialled_at_its_address_and_nowhere_else() -> None:
    assert server_host("bridge", "172.17.0.2") == "172.17.0.2"
    with pytest.raises(ExecutionError, match="no address in the network bridge: it has ended"):
        server_host("bridge", "")
