"""Packing projects: the right files, the same bytes everywhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.packages import (
    PackageFormatError,
    build_legacy_package,
    build_v2_package,
    check_code_package,
    gzip_stored,
    pack_source,
    parse_legacy_package,
    parse_v2_package,
    write_archive,
)

LANGUAGE = {
    "go": "golang",
    "vendored": "golang",
    "node": "node",
    "java": "java",
    "python": "python",
}

# Pinned: a change of these is a change of every package ID that users have.
LEGACY_HASHES = {
    "go": "d35ef11a2dc5ecbb51edc2b724fae55b623c9e431e6313164c601a644c4361f2",
    "vendored": "220d5509d762d98a3442b2c752e25549ffcae8bfa55e521540ba88ac7f33fe51",
    "node": "35edfa7c9a05ba3dd6ba9400c59ca987aac01219e87ab6f8b84812f365a489c9",
    "java": "8cf99efc339b5b9a4ae7fce19a3df691ca2dddfa805641410005763e6e9b2bbe",
    "python": "2e8728b48abe4ab26d9baff712023b3a988a9bc26b1855f390f7a970f44c7be2",
}
V2_HASH = "852e22f86ab4004b4b6d3c47a9834e1b0109658e8333b8a06ff6a53fe8d59e13"


def build(name, source):
    return build_legacy_package(
        name="asset", version="1.0", language=LANGUAGE[name], path="asset", source=source
    )


@pytest.mark.parametrize("name", LANGUAGE)
def test_the_bytes_of_a_package_are_pinned(projects, project, name):
    raw = build(name, project(projects[name]))
    assert hashlib.sha256(raw).hexdigest() == LEGACY_HASHES[name]


def test_the_bytes_of_a_v2_package_are_pinned(projects, project):
    packed = pack_source(language="golang", source=project(projects["go"]))
    raw = build_v2_package(label="asset_1", language="golang", path=packed.path, code=packed.code)
    assert hashlib.sha256(raw).hexdigest() == V2_HASH


def test_times_modes_and_order_of_creation_do_not_matter(projects, project, tmp_path):
    first = project(projects["node"])
    second = tmp_path / "again"
    for path, content in reversed(projects["node"].items()):
        (second / path).parent.mkdir(parents=True, exist_ok=True)
        (second / path).write_bytes(content)
        (second / path).chmod(0o600)
        os.utime(second / path, (1, 1))
    assert build("node", first) == build("node", second)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "go",
            {
                "META-INF/statedb/couchdb/indexes/owner.json",
                "src/.hidden",
                "src/data/text.json",
                "src/go.mod",
                "src/go.sum",
                "src/internal/model/model.go",
                "src/main.go",
                "src/main_test.go",
            },
        ),
        (
            "node",
            {
                "META-INF/statedb/couchdb/collections/c1/indexes/owner.json",
                "src/.npmignore",
                "src/index.js",
                "src/lib/contract.js",
                "src/package.json",
            },
        ),
        (
            "java",
            {
                "src/pom.xml",
                "src/src/main/java/org/example/Asset.java",
                "src/src/main/resources/META-INF/services/x",
            },
        ),
        ("python", {"src/asset/__init__.py", "src/chaincode.py", "src/requirements.txt"}),
    ],
)
def test_a_package_holds_the_files_of_its_project(projects, project, listing, name, expected):
    package = parse_legacy_package(build(name, project(projects[name])))
    assert set(listing(package.code)) == expected
    check_code_package(LANGUAGE[name], package.code)


def test_a_vendor_folder_is_packed(projects, project, listing):
    files = listing(parse_legacy_package(build("vendored", project(projects["vendored"]))).code)
    assert "src/vendor/modules.txt" in files
    assert files["src/vendor/example.com/dep/dep.go"] == b"package dep\n"


def test_what_fabric_knows_of_a_package_is_in_it(projects, project):
    package = parse_legacy_package(build("python", project(projects["python"])))
    assert (package.name, package.version, package.path) == ("asset", "1.0", "asset")
    assert package.language == "python"
    assert not package.signed


def test_the_path_of_a_module_is_its_import_path(projects, project):
    source = project(projects["go"])
    assert parse_legacy_package(build("go", source)).path == "example.com/asset"
    nested = project({**projects["go"], "cmd/cc/main.go": b"package main\n"})
    packed = pack_source(language="golang", source=nested / "cmd" / "cc")
    assert packed.path == "example.com/asset/cmd/cc"


def test_a_package_of_a_module_is_packed_from_the_modules_root(projects, project, listing):
    index = projects["go"]["META-INF/statedb/couchdb/indexes/owner.json"]
    files = {
        "go.mod": b'// comment\nmodule "example.com/whole" // trailing\n',
        "lib/lib.go": b"package lib\n",
        "cc/main.go": b"package main\n",
        "cc/META-INF/statedb/couchdb/indexes/owner.json": index,
    }
    packed = pack_source(language="golang", source=project(files) / "cc")
    assert packed.path == "example.com/whole/cc"
    assert set(listing(packed.code)) == {
        "META-INF/statedb/couchdb/indexes/owner.json",
        "src/cc/main.go",
        "src/go.mod",
        "src/lib/lib.go",
    }


def test_a_folder_without_module_is_packed_below_its_import_path(project, listing):
    source = project({"main.go": b"package main\n", "vendor/a/a.go": b"package a\n"})
    packed = pack_source(language="golang", source=source, path="github.com/org/cc")
    assert packed.path == "github.com/org/cc"
    assert set(listing(packed.code)) == {
        "src/github.com/org/cc/main.go",
        "src/github.com/org/cc/vendor/a/a.go",
    }
    with pytest.raises(PackageFormatError, match=r"holds no go\.mod: add one, or give the import"):
        pack_source(language="golang", source=source)


def test_a_legacy_java_package_leaves_out_what_install_refuses(projects, project, listing):
    source = project({**projects["java"], "README.md": b"words", "gradlew": b"#!/bin/sh"})
    legacy = parse_legacy_package(build("java", source)).code
    assert "src/README.md" not in listing(legacy)
    packed = pack_source(language="java", source=source)
    assert {"src/README.md", "src/gradlew"} <= set(listing(packed.code))


def test_a_node_project_without_package_json_is_refused(project):
    source = project({"index.js": b""})
    with pytest.raises(PackageFormatError, match=r"no package\.json found at the root"):
        build("node", source)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("META-INF/other.json", b"{}", "metadata file path or name is not supported: META-INF/"),
        (
            "META-INF/statedb/couchdb/indexes/a.json",
            b"{",
            r"Index metadata file \[META-INF/statedb/couchdb/indexes/a.json\] is not a valid JSON",
        ),
        (
            "META-INF/statedb/couchdb/indexes/a.json",
            b'{"index": 1}',
            "is not a valid index definition",
        ),
    ],
)
def test_wrong_metadata_is_refused(projects, project, name, content, text):
    with pytest.raises(PackageFormatError, match=text):
        build("node", project({**projects["node"], name: content}))


def test_links_inside_the_project_are_followed_and_others_refused(projects, project, listing):
    source = project(projects["node"])
    (source / "same.js").symlink_to("index.js")
    files = listing(parse_legacy_package(build("node", source)).code)
    assert files["src/same.js"] == files["src/index.js"]
    (source / "out.js").symlink_to("/etc/hostname")
    with pytest.raises(PackageFormatError, match=r"out\.js is a link that leaves"):
        build("node", source)
    (source / "out.js").unlink()
    (source / "out.js").symlink_to("nowhere")
    with pytest.raises(PackageFormatError, match=r"out\.js is no regular file"):
        build("node", source)
    (source / "out.js").unlink()
    (source / "folder").symlink_to("lib")
    with pytest.raises(PackageFormatError, match="is a link to a folder"):
        build("node", source)


@pytest.mark.parametrize(
    ("language", "text"),
    [("cobol", "Unknown chaincodeType: COBOL"), ("car", "car sources cannot be packed")],
)
def test_other_languages_are_refused(project, language, text):
    with pytest.raises(PackageFormatError, match=text):
        pack_source(language=language, source=project({"a": b""}))


def test_missing_and_empty_projects_are_refused(tmp_path):
    with pytest.raises(PackageFormatError, match="path to chaincode does not exist"):
        pack_source(language="node", source=tmp_path / "none")
    with pytest.raises(PackageFormatError, match="no source files found in"):
        pack_source(language="node", source=tmp_path)


@given(st.binary(max_size=200_000))
def test_stored_gzip_reads_back(data):
    encoded = gzip_stored(data)
    assert gzip.decompress(encoded) == data
    assert zlib.decompress(encoded, wbits=31) == data


def test_stored_gzip_splits_where_deflate_must():
    data = bytes(range(256)) * 1024
    encoded = gzip_stored(data)
    assert gzip.decompress(encoded) == data
    assert len(encoded) == len(data) + 18 + 5 * 5


@given(st.dictionaries(st.text("abcü/", min_size=1, max_size=150), st.binary(max_size=600)))
def test_archives_read_back_in_order_with_nothing_of_the_machine(files):
    names = {name.strip("/") or "x": content for name, content in files.items()}
    with tarfile.open(fileobj=io.BytesIO(write_archive(names)), mode="r:gz") as archive:
        members = archive.getmembers()
        assert [member.name for member in members] == sorted(names)
        assert all(archive.extractfile(m).read() == names[m.name] for m in members)
        for member in members:
            assert (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644)
            assert (member.uname, member.gname) == ("", "")


def test_a_v2_package_is_metadata_then_code(projects, project):
    packed = pack_source(language="node", source=project(projects["node"]), path="./asset")
    raw = build_v2_package(label="asset_1.0", language="node", path=packed.path, code=packed.code)
    package = parse_v2_package(raw)
    assert (package.label, package.type, package.path) == ("asset_1.0", "node", "./asset")
    assert package.code == packed.code
    assert package.package_id == f"asset_1.0:{hashlib.sha256(raw).hexdigest()}"
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
        assert archive.getnames() == ["metadata.json", "code.tar.gz"]
        metadata = archive.extractfile("metadata.json").read()
    assert metadata == b'{"path":"./asset","type":"node","label":"asset_1.0"}'
