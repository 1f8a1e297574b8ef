// The real Fabric 2.5.9 tools, for tests only: the reference for every question of behaviour, and
// the command line our users type. The pseudo-version is the commit tagged v2.5.9.
module treadle.dev/tests/tools/fabric

go 1.24

require github.com/hyperledger/fabric v1.4.0-rc1.0.20240618194258-7c3876255bf0

tool (
	github.com/hyperledger/fabric/cmd/configtxgen
	github.com/hyperledger/fabric/cmd/configtxlator
	github.com/hyperledger/fabric/cmd/cryptogen
	github.com/hyperledger/fabric/cmd/discover
	github.com/hyperledger/fabric/cmd/orderer
	github.com/hyperledger/fabric/cmd/osnadmin
	github.com/hyperledger/fabric/cmd/peer
)
