"""YAML files to documents: kind, name, spec, and the line of every field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml

from treadle_cli.play.problems import Findings, nearest

API_VERSION = "treadle.dev/v1alpha1"
KINDS = ("Peer", "ChaincodePackage", "ChaincodeInstantiation")
_CONFIG_MAP = "ConfigMap"
_MOST_FIELDS = 100_000
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One resource. ``lines`` maps paths of fields to line numbers in ``file``."""

    kind: str
    name: str
    body: Mapping[str, object]
    file: Path
    lines: Mapping[Path_, int]

    def place(self, path: Path_) -> str:
        """``file:line`` of the field at *path*, or of the nearest field around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.file.name}:{self.lines.get(path, 1)}"


def read_documents(sources: Sequence[Path], findings: Findings) -> list[Document]:
    """All documents of files, and of the ``*.yaml`` and ``*.yml`` files of folders.

    A file that is named twice, or beside its folder, is read once.
    """
    files = {file.resolve(): file for source in sources for file in _files(source, findings)}
    return [document for file in files.values() for document in _read_file(file, findings)]


def _files(source: Path, findings: Findings) -> list[Path]:
    if not source.exists():
        findings.wrong(str(source), "there is no such file or folder")
        return []
    if not source.is_dir():
        return [source]
    files = _yaml_files(source)
    if not files:
        inner = sorted(folder.name for folder in source.iterdir() if folder.is_dir())
        playable = [name for name in inner if _yaml_files(source / name)]
        hint = f"; name one of {', '.join(playable)}" if playable else ""
        findings.wrong(str(source), f"the folder holds no *.yaml file{hint}")
    return files


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix in {".yaml", ".yml"})


def _read_file(file: Path, findings: Findings) -> Iterator[Document]:
    try:
        nodes = list(yaml.compose_all(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))
    except (OSError, UnicodeDecodeError) as error:
        findings.wrong(file.name, f"it cannot be read: {error}")
        return
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        findings.wrong(f"{file.name}:{line}", f"not YAML: {error.problem}")
        return
    except (yaml.YAMLError, RecursionError) as error:
        findings.wrong(file.name, f"not YAML: {error}")
        return
    for node in nodes:
        document = _document(file, node, findings)
        if document is not None:
            yield document


def _document(file: Path, node: yaml.Node | None, findings: Findings) -> Document | None:
    if node is None:
        return None
    start = f"{file.name}:{node.start_mark.line + 1}"
    try:
        lines = _all_lines(node)
        body = _construct(node)
    except Exception as error:
        # Besides YAMLError, PyYAML lets through whatever an impossible date, a tag that does not
        # fit, or deep nesting makes Python raise.
        findings.wrong(start, f"not YAML: {error}")
        return None
    if body is None:
        return None
    if not isinstance(body, dict):
        findings.wrong(start, "want a resource with apiVersion, kind, metadata and spec")
        return None
    document = Document(
        kind=str(body.get("kind", "")), name=_name(body), body=body, file=file, lines=lines
    )
    return document if _is_ours(document, findings) else None


def _is_ours(document: Document, findings: Findings) -> bool:
    if document.kind == _CONFIG_MAP:
        return True
    if document.kind not in KINDS:
        hint = nearest(document.kind, KINDS)
        findings.wrong(document.place(("kind",)), f"unknown kind {document.kind!r}{hint}")
        return False
    version = document.body.get("apiVersion")
    if version != API_VERSION:
        text = f"apiVersion is {version!r}; write {API_VERSION}"
        findings.wrong(document.place(("apiVersion",)), text)
        return False
    if not document.name:
        findings.wrong(document.place(("metadata",)), f"{document.kind} without metadata.name")
        return False
    return True


def _construct(node: yaml.Node) -> object:
    loader = yaml.SafeLoader("")
    try:
        constructed: object = loader.construct_document(node)
    finally:
        loader.dispose()
    return constructed


def _name(body: Mapping[str, object]) -> str:
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _all_lines(node: yaml.Node) -> dict[Path_, int]:
    """The line of every field; raises YAMLError for a document that is not what it seems.

    Aliases of aliases can make a small file endless, and a tree where every key is text and every
    text can be printed spares all who read it.
    """
    lines = dict(islice(_lines(node, ()), _MOST_FIELDS))
    if len(lines) == _MOST_FIELDS:
        raise yaml.YAMLError(f"more than {_MOST_FIELDS} fields; do not nest aliases")
    return lines


def _check_scalar(node: yaml.Node, *, is_key: bool) -> None:
    where = node.start_mark.line + 1
    if is_key and node.tag not in _KEY_TAGS:
        raise yaml.YAMLError(f"line {where}: a key must be text; write it in quotes")
    try:
        str(node.value).encode()
    except UnicodeEncodeError:
        raise yaml.YAMLError(f"line {where}: half a surrogate pair is no text") from None


def _lines(node: yaml.Node, path: Path_) -> Iterator[tuple[Path_, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        _check_scalar(node, is_key=False)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _check_scalar(key, is_key=True)
            inner = (*path, key.value)
            yield from _lines(value, inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*path, index))
