"""``treadle play``: Peer, ChaincodePackage and ChaincodeInstantiation on this machine.

``documents``, ``reading``, ``parsing`` and ``plan`` only read: files in, a Plan or a PlayError
with every mistake out.
"""

from treadle_cli.play.models import (
    ChannelModel,
    InstantiationModel,
    Mode,
    PackageModel,
    PeerModel,
    SourceModel,
)
from treadle_cli.play.plan import Plan, Step, make_plan
from treadle_cli.play.problems import PlayError

__all__ = [
    "ChannelModel",
    "InstantiationModel",
    "Mode",
    "PackageModel",
    "PeerModel",
    "Plan",
    "PlayError",
    "SourceModel",
    "Step",
    "make_plan",
]
