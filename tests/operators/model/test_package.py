"""A stored ChaincodePackage becomes a value, or a sentence about one field."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from harness.kubernetes.resources import example
from harness.operating.chaincodes import package, stored_package
from harness.operating.stored import JSON
from hypothesis import given
from hypothesis import strategies as st
from treadle_operator.errors import InvalidObject
from treadle_operator.model import (
    ArchiveSource,
    ChaincodePackage,
    ChaincodeServer,
    ConfigMapSource,
    FilesSource,
    GivenPackage,
    ImageFiles,
    InstalledPackage,
    Language,
    PackageDeletion,
    PrebuiltImage,
    Ref,
    Source,
    parse_package,
)

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"files": {"a/b.go": "", "c": "x"}}, FilesSource({"a/b.go": "", "c": "x"})),
        ({"configMap": {"name": "code"}}, ConfigMapSource(Ref("code"))),
        (
            {"archive": {"url": "https://example.com/a.tgz", "sha256": DIGEST.upper()}},
            ArchiveSource("https://example.com/a.tgz", DIGEST),
        ),
        ({"archive": {"url": "u"}}, ArchiveSource("u", None)),
        ({"package": {"secretRef": {"name": "pkg"}}}, GivenPackage(Ref("pkg"))),
        ({"imageFiles": {"image": "i", "path": "/src"}}, ImageFiles("i", "/src")),
        ({"image": f"i@sha256:{DIGEST}"}, PrebuiltImage(f"i@sha256:{DIGEST}")),
        (
            {"server": {"address": "cc.example.com:9999", "tls": {"enabled": False}}},
            ChaincodeServer("cc.example.com:9999", False, None),
        ),
        (
            {"server": {"address": "cc:1", "tls": {"secretRef": {"name": "ca"}}}},
            ChaincodeServer("cc:1", True, Ref("ca")),
        ),
        ({"installed": {"packageID": f"a_1:{DIGEST}"}}, InstalledPackage(f"a_1:{DIGEST}")),
    ],
)  # fmt: skip
def test_each_source_is_read(source: dict[str, Any], expected: Source) -> None:
    assert package(source=source).spec.source == expected


def test_the_other_fields_are_read() -> None:
    spec = package(
        name="asset", language="golang", peers=[{"name": "a"}, {"name": "b"}],
        deletionPolicy="Uninstall",
    ).spec  # fmt: skip
    assert (spec.name, spec.version, spec.language) == ("asset", "1.0", Language.GOLANG)
    assert (spec.peers, spec.deletion_policy) == (("a", "b"), PackageDeletion.UNINSTALL)


@pytest.mark.parametrize("size", ["minimal", "full"])
def test_the_examples_for_users_are_understood(size: str) -> None:
    body = example("ChaincodePackage", size)
    body["metadata"] |= {"namespace": "trade", "uid": "u"}
    assert parse_package(body).spec.name == body["spec"]["name"]


def test_only_sources_that_say_it_themselves_go_without_a_language() -> None:
    assert package(language=None, source={"image": f"i@sha256:{DIGEST}"}).spec.language is None
    with pytest.raises(InvalidObject, match="golang, node, java or python") as caught:
        package(language=None)
    assert caught.value.field == "spec.language"


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name": "as--set"}, "spec.name", "single '-'"),
        ({"version": "1 0"}, "spec.version", "letters, digits"),
        ({"version": 1}, "spec.version", "text, not a number"),
        ({"language": "rust"}, "spec.language", "golang or node or java or python"),
        ({"source": None}, "spec.source", "missing"),
        ({"source": {}}, "spec.source", "exactly one"),
        ({"source": {"image": "i", "files": {"a": ""}}}, "spec.source", "exactly one"),
        ({"source": {"files": {}}}, "spec.source.files", "at least one"),
        ({"source": {"files": {"../a": ""}}}, "spec.source.files.../a", "inside"),
        ({"source": {"files": {"/a": ""}}}, "spec.source.files./a", "inside"),
        ({"source": {"files": {"a": 1}}}, "spec.source.files.a", "text, not a number"),
        ({"source": {"archive": {"url": ""}}}, "spec.source.archive.url", "empty"),
        (
            {"source": {"archive": {"url": "u", "sha256": "ab"}}},
            "spec.source.archive.sha256",
            "64 hex",
        ),
        (
            {"source": {"imageFiles": {"image": "i", "path": "/a/../b"}}},
            "spec.source.imageFiles.path",
            "without '..'",
        ),
        ({"source": {"image": "i:latest"}}, "spec.source.image", "digest"),
        ({"source": {"server": {"address": "cc"}}}, "spec.source.server.address", "host:port"),
        ({"source": {"server": {"address": "cc:1"}}}, "spec.source.server.tls", r"ca\.crt"),
        ({"source": {"installed": {"packageID": "a"}}}, "spec.source.installed.packageID", "label"),
        ({"source": {"package": {}}}, "spec.source.package.secretRef", "missing"),
        ({"peers": []}, "spec.peers", "at least one"),
        ({"peers": [{"name": "a"}, {"name": "a"}]}, "spec.peers", "once"),
        ({"deletionPolicy": "Delete"}, "spec.deletionPolicy", "Keep or Uninstall"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_field(changes: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(InvalidObject, match=sentence) as caught:
        package(**changes)
    assert caught.value.field == field


def test_a_name_that_does_not_fit_into_a_label_is_refused() -> None:
    with pytest.raises(InvalidObject) as caught:
        package("p" * 64)
    assert caught.value.field == "metadata.name"


SPEC_FIELDS = st.sampled_from(["name", "version", "language", "source", "peers", "deletionPolicy"])
SOURCES = ["files", "configMap", "archive", "package", "imageFiles", "image", "server", "installed"]


@given(st.dictionaries(SPEC_FIELDS, JSON, max_size=3))
def test_whatever_a_spec_holds_it_is_a_package_or_a_sentence(spec: dict[str, object]) -> None:
    with contextlib.suppress(InvalidObject):
        assert isinstance(parse_package(stored_package(**spec)), ChaincodePackage)


@given(st.sampled_from(SOURCES), JSON)
def test_whatever_a_source_holds_it_is_a_package_or_a_sentence(name: str, value: object) -> None:
    with contextlib.suppress(InvalidObject):
        assert isinstance(package(source={name: value}), ChaincodePackage)
