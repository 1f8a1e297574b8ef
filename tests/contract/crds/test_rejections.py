"""What the API server refuses to store, and the sentence that the user reads then."""

from __future__ import annotations

import re

import pytest
from harness.kubernetes.api import Api, Cause
from harness.kubernetes.resources import PLURALS, changed, collection, example, rules, schema
from harness.kubernetes.rules import instantiation, package, peer
from harness.kubernetes.rules.cases import Change, Creation
from harness.kubernetes.rules.standard import STANDARD_CREATIONS

pytestmark = pytest.mark.kubernetes

CREATIONS = [*peer.CREATIONS, *package.CREATIONS, *instantiation.CREATIONS]
CHANGES = [*peer.CHANGES, *package.CHANGES, *instantiation.CHANGES]


@pytest.mark.parametrize("case", [*CREATIONS, *STANDARD_CREATIONS], ids=str)
def test_an_object_that_breaks_a_rule_is_refused_with_a_sentence(api: Api, case: Creation) -> None:
    manifest = changed(example(case.kind), case.fields)
    answer = api.create(f"{collection(case.kind)}?dryRun=All", manifest)
    assert answer.code == 422, answer.body
    assert _told(answer.causes, field=case.at, sentence=case.sentence), answer.causes


@pytest.mark.parametrize("case", CHANGES, ids=str)
def test_a_change_that_breaks_a_rule_is_refused_with_a_sentence(
    api: Api, case: Change, namespace: str
) -> None:
    manifest = changed(example(case.kind), case.before)
    created = api.create(collection(case.kind, namespace), manifest).expect()
    path = f"{collection(case.kind, namespace)}/{created['metadata']['name']}"
    answer = api.replace(f"{path}?dryRun=All", changed(created, case.after))
    assert answer.code == 422, answer.body
    assert _told(answer.causes, field=case.at, sentence=case.sentence), answer.causes


@pytest.mark.parametrize("kind", PLURALS)
def test_every_rule_of_the_schemas_has_a_case_at_its_place(kind: str) -> None:
    shown = {(_place(case.at), case.sentence, False) for case in CREATIONS if case.kind == kind}
    shown |= {(_place(case.at), case.sentence, True) for case in CHANGES if case.kind == kind}
    assert set(rules(schema(kind))) == shown


def _place(field: str) -> str:
    """A field without the positions in lists and the keys in maps."""
    return re.sub(r"\[[^]]*\]", "", field).removeprefix("<nil>")


def _told(causes: list[Cause], *, field: str, sentence: str) -> bool:
    return any(cause.field == field and sentence in cause.message for cause in causes)
