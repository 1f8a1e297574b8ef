"""What is refused of a ChaincodePackage."""

from __future__ import annotations

from collections.abc import Mapping

from harness.kubernetes.resources import REMOVED
from harness.kubernetes.rules.cases import Change, Creation

KIND = "ChaincodePackage"
DIGEST = "0123456789abcdef" * 4
IMAGE = {"image": f"registry.example.com/asset@sha256:{DIGEST}"}

LABEL = "metadata.name becomes a label, use at most 63 characters"
LANGUAGE = "write golang, node, java or python: only the sources image, server and installed go without a language"  # noqa: E501
SAME = "a package never changes: create another ChaincodePackage with a new version"
SAME_NAME = "a package never changes: create another ChaincodePackage for another chaincode"
NAME = "a chaincode's name consists of letters and digits, with single '-' or '_' between them"
VERSION = "a version consists of letters, digits, '_', '.', '+' and '-'"
ONE_SOURCE = "give exactly one of files, configMap, archive, package, imageFiles, image, server and installed"  # noqa: E501
FILE_NAME = "file names stay inside of the package, remove leading '/' and '..'"
SHA256 = "write the 64 hexadecimal digits that sha256sum prints"
NO_USER = "write the address without user and password: everybody who reads the object reads them"
FOLDER = "write the folder's whole path, beginning with '/' and without '..'"
BY_DIGEST = (
    "name the image by its digest, as name@sha256:...; a tag may mean another image tomorrow"
)
ADDRESS = "write host:port, for example asset.example.com:9999"
SERVER_TLS = "name the Secret with the server's ca.crt in secretRef, or set enabled to false"
PACKAGE_ID = "write the package ID that install printed, label:hash with 64 hexadecimal digits"


def _refused(name: str, fields: Mapping[str, object], *, at: str, sentence: str) -> Creation:
    return Creation(kind=KIND, name=name, fields=fields, at=at, sentence=sentence)


def _source(name: str, source: object, *, at: str, sentence: str) -> Creation:
    where = f"spec.source{at}"
    return _refused(name, {"spec.source": source}, at=where, sentence=sentence)


def _image_files(path: str) -> dict[str, object]:
    return {"imageFiles": {"image": "registry.example.com/source", "path": path}}


CREATIONS = [
    _refused("long-name", {"metadata.name": "p" * 64}, at="<nil>", sentence=LABEL),
    _refused("no-language", {"spec.language": REMOVED}, at="spec.language", sentence=LANGUAGE),
    *(_refused(f"name-{text}", {"spec.name": text}, at="spec.name", sentence=NAME)
      for text in ("", "-a", "a--b", "a.b", "a b", "a_")),
    *(_refused(f"version-{text}", {"spec.version": text}, at="spec.version", sentence=VERSION)
      for text in ("", "1 0", "1:0", "1/0")),
    _source("no-source", {}, at="", sentence=ONE_SOURCE),
    _source("two-sources", {"configMap": {"name": "c"}, "archive": {"url": "u"}},
            at="", sentence=ONE_SOURCE),
    _source("three-sources", {"package": {"secretRef": {"name": "c"}}, "archive": {"url": "u"},
                              "installed": {"packageID": f"asset:{DIGEST}"}},
            at="", sentence=ONE_SOURCE),
    _source("server-and-files", {"server": {"address": "a:1", "tls": {"enabled": False}},
                                 "files": {"a": ""}},
            at="", sentence=ONE_SOURCE),
    _source("image-and-image-files", {**IMAGE, **_image_files("/a")}, at="", sentence=ONE_SOURCE),
    *(_source(f"file-{name}", {"files": {name: ""}}, at=".files", sentence=FILE_NAME)
      for name in ("/etc/passwd", "../up", "a/../../b", "..", "a/..")),
    *(_source(f"sha256-{len(text)}", {"archive": {"url": "u", "sha256": text}},
              at=".archive.sha256", sentence=SHA256)
      for text in ("", DIGEST[1:], "g" + DIGEST[1:])),
    *(_source(f"url-{index}", {"archive": {"url": url}}, at=".archive.url", sentence=NO_USER)
      for index, url in enumerate(("https://me:secret@example.com/a", "http://token@example.com",
                                   "//me@example.com/a", "https://me@you@example.com/a?b#c"))),
    *(_source(f"folder-{path}", _image_files(path), at=".imageFiles.path", sentence=FOLDER)
      for path in ("", "code", "/code/../etc", "/..")),
    *(_source(f"image-{image}", {"image": image}, at=".image", sentence=BY_DIGEST)
      for image in ("asset", "asset:1.0", "asset@sha256:12", f"asset@sha256:{DIGEST.upper()}")),
    *(_source(f"server-{address}",
              {"server": {"address": address, "tls": {"enabled": False}}},
              at=".server.address", sentence=ADDRESS)
      for address in ("", "asset", "https://asset:1", "asset:http")),
    _source("server-tls", {"server": {"address": "asset:1"}},
            at=".server.tls", sentence=SERVER_TLS),
    *(_source(f"installed-{text}", {"installed": {"packageID": text}},
              at=".installed.packageID", sentence=PACKAGE_ID)
      for text in ("", "asset", f":{DIGEST}", "asset:12", f"-asset:{DIGEST}")),
]  # fmt: skip


def _changed(
    name: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    at: str,
    sentence: str = SAME,
) -> Change:
    return Change(kind=KIND, name=name, before=before, after=after, at=at, sentence=sentence)


_BUILT: Mapping[str, object] = {"spec.source": IMAGE, "spec.language": REMOVED}

CHANGES = [
    _changed("name", {}, {"spec.name": "other"}, at="spec.name", sentence=SAME_NAME),
    _changed("version", {}, {"spec.version": "2"}, at="spec.version"),
    _changed("language", {}, {"spec.language": "node"}, at="spec.language"),
    _changed("language-added", _BUILT, {"spec.language": "node"}, at="spec.language"),
    _changed("source", {}, {"spec.source": {"files": {"chaincode.py": "other"}}}, at="spec.source"),
    _changed("source-kind", _BUILT, {"spec.source": {"installed": {"packageID": f"a:{DIGEST}"}}},
             at="spec.source"),
]  # fmt: skip
