"""The world that fuzzed messages meet: fixed organisations, a channel, a ledger.

Keys and certificates are files (``identities``, made by ``python -m fuzz.world`` in tests/), so
that a signature inside a kept input still verifies. Nothing here is a secret.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fabric_protos.common.common_pb2 import Block
from harness.onepeer import CHANNEL, Consortium
from harness.small_ledger import SmallLedger
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity

__all__ = [
    "CHANNEL",
    "FixedConsortium",
    "bundle",
    "consortium",
    "genesis",
    "scratch",
    "signer",
    "small_ledger",
]

_FOLDER = Path(__file__).parent / "identities"
_ORGANIZATIONS = {"org1": "Org1MSP", "org2": "Org2MSP", "orderer_org": "OrdererMSP"}
_PEOPLE = {
    "peer": "Org1MSP",
    "admin": "Org1MSP",
    "client": "Org1MSP",
    "peer2": "Org2MSP",
    "client2": "Org2MSP",
    "admin2": "Org2MSP",
    "orderer": "OrdererMSP",
    "orderer_admin": "OrdererMSP",
}


class FixedConsortium(Consortium):
    """The consortium of the tests, and the orderers' admin; the same in every run."""

    orderer_admin: SigningIdentity

    def __init__(self) -> None:
        for name in _ORGANIZATIONS:
            setattr(self, name, GeneratedOrganization.load(_FOLDER / name))
        for name, msp_id in _PEOPLE.items():
            identity = SigningIdentity.from_pem(
                msp_id=msp_id,
                certificate=(_FOLDER / f"{name}.pem").read_bytes(),
                private_key=(_FOLDER / f"{name}.key").read_bytes(),
            )
            setattr(self, name, identity)


@cache
def consortium() -> FixedConsortium:
    """Who everybody is."""
    return FixedConsortium()


@cache
def genesis(capability: str = "V1_4_2") -> Block:
    """Block 0 of the channel."""
    return consortium().genesis(capability=capability)


@cache
def bundle(capability: str = "V1_4_2") -> Bundle:
    """The channel's configuration."""
    return Bundle.from_block(genesis(capability))


def signer(creator: bytes) -> SigningIdentity | None:
    """Who can sign for these SerializedIdentity bytes."""
    return _signers().get(creator)


@cache
def _signers() -> dict[bytes, SigningIdentity]:
    people: list[SigningIdentity] = [getattr(consortium(), name) for name in _PEOPLE]
    return {each.serialize(): each for each in people}


@cache
def scratch() -> Path:
    """A folder of this process, gone with it."""
    folder = Path(tempfile.mkdtemp(prefix="treadle-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def small_ledger() -> SmallLedger:
    """Keys r0000 to r0249, one of them written often; nobody commits to it any more."""
    made = SmallLedger(scratch() / "ledger")
    made.put({f"r{n:04}": b"%d" % n for n in range(250)})
    for n in range(3):
        made.put({"r0001": b"again %d" % n})
    return made


def _write_identities() -> None:
    made = Consortium()
    admin = made.orderer_org.issue_identity("admin", "admin")
    made.orderer_admin = admin  # type: ignore[attr-defined]
    for name in _ORGANIZATIONS:
        getattr(made, name).save(_FOLDER / name)
    for name in _PEOPLE:
        identity = getattr(made, name)
        (_FOLDER / f"{name}.pem").write_bytes(identity.certificate_pem)
        (_FOLDER / f"{name}.key").write_bytes(identity.private_key_pem)


if __name__ == "__main__":
    _write_identities()
