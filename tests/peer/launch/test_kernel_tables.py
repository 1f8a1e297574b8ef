"""Reading /proc: known lines, and the sockets of this very process."""

from __future__ import annotations

import ipaddress
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_peer.chaincode.launch import proc, sockets
from treadle_peer.chaincode.launch.sockets import Endpoint

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
REST = "01 00000000:00000000 00:00000000 00000000     0        0"
MAPPED = "0000000000000000FFFF00000100007F"
V4 = f"   1: 0100007F:1B8C 0100007F:D431 {REST} 4711 1"
V6 = f"   2: {MAPPED}:D431 {MAPPED}:1B8C {REST} 4712 1"
LOCAL = ipaddress.ip_address("127.0.0.1")


def test_rows_of_both_tables_mean_the_same_addresses() -> None:
    (v4,) = sockets.parse_table(f"{HEADER}\n{V4}\n")
    (v6,) = sockets.parse_table(f"{HEADER}\n{V6}\n")
    assert (v4.local, v4.remote, v4.inode) == (Endpoint(LOCAL, 7052), Endpoint(LOCAL, 54321), 4711)
    assert (v6.local, v6.remote, v6.inode) == (Endpoint(LOCAL, 54321), Endpoint(LOCAL, 7052), 4712)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("ipv4:127.0.0.1:54321", Endpoint(LOCAL, 54321)),
        ("127.0.0.1:54321", Endpoint(LOCAL, 54321)),
        ("ipv6:%5B::1%5D:9", Endpoint(ipaddress.ip_address("::1"), 9)),
        ("ipv6:[::ffff:127.0.0.1]:9", Endpoint(LOCAL, 9)),
        ("unix:/run/x", None),
        ("unix:", None),
        ("ipv4:host:1", None),
        ("", None),
    ],
)
def test_callers_are_read_in_grpcs_words(text: str, endpoint: Endpoint | None) -> None:
    assert sockets.parse_remote(text) == endpoint


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_own_connection_is_found_and_held_by_this_process(family: socket.AddressFamily) -> None:
    with socket.socket(socket.AF_INET) as server, socket.socket(family) as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        client.connect(("127.0.0.1" if family is socket.AF_INET else "::ffff:127.0.0.1", port))
        caller = Endpoint(LOCAL, client.getsockname()[1])
        rows = sockets.all_sockets()
        inodes = sockets.connecting_inodes(rows, caller=caller, port=port)
        assert inodes == {os.fstat(client.fileno()).st_ino}
        assert inodes <= sockets.held_inodes([os.getpid()])
        assert not inodes <= sockets.held_inodes([os.getppid()])
        assert sockets.listening_inodes(rows, port=port) == {os.fstat(server.fileno()).st_ino}


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=15))
def test_command_names_do_not_confuse_the_stat_line(name: str) -> None:
    line = f"42 ({name}) S 1 40 39 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9"
    found = proc.parse_stat(line)
    assert (found.pid, found.state, found.group, found.session, found.started) == (
        42,
        "S",
        40,
        39,
        777,
    )


def test_this_process_is_found_and_nobody_else_has_its_token() -> None:
    own = proc.stat_of(os.getpid())
    assert own is not None
    assert own.alive
    assert own.group == os.getpgid(0)
    assert os.getpid() in proc.group_members(own.group)
    assert proc.launched_processes(token="no such launch") == []
    assert proc.stat_of(2**22 + 1) is None
