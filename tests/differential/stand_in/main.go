// Command stand-in is a chaincode process without a chaincode: it tells a test what its peer has
// given it, and then does what the test says. The test plays the chaincode with that.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Given is what a process needs in order to register; the last three are PEM, empty without TLS.
type Given struct {
	Name        string `json:"chaincode_id"`
	Address     string `json:"peer_address"`
	MSP         string `json:"mspid"`
	Certificate string `json:"client_cert"`
	Key         string `json:"client_key"`
	Root        string `json:"root_cert"`
}

func main() {
	place, err := os.ReadFile(filepath.Join(os.TempDir(), "stand-ins"))
	check(err)
	test, err := net.Dial("tcp", strings.TrimSpace(string(place)))
	check(err)
	check(json.NewEncoder(test).Encode(given(os.Args[1])))
	orders := bufio.NewScanner(test)
	for orders.Scan() {
		order, rest, _ := strings.Cut(orders.Text(), " ")
		switch order {
		case "print":
			fmt.Fprintln(os.Stderr, rest)
		case "exit":
			code, err := strconv.Atoi(rest)
			check(err)
			os.Exit(code)
		}
	}
}

// An external builder's run has a folder with chaincode.json; everybody else has Fabric's
// variables and a flag.
func given(argument string) Given {
	if address, found := strings.CutPrefix(argument, "-peer.address="); found {
		return Given{
			Name:        os.Getenv("CORE_CHAINCODE_ID_NAME"),
			Address:     address,
			MSP:         os.Getenv("CORE_PEER_LOCALMSPID"),
			Certificate: content("CORE_TLS_CLIENT_CERT_FILE"),
			Key:         content("CORE_TLS_CLIENT_KEY_FILE"),
			Root:        content("CORE_PEER_TLS_ROOTCERT_FILE"),
		}
	}
	var told Given
	text, err := os.ReadFile(filepath.Join(argument, "chaincode.json"))
	check(err)
	check(json.Unmarshal(text, &told))
	return told
}

func content(variable string) string {
	if os.Getenv("CORE_PEER_TLS_ENABLED") != "true" {
		return ""
	}
	text, err := os.ReadFile(os.Getenv(variable))
	check(err)
	return string(text)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(111)
	}
}
