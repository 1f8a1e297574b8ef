"""Handing the packed bytes over to the operator, and to nobody else.

Both sides show the same certificate, which the operator has made for this Job alone.
"""

from __future__ import annotations

import shutil
import signal
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from treadle_peer.pods.told import PodError

PORT: Final = 8443
_SECONDS: Final = 30.0


def serve(package: Path, certificate: Path, *, port: int = PORT) -> None:
    """Serve the file *package* until SIGTERM; raises PodError.

    *certificate* is a folder with tls.crt, tls.key and ca.crt, of an authority that has issued
    nothing else.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
        context.load_verify_locations(certificate / "ca.crt")
        size = package.stat().st_size
    except OSError as error:
        raise PodError(f"cannot serve the package: {error}") from error

    class Handler(_Handler):
        file, length, tls = package, size, context

    # The first process of a container dies of no signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with _Server(("0.0.0.0", port), Handler) as server:
        server.serve_forever()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Strangers and probes end their connections in many ways; that is no news."""


class _Handler(BaseHTTPRequestHandler):
    """One connection; the handshake happens in its own thread."""

    file: Path
    length: int
    tls: ssl.SSLContext
    timeout = _SECONDS

    def setup(self) -> None:
        self.request.settimeout(_SECONDS)
        self.request = self.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def do_GET(self) -> None:
        if self.path != "/package":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(self.length))
        self.end_headers()
        with self.file.open("rb") as file:
            shutil.copyfileobj(file, self.wfile)
