package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/cid"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

type transferAnswer struct {
	From        string `json:"from"`
	To          string `json:"to"`
	Amount      int64  `json:"amount"`
	FromBalance int64  `json:"fromBalance"`
	ToBalance   int64  `json:"toBalance"`
}

type transferEvent struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Amount int64  `json:"amount"`
}

type balanceAnswer struct {
	Account string `json:"account"`
	Balance int64  `json:"balance"`
}

type callAnswer struct {
	Status  int32  `json:"status"`
	Message string `json:"message"`
	Payload string `json:"payload"`
}

type infoAnswer struct {
	Channel string `json:"channel"`
	TxID    string `json:"txId"`
	MspID   string `json:"mspId"`
}

type versionAnswer struct {
	Contract string `json:"contract"`
	Version  string `json:"version"`
}

func currentVersion() versionAnswer { return versionAnswer{"accounts", version} }

var digits = regexp.MustCompile(`^[0-9]{1,15}$`)

// wholeNumber reads a number that all four languages can hold exactly.
func wholeNumber(what, text string) (int64, error) {
	if !digits.MatchString(text) {
		return 0, fmt.Errorf("%s must be a whole number: %s", what, text)
	}
	return strconv.ParseInt(text, 10, 64)
}

func balanceOf(stub shim.ChaincodeStubInterface, account string) (int64, error) {
	value, err := stub.GetState(account)
	if err != nil {
		return 0, err
	}
	if len(value) == 0 {
		return 0, fmt.Errorf("account %s does not exist", account)
	}
	return wholeNumber("balance", string(value))
}

func transfer(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	from, to := args[0], args[1]
	amount, err := wholeNumber("amount", args[2])
	if err != nil {
		return nil, err
	}
	if from == to {
		return nil, errors.New("the accounts must differ")
	}
	fromBalance, err := balanceOf(stub, from)
	if err != nil {
		return nil, err
	}
	toBalance, err := balanceOf(stub, to)
	if err != nil {
		return nil, err
	}
	if fromBalance < amount {
		return nil, fmt.Errorf("account %s holds %d, less than %d", from, fromBalance, amount)
	}
	if err := stub.PutState(from, []byte(fmt.Sprint(fromBalance-amount))); err != nil {
		return nil, err
	}
	if err := stub.PutState(to, []byte(fmt.Sprint(toBalance+amount))); err != nil {
		return nil, err
	}
	if err := stub.SetEvent("transfer", encode(transferEvent{from, to, amount})); err != nil {
		return nil, err
	}
	return transferAnswer{from, to, amount, fromBalance - amount, toBalance + amount}, nil
}

func query(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	balance, err := balanceOf(stub, args[0])
	return balanceAnswer{args[0], balance}, err
}

func event(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	return map[string]string{"event": args[0]}, stub.SetEvent(args[0], []byte(args[1]))
}

// crash ends the process at once, as a bug in native code would.
func crash(_ shim.ChaincodeStubInterface, args []string) (any, error) {
	code, err := wholeNumber("exit code", args[0])
	if err != nil {
		return nil, err
	}
	os.Exit(int(code))
	return nil, nil
}

func sleep(_ shim.ChaincodeStubInterface, args []string) (any, error) {
	milliseconds, err := wholeNumber("milliseconds", args[0])
	if err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(milliseconds) * time.Millisecond)
	return map[string]int64{"slept": milliseconds}, nil
}

func call(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	input := make([][]byte, 0, len(args))
	for _, arg := range args[2:] {
		input = append(input, []byte(arg))
	}
	response := stub.InvokeChaincode(args[0], input, args[1])
	return callAnswer{response.Status, response.Message, string(response.Payload)}, nil
}

func info(stub shim.ChaincodeStubInterface, _ []string) (any, error) {
	mspID, err := cid.GetMSPID(stub)
	return infoAnswer{stub.GetChannelID(), stub.GetTxID(), mspID}, err
}
