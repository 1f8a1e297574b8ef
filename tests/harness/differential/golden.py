"""What a real peer said, kept: one compressed file for the conversations of one script file."""

from __future__ import annotations

import json
import lzma
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from harness.differential.catalog import Conversation
from harness.differential.events import Recording

FOLDER = Path(__file__).resolve().parents[2] / "differential" / "golden"


def keep(conversations: Mapping[str, Conversation], recordings: Mapping[str, Recording]) -> None:
    """Write *recordings*; those of other conversations in the same files stay."""
    files: dict[str, dict[str, object]] = defaultdict(dict)
    for key, recording in recordings.items():
        files[conversations[key].file][key] = recording.plain()
    FOLDER.mkdir(exist_ok=True)
    for name, content in files.items():
        file = FOLDER / f"{name}.json.xz"
        kept = {**_content(file), **content}
        known = {key: kept[key] for key in sorted(kept) if key in conversations}
        file.write_bytes(lzma.compress(json.dumps(known).encode()))


def kept() -> dict[str, Recording]:
    """All recordings, by conversation."""
    return {
        key: Recording.from_plain(plain)
        for file in FOLDER.glob("*.json.xz")
        for key, plain in _content(file).items()
    }


def _content(file: Path) -> dict[str, dict[str, object]]:
    if not file.exists():
        return {}
    content: dict[str, dict[str, object]] = json.loads(lzma.decompress(file.read_bytes()))
    return content
