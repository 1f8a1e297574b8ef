"""What a policy says when it cannot be built or is not satisfied."""


class PolicyError(Exception):
    """Refusal by a policy, in Fabric's words (fabric-wire.md 6.5)."""
