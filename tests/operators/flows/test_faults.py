"""What goes wrong with a chaincode is said with its reason, and mended by mending it."""

from __future__ import annotations

import pytest
from harness.operating.operated import Operated, go_files, package_of

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
]

WITHIN = 240.0  # seconds for a build on a busy machine
KIND = "ChaincodeInstantiation"
INIT = {"args": ["init", "a", "1"]}


def apply(
    trade: Operated, name: str, *changes: tuple[str, str], version: str = "1.0", **spec: object
) -> None:
    """Package and instantiation of a chaincode of that name."""
    made = f"{name}-{version}"
    spec_of = package_of(go_files(*changes), name=name, version=version)
    trade.space.create_package(made, **spec_of)
    if version == "1.0":
        trade.instantiate(name, made, init=INIT, **spec)
    else:
        trade.change(KIND, name, packageRef={"name": made}, init=INIT)


def test_a_broken_source_is_shown_and_another_version_mends_it(trade: Operated) -> None:
    apply(trade, "broken", ('const version = "1"', "const version = nothing"))
    told = trade.becomes(KIND, "broken", "BuildFailed", within=WITHIN)
    assert "undefined: nothing" in told
    assert "BuildFailed" in trade.events(KIND, "broken")
    height = trade.height()
    apply(trade, "broken", version="1.1")
    trade.ready(KIND, "broken", within=WITHIN)
    assert trade.height() == height + 1


def test_a_crash_loop_is_told_with_its_last_words(trade: Operated) -> None:
    apply(trade, "crashing", ("func main() {", 'func main() {\n\tpanic("I give up at once")'))
    told = trade.becomes(KIND, "crashing", "CrashLoop", within=WITHIN)
    assert "I give up at once" in told


def test_an_init_that_fails_is_not_submitted(trade: Operated) -> None:
    height = trade.height()
    spec = package_of(go_files(), name="picky", version="1.0")
    trade.space.create_package("picky-1.0", **spec)
    trade.instantiate("picky", "picky-1.0", init={"args": ["init", "a"]})
    told = trade.becomes(KIND, "picky", "InitFailed", within=WITHIN)
    assert "pairs of account and amount" in told
    assert trade.height() == height
    assert trade.reason(KIND, "picky", "RuntimeReady")[0] == "True"
    trade.space.api.delete(trade.space.path(KIND, "picky")).expect()
    trade.instantiate("picky", "picky-1.0", init=INIT)
    trade.ready(KIND, "picky", within=WITHIN)
    assert trade.height() == height + 1


def test_a_package_that_is_not_there_is_named(trade: Operated) -> None:
    trade.instantiate("early", "early-1.0", init=INIT)
    assert "early-1.0" in trade.becomes(KIND, "early", "PackageMissing")
    trade.space.create_package("early-1.0", **package_of(go_files(), name="early", version="1.0"))
    trade.ready(KIND, "early", within=WITHIN)


def test_a_channel_that_is_not_there_is_named(trade: Operated) -> None:
    apply(trade, "lost", channel="nowhere")
    assert "nowhere" in trade.becomes(KIND, "lost", "ChannelMissing", within=WITHIN)
