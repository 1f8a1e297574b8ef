"""Endorsement: proposal checks, ACLs, simulation, system chaincodes, the signed answer.

``build_endorsement`` puts the parts together; ``main`` gives it the parts of other packages.
"""

from treadle_peer.endorse.acl import AccessControl
from treadle_peer.endorse.assembly import Endorsement, build_endorsement
from treadle_peer.endorse.endorser import Endorser
from treadle_peer.endorse.errors import AccessDenied, Failure, Fault, ProposalRefused
from treadle_peer.endorse.invoker import CrossChaincodeInvoker

__all__ = [
    "AccessControl",
    "AccessDenied",
    "CrossChaincodeInvoker",
    "Endorsement",
    "Endorser",
    "Failure",
    "Fault",
    "ProposalRefused",
    "build_endorsement",
]
