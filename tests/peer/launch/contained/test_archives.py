"""What goes into containers and what comes out of them, as tar archives."""

from __future__ import annotations

import io
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from treadle_peer.chaincode.launch.containers.archives import (
    small_files,
    take_folder,
    write_folder,
)
from treadle_peer.chaincode.recipes import CarryingError

MOST = 1 << 20


def archive_of(*members: tarfile.TarInfo, content: bytes = b"") -> io.BytesIO:
    """As an engine gives the folder ``output``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def member(name: str, kind: bytes = tarfile.REGTYPE, leads_to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, leads_to, 0o700
    return info


def test_a_folder_travels_under_its_own_path_and_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "source" / "deep").mkdir(parents=True)
    (folder / "source" / "deep" / "run.sh").write_text("exit 0")
    (folder / "source" / "deep" / "run.sh").chmod(0o755)
    (folder / "source" / "plain").write_text("ä")
    (folder / "source" / "link").symlink_to("deep/run.sh")
    archive = io.BytesIO()
    write_folder(folder, archive, name="/treadle/work")
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        names = {each.name: each for each in tar}
    assert min(names) == "treadle/work"
    assert {each.uid for each in names.values()} == {each.gid for each in names.values()} == {10001}

    back = tmp_path / "back"
    returned = io.BytesIO()
    with tarfile.open(fileobj=returned, mode="w") as tar:
        tar.add(folder / "source", arcname="source")
    returned.seek(0)
    take_folder(returned, back, most=MOST)
    assert (back / "plain").read_text() == "ä"
    assert stat.S_IMODE((back / "deep" / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((back / "plain").stat().st_mode) == 0o644
    assert (back / "link").read_text() == "exit 0"


def test_keys_are_readable_by_the_chaincode_alone() -> None:
    content = small_files({"/treadle/certificate/client.key": b"key"}, folders=("/treadle",))
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        folder, key = tar.getmembers()
    assert (folder.name, folder.isdir(), folder.mode) == ("treadle", True, 0o755)
    assert (key.name, key.mode, key.uid) == ("treadle/certificate/client.key", 0o400, 10001)


HOSTILE: dict[str, Callable[[], io.BytesIO]] = {
    "a name that leads out": lambda: archive_of(member("output/../../evil"), content=b"x"),
    "a link that leads out": lambda: archive_of(member("output/a", tarfile.SYMTYPE, "../../evil")),
    "a link to anywhere": lambda: archive_of(member("output/a", tarfile.SYMTYPE, "/etc/passwd")),
    "a link behind a link": lambda: archive_of(
        member("output/here", tarfile.SYMTYPE, "."),
        member("output/here/a", tarfile.SYMTYPE, "../evil"),
    ),
    "a hard link": lambda: archive_of(member("output/a", tarfile.LNKTYPE, "/etc/passwd")),
    "a hard link out": lambda: archive_of(member("output/a", tarfile.LNKTYPE, "output/../../b")),
    "a device": lambda: archive_of(member("output/a", tarfile.CHRTYPE)),
    "a pipe": lambda: archive_of(member("output/a", tarfile.FIFOTYPE)),
    "no archive": lambda: io.BytesIO(b"no archive at all" * 100),
    "half an archive": lambda: io.BytesIO(
        archive_of(member("output/a"), content=b"x" * 5000).getvalue()[:2000]
    ),
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_strangers_code_left_cannot_leave_its_folder(hostile: str, tmp_path: Path) -> None:
    target = tmp_path / "kept" / "target"
    with pytest.raises(CarryingError, match="the build left"):
        take_folder(HOSTILE[hostile](), target, most=MOST)
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "kept" / "evil").exists()
    assert not (target / "a").is_symlink()


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    inside = member("output/a", tarfile.SYMTYPE, "b")
    archive = archive_of(inside, member("output/a/file"), content=b"x")
    with pytest.raises(CarryingError, match="the build left"):
        take_folder(archive, tmp_path / "target", most=MOST)
    assert not (tmp_path / "target" / "b").exists()


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path) -> None:
    made = archive_of(
        member("output/obj/x.node"), member("output/x.node", tarfile.LNKTYPE, "output/obj/x.node"),
        content=b"x" * 5,
    )  # fmt: skip
    target = tmp_path / "target"
    take_folder(made, target, most=10)
    assert (target / "x.node").read_bytes() == b"x" * 5
    assert stat.S_IMODE((target / "x.node").stat().st_mode) == 0o755
    made.seek(0)
    with pytest.raises(CarryingError, match="more than 9 bytes"):
        take_folder(made, tmp_path / "other", most=9)
