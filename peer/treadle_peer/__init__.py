"""The Treadle peer: a Hyperledger Fabric peer with embedded ordering, and the chaincode bridge."""
