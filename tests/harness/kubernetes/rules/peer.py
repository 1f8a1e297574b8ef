"""What is refused of a Peer."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from harness.kubernetes.resources import REMOVED
from harness.kubernetes.rules.cases import Change, Creation
from harness.kubernetes.rules.shared import duration, environment, resources

KIND = "Peer"
EXTERNAL = {"external": {"endpoints": ["o:7050"], "tlsCASecretRef": {"name": "o"}}}
BLOCK = {"name": "genesis"}

NAME = "metadata.name becomes a host name: use at most 40 lower-case letters, digits and '-', beginning with a letter"  # noqa: E501
DEVELOPMENT = "mode Development lets processes outside of the cluster act as chaincode: set allowDevelopment to true if this identity may be used for it (only a generated identity allows it by itself)"  # noqa: E501
GIVEN = {"mspSecretRef": {"name": "m"}, "adminSecretRef": {"name": "a"}}
NETWORKS_CHANNELS = "with external ordering the network defines its channels: give every channel genesisBlockRef and no capabilities, or write channels as [] to join none"  # noqa: E501
OWN_CHANNELS = "embedded ordering creates the channels itself: remove genesisBlockRef"
ONE_ORDERING = "give exactly one of embedded (this peer orders for itself) and external (a Fabric ordering service)"  # noqa: E501
SAME_ORDERING = "a peer cannot move between embedded and external ordering: create another Peer"
MSP_ID = "an MSP ID consists of letters, digits, '.' and '-'"
SAME_MSP_ID = (
    "the organisation of a peer cannot be changed: create another Peer for another organisation"
)
ORDERER = "write host:port, for example orderer0.example.com:7050"
CHANNEL_ID = (
    "a channel ID begins with a lower-case letter, then lower-case letters, digits, '.' and '-'"
)
MORE_CHANNELS = "a peer cannot leave a channel: put back the channels that were there before"
SAME_CAPABILITIES = "capabilities are those the channel was created with: raise them by a channel configuration update"  # noqa: E501
SAME_BLOCK = (
    "the channel was joined with its genesis block already: put back genesisBlockRef as it was"
)
HOST = "write a host name or an IP address, for example peer0.example.com or peer0.example.com:443"
SIZE = "write a quantity such as 10Gi"
LARGER = "a volume cannot shrink; put back the size it had, or a larger one"
SAME_CLASS = (
    "the storage class of a volume cannot be changed: create another Peer and let it catch up"
)
PLAIN = "false is for mode Development only: remove it, or set mode to Development"


def _refused(name: str, fields: Mapping[str, object], *, at: str, sentence: str) -> Creation:
    return Creation(kind=KIND, name=name, fields=fields, at=at, sentence=sentence)


def _changed(
    name: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    at: str,
    sentence: str,
) -> Change:
    return Change(kind=KIND, name=name, before=before, after=after, at=at, sentence=sentence)


def _names() -> list[Creation]:
    bad = {"long": "p" * 41, "dotted": "peer0.org1", "digit": "0peer"}
    ids = {"underscore": "Org1_MSP", "space": "Org 1", "dot": ".", "dots": ".."}
    channels = {"capital": "MyChannel", "underscore": "my_channel", "digit": "1st"}
    hosts = {"url": "https://peer0.example.com", "dash": "-peer", "port": "peer0:https"}
    orderers = {"no-port": "orderer0", "url": "grpcs://orderer0:7050"}
    at = "spec.ordering.external.endpoints[0]"
    return [
        *(_refused(f"name-{why}", {"metadata.name": text}, at="<nil>", sentence=NAME)
          for why, text in bad.items()),
        *(_refused(f"mspID-{why}", {"spec.mspID": text}, at="spec.mspID", sentence=MSP_ID)
          for why, text in ids.items()),
        *(_refused(f"channel-{why}", {"spec.channels": [{"name": text}]},
                   at="spec.channels[0].name", sentence=CHANNEL_ID)
          for why, text in channels.items()),
        *(_refused(f"host-{why}", {"spec.external.host": text},
                   at="spec.external.host", sentence=HOST)
          for why, text in hosts.items()),
        *(_refused(f"orderer-{why}",
                   {"spec.ordering": {"external": EXTERNAL["external"] | {"endpoints": [text]}},
                    "spec.channels": []},
                   at=at, sentence=ORDERER)
          for why, text in orderers.items()),
    ]  # fmt: skip


def _together() -> list[Creation]:
    development = {"spec.mode": "Development"}
    embedded_external = {"spec.ordering": {"embedded": {}, **EXTERNAL}, "spec.channels": []}
    external = {"spec.ordering": EXTERNAL}
    both = [{"name": "a", "genesisBlockRef": BLOCK}, {"name": "b"}]
    capable = [{"name": "a", "genesisBlockRef": BLOCK, "capabilities": "V2_5"}]
    return [
        _refused("plain-in-production", {"spec.tls.enabled": False},
                 at="spec.tls.enabled", sentence=PLAIN),
        _refused("development-denied", development | {"spec.allowDevelopment": False},
                 at="spec.allowDevelopment", sentence=DEVELOPMENT),
        _refused("development-with-given-identity", development | {"spec.identity": GIVEN},
                 at="spec.allowDevelopment", sentence=DEVELOPMENT),
        _refused("no-ordering", {"spec.ordering": {}}, at="spec.ordering", sentence=ONE_ORDERING),
        _refused("two-orderings", embedded_external, at="spec.ordering", sentence=ONE_ORDERING),
        _refused("external-default-channel", external,
                 at="spec.channels", sentence=NETWORKS_CHANNELS),
        _refused("external-without-block", external | {"spec.channels": both},
                 at="spec.channels", sentence=NETWORKS_CHANNELS),
        _refused("external-capabilities", external | {"spec.channels": capable},
                 at="spec.channels", sentence=NETWORKS_CHANNELS),
        _refused("embedded-with-block", {"spec.channels": both},
                 at="spec.channels", sentence=OWN_CHANNELS),
        *(_refused(f"size-{text}", {"spec.storage.size": text},
                   at="spec.storage.size", sentence=SIZE)
          for text in ("10 GB", "much", "0", "-1Gi")),
    ]  # fmt: skip


def _everywhere() -> list[Creation]:
    chaincode = "spec.chaincode"
    timeouts = (
        "executeTimeout",
        "startupTimeout",
        "buildTimeout",
        "runtimeDefaults.executeTimeout",
    )
    languages = ("golang", "node", "java", "python")
    environments = [f"builders.{language}.env" for language in languages]
    return list(
        chain(
            *(duration(KIND, f"{chaincode}.{name}") for name in timeouts),
            *(environment(KIND, f"{chaincode}.{name}") for name in environments),
            environment(KIND, f"{chaincode}.runtimeDefaults.env"),
            resources(KIND, f"{chaincode}.runtimeDefaults.resources"),
            resources(KIND, "spec.resources"),
        )
    )


CREATIONS = [*_names(), *_together(), *_everywhere()]

_TWO = [{"name": "a"}, {"name": "b"}]
_JOINED = [{"name": "a", "genesisBlockRef": BLOCK}]
_REJOINED = [{"name": "a", "genesisBlockRef": {"name": "other"}}]
_OUTSIDE = {"spec.ordering": EXTERNAL, "spec.channels": _JOINED}

CHANGES = [
    _changed("mspID", {}, {"spec.mspID": "Org2MSP"}, at="spec.mspID", sentence=SAME_MSP_ID),
    _changed("to-external", {"spec.channels": []}, {"spec.ordering": EXTERNAL},
             at="spec.ordering", sentence=SAME_ORDERING),
    _changed("to-embedded", _OUTSIDE, {"spec.ordering": {"embedded": {}}},
             at="spec.ordering", sentence=SAME_ORDERING),
    _changed("channel-removed", {"spec.channels": _TWO}, {"spec.channels": _TWO[1:]},
             at="spec.channels", sentence=MORE_CHANNELS),
    _changed("channel-renamed", {"spec.channels": _TWO},
             {"spec.channels": [{"name": "a"}, {"name": "c"}]},
             at="spec.channels", sentence=MORE_CHANNELS),
    _changed("default-channel-removed", {}, {"spec.channels": []},
             at="spec.channels", sentence=MORE_CHANNELS),
    _changed("capabilities", {"spec.channels": _TWO},
             {"spec.channels": [_TWO[0], {"name": "b", "capabilities": "V2_5"}]},
             at="spec.channels[1].capabilities", sentence=SAME_CAPABILITIES),
    _changed("genesis-block", _OUTSIDE, {"spec.channels": _REJOINED},
             at="spec.channels[0].genesisBlockRef", sentence=SAME_BLOCK),
    _changed("smaller-volume", {}, {"spec.storage.size": "9Gi"},
             at="spec.storage.size", sentence=LARGER),
    _changed("storage-class-set", {}, {"spec.storage.storageClassName": "fast"},
             at="spec.storage.storageClassName", sentence=SAME_CLASS),
    _changed("storage-class-changed", {"spec.storage.storageClassName": "slow"},
             {"spec.storage.storageClassName": "fast"},
             at="spec.storage.storageClassName", sentence=SAME_CLASS),
    _changed("storage-class-removed", {"spec.storage.storageClassName": "slow"},
             {"spec.storage.storageClassName": REMOVED},
             at="spec.storage.storageClassName", sentence=SAME_CLASS),
]  # fmt: skip
