"""What an account was allowed, asked for and refused: by the API server's audit log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.operating.account import Account, rules

Right = tuple[str, str]
"""Resource, with its subresource after a slash, and verb."""

_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
"""


@dataclass(frozen=True, slots=True)
class Audit:
    """The log that an API server writes which was started with ``flags``."""

    log: Path
    flags: Sequence[str]

    @classmethod
    def below(cls, folder: Path) -> Audit:
        """With the admission that asks who may block the deletion of an owner."""
        policy, log = folder / "policy.yaml", folder / "audit.log"
        policy.write_text(_POLICY)
        return cls(log, [
            f"--audit-policy-file={policy}",
            f"--audit-log-path={log}",
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement",
        ])  # fmt: skip

    def events(self, account: Account) -> list[dict[str, Any]]:
        """Everything that *account* has asked for."""
        events = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [event for event in events if event["user"]["username"] == account.user]

    def used(self, account: Account) -> set[Right]:
        """The rights that its requests needed, as the log names them."""
        return {
            (_resource(event["objectRef"]), event["verb"]) for event in _of_objects(self, account)
        }

    def left_over(self, account: Account) -> set[Right]:
        """What the Role allows and it has not used; an apply may create what it patches."""
        used = self.used(account)
        return (
            allowed() - used - {(resource, "create") for resource, verb in used if verb == "patch"}
        )

    def forbidden(self, account: Account) -> list[str]:
        """Its requests that the Role did not allow."""
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in _of_objects(self, account)
            if event["annotations"]["authorization.k8s.io/decision"] != "allow"
        ]


def _of_objects(audit: Audit, account: Account) -> list[dict[str, Any]]:
    """Whoever is known may ask what kinds there are; those requests name no object."""
    return [event for event in audit.events(account) if "objectRef" in event]


def allowed() -> set[Right]:
    """What the chart's Role allows."""
    return {
        (resource, verb)
        for rule in rules()
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _resource(reference: dict[str, str]) -> str:
    part = reference.get("subresource")
    return f"{reference['resource']}/{part}" if part else reference["resource"]
