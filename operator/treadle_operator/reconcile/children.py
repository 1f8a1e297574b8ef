"""The children of a Peer: applied where they differ, taken away where they are not wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from treadle_operator.errors import Blocked, Forbidden, KubeError, Rejected
from treadle_operator.kube import CLAIMS, RESOURCES, SERVICES, STATEFUL_SETS, Kube, Resource
from treadle_operator.model import Manifest, Peer, mapping_at, text_at
from treadle_operator.names import peer_names
from treadle_operator.resources import (
    Images,
    PeerSecrets,
    differs,
    is_of_peer,
    peer_children,
    peer_labels,
    quantity,
    stamped,
)

_STORAGE = ("spec", "resources", "requests", "storage")


async def ensure_children(
    kube: Kube, peer: Peer, *, images: Images, secrets: PeerSecrets
) -> Manifest:
    """Apply what differs, and return the StatefulSet as it is stored.

    Raises Blocked for a name that is taken and a manifest that is not accepted; KubeError.
    """
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    before = await kube.find(STATEFUL_SETS, peer.meta.namespace, names.statefulset)
    size = text_at(before, "spec", "volumeClaimTemplates", 0, *_STORAGE)
    wanted = peer_children(peer, images=images, secrets=secrets, claim_size=size or None)
    found = await asyncio.gather(*(_find(kube, manifest) for manifest in wanted))
    for manifest, live in zip(wanted, found, strict=True):
        _check_free(peer, manifest, live)
    stored: Manifest = {}
    for manifest, live in zip(wanted, found, strict=True):
        stored = await _ensure(kube, stamped(manifest), live)
    await _prune_services(kube, peer, wanted)
    return stored


async def _find(kube: Kube, manifest: Manifest) -> Manifest | None:
    return await kube.find(_resource(manifest), *_place(manifest))


def _resource(manifest: Manifest) -> Resource:
    return RESOURCES[text_at(manifest, "kind")]


def _place(manifest: Manifest) -> tuple[str, str]:
    return text_at(manifest, "metadata", "namespace"), text_at(manifest, "metadata", "name")


def _check_free(peer: Peer, manifest: Manifest, live: Manifest | None) -> None:
    if live is not None and not is_of_peer(live, peer.meta.name):
        name = f"{text_at(manifest, 'kind')} {text_at(manifest, 'metadata', 'name')}"
        raise Blocked(
            "NameTaken",
            f"{name} is there already and does not belong to this Peer; delete it, or give the "
            "Peer another name",
        )


async def _ensure(kube: Kube, wanted: Manifest, live: Manifest | None) -> Manifest:
    if live is not None and not differs(wanted, live):
        return live
    try:
        return await kube.apply(wanted)
    except (Rejected, Forbidden) as error:
        raise refused(wanted, error) from error


@contextmanager
def refused_by(wanted: Manifest) -> Iterator[None]:
    """Turn a refusal of *wanted* into Blocked."""
    try:
        yield
    except (Rejected, Forbidden) as error:
        raise refused(wanted, error) from error


def refused(wanted: Manifest, error: KubeError) -> Blocked:
    """Why a manifest is not accepted, for the condition."""
    name = f"{text_at(wanted, 'kind')} {text_at(wanted, 'metadata', 'name')}"
    reason = "NotAllowed" if isinstance(error, Forbidden) else "ChildRejected"
    return Blocked(reason, f"the API server does not accept {name}: {error}")


async def _prune_services(kube: Kube, peer: Peer, wanted: list[Manifest]) -> None:
    """Of all children only Services come and go with the spec."""
    names = {_place(manifest)[1] for manifest in wanted if manifest["kind"] == "Service"}
    for live in await kube.list(SERVICES, peer.meta.namespace, peer_labels(peer.meta.name)):
        gone = bool(mapping_at(live, "metadata").get("deletionTimestamp"))
        if _place(live)[1] not in names and not gone:
            await kube.delete(SERVICES, live)


async def grow_volume(kube: Kube, peer: Peer) -> str | None:
    """Ask for the size that the spec names; returns why it is not had, or None.

    A StatefulSet cannot change the size of its claims, so the claim itself is changed.
    """
    names = peer_names(peer.meta.name, peer.spec.msp_id)
    claim = await kube.find(CLAIMS, peer.meta.namespace, names.claim)
    wanted = quantity(peer.spec.storage.size)
    if claim is None or wanted is None:
        return None
    asked = quantity(text_at(claim, *_STORAGE))
    if asked is not None and wanted < asked:
        return f"the volume has {text_at(claim, *_STORAGE)} already, and a volume cannot shrink"
    if asked is None or wanted > asked:
        claim = {**_place_of(claim), "spec": {"resources": {"requests": _size(peer)}}}
        try:
            await kube.apply(claim)
        except (Rejected, Forbidden) as error:
            return f"the volume cannot grow to {peer.spec.storage.size}: {error}"
    return None


def _place_of(claim: Manifest) -> Manifest:
    namespace, name = _place(claim)
    return {
        "apiVersion": CLAIMS.api_version,
        "kind": CLAIMS.kind,
        "metadata": {"namespace": namespace, "name": name},
    }


def _size(peer: Peer) -> Manifest:
    return {"storage": peer.spec.storage.size}
