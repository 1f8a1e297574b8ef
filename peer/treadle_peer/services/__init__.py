"""The peer's services without their transport.

They take decoded requests and give responses; ``server`` puts gRPC and HTTP around them.
"""
