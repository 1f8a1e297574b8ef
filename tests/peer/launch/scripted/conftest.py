"""Chaincodes that need no build: Python scripts, run by the interpreter of the tests."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from treadle_peer.chaincode.launch.builders import Layout, Start, Step, Tool

# Registers as the shims do, then lives until its stream ends.
DIALLER = """
import os, sys, grpc, queue
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

def read(name):
    with open(os.environ[name], "rb") as file:
        return file.read()

def register(address, ccid, credentials):
    if credentials is None:
        channel = grpc.insecure_channel(address)
    else:
        channel = grpc.secure_channel(address, credentials)
    outgoing = queue.SimpleQueue()
    payload = ChaincodeID(name=ccid).SerializeToString()
    outgoing.put(ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=payload))
    dial = channel.stream_stream(
        "/protos.ChaincodeSupport/Register",
        ChaincodeMessage.SerializeToString,
        ChaincodeMessage.FromString,
    )
    return dial(iter(outgoing.get, None))

def from_environment():
    if os.environ["CORE_PEER_TLS_ENABLED"] == "false":
        return None
    return grpc.ssl_channel_credentials(
        read("CORE_PEER_TLS_ROOTCERT_FILE"),
        read("CORE_TLS_CLIENT_KEY_FILE"),
        read("CORE_TLS_CLIENT_CERT_FILE"),
    )

def main(address):
    try:
        for message in register(address, os.environ["CORE_CHAINCODE_ID_NAME"], from_environment()):
            print("received", ChaincodeMessage.Type.Name(message.type), flush=True)
    except grpc.RpcError as error:
        print("refused:", error.details(), flush=True)
        sys.exit(3)

if __name__ == "__main__":
    main(sys.argv[1])
"""


@dataclass
class ScriptBuilder:
    """Implements Builder for projects with a chaincode.py that needs nothing."""

    commands: Sequence[Sequence[str]] = ()
    needed: Sequence[Tool] = ()
    revision: str = "script-1"
    listens: bool = False
    runs: list[str] = field(default_factory=list)

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        return self.needed

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        self.runs.append(path)
        return [Step(arguments=command, folder=layout.source) for command in self.commands]

    def start(self, layout: Layout, address: str) -> Start:
        script = str(layout.source / "chaincode.py")
        arguments = [sys.executable, script, address]
        return Start(arguments=arguments, folder=layout.source, listens=self.listens)


MakeScripted = Callable[..., Awaitable[Any]]


@pytest.fixture
def script_builder() -> type[ScriptBuilder]:
    """The builder of scripts."""
    return ScriptBuilder


@pytest.fixture
def dialler() -> str:
    """A chaincode that registers, as source text."""
    return DIALLER


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a project folder around a script."""

    def make(script: str) -> Path:
        folder = tmp_path / f"project-{len(list(tmp_path.glob('project-*')))}"
        folder.mkdir()
        (folder / "chaincode.py").write_text(textwrap.dedent(script))
        return folder

    return make


@pytest.fixture
def scripted(make_bench: Any, project: Callable[[str], Path]) -> MakeScripted:
    """A bench whose only language is scripts, and the ccid of an installed one."""

    async def make(script: str = DIALLER, **options: Any) -> tuple[Any, str]:
        builder = options.pop("builder", None) or ScriptBuilder()
        bench = await make_bench(builders={"python": builder}, **options)
        return bench, bench.install(project(script), language="python")

    return make
