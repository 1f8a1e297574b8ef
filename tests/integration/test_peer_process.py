"""The whole peer as a process: what it prints and answers, and who may talk to it."""

from __future__ import annotations

import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from fabric_protos.common.common_pb2 import Block, Status
from fabric_protos.peer.events_pb2 import DeliverResponse
from harness.channels import create_channel
from harness.operations_port import get, request

if TYPE_CHECKING:
    from .conftest import CliFactory, PeerFactory


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
    create_channel(cli, "second", tools=fabric_bin, folder=tmp_path)
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
