"""Prometheus' text format under Fabric's names.

Written here, because prometheus_client insists on ``_total`` behind counters and Fabric's names
have none.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.samples import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OWN_CONVENTIONS = ("treadle_", "process_")


def lines(registry: CollectorRegistry) -> Iterator[str]:
    """All metrics of *registry*, line by line."""
    for family in registry.collect():
        own = family.name.startswith(_OWN_CONVENTIONS)
        suffix = "_total" if family.type == "counter" and own else ""
        yield f"# HELP {family.name}{suffix} {_escape(family.documentation)}\n"
        yield f"# TYPE {family.name}{suffix} {family.type}\n"
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            name = sample.name if own else sample.name.removesuffix("_total")
            yield f"{name}{_labels(sample)} {float(sample.value)}\n"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    pairs = (f'{name}="{_escape(value)}"' for name, value in sample.labels.items())
    return "{" + ",".join(pairs) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
