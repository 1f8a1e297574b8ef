"""Whether a stored object still is what we want. Pure.

Applying what is there already would be a write for nothing, and reading back what we applied is
not enough: the API server adds defaults, and others may own other fields. So an object is as
wanted when it carries the hash of today's manifest (nothing was taken out of ours) and every field
of the manifest has its value (nobody changed it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from treadle_operator.model import Manifest, mapping_at, text_at
from treadle_operator.resources.metadata import APPLIED
from treadle_operator.resources.quantities import quantity

_QUANTITIES: Final = frozenset({"requests", "limits"})
# One more label would select something else, and the API server adds nothing there.
_WHOLE: Final = frozenset({"selector", "nodeSelector", "podSelector", "namespaceSelector"})


def stamped(manifest: Manifest) -> Manifest:
    """*manifest* with the annotation that holds its own hash."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    metadata = mapping_at(manifest, "metadata")
    annotations = {**mapping_at(metadata, "annotations"), APPLIED: digest}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def differs(wanted: Manifest, live: Manifest | None) -> bool:
    """Whether *wanted* (stamped) has to be applied over *live*."""
    # The hash is one of the fields that are compared.
    return live is None or not _holds(wanted, live)


def _holds(wanted: object, live: object, *, quantities: bool = False) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(
            (key not in _WHOLE or _same_keys(value, live.get(key)))
            and _holds(value, live.get(key), quantities=key in _QUANTITIES or quantities)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and _list_holds(wanted, live)
    if quantities and wanted != live:
        return quantity(wanted) is not None and quantity(wanted) == quantity(live)
    # JSON's true is not 1.
    return wanted == live and isinstance(wanted, bool) == isinstance(live, bool)


def _same_keys(wanted: object, live: object) -> bool:
    """Whether nobody has added anything, at any depth."""
    if not isinstance(wanted, Mapping) or not isinstance(live, Mapping):
        return True  # compared as values
    return wanted.keys() == live.keys() and all(
        _same_keys(value, live[key]) for key, value in wanted.items()
    )


def _list_holds(wanted: list[object], live: list[object]) -> bool:
    """Named items may have strangers beside them; of other lists every item counts."""
    names = [_name(item) for item in wanted]
    if wanted and all(names):
        found = {_name(item): item for item in live}
        return all(_holds(item, found.get(_name(item))) for item in wanted)
    return len(wanted) == len(live) and all(map(_holds, wanted, live))


def _name(item: object) -> str:
    return text_at(item, "name")
