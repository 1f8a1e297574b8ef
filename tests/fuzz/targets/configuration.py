"""Channel configurations, their updates, and channels made of an update."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fabric_protos.common.common_pb2 import Block, Envelope
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigUpdate
from fuzz.configuring import next_config, refit_update, system, updates
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.validating import CAPABILITIES
from fuzz.world import CHANNEL, bundle, consortium
from treadle_fabric.channelconfig import (
    Bundle,
    ConfigError,
    compute_update,
    config_from_creation,
    propose_creation,
    propose_update,
    read_config_block,
    validate_config,
)
from treadle_fabric.policy import PolicyError, SignedData
from treadle_fabric.wire import WireError, parse, serialize

_GOLDEN = Path(__file__).parents[2] / "fabric" / "channelconfig" / "golden"
_WAYS = ("update", "config", "envelope", "creation", "block", "compute")


def seeds() -> Iterator[bytes]:
    """Every way with every honest beginning; the blocks of the real tools."""
    for way in range(len(_WAYS)):
        for level in range(len(CAPABILITIES)):
            for which in range(3):
                yield bytes((way, level, which))
                yield bytes((way, level, which, 0, 1, 1))
    for file in sorted(_GOLDEN.glob("*.block")):
        yield bytes((_WAYS.index("block"), 0, 0xFF)) + file.read_bytes()


def one_input(data: bytes) -> None:
    """A new configuration that holds what it says, or a ConfigError; the same one again."""
    octets = Octets(data)
    way, capability = octets.pick(_WAYS), octets.pick(CAPABILITIES)
    try:
        {
            "update": _update,
            "config": _config,
            "envelope": _envelope,
            "creation": _creation,
            "block": _block,
            "compute": _compute,
        }[way](octets, capability)
    except (ConfigError, WireError) as error:
        said(error)


def _edited_update(octets: Octets, capability: str) -> Envelope:
    which, refit = octets.byte(), octets.byte()
    raw = serialize(updates(capability)[which % 3])
    raw = edit_many(Envelope, raw, octets)
    return parse(Envelope, refit_update(raw) if refit % 4 != 1 else raw)


def _update(octets: Octets, capability: str) -> None:
    current = bundle(capability)
    proposed = propose_update(current, _edited_update(octets, capability))
    successor = validate_config(current, parse(ConfigEnvelope, serialize(proposed)))
    assert successor.sequence == current.sequence + 1
    _use(successor)


def _creation(octets: Octets, capability: str) -> None:
    envelope = _edited_update(octets, capability)
    proposed = propose_creation(envelope, system=system(capability))
    assert proposed.config.sequence == 1


def _edited_config(octets: Octets, capability: str) -> Config:
    octets.byte()
    raw = edit_many(Config, serialize(bundle(capability).config), octets)
    return parse(Config, raw)


def _config(octets: Octets, capability: str) -> None:
    _use(Bundle.from_config(CHANNEL, _edited_config(octets, capability)))


def _compute(octets: Octets, capability: str) -> None:
    before, after = bundle(capability).config, _edited_config(octets, capability)
    update = compute_update(before, after, channel_id=CHANNEL)
    config_from_creation(parse(ConfigUpdate, serialize(update)), system=system(capability))


def _envelope(octets: Octets, capability: str) -> None:
    octets.byte()
    raw = edit_many(Envelope, serialize(next_config(capability)), octets)
    block = Block()
    block.data.data.append(raw)
    _, envelope = read_config_block(block)
    _use(validate_config(bundle(capability), envelope))


def _block(octets: Octets, capability: str) -> None:
    if octets.byte() == 0xFF:
        raw = octets.rest()
    else:
        block = Block()
        block.data.data.append(serialize(next_config(capability)))
        raw = edit_many(Block, serialize(block), octets)
    _use(Bundle.from_block(parse(Block, raw)))


def _use(successor: Bundle) -> None:
    signed = SignedData(
        data=b"m", identity=consortium().admin.serialize(), signature=consortium().admin.sign(b"m")
    )
    for path in successor.policies.paths():
        try:
            successor.policies.policy(path).evaluate([signed])
        except PolicyError as error:
            said(error)
