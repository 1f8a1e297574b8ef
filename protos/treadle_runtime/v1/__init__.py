"""``treadle.runtime.v1``: generated from ``runtime.proto`` by ``tools/protos.py``."""
