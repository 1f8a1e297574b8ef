"""The whole peer as a process: what it prints, who may talk to it, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from fabric_protos.common.common_pb2 import Block, Status
from fabric_protos.orderer.ab_pb2 import SeekNewest, SeekPosition, SeekSpecified
from fabric_protos.orderer.ab_pb2_grpc import AtomicBroadcastStub
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.events_pb2_grpc import DeliverStub
from harness.processes import wait_until
from treadle_fabric.msp import load_local_msp
from treadle_fabric.wire import build_seek_envelope

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory, PeerProcess

CREATION = """
Profiles:
  One:
    Consortium: SampleConsortium
    Policies: &policies
      Readers: {Type: ImplicitMeta, Rule: "ANY Readers"}
      Writers: {Type: ImplicitMeta, Rule: "ANY Writers"}
      Admins: {Type: ImplicitMeta, Rule: "MAJORITY Admins"}
    Application:
      Organizations:
        - Name: Org1MSP
          ID: Org1MSP
          MSPDir: MSPDIR
          Policies:
            Readers: {Type: Signature, Rule: "OR('Org1MSP.member')"}
            Writers: {Type: Signature, Rule: "OR('Org1MSP.member')"}
            Admins: {Type: Signature, Rule: "OR('Org1MSP.admin')"}
      Capabilities: {V1_4_2: true}
      Policies: *policies
