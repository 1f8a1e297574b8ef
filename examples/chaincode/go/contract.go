package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// version is what the function of that name answers: change it to see which code runs.
const version = "1"

type contract struct{}

// function is one entry of the dispatch table: parameter names for the error text, and the code.
type function struct {
	parameters string
	needs      int
	run        func(stub shim.ChaincodeStubInterface, args []string) (any, error)
}

var functions = map[string]function{
	"transfer": {"from, to, amount", 3, transfer},
	"query":    {"account", 1, query},
	"set":      {"key, value", 2, set},
	"get":      {"key", 1, get},
	"delete":   {"key", 1, remove},
	"range":    {"start, end", 2, scanRange},
	"page":     {"start, end, size, bookmark", 4, page},
	"history":  {"key", 1, history},
	"event":    {"name, payload", 2, event},
	"tag":      {"value, type, attribute...", 3, tag},
	"tags":     {"type, attribute...", 1, tags},
	"crash":    {"exit code", 1, crash},
	"sleep":    {"milliseconds", 1, sleep},
	"call":     {"chaincode, channel, argument...", 2, call},
	"blob":     {"key, size", 2, blob},
	"digest":   {"key", 1, digest},
	"bulk":     {"prefix, from, count, size", 4, bulk},
	"scan":     {"start, end", 2, scan},
	"info":     {"", 0, info},
	"version":  {"", 0, func(shim.ChaincodeStubInterface, []string) (any, error) { return currentVersion(), nil }},
}

// Init creates accounts from pairs of name and amount.
func (contract) Init(stub shim.ChaincodeStubInterface) *peer.Response {
	_, args := stub.GetFunctionAndParameters()
	if len(args)%2 != 0 {
		return shim.Error("init needs pairs of account and amount")
	}
	for i := 0; i < len(args); i += 2 {
		amount, err := wholeNumber("amount", args[i+1])
		if err != nil {
			return shim.Error(err.Error())
		}
		if err := stub.PutState(args[i], []byte(fmt.Sprint(amount))); err != nil {
			return shim.Error(err.Error())
		}
	}
	return answer(map[string]int{"accounts": len(args) / 2})
}

// Invoke runs the named function.
func (contract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	name, args := stub.GetFunctionAndParameters()
	switch name {
	case "fail":
		return shim.Error(strings.Join(args, " "))
	case "throw": // Go's way to throw is to return the error
		return shim.Error(strings.Join(args, " "))
	case "status":
		return status(args)
	}
	chosen, known := functions[name]
	if !known {
		return shim.Error("unknown function: " + name)
	}
	if len(args) < chosen.needs {
		return shim.Error(fmt.Sprintf("%s needs the arguments: %s", name, chosen.parameters))
	}
	result, err := chosen.run(stub, args)
	if err != nil {
		return shim.Error(err.Error())
	}
	return answer(result)
}

// status answers with a status code of the caller's choice.
func status(args []string) *peer.Response {
	if len(args) < 2 {
		return shim.Error("status needs the arguments: code, message")
	}
	code, err := wholeNumber("code", args[0])
	if err != nil {
		return shim.Error(err.Error())
	}
	return &peer.Response{Status: int32(code), Message: args[1], Payload: encode(map[string]int64{"status": code})}
}

func answer(result any) *peer.Response {
	return shim.Success(encode(result))
}

// encode writes compact JSON without escaping <, > and &, as the other languages do.
func encode(result any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(result); err != nil {
		panic(err)
	}
	return bytes.TrimRight(buffer.Bytes(), "\n")
}
