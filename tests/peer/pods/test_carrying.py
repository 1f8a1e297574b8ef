"""Outputs as one file: what was packed comes back, what strangers made does not get out."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from harness.pods import tar_of
from treadle_peer.chaincode.recipes import CarryingError, pack, unpack

EVIL: dict[str, tuple[list[tuple[str, bytes, str]], str]] = {
    "a name that climbs": ([("../evil", tarfile.REGTYPE, "x")], "illegal name"),
    "an absolute name": ([("/tmp/evil", tarfile.REGTYPE, "x")], "illegal name"),
    "a link out": ([("evil", tarfile.SYMTYPE, "/etc")], "leads out of it"),
    "a link that climbs": ([("a/evil", tarfile.SYMTYPE, "../../x")], "leads out of it"),
    "a hard link": ([("evil", tarfile.LNKTYPE, "/etc/passwd")], "neither file nor folder"),
    "a device": ([("evil", tarfile.CHRTYPE, "")], "neither file nor folder"),
    "a file through a link": (
        [("here", tarfile.SYMTYPE, "there"), ("here/x", tarfile.REGTYPE, "x")],
        "here",
    ),
    "a link behind a link": (
        [("here", tarfile.SYMTYPE, "."), ("here/evil", tarfile.SYMTYPE, "../x")],
        "behind a link",
    ),
    "a file of nothing but its size": (
        [("a", tarfile.GNUTYPE_SPARSE, "")],
        "neither file nor folder",
    ),
    "the same twice": ([("a", tarfile.REGTYPE, "x"), ("a", tarfile.REGTYPE, "y")], "a"),
}


@pytest.mark.parametrize(("entries", "words"), EVIL.values(), ids=EVIL)
def test_what_pack_would_not_write_is_not_unpacked(
    tmp_path: Path, entries: list[tuple[str, bytes, str]], words: str
) -> None:
    target = tmp_path / "target"
    with pytest.raises(CarryingError, match=words):
        unpack(io.BytesIO(tar_of(*entries)), target)
    assert not list(tmp_path.iterdir()), "nothing is left, inside or outside"


def test_an_archive_that_ends_early_is_refused(tmp_path: Path) -> None:
    whole = tar_of(("a", tarfile.REGTYPE, "x" * 5000))
    with pytest.raises(CarryingError):
        unpack(io.BytesIO(whole[:2000]), tmp_path / "target")
    assert not list(tmp_path.iterdir())


def test_what_was_packed_comes_back_and_packs_to_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "modules" / ".bin").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "modules" / "tool.js").write_text("tool")
    (source / "modules" / "tool.js").chmod(0o750)
    (source / "modules" / ".bin" / "tool").symlink_to("../tool.js")
    (source / ("long" * 60)).write_text("long")
    (source / "ünïcode").write_text("name")
    archives = [tmp_path / "first.tar", tmp_path / "second.tar"]
    for archive in archives:
        pack({"source": source}, {"run.sh": "exec true\n"}, archive)
        for file in source.rglob("*"):
            os.utime(file, (1, 1), follow_symlinks=False)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    target = tmp_path / "target"
    (target / "old").mkdir(parents=True)
    with archives[0].open("rb") as file:
        unpack(file, target)
    assert not (target / "old").exists(), "made anew"
    inside = target / "source"
    assert (inside / "modules" / ".bin" / "tool").read_text() == "tool"
    assert os.readlink(inside / "modules" / ".bin" / "tool") == "../tool.js"
    assert (inside / "modules" / "tool.js").stat().st_mode & 0o777 == 0o755
    assert (inside / ("long" * 60)).stat().st_mode & 0o777 == 0o644
    assert (inside / "ünïcode").exists()
    assert (inside / "empty").is_dir()
    assert os.access(target / "run.sh", os.X_OK)
