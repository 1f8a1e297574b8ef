"""A chaincode that developers run at one peer: whether it may be, and who is connected."""

from __future__ import annotations

from treadle_operator.conditions import time_text
from treadle_operator.errors import Blocked
from treadle_operator.model import ChaincodeInstantiation, Mode, Peer
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.deploying import Looked, Wish
from treadle_operator.reconcile.verdicts import Problem, Stage
from treadle_operator.resources.development import start_line


def check_mode(one: ChaincodeInstantiation, peer: Peer) -> None:
    """Raise Blocked for a mode that the peer does not offer."""
    wanted, own = one.spec.mode, peer.spec.mode
    if wanted is None or wanted is own:
        return
    if wanted is Mode.PRODUCTION:
        raise Blocked(
            "NotSupported",
            f"spec.mode is Production, but Peer {peer.meta.name} is in mode Development: all its "
            "chaincodes are run by developers; leave spec.mode out, or let the Peer be in mode "
            "Production",
        )
    if not peer.spec.allow_development:
        raise Blocked(
            "DevelopmentNotAllowed",
            f"Peer {peer.meta.name} leaves no chaincode to developers: its spec.allowDevelopment "
            "is false, which is the default for a given identity; leave spec.mode out, or allow it "
            "there",
        )


async def look_for_developer(link: PeerLink, wish: Wish, peer: Peer, found: Looked) -> None:
    """Who is connected; raises PeerUnavailable."""
    if not peer.spec.tls.enabled:
        found.opened = peer
        found.target.registered = wish.ccid in await link.connected()
    elif not link.synced:
        text = f"Peer {peer.meta.name} has not told yet who is connected"
        found.target.problem = Problem(Stage.RUNTIME, "RuntimesUnknown", text)
        return
    else:
        row = link.developments.get(wish.ccid)
        if row is None or wish.instantiation.meta.uid not in row.holders:
            text = f"Peer {peer.meta.name} is being told to leave {wish.ccid} to developers"
            if link.development_refusal:
                text += f", and refuses: {link.development_refusal}"
            found.target.problem = Problem(Stage.RUNTIME, "DevelopmentOpening", text)
            return
        found.opened, found.opening = peer, row.opening
        found.target.registered = row.connected
        if row.connected:
            found.target.developer = f"{row.who} since {time_text(row.since)}"
    if not found.target.registered:
        meta = wish.instantiation.meta
        text = (
            f"no process of {wish.ccid} is connected to Peer {peer.meta.name}; start yours with: "
            f"{start_line(meta.namespace, meta.name)}"
        )
        found.target.problem = Problem(Stage.RUNTIME, "DeveloperNotConnected", text)
