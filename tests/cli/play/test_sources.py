"""Sources of packages: files, ConfigMaps, folders, archives."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from treadle_cli.play import PackageModel, PlayError, SourceModel
from treadle_cli.play.documents import Document
from treadle_cli.play.sources import build_package, local_path
from treadle_fabric.packages import parse_legacy_package

FILES = {"index.js": "x", "package.json": "{}"}


def package(source: SourceModel, folder: Path) -> PackageModel:
    document = Document(
        kind="ChaincodePackage", name="asset-1", body={}, file=folder / "net.yaml", lines={}
    )
    return PackageModel(
        resource="asset-1",
        name="asset",
        version="1",
        language="node",
        source=source,
        peers=(),
        document=document,
    )


def built(source: SourceModel, tmp_path: Path) -> bytes:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    maps = {"code": FILES}
    return build_package(package(source, tmp_path), config_maps=maps, scratch=scratch)


def archive(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def expected(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return built(SourceModel(files=FILES), tmp_path_factory.mktemp("files"))


def test_files_become_the_package(expected: bytes) -> None:
    found = parse_legacy_package(expected)
    assert (found.name, found.version, found.language) == ("asset", "1", "node")


def test_the_same_files_from_elsewhere_are_the_same_package(
    expected: bytes, tmp_path: Path
) -> None:
    assert built(SourceModel(config_map="code"), tmp_path) == expected


def test_a_folder_beside_the_yaml_is_the_same_package(expected: bytes, tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / name).write_text(content)
    assert built(SourceModel(archive="code"), tmp_path) == expected


@pytest.mark.parametrize("prefix", ["", "asset-main/"])
def test_an_archive_is_the_same_package(prefix: str, expected: bytes, tmp_path: Path) -> None:
    content = archive({prefix + name: text.encode() for name, text in FILES.items()})
    (tmp_path / "code.tar.gz").write_bytes(content)
    source = SourceModel(
        archive=f"file:{tmp_path}/code.tar.gz", sha256=hashlib.sha256(content).hexdigest()
    )
    assert built(source, tmp_path) == expected


def test_an_archive_with_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "code.tar.gz").write_bytes(archive({"index.js": b"x"}))
    with pytest.raises(PlayError, match="has sha256"):
        built(SourceModel(archive="code.tar.gz", sha256="00"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"garbage", archive({"../evil": b"x"})])
def test_an_archive_that_cannot_be_unpacked_safely_is_refused(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "code.tar.gz").write_bytes(content)
    with pytest.raises(PlayError, match="is no usable tar"):
        built(SourceModel(archive="code.tar.gz"), tmp_path)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_a_file_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PlayError, match="leaves the folder"):
        built(SourceModel(files={name: "x"}), tmp_path)


def test_nothing_is_downloaded() -> None:
    with pytest.raises(PlayError, match="play downloads nothing"):
        local_path("https://example.org/code.tar.gz")


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlayError, match="cannot read"):
        built(SourceModel(archive="none.tar.gz"), tmp_path)
