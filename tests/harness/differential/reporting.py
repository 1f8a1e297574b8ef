"""The report of ``make diff``: every conversation with both peers, differences, sections."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.differential.catalog import SECTIONS, Conversation, Rig, all_conversations
from harness.differential.compare import Verdict, judge
from harness.differential.deliberate import DELIBERATE
from harness.differential.events import Recording
from harness.differential.golden import keep
from harness.differential.normal import normal

RIGS: tuple[Rig, ...] = ("development", "production", "blocks")
_WIDTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to do; ``folder`` is for the peers' data and is thrown away."""

    binaries: Path
    folder: Path
    only: str = ""
    record: bool = False
    show: str = ""


def run(options: Options) -> int:
    """Hold, compare, print; 0 when nothing is unexplained."""
    wanted = {key: each for key, each in all_conversations().items() if options.only in key}
    real, ours = both(wanted, options)
    verdict = judge(real, ours, DELIBERATE)
    _print_details(options, real, ours, verdict)
    if options.record:
        _keep_whole(wanted, real)
    counts = Counter(section for each in wanted.values() for section in each.sections)
    print("sections:", ", ".join(f"{section}: {counts[section]}" for section in SECTIONS))
    complete = bool(options.only) or all(counts[section] for section in SECTIONS)
    print(f"{len(verdict.explained)} deliberate differences found, as documented")
    print(f"{len(wanted)} conversations, {len(verdict.unexplained)} differences")
    return 0 if complete and not verdict.unexplained and not verdict.idle else 1


def _keep_whole(
    conversations: Mapping[str, Conversation], recordings: Mapping[str, Recording]
) -> None:
    """Keep what the real peer said, but for scripts that broke: the verdict has those."""
    for key, recording in recordings.items():
        if recording.broken:
            print(f"{key}: not recorded, the script broke")
    whole = {key: each for key, each in recordings.items() if not each.broken}
    keep(conversations, whole)


def both(
    conversations: Mapping[str, Conversation], options: Options
) -> tuple[dict[str, Recording], dict[str, Recording]]:
    """What the real peer and what ours said, by key; both sides at the same time."""
    with ThreadPoolExecutor(2) as pool:
        real = pool.submit(held_by_real, conversations, options.folder / "real", options.binaries)
        ours = pool.submit(held_by_ours, conversations, options.folder / "ours")
        return real.result(), ours.result()


def held_by_real(
    conversations: Mapping[str, Conversation], folder: Path, binaries: Path
) -> dict[str, Recording]:
    """Every rig's conversations with real peers."""
    found: dict[str, Recording] = {}
    for rig, chosen in _by_rig(conversations).items():
        held = importlib.import_module(f"harness.differential.{rig}_rig").held_by_real
        found |= held(chosen, folder=_made(folder / rig), binaries=binaries)
    return found


def held_by_ours(conversations: Mapping[str, Conversation], folder: Path) -> dict[str, Recording]:
    """Every rig's conversations with ours."""
    found: dict[str, Recording] = {}
    for rig, chosen in _by_rig(conversations).items():
        held = importlib.import_module(f"harness.differential.{rig}_rig").held_by_ours
        found |= held(chosen, folder=_made(folder / rig))
    return found


def _by_rig(conversations: Mapping[str, Conversation]) -> dict[Rig, list[Conversation]]:
    found = {rig: [each for each in conversations.values() if each.rig == rig] for rig in RIGS}
    return {rig: chosen for rig, chosen in found.items() if chosen}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _print_details(
    options: Options,
    real: Mapping[str, Recording],
    ours: Mapping[str, Recording],
    verdict: Verdict,
) -> None:
    for name, recordings in (("real", real), ("ours", ours)):
        for key, recording in recordings.items():
            if recording.broken:
                print(f"{key}: the script broke with {name}:\n{recording.broken}")
    if options.show:
        for name, recordings in (("real", real), ("ours", ours)):
            for field, value in normal(recordings[options.show]).items():
                print(f"{name} {field} = {value[:_WIDTH]}")
    for difference in verdict.unexplained:
        print(difference)
    for idle in verdict.idle:
        print(f"{idle.conversation}: {idle.field} does not differ, but is listed as deliberate")
