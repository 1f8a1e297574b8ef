"""The peer's listeners: gRPC and HTTP around the services. The only place that knows grpc.

``main`` composes them; nothing here decides anything.
"""
