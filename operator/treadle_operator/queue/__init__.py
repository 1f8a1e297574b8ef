"""What is to be reconciled and when, and whom an object concerns. Pure."""

from treadle_operator.queue.routes import Routes
from treadle_operator.queue.work import WorkQueue

__all__ = ["Routes", "WorkQueue"]
