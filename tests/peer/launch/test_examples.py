"""The example contract, built, launched and asked on each official shim: the answers are equal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from treadle_peer.chaincode.launch import Phase

LANGUAGES = [
    pytest.param("golang", "go", marks=pytest.mark.toolchain("go")),
    pytest.param("node", "node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", "java", marks=pytest.mark.toolchain("java")),
    pytest.param("python", "python", marks=pytest.mark.toolchain("python")),
]
FILLER = b"abcdefghijklmnopqrstuvwxyz" * 100


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def told(connection: Any, *args: str) -> str:
    response = await connection.respond(*args)
    assert response.status == 200, response.message
    return str(response.payload.decode())


async def refused(connection: Any, *args: str) -> str:
    response = await connection.respond(*args)
    assert response.status == 500
    return str(response.message)


async def check_accounts(connection: Any) -> None:
    created = await connection.respond("init", "a", "100", "b", "200", init=True)
    assert created.payload == b'{"accounts":2}'
    assert await told(connection, "query", "a") == '{"account":"a","balance":100}'
    assert await told(connection, "transfer", "a", "b", "30") == (
        '{"from":"a","to":"b","amount":30,"fromBalance":70,"toBalance":230}'
    )
    assert (
        await refused(connection, "transfer", "a", "b", "71") == "account a holds 70, less than 71"
    )
    assert await refused(connection, "query", "z") == "account z does not exist"
    assert await refused(connection, "transfer", "a", "b", "1.5") == (
        "amount must be a whole number: 1.5"
    )
    assert await refused(connection, "transfer", "a") == (
        "transfer needs the arguments: from, to, amount"
    )
    assert await refused(connection, "nonsense") == "unknown function: nonsense"
    assert await refused(connection, "fail", "on", "purpose") == "on purpose"
    other = await connection.respond("status", "400", "not here")
    assert (other.status, other.message, other.payload) == (400, "not here", b'{"status":400}')
    info = json.loads(await told(connection, "info"))
    assert list(info) == ["channel", "txId", "mspId"]
    assert (info["channel"], info["mspId"]) == ("ch", "Org1MSP")
    assert await told(connection, "version") == '{"contract":"accounts","version":"1"}'
    assert await told(connection, "sleep", "1") == '{"slept":1}'
    assert await told(connection, "event", "hello", "world") == '{"event":"hello"}'


async def check_state(connection: Any) -> None:
    connection.world.state.clear()
    assert await told(connection, "set", "k1", "ä<&>") == '{"key":"k1","bytes":5}'
    assert await told(connection, "get", "k1") == '{"key":"k1","value":"ä<&>"}'
    assert await told(connection, "get", "k9") == '{"key":"k9","value":null}'
    await told(connection, "set", "k2", "two")
    await told(connection, "set", "k3", "three")
    assert await told(connection, "range", "k2", "k9") == (
        '[{"key":"k2","value":"two"},{"key":"k3","value":"three"}]'
    )
    assert await told(connection, "range", "x", "y") == "[]"
    assert await told(connection, "page", "k1", "k9", "2", "") == (
        '{"items":[{"key":"k1","value":"ä<&>"},{"key":"k2","value":"two"}],'
        '"fetched":2,"bookmark":"k3"}'
    )
    assert await told(connection, "page", "k1", "k9", "2", "k3") == (
        '{"items":[{"key":"k3","value":"three"}],"fetched":1,"bookmark":""}'
    )
    assert await told(connection, "delete", "k2") == '{"key":"k2"}'
    history = json.loads(await told(connection, "history", "k2"))
    assert [list(change) for change in history] == [["txId", "value", "deleted", "seconds"]] * 2
    assert [(change["value"], change["deleted"]) for change in history] == [
        (None, True),
        ("two", False),
    ]
    assert history[0]["seconds"] == 1_700_000_000


async def check_composite_and_large(connection: Any) -> None:
    connection.world.state.clear()
    assert await told(connection, "tag", "v1", "colour", "red", "dark") == (
        '{"type":"colour","attributes":["red","dark"],"value":"v1"}'
    )
    await told(connection, "tag", "v2", "colour", "blue")
    assert await told(connection, "tags", "colour", "red") == (
        '[{"attributes":["red","dark"],"value":"v1"}]'
    )
    assert await told(connection, "range", "", "") == "[]", "composite keys stay out of ranges"
    assert await told(connection, "blob", "big", "100000") == '{"key":"big","bytes":100000}'
    assert connection.world.state["big"][:30] == FILLER[:30]
    expected = sha256((FILLER * 40)[:100_000])
    assert await told(connection, "digest", "big") == (
        f'{{"key":"big","bytes":100000,"sha256":"{expected}"}}'
    )
    assert await told(connection, "digest", "none") == (
        f'{{"key":"none","bytes":0,"sha256":"{sha256(b"")}"}}'
    )
    assert await told(connection, "bulk", "n", "7", "3", "30") == '{"written":3}'
    entries = b"".join(b"n%08d\0" % i + FILLER[:30] + b"\0" for i in range(7, 10))
    assert await told(connection, "scan", "n", "o") == f'{{"count":3,"sha256":"{sha256(entries)}"}}'


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("language", "folder"), LANGUAGES)
async def test_example_is_built_launched_and_gives_the_common_answers(
    bench: Any, examples: Path, language: str, folder: str
) -> None:
    ccid = bench.install(examples / folder, language=language)
    began = time.monotonic()
    connection = await bench.launch(ccid)
    print(f"{language}: {time.monotonic() - began:.1f} s from package to registration")
    status = bench.launcher.status(ccid)
    assert status.phase is Phase.REGISTERED
    assert os.getpgid(status.pid) == status.pid, "it leads a process group of its own"
    await check_accounts(connection)
    await check_state(connection)
    await check_composite_and_large(connection)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("language", "folder"), LANGUAGES)
async def test_example_runs_without_tls_and_its_crash_is_told_with_the_exit_code(
    make_bench: Any, examples: Path, language: str, folder: str
) -> None:
    bench = await make_bench(tls=False)
    ccid = bench.install(examples / folder, language=language)
    connection = await bench.launch(ccid)
    assert await told(connection, "version") == '{"contract":"accounts","version":"1"}'
    crashing = connection.call("crash", "7")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await crashing
    ended = await bench.exit()
    assert ended.registered
    assert ended.sentence.startswith("container exited with 7")
    status = bench.launcher.status(ccid)
    assert (status.phase, status.pid) == (Phase.ENDED, 0)
    again = await bench.launch(ccid)
    assert await told(again, "version") == '{"contract":"accounts","version":"1"}'
    assert bench.launcher.status(ccid).starts == 2
    await bench.launcher.stop(ccid)
    if folder in START_LINES:
        await check_start_line(bench, folder)


# As examples/chaincode/README.md tells developers, but for the folder and the port.
START_LINES = {
    "go": "../../output/chaincode -peer.address {address}",
    "node": "npm start -- --peer.address {address}",
    "java": "CORE_PEER_ADDRESS={address} java -jar target/chaincode.jar",
}


async def check_start_line(bench: Any, folder: str) -> None:
    """The built chaincode, started as a developer would."""
    (source,) = (bench.folder / "launcher" / "builds").glob("*/package/src")
    bench.port.admit = lambda name, caller: None
    line = START_LINES[folder].format(address=bench.port.address)
    process = await asyncio.create_subprocess_shell(
        f"export CORE_CHAINCODE_ID_NAME=mine:0 CORE_PEER_TLS_ENABLED=false; {line}",
        cwd=source,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        connection = await bench.port.connected("mine:0")
        assert await told(connection, "version") == '{"contract":"accounts","version":"1"}'
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
