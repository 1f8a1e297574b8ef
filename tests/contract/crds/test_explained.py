"""docs/resources.md shows what ``kubectl explain`` says.

Write the page anew with TREADLE_WRITE_DOCS=1.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from harness.kubernetes.control_plane import ControlPlane

PAGE = Path(__file__).resolve().parents[3] / "docs" / "resources.md"
PLURALS = ("peers", "chaincodepackages", "chaincodeinstantiations")

pytestmark = pytest.mark.kubernetes


@pytest.mark.parametrize("plural", PLURALS)
def test_the_page_shows_what_kubectl_explains(plural: str, cluster: ControlPlane) -> None:
    said = cluster.kubectl("explain", f"{plural}.treadle.dev", "--recursive")
    wanted = said[said.index("  spec\t") :].expandtabs(1).rstrip()
    page = PAGE.read_text()
    block = re.compile(rf"(kubectl explain {plural} --recursive\n\n)(.*?)(```)", re.DOTALL)
    if os.environ.get("TREADLE_WRITE_DOCS"):
        page = block.sub(lambda found: found[1] + wanted + "\n" + found[3], page)
        PAGE.write_text(page)
    found = block.search(page)
    assert found is not None
    assert found[2] == wanted + "\n"
