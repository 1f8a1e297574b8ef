"""The commands: ``treadle`` and the drop-in ``peer``."""
