"""What is refused of a ChaincodeInstantiation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from harness.kubernetes.resources import REMOVED
from harness.kubernetes.rules.cases import Change, Creation
from harness.kubernetes.rules.package import LABEL
from harness.kubernetes.rules.peer import CHANNEL_ID
from harness.kubernetes.rules.shared import duration, environment, resources

KIND = "ChaincodeInstantiation"

SAME_CHANNEL = (
    "the channel cannot be changed: create another ChaincodeInstantiation for another channel"
)
SAME_LIFECYCLE = "the lifecycle of a definition cannot be changed: put it back, or create another ChaincodeInstantiation on a channel with other capabilities"  # noqa: E501
INIT = "Init runs once for each version: change init together with packageRef"
PEER_COUNTS = "maxPeerCount is below requiredPeerCount, raise it"
COLLECTION = "a collection's name consists of letters, digits, '_' and '-'"
ONE_POLICY = "give exactly one of signaturePolicy and channelConfigPolicy"
_POLICY = "OR('Org1MSP.member')"


def _refused(name: str, fields: Mapping[str, object], *, at: str, sentence: str) -> Creation:
    return Creation(kind=KIND, name=name, fields=fields, at=at, sentence=sentence)


def _collection(name: str, fields: Mapping[str, object], *, at: str, sentence: str) -> Creation:
    item = {"name": "prices", "policy": _POLICY, **fields}
    where = f"spec.collections[0]{at}"
    return _refused(name, {"spec.collections": [item]}, at=where, sentence=sentence)


CREATIONS = [
    _refused("long-name", {"metadata.name": "i" * 64}, at="<nil>", sentence=LABEL),
    *(_refused(f"channel-{text}", {"spec.channel": text}, at="spec.channel", sentence=CHANNEL_ID)
      for text in ("MyChannel", "my_channel", "1st")),
    _collection("peer-counts", {"requiredPeerCount": 2}, at=".maxPeerCount", sentence=PEER_COUNTS),
    *(_collection(f"collection-{text}", {"name": text}, at=".name", sentence=COLLECTION)
      for text in ("", "a b", "a.b")),
    _collection("no-policy", {"endorsementPolicy": {}},
                at=".endorsementPolicy", sentence=ONE_POLICY),
    _collection("two-policies", {"endorsementPolicy": {"signaturePolicy": _POLICY,
                                                       "channelConfigPolicy": "/Channel/A"}},
                at=".endorsementPolicy", sentence=ONE_POLICY),
    *chain(
        duration(KIND, "spec.runtime.executeTimeout"),
        environment(KIND, "spec.runtime.env"),
        resources(KIND, "spec.runtime.resources"),
    ),
]  # fmt: skip


def _changed(
    name: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    at: str,
    sentence: str,
) -> Change:
    return Change(kind=KIND, name=name, before=before, after=after, at=at, sentence=sentence)


_LEGACY: Mapping[str, object] = {"spec.lifecycle": "Legacy"}
_INIT: Mapping[str, object] = {"spec.init.args": ["init", "a"]}

CHANGES = [
    _changed("channel", {}, {"spec.channel": "other"}, at="spec.channel", sentence=SAME_CHANNEL),
    _changed("lifecycle", _LEGACY, {"spec.lifecycle": "V2"},
             at="spec.lifecycle", sentence=SAME_LIFECYCLE),
    _changed("lifecycle-set", {}, _LEGACY, at="spec.lifecycle", sentence=SAME_LIFECYCLE),
    _changed("lifecycle-removed", _LEGACY, {"spec.lifecycle": REMOVED},
             at="spec.lifecycle", sentence=SAME_LIFECYCLE),
    _changed("init", _INIT, {"spec.init.args": ["init", "b"]}, at="spec.init", sentence=INIT),
    _changed("init-set", {}, _INIT, at="spec.init", sentence=INIT),
    _changed("init-removed", _INIT, {"spec.init": REMOVED}, at="spec.init", sentence=INIT),
]  # fmt: skip
