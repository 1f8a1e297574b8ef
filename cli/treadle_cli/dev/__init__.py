"""``treadle dev``: a chaincode process of the developer's own, joined to peers near and far."""
