"""What an MSP says when it refuses a configuration, an identity or a principal."""


class MSPError(Exception):
    """Refusal by an MSP, in Fabric's words (fabric-wire.md 6.1 to 6.4)."""

    def within(self, message: str) -> "MSPError":
        """The same refusal with ``message: `` in front, as Fabric wraps its errors."""
        return MSPError(f"{message}: {self}")
