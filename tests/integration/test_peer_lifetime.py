"""The whole peer as a process: how it starts again, what survives, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from fabric_protos.orderer.ab_pb2 import SeekNewest, SeekPosition, SeekSpecified
from fabric_protos.orderer.ab_pb2_grpc import AtomicBroadcastStub
from fabric_protos.peer.events_pb2_grpc import DeliverStub
from harness.operations_port import get
from harness.processes import wait_until
from treadle_fabric.msp import load_local_msp
from treadle_fabric.wire import build_seek_envelope

if TYPE_CHECKING:
    from .conftest import PeerFactory, PeerProcess


def test_a_restart_keeps_identity_and_channel(peer_process: PeerFactory) -> None:
    peer = peer_process()
    certificate = next((peer.data / "network" / "peer" / "signcerts").iterdir()).read_bytes()
    before = get(peer, "/metrics")[1]
    assert peer.stop() == 0
    assert not (peer.data / "run" / "addresses.json").exists()
    peer.start()
    assert next((peer.data / "network" / "peer" / "signcerts").iterdir()).read_bytes() == (
        certificate
    )
    height = 'ledger_blockchain_height{channel="mychannel"} 1.0'
    assert height in before
    assert height in get(peer, "/metrics")[1]


def test_a_peer_started_from_a_clients_shell_is_the_same_peer(peer_process: PeerFactory) -> None:
    peer = peer_process(tls=True)
    certificate = next((peer.data / "network" / "peer" / "signcerts").iterdir()).read_bytes()
    exports = peer.exports
    assert peer.stop() == 0
    again = peer_process("again", start=False)
    # Nothing but what the user pasted: everything else comes from the core.yaml written for them.
    kept = {name: value for name, value in again.environment.items() if "CORE_" not in name}
    again.environment = {**kept, **exports, "CORE_PEER_FILESYSTEMPATH": str(again.data)}
    again.folder.mkdir()
    again.data.symlink_to(peer.data)
    again.start()
    signer = next((again.data / "network" / "peer" / "signcerts").iterdir()).read_bytes()
    assert signer == certificate
    assert exports.keys() == again.exports.keys()
    assert 'channel="mychannel"} 1.0' in get(again, "/metrics")[1]


def test_a_killed_peer_starts_again(peer_process: PeerFactory) -> None:
    peer = peer_process()
    for _ in range(3):
        peer.kill()
        peer.start()
    assert get(peer, "/healthz")[0] == 200


def test_killing_it_in_the_middle_of_its_first_start_leaves_nothing_half_made(
    peer_process: PeerFactory,
) -> None:
    peer = peer_process(start=False)
    for name in ("network", "ordering/identity", "ordering/blocks", "ledger"):
        _kill_when_there(peer, peer.data / name)
    peer.start()
    assert 'channel="mychannel"} 1.0' in get(peer, "/metrics")[1]


def _kill_when_there(peer: PeerProcess, path: Path) -> None:
    process = peer.launch()
    wait_until(lambda: path.exists() or not process.running(), within=60, what=str(path))
    peer.kill()


def test_the_second_signal_ends_it_at_once(peer_process: PeerFactory) -> None:
    peer = peer_process(extra={"CORE_TREADLE_STOP_DRAINTIMEOUT": "60s"})
    with connected_chaincode_that_never_registers(peer):
        os.kill(peer.process.pid, signal.SIGINT)
        os.kill(peer.process.pid, signal.SIGINT)
        assert peer.process.wait(within=10) in (0, 130)


class connected_chaincode_that_never_registers:
    """A client that holds a TCP connection to the chaincode port open."""

    def __init__(self, peer: PeerProcess) -> None:
        host, port = peer.addresses["chaincode"].rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=10)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        self._socket.close()


def seek(peer: PeerProcess, start: SeekPosition, stop: SeekPosition) -> bytes:
    signer = load_local_msp(peer.data / "client" / "msp", msp_id="Org1MSP").signer
    return build_seek_envelope(signer=signer, channel_id="mychannel", start=start, stop=stop)


NEWEST = SeekPosition(newest=SeekNewest())


FOREVER = SeekPosition(specified=SeekSpecified(number=(1 << 64) - 1))


def test_waiting_event_streams_do_not_hold_up_a_stop(peer_process: PeerFactory) -> None:
    peer = peer_process(extra={"CORE_TREADLE_STOP_DRAINTIMEOUT": "60s"})
    with (
        grpc.insecure_channel(peer.addresses["peer"]) as channel,
        grpc.insecure_channel(peer.addresses["ordering"]) as orderer,
    ):
        opened = threading.Event()

        def requests() -> object:
            yield seek(peer, NEWEST, FOREVER)
            opened.wait(60)

        streams = [
            DeliverStub(channel).Deliver(requests()),
            DeliverStub(channel).DeliverFiltered(requests()),
            AtomicBroadcastStub(orderer).Deliver(requests()),
        ]
        first = [next(stream) for stream in streams]
        assert first[0].block.header.number == 0
        assert first[1].filtered_block.channel_id == "mychannel"
        begun = time.monotonic()
        assert peer.stop() == 0
        assert time.monotonic() - begun < 20
        for stream in streams:
            with pytest.raises(grpc.RpcError) as ended:
                next(stream)
            assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
        opened.set()


def refusal(peer: PeerProcess) -> str:
    """The one line with which a peer refuses to start."""
    process = peer.launch()
    assert process.wait(within=60) == 1
    lines = process.text().strip().splitlines()
    assert "Traceback" not in process.text(), process.text()
    return lines[-1]


def test_what_it_cannot_do_is_one_line(peer_process: PeerFactory) -> None:
    running = peer_process()
    taken = running.addresses["peer"]
    line = refusal(peer_process("second", extra={"CORE_PEER_LISTENADDRESS": taken}, start=False))
    assert taken in line
    assert "peer.listenAddress" in line
    line = refusal(
        peer_process("third", extra={"CORE_PEER_FILESYSTEMPATH": str(running.data)}, start=False)
    )
    assert "in use" in line
    line = refusal(
        peer_process("fourth", extra={"CORE_CHAINCODE_EXECUTETIMEOUT": "soon"}, start=False)
    )
    assert "CORE_CHAINCODE_EXECUTETIMEOUT" in line
    assert get(running, "/healthz")[0] == 200
