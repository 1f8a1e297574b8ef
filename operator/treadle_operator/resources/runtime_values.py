"""What pods of chaincode read from Secrets when they start: another value is another pod. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from treadle_operator.model import GROUP, RuntimeSettings

VALUES: Final = f"{GROUP}/values"
"""Annotation of a pod: a hash of the values that its variables took from Secrets."""


def noting_values(
    settings: RuntimeSettings, values: Mapping[str, bytes], *, key: bytes
) -> RuntimeSettings:
    """*settings* with a note in the pods' annotations of the *values* of its variables, by name;
    none without any.

    Keyed by the certificate's own key: who may read pods but no Secrets cannot try passwords
    against the note. The note changes with the certificate, which replaces the pods itself.
    """
    if not values:
        return settings
    text = json.dumps({name: value.hex() for name, value in sorted(values.items())})
    note = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]
    return replace(settings, pod_annotations={**settings.pod_annotations, VALUES: note})