"""


def get(peer: PeerProcess, path: str) -> tuple[int, str]:
    """One request to the operations listener."""
    return request(urllib.request.Request(f"http://{peer.addresses['operations']}{path}"))


def request(
    message: urllib.request.Request, context: ssl.SSLContext | None = None
) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(message, timeout=10, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.real_fabric
@pytest.mark.parametrize("tls", ["off", "on", "mutual"])
def test_the_real_command_lists_inspects_and_fetches_channels(
    peer_process: PeerFactory, fabric_cli: CliFactory, tls: str, tmp_path: Path
) -> None:
    peer = peer_process(tls=tls == "on", mutual_tls=tls == "mutual")
    cli = fabric_cli(peer)
    assert "mychannel" in cli.run("channel", "list").stdout
    info = cli.run("channel", "getinfo", "-c", "mychannel").stdout
    assert '"height":1' in info
    cli.run("channel", "fetch", "newest", "newest.block", "-c", "mychannel", cwd=tmp_path)
    flags = cli.orderer_flags()
    cli.run("channel", "fetch", "config", "config.block", "-c", "mychannel", *flags, cwd=tmp_path)
    newest = Block.FromString((tmp_path / "newest.block").read_bytes())
    config = Block.FromString((tmp_path / "config.block").read_bytes())
    assert newest.header == config.header
    assert newest.metadata.metadata[2] == b"\0"


@pytest.mark.real_fabric
def test_the_real_commands_create_and_join_a_channel(
    peer_process: PeerFactory, fabric_cli: CliFactory, fabric_bin: Path, tmp_path: Path
) -> None:
    peer = peer_process()
    cli = fabric_cli(peer)
    (tmp_path / "configtx.yaml").write_text(CREATION.replace("MSPDIR", str(cli.msp_folder)))
    subprocess.run(
        [
            *(str(fabric_bin / "configtxgen"), "-profile", "One", "-channelID", "second"),
            *("-outputCreateChannelTx", "second.tx"),
        ],
        env={"FABRIC_CFG_PATH": str(tmp_path), "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        check=True,
        timeout=60,
    )
    flags = ["-o", cli.orderer_address]
    cli.run("channel", "create", "-c", "second", "-f", "second.tx", *flags, cwd=tmp_path)
    cli.run("channel", "join", "-b", "second.block", cwd=tmp_path)
    assert "second" in cli.run("channel", "list").stdout.split()
    again = cli.run("channel", "join", "-b", "second.block", cwd=tmp_path, succeeds=False)
    assert "ledger [second] already exists with state [ACTIVE]" in again.stderr
    peer.stop()
    peer.start()
    assert "second" in fabric_cli(peer).run("channel", "list").stdout.split()


def test_operations_tell_health_version_metrics_levels_and_runtimes(
    peer_process: PeerFactory,
) -> None:
    peer = peer_process()
    status, body = get(peer, "/healthz")
    assert (status, json.loads(body)["status"]) == (200, "OK")
    assert json.loads(get(peer, "/version")[1])["Version"]
    metrics = get(peer, "/metrics")[1]
    assert 'ledger_blockchain_height{channel="mychannel"} 1.0' in metrics
    assert "\ndeliver_streams_opened 0.0" in metrics
    assert "_created" not in metrics
    assert json.loads(get(peer, "/runtimes")[1]) == {"runtimes": []}
    put = urllib.request.Request(
        f"http://{peer.addresses['operations']}/logspec",
        data=b'{"spec": "orderer=debug:warn"}',
        method="PUT",
    )
    assert request(put) == (204, "")
    assert json.loads(get(peer, "/logspec")[1]) == {"spec": "orderer=debug:warn"}
    put.data = b'{"spec": "loud"}'
    status, body = request(put)
    assert status == 400
    assert "loud" in json.loads(body)["error"]
    assert get(peer, "/nothing")[0] == 404


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


def test_garbage_on_every_port_harms_nobody(peer_process: PeerFactory) -> None:
    peer = peer_process()
    addresses = peer.addresses
    for name in ("peer", "chaincode", "ordering", "operations"):
        host, port = addresses[name].rsplit(":", 1)
        for garbage in (b"\x00" * 4096, os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03"):
            with socket.create_connection((host, int(port)), timeout=10) as client:
                client.sendall(garbage)
    with grpc.insecure_channel(addresses["peer"]) as channel:
        for method in ("/protos.Endorser/ProcessProposal", "/no.Such/Method"):
            call = channel.unary_unary(method)
            with pytest.raises(grpc.RpcError):
                call(b"\xff\xff\xff", timeout=10)
        stream = channel.stream_stream("/protos.Deliver/Deliver")
        with pytest.raises(grpc.RpcError):
            list(stream(iter([b"\xff\xff"]), timeout=10))
        answers = list(stream(iter([b""]), timeout=10))
        assert [DeliverResponse.FromString(each).status for each in answers] == [Status.BAD_REQUEST]
    assert get(peer, "/healthz")[0] == 200
    assert peer.stop() == 0
    assert "Traceback" not in peer.process.text()


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


def test_writing_log_levels_needs_a_client_certificate_under_tls(
    peer_process: PeerFactory,
) -> None:
    first = peer_process(tls=True)
    tls, client = first.data / "tls", first.data / "client" / "tls"
    peer = peer_process(
        "second",
        extra={
            "CORE_OPERATIONS_TLS_ENABLED": "true",
            "CORE_OPERATIONS_TLS_CERT_FILE": str(tls / "server.crt"),
            "CORE_OPERATIONS_TLS_KEY_FILE": str(tls / "server.key"),
            "CORE_OPERATIONS_TLS_CLIENTROOTCAS_FILES": str(client / "ca.crt"),
        },
    )
    message = urllib.request.Request(
        f"https://{peer.addresses['operations']}/logspec",
        data=b'{"spec": "debug"}',
        method="PUT",
    )
    stranger = ssl.create_default_context(cafile=str(client / "ca.crt"))
    assert request(message, stranger)[0] == 401
    admin = ssl.create_default_context(cafile=str(client / "ca.crt"))
    admin.load_cert_chain(client / "client.crt", client / "client.key")
    assert request(message, admin)[0] == 204


def test_mutual_tls_refuses_who_has_no_certificate(peer_process: PeerFactory) -> None:
    peer = peer_process(mutual_tls=True)
    root = (peer.data / "client" / "tls" / "ca.crt").read_bytes()
    with grpc.secure_channel(peer.addresses["peer"], grpc.ssl_channel_credentials(root)) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/protos.Endorser/ProcessProposal")(b"", timeout=10)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
