"""The drop-in ``peer`` command: Fabric's flags, output and exit codes (fabric-wire.md §3.9).

``*_commands`` hold flags only; ``invoking``, ``deploying``, ``packing``, ``listing`` and
``channels`` do the work through ``treadle_fabric.client``.
"""
