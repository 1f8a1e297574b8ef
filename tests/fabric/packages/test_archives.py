"""The archives in packages: refusing what is dangerous, unpacking what is not."""

from __future__ import annotations

import gzip
import tarfile

import pytest
from treadle_fabric.packages import (
    MAX_UNPACKED_BYTES,
    PackageFormatError,
    archive,
    check_code_package,
    extract_code,
    read_archive,
    write_archive,
)

FILE, FOLDER, SYMLINK, LINK = (
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
)


@pytest.mark.parametrize(
    ("language", "entry", "text"),
    [
        ("golang", ("etc/passwd", 0o644, FILE), "illegal file name in payload: etc/passwd"),
        ("golang", ("src/a", 0o4755, FILE), "illegal file mode in payload: src/a"),
        ("golang", ("src/a", 0o777, SYMLINK), "illegal file mode in payload: src/a"),
        ("golang", ("src/a", 0o644, LINK), "illegal file mode in payload: src/a"),
        ("golang", ("src/../../a", 0o644, FILE), "illegal name 'src/../../a'"),
        ("node", ("index.js", 0o644, FILE), 'illegal file detected in payload: "index.js"'),
        ("node", ("src/a", 0o755, FILE), "illegal file mode detected for file src/a: 755"),
        ("node", ("src/a", 0o644, SYMLINK), "illegal file mode detected for file src/a: 644"),
        ("python", ("a.py", 0o644, FILE), 'illegal file detected in payload: "a.py"'),
        ("java", ("src/README", 0o644, FILE), 'illegal file detected in payload: "src/README"'),
        ("java", ("src/src/A.class", 0o644, FILE), "illegal file detected in payload"),
        ("java", ("META-INF/x", 0o644, FILE), "illegal file detected in payload"),
    ],
)
def test_illegal_entries_are_refused(tar, language, entry, text):
    name, mode, kind = entry
    code = tar((name, mode, b"", kind), link="target")
    with pytest.raises(PackageFormatError) as error:
        check_code_package(language, code)
    assert text in str(error.value)


def test_packages_of_both_fabric_lines_pass(tar):
    newer = tar(
        ("src/", 0o040755, b"", FOLDER),
        ("src/main.go", 0o100644, b"x", FILE),
        ("META-INF/", 0o755, b"", FOLDER),
    )
    check_code_package("golang", newer)
    check_code_package("GOLANG", tar(("src/main.go", 0o100755, b"x", FILE)))
    check_code_package("node", tar(("src/package.json", 0o100644, b"{}", FILE)))
    check_code_package("java", tar(("/src/pom.xml", 0o100666, b"", FILE)))


@pytest.mark.parametrize("language", ["golang", "node", "java", "python"])
def test_development_packages_carry_no_code(language):
    check_code_package(language, b"")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (b"PK\x03\x04", "failure opening codepackage gzip stream: gzip: invalid header"),
        (b"\x1f\x8b", "failure opening codepackage gzip stream: unexpected EOF"),
        (gzip.compress(b"no tar at all" * 100), "code package: "),
        (write_archive({"src/a": b"x" * 5000})[:3000], "code package: "),
    ],
)
def test_what_is_no_archive_is_refused(code, text):
    with pytest.raises(PackageFormatError) as error:
        check_code_package("golang", code)
    assert str(error.value).startswith(text)


def test_code_unpacks(tar, tmp_path):
    code = tar(
        ("src/", 0o755, b"", FOLDER),
        ("src/run.sh", 0o755, b"#!", FILE),
        ("/src/deep/a.txt", 0o600, b"text", FILE),
    )
    extract_code(code, tmp_path / "new" / "target")
    root = tmp_path / "new" / "target"
    assert (root / "src/run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / "src/deep/a.txt").read_bytes() == b"text"
    assert (root / "src/deep/a.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([("../out", 0o644, b"x", FILE)], "illegal name '../out'"),
        ([("src/../../out", 0o644, b"x", FILE)], "illegal name"),
        ([("src/link", 0o777, b"", SYMLINK)], "src/link is no regular file"),
        ([("src/link", 0o644, b"", LINK)], "src/link is no regular file"),
        ([("src/pipe", 0o644, b"", tarfile.FIFOTYPE)], "src/pipe is no regular file"),
        ([("src/device", 0o644, b"", tarfile.CHRTYPE)], "src/device is no regular file"),
        (
            [("src/a", 0o644, b"", FILE), ("src/a/b", 0o644, b"", FILE)],
            "src/a/b is a file and a folder",
        ),
        (
            [("src/a/b", 0o644, b"", FILE), ("src/a", 0o644, b"", FILE)],
            "src/a is a file and a folder",
        ),
    ],
)
def test_nothing_is_written_outside_or_through_links(tar, tmp_path, entries, text):
    target = tmp_path / "inner" / "target"
    with pytest.raises(PackageFormatError) as error:
        extract_code(tar(*entries, link="/etc"), target)
    assert text in str(error.value)
    assert not (tmp_path / "inner" / "out").exists()
    assert not (tmp_path / "out").exists()


def test_bombs_are_stopped(monkeypatch, tar):
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 100_000)
    code = tar(("src/zeros", 0o644, bytes(1_000_000), FILE))
    assert len(code) < 5_000
    with pytest.raises(PackageFormatError, match="unpacks to more than 100000 bytes"):
        check_code_package("golang", code)
    assert MAX_UNPACKED_BYTES > 100_000_000


def test_a_size_that_is_only_claimed_makes_no_room(tmp_path):
    info = tarfile.TarInfo("src/huge")
    info.size = 1 << 40
    code = gzip.compress(info.tobuf(tarfile.PAX_FORMAT))
    with pytest.raises(PackageFormatError):
        extract_code(code, tmp_path)


def test_too_many_entries_are_refused(monkeypatch, tar):
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    code = tar(*((f"src/{number}", 0o644, b"", FILE) for number in range(4)))
    with pytest.raises(PackageFormatError, match="more than 3 entries"):
        list(read_archive(code, what="code package"))
