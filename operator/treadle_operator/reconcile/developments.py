"""Which chaincodes of a peer developers run: the whole set, told to the peer each time.

One that is not in the set any more is the peer's again, whoever was down when that was decided.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from treadle_operator.claims import ccid_of, claims, mode_of
from treadle_operator.errors import InvalidObject, PeerRefused, Unavailable
from treadle_operator.kube import PEERS
from treadle_operator.model import (
    ChaincodeInstantiation,
    ChaincodePackage,
    Key,
    Kind,
    Mode,
    Peer,
    Reference,
    parse_meta,
    parse_peer,
)
from treadle_operator.model.developing import DevelopmentPolicy
from treadle_operator.reconcile.world import Outcome, World
from treadle_operator.resources.development import start_line
from treadle_operator.resources.durations import seconds

_log: Final = logging.getLogger(__name__)


async def reconcile_developments(key: Key, world: World) -> Outcome:
    """Tell the peer. Raises KubeError and PeerUnavailable."""
    body = await world.kube.find(PEERS, key.namespace, key.name)
    if body is None or parse_meta(body).deleting:
        return Outcome(exists=False)
    refers = frozenset({Reference(Kind.PEER, key.name)})
    try:
        peer = parse_peer(body)
    except InvalidObject as error:
        raise Unavailable(f"Peer {key.name}: {error}") from error
    if not peer.spec.tls.enabled:
        return Outcome(refers=refers)  # all its chaincodes are developers', and nobody is asked
    entries = await world.directory.entries(world.kube, key.namespace)
    wanted = policies_of(peer, entries.instantiations, entries.packages)
    link = await world.peers.link(key.namespace, key.name)
    if not link.synced:
        return Outcome(refers=refers)
    try:
        await link.apply_policies(wanted)
    except PeerRefused as error:
        # Perhaps it still has the configuration of an earlier spec; its restart brings us back.
        _log.warning("what developers run of Peer %s: %s", key.name, error)
        return Outcome(refers=refers, failed=True)
    return Outcome(refers=refers)


def policies_of(
    peer: Peer,
    instantiations: Iterable[ChaincodeInstantiation],
    packages: Iterable[ChaincodePackage],
) -> list[DevelopmentPolicy]:
    """One for each chaincode of *peer* that developers run, as the oldest claim wants it."""
    present, known = list(instantiations), list(packages)
    ccids = {ccid_of(package) for package in known if peer.meta.name in package.spec.peers}
    found = []
    for ccid in sorted(ccids):
        wanting = claims(peer.meta.name, ccid, present, known)
        if wanting and mode_of(wanting, peer) is Mode.DEVELOPMENT:
            own = peer.spec.mode
            holders = [one.instantiation for one in wanting]
            developed = [one for one in holders if (one.spec.mode or own) is Mode.DEVELOPMENT]
            found.append(_policy(ccid, developed))
    return found


def _policy(ccid: str, developed: Sequence[ChaincodeInstantiation]) -> DevelopmentPolicy:
    """Of those in mode Development, the oldest first."""
    oldest = developed[0]
    return DevelopmentPolicy(
        ccid=ccid,
        execute_timeout=development_timeout(oldest),
        start_line=start_line(oldest.meta.namespace, oldest.meta.name),
        holders=tuple(sorted(one.meta.uid for one in developed)),
    )


def development_timeout(one: ChaincodeInstantiation) -> timedelta | None:
    """How long a transaction may take while a developer runs it; None: somebody may be thinking.

    Only what the instantiation itself says counts: a peer's default is for its own processes.
    """
    text = one.spec.runtime.execute_timeout
    given = None if text is None else seconds(text)
    return None if given is None else timedelta(seconds=max(given, 1.0))
