"""The operator takes a packed source only from whom it gave a certificate."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from harness.processes import Started, wait_until
from harness.real_peer import free_port
from treadle_operator.errors import HandoverFailed
from treadle_operator.handover import receive
from treadle_operator.identities import new_handover

COMMAND = [sys.executable, "-c", "from treadle_peer.pods.command import main; main()"]
CONTENT = bytes(range(256)) * 10_000


@contextlib.contextmanager
def serving(folder: Path, certificate: Mapping[str, bytes]) -> Iterator[str]:
    """The address of a pod's program that hands over CONTENT."""
    for name, content in certificate.items():
        (folder / name).write_bytes(content)
    (folder / "package").write_bytes(CONTENT)
    port = free_port()
    options = ["--work", str(folder), "--port", str(port)]
    command = [*COMMAND, "--certificate", str(folder), "serve", *options]
    server = Started(command, output=folder / "log")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()


def received(address: str, certificate: Mapping[str, bytes]) -> bytes | str:
    try:
        return asyncio.run(receive(address, certificate))
    except HandoverFailed as error:
        return str(error)


def test_what_is_served_arrives_whole(tmp_path: Path) -> None:
    certificate = new_handover()
    with serving(tmp_path, certificate) as address:
        wait_until(lambda: received(address, certificate) == CONTENT, within=20, what="the package")


def test_neither_side_talks_to_one_with_another_certificate(tmp_path: Path) -> None:
    certificate, other = new_handover(), new_handover()
    mixed = {**certificate, "ca.crt": other["ca.crt"]}
    unknown = {**other, "ca.crt": certificate["ca.crt"]}
    with serving(tmp_path, certificate) as address:
        wait_until(lambda: received(address, certificate) == CONTENT, within=20, what="the package")
        assert "CERTIFICATE_VERIFY_FAILED" in str(received(address, other))
        assert "CERTIFICATE_VERIFY_FAILED" in str(received(address, mixed))
        assert "does not hand the package over" in str(received(address, unknown))


@pytest.mark.parametrize("status", [200, 302])
def test_one_who_does_not_say_how_much_comes_or_sends_elsewhere_is_left(
    tmp_path: Path, status: int
) -> None:
    certificate = new_handover()
    with serving(tmp_path, certificate) as elsewhere:
        wait_until(
            lambda: received(elsewhere, certificate) == CONTENT, within=20, what="the package"
        )

        class Endless(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Location", f"https://{elsewhere}/package")
                self.end_headers()
                self.wfile.write(CONTENT)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
        with HTTPServer(("127.0.0.1", 0), Endless) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.handle_request, daemon=True).start()
            said = received(f"127.0.0.1:{server.server_port}", certificate)
    assert "does not promise at most" in str(said)[:200]


def test_one_who_is_not_there_and_a_certificate_that_is_none_are_told() -> None:
    address = f"127.0.0.1:{free_port()}"
    assert "does not hand the package over" in str(received(address, new_handover()))
    for broken in ({}, {**new_handover(), "tls.key": b"no key"}):
        assert "no usable certificate" in str(received(address, broken))


def test_the_private_key_stays_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    received(f"127.0.0.1:{free_port()}", new_handover())
    assert list(tmp_path.iterdir()) == []
