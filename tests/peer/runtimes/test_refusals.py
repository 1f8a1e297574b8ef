"""Who was refused is told to the operator: counted, seldom, and in few rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import grpc
import grpc.aio
import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from harness.networks import connected
from harness.operators import Operator
from harness.peers import PeerProcess
from treadle_peer.chaincode.runtimes.refusals import INTERVAL, MOST, RefusalKey, Refusals
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = pytest.mark.timeout(120)

TRIES = 1000
AT_A_TIME = 10
Say = Callable[[str], None]


@pytest.fixture
async def operator(shared_peer: PeerProcess) -> AsyncIterator[Operator]:
    async with Operator.of(shared_peer) as made:
        async with connected(shared_peer) as network:
            for name in ("real", "other"):
                if f"{name}:1" not in await made.rows():
                    await network.install(name, "go")
                    await made.require(f"{name}:1")
        yield made


async def flood(
    address: str, ccid: str, credentials: grpc.ChannelCredentials, *, tries: int
) -> set[grpc.StatusCode]:
    """Try to register so often, some at a time; the statuses."""
    name = ChaincodeID(name=ccid).SerializeToString()
    register = ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=name)
    found = set()
    slots = asyncio.Semaphore(AT_A_TIME)
    async with grpc.aio.secure_channel(address, credentials) as channel:
        dial = channel.stream_stream(
            "/protos.ChaincodeSupport/Register",
            ChaincodeMessage.SerializeToString,
            ChaincodeMessage.FromString,
        )

        async def messages() -> AsyncIterator[ChaincodeMessage]:
            yield register

        async def attempt() -> None:
            async with slots:
                code = await dial(messages()).code()
                # Too many streams of one connection: this one was not even looked at (HTTP/2, 8.7).
                while code is grpc.StatusCode.UNAVAILABLE:
                    code = await dial(messages()).code()
                found.add(code)

        await asyncio.gather(*(attempt() for _ in range(tries)))
    return found


async def test_a_thousand_tries_on_both_ports_make_few_rows_and_few_messages(
    shared_peer: PeerProcess, operator: Operator, say: Say
) -> None:
    issued, papers = await operator.issue("other:1")
    watch, told = operator.watch(), list[tuple[float, pb.Refused]]()
    loop = asyncio.get_running_loop()

    def rows() -> dict[datetime, pb.Refused]:
        return {row.since.ToDatetime(UTC): row for _, row in told}

    async def listen() -> None:
        while sum(row.count for row in rows().values()) < TRIES:
            event = await watch.read()
            if event.HasField("refused"):
                told.append((loop.time(), event.refused))

    listening = asyncio.create_task(listen())
    unasked = grpc.ssl_channel_credentials(issued.authority)
    door = shared_peer.addresses["chaincode"]
    begun = loop.time()
    at_door = await flood(door, "real:1", unasked, tries=TRIES // 2)
    inside = await flood(issued.peer_address, "real:1", papers.credentials(), tries=TRIES // 2)
    took = loop.time() - begun
    assert at_door == inside == {grpc.StatusCode.PERMISSION_DENIED}
    async with asyncio.timeout(60):
        await listening
    watch.cancel()
    by_reason = {row.last_reason: row for row in rows().values()}
    assert {row.count for row in by_reason.values()} == {TRIES // 2}
    assert {row.ccid for row in by_reason.values()} == {"real:1"}
    assert any("belongs to a different chaincode (other:1)" in one for one in by_reason)
    assert any("this one admits nobody" in one for one in by_reason)
    for row in by_reason.values():
        assert row.last_from.startswith("127.0.0.1:")
    assert len(told) <= 2 * (2 + took / INTERVAL), "each row at most every ten seconds"
    say(f"{TRIES} tries in {took:.1f} s: {len(by_reason)} rows in {len(told)} messages")

    # An operator that connects later learns of them, too, after what is required.
    late, kinds = operator.watch(), list[str]()
    async with asyncio.timeout(20):
        while kinds.count("refused") < 2:
            kinds.append(str((await late.read()).WhichOneof("event")))
    late.cancel()
    assert kinds.index("synced") < kinds.index("refused")
    # And whoever may register still can, at once.
    assert (await operator.rows())["real:1"].state != pb.STATE_STOPPED


async def test_the_first_is_told_at_once_and_the_next_after_the_interval() -> None:
    told = asyncio.Queue[tuple[float, int]]()
    loop = asyncio.get_running_loop()

    def tell(keys: list[RefusalKey]) -> None:
        told.put_nowait((loop.time(), sum(refusals.get(key).count for key in keys)))

    refusals = Refusals(tell)
    begun = loop.time()
    refusals.count("a:1", "no", "192.0.2.1:4000")
    first, one = await told.get()
    for port in range(100):
        refusals.count("a:1", "no", f"192.0.2.1:{port}")
    async with asyncio.timeout(INTERVAL + 5):
        second, all_of_them = await told.get()
    assert (one, all_of_them) == (1, 101)
    assert first - begun < 1
    assert INTERVAL - 0.1 <= second - first < INTERVAL + 2


async def test_strangers_cannot_make_rows_without_end_nor_reasons_by_their_ports() -> None:
    refusals = Refusals(lambda keys: None, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for number in range(1000):
        remote = f"192.0.2.1:{number}"
        refusals.count(f"n{number}:1", f"{remote} is not the address of a pod", remote)
    rows = [refusals.get(key) for key in refusals.keys()]  # noqa: SIM118 - no mapping
    assert len(rows) == MOST + 1
    assert sum(row.count for row in rows) == 1000
    assert len({row.since for row in rows}) == len(rows), "a row is known by its beginning"
    again = Refusals(lambda keys: None)
    for number in range(1000):
        remote = f"192.0.2.1:{number}"
        again.count("a:1", f"{remote} is not the address of a pod", remote)
    (key,) = again.keys()
    assert again.get(key).remote == "192.0.2.1:999"
