"""Who may register in production: what the peer launched, and nothing else (design §1, §6)."""

from __future__ import annotations

from treadle_peer.chaincode.authority import ChaincodeAuthority, Standing
from treadle_peer.chaincode.certificates import Purpose
from treadle_peer.chaincode.launch import sockets
from treadle_peer.chaincode.streams import StreamPeer

_START_BY_PEER = "in production the peer starts the chaincode itself: instantiate or invoke it"
_USE_DEVELOPMENT = (
    f"{_START_BY_PEER}; to run your own process, open {{ccid}} for development or start the peer "
    "with --peer-chaincodedev"
)


def refusal(ccid: str, reason: str, remedy: str) -> str:
    """Fabric's sentence, then why, then what to do."""
    return (
        f"peer will not accept external chaincode connection {ccid} (except in dev mode): "
        f"{reason}; {remedy}"
    )


def not_launched(ccid: str) -> str:
    """Nothing of that name was launched."""
    reason = "the peer has not launched this chaincode"
    return refusal(ccid, reason, _USE_DEVELOPMENT.format(ccid=ccid))


def at_the_door(ccid: str) -> str:
    """For whoever dials the advertised port: what the peer launches dials a private one."""
    reason = (
        "it was not launched by this peer, whose own processes register on a private port; "
        "this one admits nobody"
    )
    remedy = (
        f"{_START_BY_PEER}; development mode accepts processes started by hand: open {ccid} for "
        "development or start the peer with --peer-chaincodedev"
    )
    return refusal(ccid, reason, remedy)


def no_certificate(ccid: str) -> str:
    """TLS without a client certificate."""
    reason = f"TLS is active but chaincode {ccid} didn't send certificate"
    return refusal(ccid, reason, _USE_DEVELOPMENT.format(ccid=ccid))


def wrong_certificate(ccid: str, fingerprint: str, authority: ChaincodeAuthority) -> str:
    """A certificate that is not the running launch's."""
    owner = authority.owner(fingerprint)
    if owner is not None:
        reason = (
            f"Chaincode {ccid} with given certificate hash {fingerprint} belongs to a different "
            f"chaincode"
        )
        return refusal(ccid, f"{reason} ({owner})", _START_BY_PEER)
    reason = f"Chaincode {ccid} with given certificate hash {fingerprint} not found in registry"
    issued = authority.lasting(fingerprint)
    developed = issued is not None and issued.purpose is Purpose.DEVELOPMENT
    whose = f" of {issued.ccid}" if issued is not None else ""
    match authority.standing(fingerprint):
        case Standing.RETIRED if developed:
            reason += f": it is the development certificate{whose}, and retired"
        case Standing.RETIRED:
            reason += ": its launch has ended and its certificate is retired"
        case Standing.DEVELOPMENT:
            reason += f": it is the development certificate{whose}"
        case Standing.BUILDER:
            reason += ": it is a builder's certificate"
        case _:
            reason += ": it was not issued for a launch of this peer run"
    return refusal(ccid, reason, _USE_DEVELOPMENT.format(ccid=ccid))


def foreign_pod(ccid: str, caller: StreamPeer) -> str:
    """The right certificate at the wrong place."""
    reason = f"{caller.remote} is not the address of a pod that the operator reported"
    return refusal(ccid, reason, _START_BY_PEER)


def foreign_socket(ccid: str, caller: StreamPeer, *, members: list[int], port: int) -> str | None:
    """Without TLS: None when the caller's socket is held by one of *members*, else the refusal.

    *port* is the peer's chaincode port.
    """
    endpoint = sockets.parse_remote(caller.remote)
    if not caller.loopback or endpoint is None:
        reason = f"{caller.remote} is not on this machine, and the chaincode port has no TLS"
        return refusal(ccid, reason, "switch the TLS of the chaincode port on")
    inodes = sockets.connecting_inodes(sockets.all_sockets(), caller=endpoint, port=port)
    if inodes and inodes <= sockets.held_inodes(members):
        return None
    reason = f"the connection from {caller.remote} is not held by the process that was launched"
    return refusal(ccid, reason, _USE_DEVELOPMENT.format(ccid=ccid))
