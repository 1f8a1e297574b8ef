"""The lines of the README that a newcomer types on a fresh cluster."""

from __future__ import annotations

import re

from e2e.clusters import ROOT


def first_steps() -> list[str]:
    """Those of the section On Kubernetes, in order; the last one waits for a chaincode."""
    text = (ROOT / "README.md").read_text()
    section = text.split("\n## On Kubernetes\n")[1].split("\n## ")[0]
    lines = re.findall(r"^    (\S.*)$", section, flags=re.MULTILINE)
    assert lines[-1].startswith("kubectl --namespace trade wait "), lines
    return lines
