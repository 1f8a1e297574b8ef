"""Reading a ChaincodeInstantiation in development, and why it is not when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from treadle_operator.resources.development import development_name

from treadle_cli.cluster.kubectl import Kubectl
from treadle_cli.dev.secrets import Development
from treadle_cli.errors import TreadleError

KIND: Final = "chaincodeinstantiations.treadle.dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instantiation:
    """A ChaincodeInstantiation by its name, as the user's kubectl finds it."""

    kubectl: Kubectl
    name: str

    async def development(self) -> Development:
        """Its Secret; raises TreadleError with what is in the way."""
        found = await self.kubectl.object(KIND, self.name)
        namespace = str(_part(found, "metadata").get("namespace", ""))
        name = development_name(self.name)
        try:
            data = await self.kubectl.secret(name)
        except TreadleError as error:
            raise TreadleError(_reason(self.name, found), error.details or str(error)) from None
        return Development.of(name, namespace, data)


def _reason(name: str, found: Mapping[str, object]) -> str:
    """Why there is no Secret, as far as the object tells."""
    mode = _part(found, "spec").get("mode")
    if mode is not None and mode != "Development":
        return f"{name} is in production: set spec.mode to Development"
    conditions = _part(found, "status").get("conditions")
    for condition in conditions if isinstance(conditions, list) else []:
        if condition.get("type") == "Ready" and condition.get("status") != "True":
            return (
                f"{name} cannot be developed: {condition.get('reason')}: {condition.get('message')}"
            )
    return f"{name} has nothing for developers yet: is it, or are its Peers, in mode Development?"


def _part(found: Mapping[str, object], key: str) -> Mapping[str, object]:
    part = found.get(key)
    return part if isinstance(part, dict) else {}
