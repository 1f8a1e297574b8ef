"""What strangers on an open development port cannot do to the registry."""

from __future__ import annotations

import logging

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.supported import ended, until
from treadle_peer.chaincode import Ending, RuntimeState


def registering(ccid: str) -> Msg:
    return Msg(type=Msg.REGISTER, payload=ChaincodeID(name=ccid).SerializeToString())


async def test_a_name_that_was_never_admitted_leaves_no_row(make_peer):
    peer = make_peer()
    for number in range(20):
        stream, task = peer.connect()
        stream.say(registering(f"stranger{number}:1"))
        await until(peer.support.status)
        stream.hang_up()
        await task
    assert peer.support.status() == []


async def test_an_admitted_name_keeps_its_row(make_peer):
    peer = make_peer()
    stream, task = await peer.chaincode()
    stream.hang_up()
    await task
    assert peer.row().state is RuntimeState.STOPPED


async def test_a_name_once_admitted_keeps_its_row_when_a_later_process_only_waited(make_peer):
    peer = make_peer()
    stream, task = await peer.chaincode()
    stream.hang_up()
    await task
    peer.known.clear()
    stream, task = peer.connect()
    stream.say(registering("probe:1"))
    await until(lambda: peer.row().state is RuntimeState.WAITING)
    stream.hang_up()
    await task
    assert peer.row().state is RuntimeState.STOPPED


@pytest.mark.parametrize("name", ["x" * 257, "two\nlines:1", "\x1b[2J:1"])
async def test_what_cannot_be_a_name_is_refused_and_not_repeated(name, make_peer, caplog):
    peer = make_peer()
    stream, task = peer.connect()
    stream.say(registering(name))
    sentence, code = await ended(task)
    assert sentence == "a chaincode name has at most 256 characters, all of them printable"
    assert code is Ending.INVALID_ARGUMENT
    assert peer.support.status() == []
    assert name not in caplog.text


async def test_only_so_many_processes_wait_for_their_packages(make_peer):
    peer = make_peer(rules={"max_waiting": 2})
    for number in (1, 2):
        stream, _ = peer.connect()
        stream.say(registering(f"early{number}:1"))
    await until(lambda: len(peer.support.status()) == 2)
    stream, task = peer.connect()
    stream.say(registering("early3:1"))
    sentence, code = await ended(task)
    assert sentence == (
        "chaincode early3:1 is not installed, and 2 others wait for their packages already: "
        "install its package, then start the chaincode again"
    )
    assert code is Ending.RESOURCE_EXHAUSTED
    again, _ = peer.connect(remote="10.0.0.2:2")
    again.say(registering("early2:1"))
    await until(lambda: [row.remote for row in peer.support.status()][1:] == ["10.0.0.2:2"])


async def test_a_waiting_process_is_written_to_the_log(make_peer, caplog):
    caplog.set_level(logging.INFO)
    peer = make_peer()
    stream, _ = peer.connect(remote="10.0.0.9:9")
    stream.say(registering("early:1"))
    await until(peer.support.status)
    assert "chaincode early:1 (10.0.0.9:9) waits for its package" in caplog.text


async def test_each_admitted_chaincode_whose_stream_breaks_is_named_in_the_log(make_peer, caplog):
    peer = make_peer()
    for name in ("org1cc:1", "org2cc:7", "org1cc:8"):
        peer.known.add(name)
        stream, task = await peer.chaincode(name)
        stream.break_off()
        await ended(task)
        assert f"stream of chaincode {name} (127.0.0.1:1) ended: connection reset" in caplog.text


async def test_a_chaincode_that_comes_and_goes_is_counted(make_peer, caplog):
    peer = make_peer()
    for _ in range(20):
        stream, task = await peer.chaincode()
        stream.break_off()
        await ended(task)
    assert caplog.text.count("stream of chaincode probe:1") == 1
