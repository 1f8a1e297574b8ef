"""Where a build or a chaincode waits until a test lets it go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness.nodes.images import Image
from harness.operating.operated import go_files

_PATIENCE = 240.0
_WAIT = """#!/bin/sh
while [ ! -e /gate/open ]; do sleep 0.1; done
exec /go/root/bin/go "$@"
"""
_PASS = """package main

import (
	"net/http"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

func pass() {
	if answer, err := http.Get(os.Getenv("GATE")); err == nil {
		_ = answer.Body.Close()
	}
}

func passing(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	result, err := transfer(stub, args)
	pass()
	return result, err
}
"""
_INIT = "func (contract) Init(stub shim.ChaincodeStubInterface) *peer.Response {\n"


@dataclass(frozen=True, slots=True)
class BuildGate:
    """An image of Go whose compiler begins only while the gate is open; *folder* is its own."""

    folder: Path

    def image(self, golang: Image) -> Image:
        """*golang* with the gate before it; shut."""
        self.folder.chmod(0o755)
        script = self.folder / "go"
        script.write_text(_WAIT)
        script.chmod(0o755)
        folders = {**golang.folders, "/gate": self.folder}
        return replace(golang, path=("/gate", *golang.path), folders=folders)

    def open(self) -> None:
        (self.folder / "open").touch()

    def shut(self) -> None:
        (self.folder / "open").unlink(missing_ok=True)


def gated_files(*, init: str = "pass()") -> dict[str, str]:
    """The Go example, whose Init and transfer ask ``$GATE`` before they answer.

    *init* is the statement with which Init begins.
    """
    changes = (
        (_INIT, f"{_INIT}\t{init}\n"),
        ("3, transfer}", "3, passing}"),
    )
    return {**go_files(*changes), "gate.go": _PASS}


@dataclass(slots=True)
class Gate:
    """``url`` answers who asks it while it is open; others wait."""

    url: str = ""
    _open: threading.Event = field(default_factory=threading.Event)
    _asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def open(self) -> None:
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def asked(self, *, within: float) -> None:
        """Return once somebody has come who was not told of yet."""
        assert self._asked.acquire(timeout=within), f"nobody came to the gate in {within:g} s"

    def ask(self) -> None:
        self._asked.release()
        self._open.wait(_PATIENCE)


@contextmanager
def gate(address: str) -> Iterator[Gate]:
    """Shut, on a port of *address*."""
    made = Gate()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.ask()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Who has asked may be gone: that is what the tests are about."""

    with Server((address, 0), Handler) as server:
        made.url = f"http://{address}:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, name="gate")
        thread.start()
        try:
            yield made
        finally:
            made.open()
            server.shutdown()
            thread.join(30)
