// Command accounts is the example contract on the Go shim; ../README.md lists its functions.
package main

import (
	"log"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

func main() {
	if err := shim.Start(contract{}); err != nil {
		log.Fatalf("the chaincode stopped: %v", err)
	}
}
