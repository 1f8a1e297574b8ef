"""Freezing: from files to the bytes that peers install, the same everywhere."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from harness.operating.chaincodes import package
from hypothesis import given
from hypothesis import strategies as st
from treadle_cli.play.documents import Document
from treadle_cli.play.models import PackageModel, SourceModel
from treadle_cli.play.sources import build_package
from treadle_fabric.packages import (
    ImageReference,
    ServerReference,
    build_v2_package,
    parse_legacy_package,
    read_archive,
    read_prebuilt,
    sign_package,
    wrap_code,
)
from treadle_operator.errors import InvalidSource
from treadle_operator.model import ChaincodeServer, PrebuiltImage, Ref
from treadle_operator.packing import accept, freeze, name_prebuilt

GO = {
    "go.mod": b"module example.com/asset\n\ngo 1.22\n",
    "main.go": b"package main\n\nfunc main() {}\n",
    "vendor/modules.txt": b"",
}
PYTHON = {"chaincode.py": b"print()\n", "lib/rules.py": b"RULES = {}\n"}
NODE = {"package.json": b"{}", "index.js": b""}
JAVA = {"pom.xml": b"<project/>", "src/main/java/A.java": b"class A {}", "README.md": b"no"}

# Whoever has to change one of these changes what every peer has installed.
GOLDEN = {
    "golang": "811d4bc0fd9a6218b6659aec0db0d4b4402817f7a3ce1a40c9b469fddd75f2f7",
    "node": "04fe695b3a56ff285927b02f814ac0284ae63513b8b71636f6a3c19173c8fe39",
    "java": "9dd8a674ac9231a6de54d64e82bd57f0716986a650553b718acfac0716456cf9",
    "python": "91327da6203dda2fe84291d08bce0c27398f15588d6c52f2047f037c8084ba9c",
}
GOLDEN_NAMES = {
    "image": "7b0a60b87dfb20ae05ab506bbf597167c95e7f2c5571dbbdb2c66d6d76adef9d",
    "server": "c5808c401478ff2174ad11edc041dd807f338bcf3dcc699f46f647088eeeed65",
    "open": "54cf28cc093370ae1a03a02526b6898ba9b0e9e8253e7391102eda36cf692f5c",
}
FILES = {"golang": GO, "node": NODE, "java": JAVA, "python": PYTHON}


@pytest.mark.parametrize("language", FILES)
def test_the_same_files_give_the_same_package_for_ever(language: str) -> None:
    frozen = freeze(package(language=language).spec, FILES[language])
    assert frozen.package_id == f"asset_1.0:{GOLDEN[language]}"
    assert frozen.legacy_id == "asset:1.0"


def test_a_package_holds_its_files_and_says_what_it_is() -> None:
    read = parse_legacy_package(freeze(package(language="golang").spec, GO).data)
    assert (read.name, read.version, read.language) == ("asset", "1.0", "golang")
    assert read.path == "example.com/asset"
    content = {entry.name: entry.content() for entry in read_archive(read.code, what="code")}
    assert content == {f"src/{name}": text for name, text in GO.items()}


def test_the_packed_source_has_one_hash_whatever_it_is_called() -> None:
    one = freeze(package(version="1").spec, PYTHON)
    two = freeze(package(version="2").spec, dict(reversed(PYTHON.items())))
    assert one.sha256 == two.sha256
    assert one.package_id.partition(":")[2] != two.package_id.partition(":")[2]


@pytest.mark.parametrize(
    ("language", "files", "sentence"),
    [
        ("node", {"index.js": b""}, r"no package\.json"),
        ("golang", {"go.mod": b""}, r"^/go\.mod has no module line$"),
        ("golang", {"go.mod": b"\xff"}, "decode"),
        ("java", {"README.md": b""}, "no source files"),
        ("python", {}, "no source files found"),
        ("python", {"../a": b""}, "no name of a file inside"),
        ("python", {"/a": b""}, "no name of a file inside"),
        ("python", {".": b""}, "no name of a file inside"),
        ("python", {"a\0": b""}, "no name of a file inside"),
        ("python", {"a": b"", "a/b": b""}, "a file and a folder"),
        ("python", {"a/b": b"", "a": b""}, "a file and a folder"),
        ("python", {"a": b"", "./a": b""}, "twice"),
        ("python", {"a" * 300: b""}, "too long"),
        ("python", {"\ud800": b""}, "no text"),
        ("python", {"META-INF/x.json": b"{}"}, "not supported"),
    ],
)  # fmt: skip
def test_files_that_make_no_package_are_told_without_where_they_were_packed(
    language: str, files: dict[str, bytes], sentence: str
) -> None:
    with pytest.raises(InvalidSource, match=sentence) as caught:
        freeze(package(language=language).spec, files)
    assert "tmp" not in str(caught.value)


DIGEST = "sha256:" + "ab" * 32
NAMED = {
    "image": (PrebuiltImage(f"registry.example.com:5000/own/asset@{DIGEST}"), "k8s"),
    "server": (ChaincodeServer("asset.example.com:9999", True, Ref("asset-tls")), "ccaas"),
    "open": (ChaincodeServer("asset:9999", False, None), "ccaas"),
}


@pytest.mark.parametrize("kind", NAMED)
def test_what_only_names_what_runs_is_the_same_package_for_ever(kind: str) -> None:
    prebuilt, language = NAMED[kind]
    frozen = name_prebuilt(package().spec, prebuilt)
    assert frozen.package_id == f"asset_1.0:{GOLDEN_NAMES[kind]}"
    read = parse_legacy_package(frozen.data)
    assert (read.name, read.version, read.language) == ("asset", "1.0", language)
    named = read_prebuilt(read.language, read.code)
    if isinstance(prebuilt, PrebuiltImage):
        assert isinstance(named, ImageReference)
        assert named.reference == prebuilt.image
    else:
        assert isinstance(named, ServerReference)
        secret = prebuilt.secret.name if prebuilt.secret else ""
        assert (named.address, named.secret) == (prebuilt.address, secret)


def test_a_name_that_no_peer_would_install_is_told() -> None:
    with pytest.raises(InvalidSource, match="no usable 'secret'"):
        name_prebuilt(package().spec, ChaincodeServer("asset:9999", True, Ref("No Secret")))


def test_a_given_package_is_taken_untouched() -> None:
    data = freeze(package().spec, PYTHON).data
    assert accept(package().spec, data).data == data
    signed = sign_package(deployment_spec=data, instantiation_policy=b"policy")
    taken = accept(package().spec, signed)
    assert taken.data == signed
    assert taken.package_id == f"asset_1.0:{parse_legacy_package(signed).id.hex()}"
    assert taken.sha256 == accept(package().spec, data).sha256


def _other(**fields: object) -> bytes:
    return freeze(package(**fields).spec, PYTHON).data


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"no package", "no package of the legacy lifecycle"),
        (
            build_v2_package(label="a", language="python", path="", code=b""),
            "no package of the legacy lifecycle",
        ),
        (_other(version="2.0"), r"it holds asset 2\.0, not asset 1\.0"),
        (_other(name="bond"), r"it holds bond 1\.0, not asset 1\.0"),
        (
            freeze(package(language="node").spec, NODE).data,
            "its language is node, not python",
        ),
        (
            wrap_code(name="asset", version="1.0", language="python", path="", code=b""),
            "no code",
        ),
    ],
)  # fmt: skip
def test_a_given_package_has_to_be_the_one_that_the_spec_names(data: bytes, sentence: str) -> None:
    with pytest.raises(InvalidSource, match=sentence):
        accept(package().spec, data)


def test_play_makes_the_same_bytes(tmp_path: Path) -> None:
    texts = {name: content.decode() for name, content in PYTHON.items()}
    model = PackageModel(
        resource="asset-1.0",
        name="asset",
        version="1.0",
        language="python",
        source=SourceModel(files=texts),
        peers=("peer0",),
        document=Document(
            kind="ChaincodePackage", name="asset-1.0", body={}, file=tmp_path / "p.yaml", lines={}
        ),
    )
    assert build_package(model, config_maps={}, scratch=tmp_path) == _other()


@given(st.dictionaries(st.text(max_size=6), st.binary(max_size=6), max_size=4))
def test_whatever_the_files_are_it_is_a_package_or_a_sentence(files: dict[str, bytes]) -> None:
    with contextlib.suppress(InvalidSource):
        frozen = freeze(package().spec, files)
        assert accept(package().spec, frozen.data) == frozen
