"""Wrong command lines: text, usage and exit code, all on standard error."""

from __future__ import annotations

from pathlib import Path

import pytest
from treadle_cli.peer_command import run


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FABRIC_CFG_PATH", "CORE_PEER_MSPCONFIGPATH", "CORE_PEER_LOCALMSPID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "said", "usage"),
    [
        (["foo"], 'unknown command "foo" for "peer"', False),
        (["chaincode", "foo"], 'unknown command "foo" for "peer chaincode"', False),
        (["chaincode", "invoke", "--bogus"], "unknown flag: --bogus", True),
        (["chaincode", "invoke", "-Z"], "unknown shorthand flag: 'Z' in -Z", True),
        (["chaincode", "invoke", "-n"], "flag needs an argument: 'n' in -n", False),
        (
            ["chaincode", "invoke", "--waitForEventTimeout", "5"],
            'invalid argument "5" for "--waitForEventTimeout" flag: '
            'time: missing unit in duration "5"',
            True,
        ),
        (
            ["chaincode", "query", "-n", "a"],
            "The required parameter 'channelID' is empty. Rerun the command with -C flag",
            True,
        ),
        (["channel", "join"], "Must supply genesis block path", True),
        (["channel", "create"], "must supply channel ID", True),
        (["channel", "getinfo"], "Must supply channel ID", True),
        (["channel", "list", "extra"], "trailing args detected: [extra]", True),
        (
            ["channel", "fetch", "-c", "a"],
            "fetch target required, oldest, newest, config, or a number",
            True,
        ),
        (
            ["chaincode", "package", "-n", "a"],
            "output file not specified or invalid number of args (filename should be the only arg)",
            False,
        ),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(
    arguments: list[str], said: str, usage: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"Error: {said}\n")
    assert ("Usage: peer" in printed.err) is usage


def test_without_arguments_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "chaincode" in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_printed_on_standard_output(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chaincode", "invoke", flag]) == 0
    assert "--waitForEventTimeout" in capsys.readouterr().out


def test_version_has_the_line_that_scripts_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    assert any(line.startswith(" Version: ") for line in capsys.readouterr().out.splitlines())


def test_a_missing_identity_is_a_log_line_with_the_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["channel", "list"]) == 1
    assert "set CORE_PEER_MSPCONFIGPATH" in capsys.readouterr().err


def test_an_msp_folder_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PEER_MSPCONFIGPATH", "/no/such/msp")
    monkeypatch.setenv("CORE_PEER_LOCALMSPID", "Org1MSP")
    assert run(["channel", "list"]) == 1
    assert 'specified path "/no/such/msp" does not exist' in capsys.readouterr().err


def test_a_wrong_peer_configuration_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PEER_LISTENADDRESS", "nowhere")
    assert run(["node", "start"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
