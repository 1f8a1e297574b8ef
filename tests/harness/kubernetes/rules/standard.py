"""Refusals in Kubernetes' own words: unknown values, lengths, what is missing, what is twice."""

from __future__ import annotations

from collections.abc import Iterator

from harness.kubernetes.resources import REMOVED
from harness.kubernetes.rules.cases import Creation

_CHOICES = {
    ("Peer", "spec.mode"): '"Production", "Development"',
    ("Peer", "spec.deletionPolicy"): '"Retain", "Delete"',
    ("ChaincodePackage", "spec.language"): '"golang", "node", "java", "python"',
    ("ChaincodePackage", "spec.deletionPolicy"): '"Keep", "Uninstall"',
    ("ChaincodeInstantiation", "spec.mode"): '"Production", "Development"',
    ("ChaincodeInstantiation", "spec.lifecycle"): '"Legacy", "V2"',
}
_REQUIRED = {
    "ChaincodePackage": ("spec.name", "spec.version", "spec.source", "spec.peers"),
    "ChaincodeInstantiation": ("spec.packageRef", "spec.packageRef.name"),
}
_TWICE = {
    ("Peer", "spec.channels"): [{"name": "a"}, {"name": "a"}],
    ("ChaincodePackage", "spec.peers"): [{"name": "a"}, {"name": "a"}],
    ("ChaincodeInstantiation", "spec.collections"): [{"name": "a", "policy": "p"}] * 2,
}


def _cases() -> Iterator[Creation]:
    for (kind, path), choices in _CHOICES.items():
        sentence = f"supported values: {choices}"
        yield _refused(kind, f"{path}-choice", {path: "Other"}, at=path, sentence=sentence)
    for kind, paths in _REQUIRED.items():
        for path in paths:
            name = f"{path}-missing"
            yield _refused(kind, name, {path: REMOVED}, at=path, sentence="Required value")
    for (kind, path), items in _TWICE.items():
        at = f"{path}[1]"
        yield _refused(kind, f"{path}-twice", {path: items}, at=at, sentence="Duplicate value")
    nobody: dict[str, object] = {"spec.peers": []}
    few = "should have at least 1 items"
    yield _refused("ChaincodePackage", "no-peers", nobody, at="spec.peers", sentence=few)
    none: dict[str, object] = {"spec.runtime.replicas": 0}
    least = "should be greater than or equal to 1"
    at = "spec.runtime.replicas"
    yield _refused("ChaincodeInstantiation", "no-replicas", none, at=at, sentence=least)
    number: dict[str, object] = {"spec.version": 1}
    wrong = 'must be of type string: "integer"'
    yield _refused("ChaincodePackage", "number", number, at="spec.version", sentence=wrong)


def _refused(
    kind: str, name: str, fields: dict[str, object], *, at: str, sentence: str
) -> Creation:
    return Creation(kind=kind, name=name, fields=fields, at=at, sentence=sentence)


STANDARD_CREATIONS = list(_cases())
