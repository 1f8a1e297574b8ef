"""Installed packages as files: Fabric's layout, Fabric's words, whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from treadle_fabric.packages import sign_package, wrap_code, write_archive
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.execution import PackageError

CODE = write_archive({"src/go.mod": b"module cc\n", "src/main.go": b"package main\n"})


def package(
    name: str = "asset", version: str = "1.0", *, language: str = "golang", code: bytes = CODE
) -> bytes:
    return wrap_code(name=name, version=version, language=language, path="cc", code=code)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of packages."""
    return tmp_path / "chaincodes"


def test_file_is_named_as_fabrics_and_holds_the_installed_bytes(folder: Path) -> None:
    raw = package()
    installed = FilePackageStore(folder).install(raw)
    file = folder / "asset.1.0"
    assert file.read_bytes() == raw == installed.raw
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert (installed.ccid, installed.language, installed.code) == ("asset:1.0", "golang", CODE)


def test_installed_package_is_found_by_a_later_start(folder: Path) -> None:
    first = FilePackageStore(folder).install(package())
    store = FilePackageStore(folder)
    assert store.get("asset", "1.0") == first
    (row,) = store.installed()
    assert (row.name, row.version, row.path, row.id) == ("asset", "1.0", "cc", first.id)


def test_signed_package_keeps_its_policy(folder: Path) -> None:
    raw = sign_package(deployment_spec=package(), instantiation_policy=b"\x08\x01")
    installed = FilePackageStore(folder).install(raw)
    assert installed.instantiation_policy == b"\x08\x01"
    assert installed.deployment_spec == package()


def test_second_install_of_the_same_version_is_refused_even_if_identical(folder: Path) -> None:
    store = FilePackageStore(folder)
    store.install(package())
    with pytest.raises(PackageError) as raised:
        store.install(package())
    assert str(raised.value) == (
        f"error installing chaincode code asset:1.0(chaincode {folder}/asset.1.0 exists)"
    )


def test_removing_the_file_allows_another_install(folder: Path) -> None:
    store = FilePackageStore(folder)
    store.install(package())
    (folder / "asset.1.0").unlink()
    other = package(code=write_archive({"src/go.mod": b"module other\n"}))
    store.install(other)
    assert store.get("asset", "1.0").raw == other


@pytest.mark.parametrize("name", ["", "..", "a/b", "a.b", "-a", "a_", "a\u00e4", "a b"])
def test_names_that_lscc_refuses_are_refused_with_its_words(folder: Path, name: str) -> None:
    with pytest.raises(PackageError, match="invalid chaincode name '"):
        FilePackageStore(folder).install(package(name))


@pytest.mark.parametrize("version", ["", "1/2", "1 0", "1:0", "\u00e4"])
def test_versions_that_lscc_refuses_are_refused_with_its_words(folder: Path, version: str) -> None:
    with pytest.raises(PackageError, match="invalid chaincode version '"):
        FilePackageStore(folder).install(package(version=version))


def test_garbage_is_refused_with_fabrics_words(folder: Path) -> None:
    with pytest.raises(PackageError) as raised:
        FilePackageStore(folder).install(b"\xff\xff garbage")
    assert str(raised.value) == "could not unmarshal chaincode package to CDS or SignedCDS"


def test_code_that_breaks_the_rules_of_its_language_is_refused(folder: Path) -> None:
    code = write_archive({"src/index.js": b""})
    with pytest.raises(PackageError, match=r"no package\.json found at the root"):
        FilePackageStore(folder).install(package(language="node", code=code))
    assert list(folder.iterdir()) == []


def test_development_package_without_code_is_installed(folder: Path) -> None:
    assert FilePackageStore(folder).install(package(code=b"")).code == b""


def test_unknown_package_is_told_in_fabrics_words(folder: Path) -> None:
    with pytest.raises(PackageError) as raised:
        FilePackageStore(folder).get("none", "1")
    assert str(raised.value) == f"open {folder / 'none.1'}: no such file or directory"


@pytest.mark.parametrize(("name", "version"), [("../asset", "1.0"), ("asset", "../1.0"), ("", "")])
def test_names_that_lead_elsewhere_are_no_packages(folder: Path, name: str, version: str) -> None:
    with pytest.raises(PackageError) as raised:
        FilePackageStore(folder).get(name, version)
    assert str(raised.value) == f"cannot get package for chaincode ({name}:{version})"


def test_packages_are_listed_by_name_then_version_and_split_at_the_first_dot(folder: Path) -> None:
    store = FilePackageStore(folder)
    for name, version in [("b", "1.0.1"), ("a", "2"), ("b", "1.0"), ("a-x", "1")]:
        store.install(package(name, version))
    listed = [(one.name, one.version) for one in store.installed()]
    assert listed == [("a", "2"), ("a-x", "1"), ("b", "1.0"), ("b", "1.0.1")]


def test_foreign_files_are_skipped_and_renamed_ones_are_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FilePackageStore(folder)
    store.install(package())
    (folder / "asset.1.0").rename(folder / "asset.9")
    (folder / "garbage.1").write_bytes(b"\xff")
    (folder / "nodot").write_bytes(b"")
    (folder / "folder.1").mkdir()
    assert store.installed() == []
    assert "Chaincode file's name/version has been modified on the filesystem" in caplog.text
    assert "garbage.1" in caplog.text
    with pytest.raises(PackageError):
        store.get("asset", "9")


def test_a_list_does_not_read_again_what_is_more_than_memory_may_hold(folder: Path) -> None:
    store = FilePackageStore(folder)
    for name in ("a", "b"):
        raw = package(name, "1", code=os.urandom(40 * 1024 * 1024))
        (folder / f"{name}.1").write_bytes(raw)
    listed = store.installed()
    for name in ("a", "b"):  # what is read from now on is garbage, and nothing tells so
        file = folder / f"{name}.1"
        written = file.stat().st_mtime_ns
        with file.open("r+b") as content:
            content.write(b"\xff" * 64)
        os.utime(file, ns=(written, written))
    assert [row.name for row in listed] == ["a", "b"]
    assert store.installed() == listed


def test_changed_file_is_read_again(folder: Path) -> None:
    store = FilePackageStore(folder)
    store.install(package())
    store.get("asset", "1.0")
    other = package(code=write_archive({"src/go.mod": b"module other\n"}))
    replacement = folder / ".new"
    replacement.write_bytes(other)
    replacement.replace(folder / "asset.1.0")
    assert store.get("asset", "1.0").raw == other


def test_half_written_install_of_a_crashed_peer_is_swept_away(folder: Path) -> None:
    FilePackageStore(folder)
    (folder / ".installing-x").write_bytes(package()[:10])
    store = FilePackageStore(folder)
    assert list(folder.iterdir()) == []
    assert store.installed() == []


def test_failed_write_leaves_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FilePackageStore(folder)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.install(package())
    assert list(folder.iterdir()) == []


def test_of_two_installs_at_once_one_wins(folder: Path) -> None:
    store = FilePackageStore(folder)
    outcomes: list[str] = []

    def install() -> None:
        try:
            outcomes.append(store.install(package()).ccid)
        except PackageError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=install) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("asset:1.0") == 1
    assert sum("exists" in outcome for outcome in outcomes) == 7


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_either_install_or_raise_package_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    store = FilePackageStore(tmp_path_factory.mktemp("any") / "chaincodes")
    try:
        store.install(raw)
    except PackageError:
        assert store.installed() == []
