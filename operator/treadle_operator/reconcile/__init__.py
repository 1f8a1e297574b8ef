"""One level-triggered reconcile per kind: look at everything, do what is missing, say what is.

No step waits for the world: it asks, writes the status, returns, and is called again.
"""

from treadle_operator.reconcile.package import reconcile_package
from treadle_operator.reconcile.peer import reconcile_peer
from treadle_operator.reconcile.world import Outcome, World

__all__ = ["Outcome", "World", "reconcile_package", "reconcile_peer"]
