"""Rules that folders and files of this repository must obey."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_ROOTS = ("fabric", "protos", "peer", "operator", "cli")
LONGEST_FUNCTION = 60
LONGEST_FILE = 300


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks (or would: untracked ones that are not ignored count)."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in sorted(set(listed.splitlines())) if (ROOT / name).exists()]


def product_sources() -> list[Path]:
    return [file for root in SOURCE_ROOTS for file in tracked(f"{root}/*.py")]


def all_sources() -> list[Path]:
    """Product, tests, tools and benchmarks; not what protoc generates."""
    generated = ("_pb2.py", "_pb2_grpc.py")
    return [file for file in tracked("*.py") if not file.name.endswith(generated)]


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_root_is_not_a_package(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists(), "it would shadow a module of that name"


def test_no_test_folder_is_a_package_or_named_like_a_standard_module() -> None:
    folders = {file.parent for file in tracked("tests/*.py")}
    packages = [folder for folder in folders if (folder / "__init__.py").exists()]
    assert not packages, "pytest imports tests by file (importlib mode)"
    # A root of our own may be called operator; below tests/ nothing may take such a name.
    assert not [folder for folder in folders if folder.name in sys.stdlib_module_names]


def test_standard_modules_are_not_shadowed() -> None:
    import operator

    assert operator.add(1, 2) == 3
    assert not Path(str(operator.__file__)).is_relative_to(ROOT)


def test_no_function_is_too_long() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.name}"
        for file in all_sources()
        for node in functions(file)
        if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long


def test_no_file_is_too_long() -> None:
    long = [
        f"{file.relative_to(ROOT)}: {len(file.read_text().splitlines())} lines"
        for file in all_sources()
        if len(file.read_text().splitlines()) > LONGEST_FILE
    ]
    assert not long


def test_lock_files_carry_no_download_addresses() -> None:
    locks = tracked("requirements/*.txt", "*package-lock.json", "*.lock", "*/requirements.txt")
    assert locks
    assert not [str(file) for file in locks if re.search(r"https?://", file.read_text())]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in product_sources()
        if not ast.get_docstring(ast.parse(file.read_text()))
    ]
    assert not silent
