"""The README's counter under other names: small, built in seconds, with an Init that takes long."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import yaml
from e2e import wanted
from e2e.accounts import INSTANTIATIONS
from e2e.clusters import ROOT
from e2e.kubectl import Kubectl
from harness.processes import wait_until
from treadle_operator.names import build_name, runtime_name

EXAMPLE = ROOT / "examples" / "kubernetes" / "package.yaml"
SECONDS = 20  # that the slow one's Init, and its function "slowly", take
INIT_BEGINS, CALL_BEGINS = "Init begins", "slowly begins"
_SLOW = (
    ('import (\n\t"log"', 'import (\n\t"log"\n\t"time"'),
    ("return put(stub, 0)", f'log.Print("{INIT_BEGINS}")\n\tPAUSE\n\treturn put(stub, 0)'),
    (
        'stored, err := stub.GetState("count")',
        'if stub.GetStringArgs()[0] == "slowly" {\n'
        f'\t\tlog.Print("{CALL_BEGINS}")\n\t\tPAUSE\n\t}}\n\tstored, err := stub.GetState("count")',
    ),
    ("PAUSE", f"time.Sleep({SECONDS} * time.Second)"),
)


@dataclass(frozen=True, slots=True)
class Counter:
    """A chaincode of its own on peer0's channel; its name is no other run's."""

    there: Kubectl
    name: str
    slow: bool = False

    @property
    def resource(self) -> str:
        """The ChaincodeInstantiation, as kubectl names it."""
        return f"{INSTANTIATIONS}/{self.name}"

    def package(self, version: str) -> dict[str, Any]:
        """The ChaincodePackage; versions differ in their code, so each of them is built."""
        body: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
        body["metadata"]["name"] = f"{self.name}-{version}"
        body["spec"] |= {"name": self.name, "version": version}
        files = body["spec"]["source"]["files"]
        code = files["main.go"].replace("// Command counter", f"// Version {version}\n// Command")
        for old, new in _SLOW if self.slow else ():
            assert old in code, old
            code = code.replace(old, new)
        files["main.go"] = code
        return body

    def instantiation(self, version: str) -> dict[str, Any]:
        return wanted.instantiation(self.name, f"{self.name}-{version}", "init")

    def begin(self) -> None:
        """Apply package and instantiation, and return while the build runs."""
        self.there.apply(self.package("1"), self.instantiation("1"))
        wait_until(lambda: self.builds("1"), within=120, what=f"the build of {self.name}")

    def ready(self, *, within: float = 300) -> None:
        self.there.wait(self.resource, "condition=Ready", within=within)

    def deployment(self, version: str) -> str:
        """What kubectl calls the Deployment that runs this version."""
        return f"deployment/{runtime_name('peer0', f'{self.name}:{version}')}"

    def builds(self, version: str) -> bool:
        """Whether a builder's container runs now."""
        name = build_name("peer0", f"{self.name}:{version}")
        pods = self.there.get("pods", f"--selector=job-name={name}")["items"]
        return any(
            "running" in state.get("state", {})
            for pod in pods
            for state in pod["status"].get("initContainerStatuses", [])
            if state["name"] == "build"
        )

    def printed(self, version: str, *options: str) -> str:
        """The log of its container, with *options* of kubectl; empty while there is none."""
        chosen = (self.deployment(version), "--container=chaincode", *options)
        try:
            return self.there.run("logs", *chosen)
        except AssertionError:
            return ""


def new_counter(there: Kubectl, what: str, *, slow: bool = False) -> Counter:
    """One whose name nobody has used; a ledger forgets nothing."""
    return Counter(there, f"{what}-{token_hex(2)}", slow)
