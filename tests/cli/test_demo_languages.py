"""The demo's knowledge of the examples."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from treadle_cli.demo import LANGUAGES
from treadle_cli.demo.languages import edit_version, example_folder
from treadle_cli.errors import TreadleError


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_the_version_line_of_every_example_can_be_edited(name: str, tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("node_modules", "target")
    folder = tmp_path / "copy"
    shutil.copytree(example_folder(name), folder, ignore=ignore)
    line = edit_version(folder, LANGUAGES[name], "2")
    assert "2" in line
    assert line not in {other.strip() for other in _lines(example_folder(name))}
    with pytest.raises(TreadleError, match="no version line"):
        edit_version(folder, LANGUAGES[name], "3")


def _lines(folder: Path) -> list[str]:
    sources = (file for file in folder.rglob("*") if file.suffix in {".py", ".go", ".js", ".java"})
    return [line for file in sources for line in file.read_text().splitlines()]


def test_an_unknown_example_is_refused() -> None:
    with pytest.raises(TreadleError, match="run the demo from a checkout"):
        example_folder("cobol")
