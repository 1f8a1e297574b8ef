"""The commands: ``treadle`` and the drop-in ``peer``."""

import os
import signal

_TERMINATED = 128 + signal.SIGTERM

if os.getpid() == 1:
    # The kernel gives process 1 of a container only the signals that it has asked for: a peer that
    # still loads its modules would not hear of its end, and be killed after its whole grace.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_TERMINATED))
