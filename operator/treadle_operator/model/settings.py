"""How chaincode is built and runs: a Peer's settings, and ``spec.runtime`` of an instantiation.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from treadle_operator.model.common import Ref
from treadle_operator.model.reading import Fields

MOST_REPLICAS: Final = 32


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key of a Secret of the same namespace."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable: its value, or where it is read from."""

    name: str
    value: str
    secret: SecretKey | None


@dataclass(frozen=True, slots=True)
class BuilderSettings:
    """How chaincode of a language is built; ``image`` None: the operator's.

    ``ca_bundle`` is a ConfigMap whose ``ca.crt`` is trusted besides the usual roots.
    """

    image: str | None
    env: tuple[Variable, ...]
    ca_bundle: Ref | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """What is left out is None or empty; pods take the rest over as it is written.

    ``execute_timeout`` is a duration of Go.
    """

    replicas: int | None
    execute_timeout: str | None
    pod_annotations: Mapping[str, object]
    env: tuple[Variable, ...]
    resources: Mapping[str, object]
    node_selector: Mapping[str, object]
    tolerations: Sequence[object]
    affinity: Mapping[str, object]
    image_pull_secrets: Sequence[object]

    def over(self, defaults: RuntimeSettings) -> RuntimeSettings:
        """These settings, and *defaults* for those left out; each is taken as a whole, but
        variables and annotations one by one.
        """
        mine = {variable.name: variable for variable in self.env}
        theirs = {variable.name: variable for variable in defaults.env}
        return RuntimeSettings(
            replicas=self.replicas or defaults.replicas,
            execute_timeout=self.execute_timeout or defaults.execute_timeout,
            pod_annotations={**defaults.pod_annotations, **self.pod_annotations},
            env=tuple(variable for _, variable in sorted((theirs | mine).items())),
            resources=self.resources or defaults.resources,
            node_selector=self.node_selector or defaults.node_selector,
            tolerations=self.tolerations or defaults.tolerations,
            affinity=self.affinity or defaults.affinity,
            image_pull_secrets=self.image_pull_secrets or defaults.image_pull_secrets,
        )


def runtime_settings(fields: Fields | None) -> RuntimeSettings:
    """Read them; None gives all left out. Raises InvalidObject."""
    fields = fields or Fields({}, "")
    replicas = fields.number("replicas", 1, (1, MOST_REPLICAS))
    return RuntimeSettings(
        replicas=replicas if fields.has("replicas") else None,
        execute_timeout=fields.text("executeTimeout") if fields.has("executeTimeout") else None,
        pod_annotations=fields.mapping("podAnnotations"),
        env=_variables(fields),
        resources=fields.mapping("resources"),
        node_selector=fields.mapping("nodeSelector"),
        tolerations=fields.sequence("tolerations"),
        affinity=fields.mapping("affinity"),
        image_pull_secrets=fields.sequence("imagePullSecrets"),
    )


def builder_settings(fields: Fields | None) -> BuilderSettings:
    """Read them; None gives all left out. Raises InvalidObject."""
    fields = fields or Fields({}, "")
    return BuilderSettings(
        image=fields.text("image") if fields.has("image") else None,
        env=_variables(fields),
        ca_bundle=fields.optional_reference("caBundleRef"),
    )


def _variables(fields: Fields) -> tuple[Variable, ...]:
    return tuple(_variable(item) for item in fields.items("env"))


def _variable(item: Fields) -> Variable:
    source = item.inner("valueFrom")
    if source is None:
        return Variable(item.text("name"), item.text("value", ""), None)
    if item.has("value"):
        raise item.wrong("valueFrom", "give value or valueFrom, not both")
    key = source.inner("secretKeyRef", required=True) or Fields({}, "")
    return Variable(item.text("name"), "", SecretKey(key.text("name"), key.text("key")))
