"""Large ranges, values, keys and envelopes through a whole peer and real chaincodes."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from fabric_protos.common.common_pb2 import Status
from harness.chaincodes import built
from harness.memory import MIB, PeakMemory
from harness.networks import Network, connected
from harness.peers import PeerProcess
from harness.processes import Started
from harness.runtimes import wait_for_runtime
from treadle_fabric.client import BroadcastRefused, EndorsementFailed
from treadle_fabric.wire import assemble_transaction, sign_envelope

if TYPE_CHECKING:
    from .conftest import PeerFactory

ByHand = Callable[..., Started]
Say = Callable[[str], None]

KEYS, PER_TRANSACTION, VALUE = 50_000, 500, 2_000
GROWTH = 64 * MIB  # of RssAnon, from before the first large thing
FABRIC_LIMIT = 10 * MIB  # AbsoluteMaxBytes of a channel that says nothing else
ALPHABET = "abcdefghijklmnopqrstuvwxyz"

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
go = pytest.mark.toolchain("go")


async def deploy(network: Network, peer: PeerProcess, by_hand: ByHand, language: str) -> None:
    """The example contract by the name of its language, started by its developer."""
    await start(peer, by_hand, language, "waiting for install")
    await network.install(language, language)
    await network.instantiate(language, language)


async def start(peer: PeerProcess, by_hand: ByHand, language: str, state: str) -> None:
    """Start it, and wait until the peer has it in *state*."""
    ccid, addresses = f"{language}:1", peer.addresses
    by_hand(language, built(language), ccid=ccid, address=addresses["chaincode"])
    await asyncio.to_thread(wait_for_runtime, addresses["operations"], ccid, state)


async def query(network: Network, chaincode: str, *args: str) -> Any:
    return json.loads(await network.channel.evaluate(chaincode, args))


def filler(size: int) -> bytes:
    """What the contract's ``blob`` and ``bulk`` write."""
    return (ALPHABET * (size // len(ALPHABET) + 1))[:size].encode()


@go
async def test_a_range_of_100_mb_is_read_in_bounded_memory(
    peer_process: PeerFactory, by_hand: ByHand, say: Say
) -> None:
    peer = peer_process(mode="dev")
    async with connected(peer) as network:
        await deploy(network, peer, by_hand, "go")
        begun = time.monotonic()
        with PeakMemory(peer.process.pid) as writing:
            for first in range(0, KEYS, PER_TRANSACTION):
                numbers = (str(first), str(PER_TRANSACTION), str(VALUE))
                await network.channel.invoke("go", ["bulk", "k", *numbers])
        say(f"100 MB written in {time.monotonic() - begun:.1f} s: {writing}")
    # A new process, because one that has written has free memory to read into.
    assert peer.stop() == 0
    peer.start()
    async with connected(peer) as network:
        await start(peer, by_hand, "go", "registered")
        assert await query(network, "go", "get", "none") == {"key": "none", "value": None}
        begun = time.monotonic()
        with PeakMemory(peer.process.pid) as reading:
            found = await query(network, "go", "scan", "k", "l")
        say(f"100 MB read in one range in {time.monotonic() - begun:.1f} s: {reading}")
    assert found == {"count": KEYS, "sha256": expected_scan()}
    assert writing.growth < GROWTH
    assert reading.growth < GROWTH


def expected_scan() -> str:
    digest, value = hashlib.sha256(), filler(VALUE)
    for number in range(KEYS):
        digest.update(f"k{number:08d}".encode() + b"\0" + value + b"\0")
    return digest.hexdigest()


@pytest.mark.parametrize(
    "language",
    [pytest.param(name, marks=pytest.mark.toolchain(name)) for name in ("go", "node", "java")],
)
async def test_an_eight_megabyte_value_is_written_and_read_back(
    peer_process: PeerFactory, by_hand: ByHand, say: Say, language: str
) -> None:
    size = 8 * MIB
    peer = peer_process(mode="dev")
    async with connected(peer) as network:
        await deploy(network, peer, by_hand, language)
        with PeakMemory(peer.process.pid) as memory:
            begun = time.monotonic()
            receipt = await network.channel.invoke(language, ["blob", "big", str(size)])
            found = await query(network, language, "digest", "big")
            say(f"{language}: 8 MiB there and back in {time.monotonic() - begun:.1f} s")
            for number in range(5):
                await network.channel.invoke(language, ["blob", f"big{number}", str(size)])
        kept = await asyncio.to_thread(memory.settle, GROWTH)
    say(f"{language}: six values of 8 MiB: {memory}; {kept / MIB:.1f} MiB stay")
    assert memory.growth < GROWTH
    assert json.loads(receipt.payload) == {"key": "big", "bytes": size}
    assert found["bytes"] == size
    assert found["sha256"] == hashlib.sha256(filler(size)).hexdigest()


def key_of(size: int, moments: random.Random) -> str:
    """A key of *size* bytes, of characters that take 1 to 4; many share a long beginning."""
    shared = moments.choice(("", "k" * min(size, 1000)))
    key, left = [shared], size - len(shared)
    while left:
        width = moments.randint(1, min(left, 4))
        key.append(moments.choice(("\x01 ~aA0", "éÿ", "鍵\ufffd", "𐀀\U0010ffff")[width - 1]))
        left -= width
    return "".join(key)


REFUSED_KEYS = {
    "go": "key must not be an empty string",
    "java": "key cannot not be an empty string",
}
SIZES = (1, 2, 3, 17, 255, 256, 4095, 4096, 32_768, 65_535, 65_536)


@pytest.mark.parametrize(
    "language",
    [pytest.param(name, marks=pytest.mark.toolchain(name)) for name in ("go", "node", "java")],
)
async def test_keys_of_up_to_64_kib_behave_like_a_sorted_map(
    peer_process: PeerFactory, by_hand: ByHand, say: Say, language: str
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    say(f"{language}: seed {seed}")
    moments = random.Random(seed)
    model = {key_of(size, moments): f"value {size}" for size in (*SIZES, *SIZES, *SIZES)}
    peer = peer_process(mode="dev")
    async with connected(peer) as network:
        await deploy(network, peer, by_hand, language)
        await check_empty_key(network, language)
        with PeakMemory(peer.process.pid) as memory:
            await check_map(network, language, model, moments)
    say(f"{language}: {len(model)} keys of up to 64 KiB: {memory}")
    assert memory.growth < GROWTH


async def check_map(
    network: Network, language: str, model: dict[str, str], moments: random.Random
) -> None:
    """Write *model*, and read keys and ranges of it."""
    writes = (network.channel.invoke(language, ["set", *item]) for item in model.items())
    for some in iter(lambda: list(itertools.islice(writes, 8)), []):
        await asyncio.gather(*some)
    for key in moments.sample(sorted(model), 5):
        assert await query(network, language, "get", key) == {"key": key, "value": model[key]}
    bounds = ["", "", *moments.sample(sorted(model), 4), *map(key_of, SIZES, [moments] * 11)]
    for start, end in itertools.pairwise(bounds):
        found = await query(network, language, "range", start, end)
        assert [(each["key"], each["value"]) for each in found] == between(model, start, end)


async def check_empty_key(network: Network, language: str) -> None:
    """The ledger takes it, as Fabric's does; two shims refuse it, and Node's ranges leave it out.

    An open start means the key \\x01 to all shims.
    """
    writing = network.channel.invoke(language, ["set", "", "nameless"])
    if language != "node":
        with pytest.raises(EndorsementFailed) as refused:
            await writing
        assert REFUSED_KEYS[language] in str(refused.value)
        return
    await writing
    assert await query(network, "node", "get", "") == {"key": "", "value": "nameless"}


def between(model: dict[str, str], start: str, end: str) -> list[tuple[str, str]]:
    """The part of a sorted map that a range query names: by bytes, an empty end is open."""
    inside = [key for key in model if start.encode() <= key.encode()]
    inside = [key for key in inside if not end or key.encode() < end.encode()]
    return [(key, model[key]) for key in sorted(inside, key=str.encode)]


@go
async def test_a_sixteen_megabyte_envelope_is_refused_with_fabrics_words(
    peer_process: PeerFactory, by_hand: ByHand, say: Say
) -> None:
    peer = peer_process(mode="dev")
    async with connected(peer) as network:
        await deploy(network, peer, by_hand, "go")
        channel = network.channel
        with PeakMemory(peer.process.pid) as memory:
            endorsed = await channel.endorse(channel.propose("go", ["blob", "big", str(16 * MIB)]))
            payload = assemble_transaction(
                proposal=endorsed.proposal.proposal_bytes, responses=endorsed.responses
            )
            envelope = sign_envelope(network.admin, payload)
            size = len(envelope.payload) + len(envelope.signature)
            assert size > 16 * MIB
            with pytest.raises(BroadcastRefused) as refused:
                await network.orderer.broadcast(envelope)
        # While it is endorsed there are several copies of it: only what stays is judged.
        kept = await asyncio.to_thread(memory.settle, GROWTH)
        say(f"an envelope of 16 MiB endorsed and refused: {memory}; {kept / MIB:.1f} MiB stay")
        assert refused.value.status == Status.BAD_REQUEST
        words = f"message payload is {size} bytes and exceeds maximum allowed {FABRIC_LIMIT} bytes"
        assert words in str(refused.value)
        assert await query(network, "go", "get", "big") == {"key": "big", "value": None}
        await channel.invoke("go", ["set", "small", "goes on"])
