"""Packages that only name what runs: an image, or a chaincode server."""

from __future__ import annotations

import json

import pytest
from treadle_fabric.packages import (
    ImageReference,
    PackageFormatError,
    ServerReference,
    check_code_package,
    parse_legacy_package,
    prebuilt_code,
    prebuilt_language,
    read_archive,
    read_prebuilt,
    wrap_code,
    write_archive,
)

DIGEST = "sha256:" + "ab" * 32
IMAGE = ImageReference(name="ghcr.io/acme/asset", digest=DIGEST)
SERVER = ServerReference(address="asset.example.com:9999", secret="asset-tls")
OPEN = ServerReference(address="asset:9999", secret="")


@pytest.mark.parametrize("prebuilt", [IMAGE, SERVER, OPEN])
def test_what_was_named_is_read_again(prebuilt: ImageReference | ServerReference) -> None:
    language, code = prebuilt_language(prebuilt), prebuilt_code(prebuilt)
    raw = wrap_code(name="asset", version="1", language=language, path="asset", code=code)
    package = parse_legacy_package(raw)
    assert package.language == language
    assert read_prebuilt(package.language, package.code) == prebuilt
    check_code_package(package.language, package.code)


def test_the_files_are_those_of_fabrics_own_tools() -> None:
    def files(prebuilt: ImageReference | ServerReference) -> dict[str, object]:
        entries = read_archive(prebuilt_code(prebuilt), what="code")
        return {entry.name: json.loads(entry.content()) for entry in entries}

    assert files(IMAGE) == {"image.json": {"name": "ghcr.io/acme/asset", "digest": DIGEST}}
    assert files(OPEN) == {
        "connection.json": {"address": "asset:9999", "dial_timeout": "10s", "tls_required": False}
    }


def test_a_language_that_is_built_names_nothing() -> None:
    assert read_prebuilt("golang", write_archive({"image.json": b"{}"})) is None


def image(**told: object) -> bytes:
    return json.dumps({"name": "asset", "digest": DIGEST, **told}).encode()


def server(**told: object) -> bytes:
    return json.dumps({"address": "a:1", "tls_required": True, "secret": "s", **told}).encode()


@pytest.mark.parametrize(
    ("language", "files", "sentence"),
    [
        ("k8s", {}, "no image.json found"),
        ("k8s", {"image.json": b"{"}, "image.json is no JSON"),
        ("k8s", {"image.json": b"[" * 5000}, "image.json is no JSON"),
        ("k8s", {"image.json": b"[]"}, "image.json is no JSON object"),
        ("k8s", {"image.json": image(digest="latest")}, "no usable 'digest'"),
        ("k8s", {"image.json": image(name="a b")}, "no usable 'name'"),
        ("k8s", {"image.json": image(name=7)}, "no usable 'name'"),
        ("k8s", {"image.json": b" " * 70_000}, "image.json has more than 65536 bytes"),
        ("k8s", {"image.json": image(), "src/main.go": b""}, "illegal file detected"),
        ("k8s", {"connection.json": server()}, "illegal file detected"),
        ("ccaas", {"connection.json": server(address="nowhere")}, "no usable 'address'"),
        ("ccaas", {"connection.json": server(secret="")}, "no usable 'secret'"),
        ("ccaas", {"connection.json": server(secret="a" * 254)}, "no usable 'secret'"),
        ("ccaas", {"connection.json": server(secret="../etc")}, "no usable 'secret'"),
        ("ccaas", {"connection.json": server(tls_required="true")}, "neither true nor false"),
        ("ccaas", {"connection.json": server(tls_required=1)}, "neither true nor false"),
        ("ccaas", {"connection.json": server(tls_required=None)}, "neither true nor false"),
        ("ccaas", {"connection.json": server(tls_required=False)}, "'secret' without"),
        ("ccaas", {"connection.json": server(root_cert="-----BEGIN")}, "'root_cert' is not supp"),
        ("ccaas", {"connection.json": server(client_key="-----BEGIN")}, "'client_key' is not supp"),
    ],
)
def test_what_names_nothing_is_refused(
    language: str, files: dict[str, bytes], sentence: str
) -> None:
    with pytest.raises(PackageFormatError, match=sentence):
        check_code_package(language, write_archive(files))


@pytest.mark.parametrize("language", ["k8s", "ccaas"])
def test_such_a_package_without_code_is_refused(language: str) -> None:
    with pytest.raises(PackageFormatError):
        check_code_package(language, b"")
