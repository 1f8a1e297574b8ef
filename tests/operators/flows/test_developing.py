"""One chaincode of a production Peer in a developer's hands, and back again; another one goes on.

Each test takes the chaincode from where the one before has left it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness.chaincodes import newer, start_line
from harness.impostors import Papers
from harness.operating.netns import inside
from harness.operating.operated import Client, Operated, go_files, package_of
from harness.operating.world import secret_bytes
from harness.processes import Started, wait_until
from treadle_fabric.client import ClientError

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
]

WITHIN = 240.0  # seconds for a build on a busy machine
KIND = "ChaincodeInstantiation"
NAME = "handed"
CCID = "handed:1.0"
SECRET = "handed-dev"
ROUNDS = 3


@dataclass
class Others:
    """Asks another chaincode again and again; what went wrong."""

    trade: Operated
    failures: list[str] = field(default_factory=list)
    answers: int = 0

    @contextlib.contextmanager
    def asked(self) -> Iterator[None]:
        """While the block runs, on a connection of its own."""
        begun, stop = threading.Event(), threading.Event()

        async def ask(client: Client) -> None:
            # From here on nothing is asked of the API server, whose client is not for two threads.
            begun.set()
            while not stop.is_set():
                try:
                    await client.channel("mychannel").evaluate("steady", ["query", "a"])
                    self.answers += 1
                except ClientError as error:
                    self.failures.append(repr(error))

        thread = threading.Thread(target=self.trade.ask, args=(ask,))
        thread.start()
        try:
            assert begun.wait(30)
            yield
        finally:
            stop.set()
            thread.join()


@pytest.fixture(scope="module", autouse=True)
def running(trade: Operated) -> None:
    """Two chaincodes in production."""
    for name in (NAME, "steady"):
        trade.space.create_package(
            f"{name}-1.0", **package_of(go_files(), name=name, version="1.0")
        )
        trade.instantiate(name, f"{name}-1.0", init={"args": ["init", "a", "100"]})
    for name in (NAME, "steady"):
        trade.ready(KIND, name, within=WITHIN)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The developer's own build, which says that it is another version."""
    return newer("go", tmp_path_factory.mktemp("own") / "built")


def version(trade: Operated) -> str:
    """Which code answers."""
    found: str = json.loads(trade.query(NAME, "version"))["version"]
    return found


def papers_of(trade: Operated, folder: Path) -> Papers:
    """The Secret as files, in the spellings that the shim reads."""
    data = secret_bytes(trade.space.get("Secret", SECRET))
    folder.mkdir(parents=True)
    for key in ("key", "crt"):
        (folder / f"client_pem.{key}").write_bytes(data[f"client.{key}"])
        (folder / f"client.{key}").write_bytes(base64.b64encode(data[f"client.{key}"]))
    (folder / "peer.crt").write_bytes(data["ca.crt"])
    return Papers(folder=folder)


def connect(trade: Operated, program: Path, papers: Papers) -> Started:
    """The developer's process, where a port-forward would lead it."""
    (pod,) = trade.pods("peer0-0")
    return Started(
        [
            *("nsenter", f"--target={inside(pod['status']['podIP'])}", "--net"),
            *start_line("go", program, "127.0.0.1:7052", flag="-peer.address"),
        ],
        output=papers.folder / "chaincode.log",
        environment={**os.environ, "CORE_CHAINCODE_ID_NAME": CCID, **papers.environment()},
    )


def switch(trade: Operated, mode: str) -> None:
    trade.change(KIND, NAME, mode=mode)


def secret_is_there(trade: Operated) -> bool:
    path = f"/api/v1/namespaces/{trade.space.name}/secrets"
    names = [each["metadata"]["name"] for each in trade.space.api.get(path).expect()["items"]]
    return SECRET in names


