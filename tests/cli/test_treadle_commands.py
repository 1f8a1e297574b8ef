"""The ``treadle`` command: exit codes, texts, JSON."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from treadle_cli.addresses import Address
from treadle_cli.bridge_ends import check_name
from treadle_cli.bridging import transaction_line
from treadle_cli.local.folders import operations_address
from treadle_cli.main import main
from treadle_peer.chaincode import StreamEnded
from treadle_peer.chaincode.bridge import TransactionRecord

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "play"


def exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_ps_without_a_peer_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        assert exit_code("ps", "--operations", address) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"treadle: no peer answers at http://{address}/runtimes")
    assert "is it running?" in said


def test_the_peer_of_the_folder_is_asked_first(tmp_path: Path) -> None:
    assert operations_address({}, tmp_path) == "127.0.0.1:9443"
    run = tmp_path / "treadle-data" / "run"
    run.mkdir(parents=True)
    (run / "addresses.json").write_text(json.dumps({"operations": "127.0.0.1:4711"}))
    assert operations_address({}, tmp_path) == "127.0.0.1:4711"
    given = {"CORE_OPERATIONS_LISTENADDRESS": "127.0.0.1:9000"}
    assert operations_address(given, tmp_path) == "127.0.0.1:9000"


def test_play_prints_every_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.yaml").write_text("kind: Pear\n---\nkind: Pleer\n")
    assert exit_code("play", "-f", str(tmp_path)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "treadle: the files cannot be played"
    assert len(lines) == 3


def test_play_can_check_only(capsys: pytest.CaptureFixture[str]) -> None:
    main(["play", "-f", str(EXAMPLES / "production"), "--check"])
    assert capsys.readouterr().out == "1 packages, 2 instantiations: all well\n"


@pytest.mark.parametrize("flags", [["-f", "a.yaml", "b.yaml"], ["-f", "a.yaml", "-f", "b.yaml"]])
def test_play_takes_what_a_shell_makes_of_a_pattern(
    flags: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    documents = (EXAMPLES / "development" / "play.yaml").read_text().split("---\n")
    code = EXAMPLES.parent / "chaincode" / "go"
    Path("a.yaml").write_text(documents[1].replace("../../chaincode/go", str(code)))
    Path("b.yaml").write_text(documents[2])
    main(["play", *flags, "--check"])
    assert capsys.readouterr().out == "1 packages, 1 instantiations: all well\n"


def test_a_data_folder_that_cannot_be_made_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    example = str(EXAMPLES / "development")
    assert exit_code("play", "-f", example, "--data", str(data)) == 1
    said = capsys.readouterr().err
    assert said == f"treadle: --data {data}: it cannot be made: Not a directory\n"


def test_a_peer_that_cannot_start_says_why_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger").touch()
    example = str(EXAMPLES / "development")
    assert exit_code("play", "-f", example, "--free-ports", "--data", str(tmp_path)) == 1
    said = capsys.readouterr().err
    assert said.startswith("treadle: ")
    assert str(tmp_path) in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--peer", "a:1"],
        ["--peer", "a:1", "--chaincode", "b:2", "--listen", "c:3"],
        ["--peer", "a:1", "--chaincode", "b:2", "--certfile", "x"],
        ["--chaincode", "b:2"],
    ],
)
def test_a_bridge_needs_two_ends(arguments: list[str]) -> None:
    assert exit_code("bridge", *arguments) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--peer", "nope", "--chaincode", "b:2"], "'--peer': want host:port, got 'nope'"),
        (["--peer", ":7052", "--chaincode", "b:2"], "'--peer': want host:port, got ':7052'"),
        (["--peer", "a:0", "--chaincode", "b:2"], "'--peer': there is no port 0"),
        (["--peer", "a:1", "--chaincode", "b:99999"], "'--chaincode': there is no port 99999"),
        (["--peer", "a:1", "--listen", "::1:2"], "'--listen': want host:port, got '::1:2'"),
        (["--peer", "a:1", "--listen", "127.0.0.1:-1"], "'--listen': want host:port"),
        (
            ["--peer", "a:1", "--listen", "0.0.0.0:7052"],
            "'--listen': 0.0.0.0 is open to others, and this port has no TLS; listen on 127.0.0.1",
        ),
        (["--peer", "a:1", "--listen", "example.org:1"], "'--listen': example.org is open to"),
        (
            ["--peer", "a:1", "--chaincode", "b:2", "--id", "noversion"],
            "'--id': want name:version, got 'noversion'",
        ),
        (
            ["--peer", "a:1", "--chaincode", "b:2", "--id", "as set:1"],
            "'--id': invalid chaincode name 'as set'",
        ),
    ],
)
def test_a_bridge_to_nowhere_is_a_wrong_command_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("bridge", *arguments) == 2
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert said in line


@pytest.mark.parametrize("given", ["127.0.0.1:0", "localhost:7052", "[::1]:1"])
def test_a_bridge_listens_on_loopback(given: str) -> None:
    assert Address(listening=True).convert(given, None, None) == given


def test_a_folder_without_ledgers_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code("ledger", "verify", str(tmp_path)) == 1
    assert "holds no ledgers" in capsys.readouterr().err


def test_a_chaincode_with_another_name_is_refused() -> None:
    register = ChaincodeMessage(
        type=ChaincodeMessage.REGISTER,
        payload=ChaincodeID(name="other:1").SerializeToString(),
    )
    check_name(register, "other:1")
    with pytest.raises(StreamEnded, match="calls itself 'other:1', but this bridge is for 'a:1'"):
        check_name(register, "a:1")
    with pytest.raises(StreamEnded):
        check_name(ChaincodeMessage(payload=b"\xff"), "a:1")


def test_a_transaction_is_logged_on_one_line() -> None:
    record = TransactionRecord(
        channel_id="ch",
        tx_id="0123456789",
        function="transfer",
        init=False,
        seconds=0.012,
        requests={"GET_STATE": 2, "PUT_STATE": 2},
        status=None,
        message="no funds",
        delivered=False,
    )
    assert transaction_line(record) == (
        "01234567  ch  transfer  ERROR  12 ms  4 requests  no funds  (the peer went away first)"
    )
