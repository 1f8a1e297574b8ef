"""Writing to the log what strangers can cause, without letting them fill the disk."""

from treadle_peer.logs.repeats import Repeats

__all__ = ["Repeats"]
