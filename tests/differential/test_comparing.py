"""What the normalisation and the verdict do not let pass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.common.common_pb2 import Payload as Content
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.orderer.ab_pb2 import BroadcastResponse
from fabric_protos.orderer.ab_pb2_grpc import (
    AtomicBroadcastServicer,
    AtomicBroadcastStub,
    add_AtomicBroadcastServicer_to_server,
)
from google.protobuf.timestamp_pb2 import Timestamp
from harness.differential import reporting
from harness.differential.catalog import Conversation
from harness.differential.compare import judge
from harness.differential.events import Event, Recording
from harness.differential.normal import normal
from harness.differential.streams import Line


def said(text: str) -> str:
    event = Event(source="s", kind="fact", details=text)
    return normal(Recording("c", [event]))["s[0] details"]


def test_only_the_space_behind_proto_may_be_of_two_kinds() -> None:
    assert said("proto:\N{NO-BREAK SPACE}cannot parse") == said("proto: cannot parse")
    assert said("a\N{NO-BREAK SPACE}key") != said("a key")


@pytest.mark.parametrize(("seconds", "within"), [(9, False), (10, True), (20, True), (21, False)])
def test_the_time_of_an_orderer_is_within_the_conversation(seconds: int, within: bool) -> None:
    creator = SerializedIdentity(mspid="OrdererMSP").SerializeToString()
    channel_header = ChannelHeader(timestamp=Timestamp(seconds=seconds, nanos=5))
    header = Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=SignatureHeader(creator=creator).SerializeToString(),
    )
    data = Content(header=header).SerializeToString()
    event = Event(source="s", kind="message", type="common.Payload", data=data)
    fields = normal(Recording("c", [event], began=10, ended=20))
    found = fields["s[0].header.channel_header.timestamp.seconds"]
    assert (found == "<a time of the conversation>") == within


def test_the_order_of_a_whole_message_counts() -> None:
    one = Event(source="s", kind="message", type="common.Payload", data=b"\x0a\x00\x12\x01x")
    other = Event(source="s", kind="message", type="common.Payload", data=b"\x12\x01x\x0a\x00")
    assert normal(Recording("c", [one])) != normal(Recording("c", [other]))


def test_a_script_that_breaks_with_both_is_no_agreement() -> None:
    event = Event(source="script", kind="fact", details="AssertionError: why")
    real, ours = (Recording("c", [event], broken="why") for _ in range(2))
    assert judge({"c": real}, {"c": ours}, []).unexplained
    assert judge({"c": normal(real)}, {"c": Recording("c", [event])}, []).unexplained


def test_what_broke_is_not_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("harness.differential.golden.FOLDER", tmp_path)
    each = Conversation(key="c", title="t", sections=("A",), rig="blocks", script=_nothing)
    options = reporting.Options(binaries=tmp_path, folder=tmp_path, record=True)
    recording = Recording("t", broken="why")
    monkeypatch.setattr(reporting, "all_conversations", lambda: {"c": each})
    monkeypatch.setattr(reporting, "both", lambda *_: ({"c": recording}, {"c": Recording("t")}))
    assert reporting.run(options) == 1
    assert not any(tmp_path.iterdir())


class Talkative(AtomicBroadcastServicer):
    """Says more than anybody asked for, and ends."""

    async def Broadcast(
        self, requests: object, context: object
    ) -> AsyncIterator[BroadcastResponse]:
        for status in (200, 404, 503):
            yield BroadcastResponse(status=status)


async def test_what_a_script_does_not_read_is_recorded() -> None:
    server = grpc.aio.server()
    add_AtomicBroadcastServicer_to_server(Talkative(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    recording = Recording("c")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        line = Line(AtomicBroadcastStub(channel).Broadcast(), "s", recording)
        await line.hear()
        await line.hear_left_over()
        await line.hear_left_over()
    await server.stop(None)
    assert [event.kind for event in recording.events] == ["message", "message", "message", "end"]


async def _nothing(_: object) -> None:
    return
