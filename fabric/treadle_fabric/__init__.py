"""What every Fabric party needs.

Wire formats, identities and MSPs, policies, channel configuration, chaincode packages, and an
asyncio client. Usable on its own: it knows nothing of the peer or the operator.
"""
