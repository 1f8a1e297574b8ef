"""An Init that answers with status 500, in each language that is not Go (``test_faults.py``).

The packages bring what their builds need, as people without a network prepare them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from e2e.vendored import vendored
from harness.chaincodes import PEER_LANGUAGE
from harness.nodes.images import STOCK, Image, here
from harness.operating.operated import Operated

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.long,
    pytest.mark.timeout(1500),
]

WITHIN = 600.0  # seconds for a build and a JVM on a busy machine
KIND = "ChaincodeInstantiation"
PYTHON = Path(sys.base_prefix).resolve()
TOOLCHAINS = {
    "node": STOCK,
    "java": STOCK,
    # The one that made the wheels.
    "python": Image(path=(str(PYTHON / "bin"),), folders=here(PYTHON)),
}


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=pytest.mark.toolchain(one)) for one in TOOLCHAINS]
)
def test_an_init_with_status_500_is_not_submitted_and_another_version_mends_it(
    trade: Operated, tmp_path: Path, language: str
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # a container's user reads it
    images = trade.machine.node.images
    images[language] = TOOLCHAINS[language]
    images[f"sources-{language}"] = Image(folders={"/sources": vendored(language, tmp_path)})
    name, height = f"unlucky-{language}", trade.height()
    package(trade, name, "1.0", language)
    trade.instantiate(name, f"{name}-1.0", init={"args": ["init", "a"]})
    told = trade.becomes(KIND, name, "InitFailed", within=WITHIN)
    assert "Init answered with status 500: init needs pairs of account and amount" in told
    assert trade.height() == height
    assert trade.reason(KIND, name, "RuntimeReady")[0] == "True"
    (event,) = (
        each
        for each in trade.space.all("Event")
        if each["reason"] == "InitFailed" and each["involvedObject"]["name"] == name
    )
    assert (event["type"], event["message"]) == ("Warning", told)
    package(trade, name, "1.1", language)
    init = {"args": ["init", "a", "7"]}
    trade.change(KIND, name, packageRef={"name": f"{name}-1.1"}, init=init)
    trade.ready(KIND, name, within=WITHIN)
    assert trade.space.get(KIND, name)["status"]["legacyID"] == f"{name}:1.1"
    assert trade.height() == height + 1
    assert json.loads(trade.query(name, "query", "a"))["balance"] == 7


def package(trade: Operated, name: str, version: str, language: str) -> None:
    """The vendored sources as a ChaincodePackage."""
    source = {"imageFiles": {"image": f"sources-{language}", "path": "/sources"}}
    spec = {"name": name, "version": version, "language": PEER_LANGUAGE[language]}
    trade.space.create_package(f"{name}-{version}", **spec, source=source)