def test_the_developer_is_told_what_to_type_and_the_pod_goes(trade: Operated) -> None:
    switch(trade, "Development")
    said = trade.becomes(KIND, NAME, "DeveloperNotConnected", within=60)
    assert f"treadle dev connect {NAME} -n {trade.space.name} -- <command>" in said
    wait_until(lambda: len(trade.deployments()) == 1, within=60, what="the Deployment's end")
    status = trade.space.get(KIND, NAME)["status"]
    assert status["targets"][0]["mode"] == "Development"
    assert trade.reason(KIND, NAME, "DeveloperConnected")[0] == "False"
    assert trade.reason(KIND, "steady")[0] == "True"
    rows = [{"ccid": CCID, "mode": "Development", "state": "Required"}]
    steady = {"ccid": "steady:1.0", "origin": "Operator", "state": "Registered"}
    rows.append({**steady, "mode": "Production"})
    wait_until(
        lambda: trade.space.get("Peer", "peer0")["status"]["runtimes"] == rows,
        within=30,
        what=f"{rows}",
    )


def test_the_secret_holds_what_a_developer_needs(trade: Operated) -> None:
    wait_until(lambda: secret_is_there(trade), within=30, what="the Secret")
    secret = trade.space.get("Secret", SECRET)
    data = secret_bytes(secret)
    assert json.loads(data["peers.json"]) == [
        {
            "peer": "peer0",
            "pod": "peer0-0",
            "port": 7052,
            "server_name": f"peer0-internal.{trade.space.name}.svc",
            "tls": True,
        }
    ]
    assert {key: data[key].decode() for key in ("ccid", "language", "channel", "msp_id")} == {
        "ccid": CCID,
        "language": "golang",
        "channel": "mychannel",
        "msp_id": "Org1MSP",
    }
    for key in ("client.crt", "client.key", "ca.crt"):
        assert data[key] == data[f"peer0.{key}"]
        assert data[key].startswith(b"-----BEGIN ")
    assert {"user.crt", "user.key", "tls_ca.crt"} <= data.keys()
    (owner,) = secret["metadata"]["ownerReferences"]
    assert owner["uid"] == trade.space.get(KIND, NAME)["metadata"]["uid"]
    assert secret["type"] == "Opaque"


def test_a_live_chaincode_changes_hands_both_ways_while_another_answers(
    trade: Operated, program: Path, tmp_path: Path
) -> None:
    others = Others(trade)
    with others.asked():
        for number in range(ROUNDS):
            switch(trade, "Development")
            trade.becomes(KIND, NAME, "DeveloperNotConnected", within=60)
            wait_until(lambda: secret_is_there(trade), within=30, what="the Secret")
            papers = papers_of(trade, tmp_path / str(number))
            process = connect(trade, program, papers)
            try:
                trade.ready(KIND, NAME, within=60)
                assert version(trade) == "2"
                said = trade.reason(KIND, NAME, "DeveloperConnected")
                assert said[:2] == ("True", "Connected")
                assert " since 20" in said[2]
                switch(trade, "Production")
                assert process.wait(within=60) != 0
                assert f"chaincode {CCID} is now in production mode" in process.text()
            finally:
                process.stop()
            trade.ready(KIND, NAME, within=120)
            assert version(trade) == "1"
            wait_until(lambda: not secret_is_there(trade), within=30, what="the Secret's end")
            assert len(trade.deployments()) == 2
    assert others.failures == []
    assert others.answers > ROUNDS
    late = connect(trade, program, papers)
    try:
        assert late.wait(within=60) != 0
        assert "peer will not accept external chaincode connection" in late.text()
    finally:
        late.stop()


def test_a_peer_that_does_not_allow_it_goes_on_as_before(trade: Operated) -> None:
    before = peer_pods(trade)
    trade.change("Peer", "peer0", allowDevelopment=False)
    switch(trade, "Development")
    said = trade.becomes(KIND, NAME, "DevelopmentNotAllowed", within=120)
    assert "spec.allowDevelopment is false" in said
    wait_until(lambda: peer_pods(trade) - before, within=120, what="the peer's next pod")
    trade.ready("Peer", "peer0", within=120)
    wait_until(lambda: answers(trade), within=60, what="an answer of the pod")
    assert version(trade) == "1"
    assert not secret_is_there(trade)


def peer_pods(trade: Operated) -> set[str]:
    """The identities of the pods of peer0: another setting means another pod."""
    return {pod["metadata"]["uid"] for pod in trade.pods("peer0-0")}


def answers(trade: Operated) -> bool:
    with contextlib.suppress(Exception):
        return version(trade) == "1"
    return False
