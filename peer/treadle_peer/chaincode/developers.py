"""Which developer's process may register: whose certificate it shows, and for which chaincode."""

from __future__ import annotations

from collections.abc import Callable

from treadle_peer.chaincode.authority import ChaincodeAuthority, Standing
from treadle_peer.chaincode.certificates import Purpose
from treadle_peer.chaincode.streams import StreamPeer

Judge = Callable[[str, StreamPeer], str | None]
"""None, or the sentence of refusal, for a process that wants to register as a ccid."""


def by_certificate(
    authority: ChaincodeAuthority, *, local: Callable[[str], bool] = lambda ccid: True
) -> Judge:
    """The rule of a port with TLS. *local(ccid)*: whether the certificate in the peer's own folder
    opens it, too; one that was issued for a single chaincode opens that one.
    """

    def judge(ccid: str, caller: StreamPeer) -> str | None:
        fingerprint = caller.fingerprint or ""
        issued = authority.lasting(fingerprint)
        if issued is None:
            own = authority.standing(fingerprint) is Standing.DEVELOPMENT
            return None if own and local(ccid) else _not_shown(ccid, local=local(ccid))
        if issued.purpose is not Purpose.DEVELOPMENT:
            return (
                f"chaincode {ccid} is in development mode: a developer runs it, and not a "
                f"{issued.purpose.value} of the operator"
            )
        if issued.ccid != ccid:
            return (
                f"chaincode {ccid} did not present its own development certificate: this one is "
                f"for chaincode {issued.ccid}"
            )
        if issued.retired:
            return (
                f"chaincode {ccid} presented a development certificate that is retired; "
                "fetch the one that holds now"
            )
        return None

    return judge


def _not_shown(ccid: str, *, local: bool) -> str:
    sentence = f"chaincode {ccid} did not present the development certificate; "
    if not local:
        return f"{sentence}fetch the one that was issued for it"
    return (
        f"{sentence}point CORE_TLS_CLIENT_CERT_PATH and CORE_TLS_CLIENT_KEY_PATH at the peer's "
        "files client.crt and client.key of chaincode/authority/development"
    )
