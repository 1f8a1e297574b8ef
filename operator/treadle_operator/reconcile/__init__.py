"""One level-triggered reconcile per kind: look at everything, do what is missing, say what is.

No step waits for the world: it asks, writes the status, returns, and is called again.
"""

from treadle_operator.reconcile.developments import reconcile_developments
from treadle_operator.reconcile.instantiation import reconcile_instantiation
from treadle_operator.reconcile.package import reconcile_package
from treadle_operator.reconcile.peer import reconcile_peer
from treadle_operator.reconcile.refusals import reconcile_refusals
from treadle_operator.reconcile.runtime import reconcile_runtime
from treadle_operator.reconcile.world import Outcome, World

__all__ = [
    "Outcome",
    "World",
    "reconcile_developments",
    "reconcile_instantiation",
    "reconcile_package",
    "reconcile_peer",
    "reconcile_refusals",
    "reconcile_runtime",
]
