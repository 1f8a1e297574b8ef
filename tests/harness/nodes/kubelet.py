"""The one answer of a kubelet's port that is needed: the log of a container."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from harness.kubernetes.control_plane import ControlPlane

Find = Callable[[str, str, bool], Path | None]
"""uid of a pod, container, whether the previous one is meant: the file."""


class KubeletPort:
    """HTTPS on loopback, where the API server asks for logs; a context manager."""

    def __init__(self, plane: ControlPlane, find: Find) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(plane, find))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*plane.issue("kubelet", hosts=["127.0.0.1"]))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, name="kubelet port")
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(plane: ControlPlane, find: Find) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            content = _content(plane, find, url.path, parse_qs(url.query))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return Handler


def _content(
    plane: ControlPlane, find: Find, path: str, query: dict[str, list[str]]
) -> bytes | None:
    kind, *names = path.strip("/").split("/")
    if kind != "containerLogs" or len(names) != 3:
        return None
    namespace, pod, container = names
    api = plane.connection()
    try:
        answer = api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")
    finally:
        api.close()
    if not answer.accepted:
        return None
    file = find(answer.body["metadata"]["uid"], container, query.get("previous") == ["true"])
    if file is None or not file.exists():
        return None
    content = file.read_bytes()
    if "tailLines" in query:
        content = b"".join(content.splitlines(keepends=True)[-int(query["tailLines"][0]) :])
    return content[: int(query["limitBytes"][0])] if "limitBytes" in query else content
