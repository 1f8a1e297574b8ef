package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

type keyBytes struct {
	Key   string `json:"key"`
	Bytes int    `json:"bytes"`
}

type entry struct {
	Key   string  `json:"key"`
	Value *string `json:"value"`
}

type pageAnswer struct {
	Items    []entry `json:"items"`
	Fetched  int32   `json:"fetched"`
	Bookmark string  `json:"bookmark"`
}

type change struct {
	TxID    string  `json:"txId"`
	Value   *string `json:"value"`
	Deleted bool    `json:"deleted"`
	Seconds int64   `json:"seconds"`
}

type tagAnswer struct {
	Type       string   `json:"type"`
	Attributes []string `json:"attributes"`
	Value      string   `json:"value"`
}

type tagged struct {
	Attributes []string `json:"attributes"`
	Value      string   `json:"value"`
}

type digestAnswer struct {
	Key    string `json:"key"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
}

type scanAnswer struct {
	Count  int    `json:"count"`
	SHA256 string `json:"sha256"`
}

// text is a value as JSON shows it; a missing one is null.
func text(value []byte) *string {
	if len(value) == 0 {
		return nil
	}
	shown := string(value)
	return &shown
}

func set(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	return keyBytes{args[0], len(args[1])}, stub.PutState(args[0], []byte(args[1]))
}

func get(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	value, err := stub.GetState(args[0])
	return entry{args[0], text(value)}, err
}

func remove(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	return map[string]string{"key": args[0]}, stub.DelState(args[0])
}

// each walks an iterator to its end and closes it.
func each(results shim.StateQueryIteratorInterface, visit func(key string, value []byte) error) error {
	defer results.Close()
	for results.HasNext() {
		item, err := results.Next()
		if err != nil {
			return err
		}
		if err := visit(item.Key, item.Value); err != nil {
			return err
		}
	}
	return nil
}

func entries(results shim.StateQueryIteratorInterface) ([]entry, error) {
	found := []entry{}
	err := each(results, func(key string, value []byte) error {
		found = append(found, entry{key, text(value)})
		return nil
	})
	return found, err
}

func scanRange(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	results, err := stub.GetStateByRange(args[0], args[1])
	if err != nil {
		return nil, err
	}
	return entries(results)
}

func page(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	size, err := wholeNumber("size", args[2])
	if err != nil {
		return nil, err
	}
	results, metadata, err := stub.GetStateByRangeWithPagination(args[0], args[1], int32(size), args[3])
	if err != nil {
		return nil, err
	}
	items, err := entries(results)
	return pageAnswer{items, metadata.FetchedRecordsCount, metadata.Bookmark}, err
}

func history(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	results, err := stub.GetHistoryForKey(args[0])
	if err != nil {
		return nil, err
	}
	defer results.Close()
	changes := []change{}
	for results.HasNext() {
		item, err := results.Next()
		if err != nil {
			return nil, err
		}
		changes = append(changes, change{item.TxId, text(item.Value), item.IsDelete, item.Timestamp.Seconds})
	}
	return changes, nil
}

func tag(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	value, objectType, attributes := args[0], args[1], args[2:]
	key, err := stub.CreateCompositeKey(objectType, attributes)
	if err != nil {
		return nil, err
	}
	return tagAnswer{objectType, attributes, value}, stub.PutState(key, []byte(value))
}

func tags(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	results, err := stub.GetStateByPartialCompositeKey(args[0], args[1:])
	if err != nil {
		return nil, err
	}
	found := []tagged{}
	err = each(results, func(key string, value []byte) error {
		_, attributes, err := stub.SplitCompositeKey(key)
		found = append(found, tagged{attributes, string(value)})
		return err
	})
	return found, err
}

// filler is a value of that many bytes: a to z, over and over.
func filler(size int64) []byte {
	value := make([]byte, size)
	for i := range value {
		value[i] = byte('a' + i%26)
	}
	return value
}

func blob(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	size, err := wholeNumber("size", args[1])
	if err != nil {
		return nil, err
	}
	return keyBytes{args[0], int(size)}, stub.PutState(args[0], filler(size))
}

func digest(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	value, err := stub.GetState(args[0])
	sum := sha256.Sum256(value)
	return digestAnswer{args[0], len(value), hex.EncodeToString(sum[:])}, err
}

func bulk(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	numbers := [3]int64{}
	for i, what := range []string{"from", "count", "size"} {
		number, err := wholeNumber(what, args[i+1])
		if err != nil {
			return nil, err
		}
		numbers[i] = number
	}
	from, count, value := numbers[0], numbers[1], filler(numbers[2])
	for i := from; i < from+count; i++ {
		if err := stub.PutState(fmt.Sprintf("%s%08d", args[0], i), value); err != nil {
			return nil, err
		}
	}
	return map[string]int64{"written": count}, nil
}

// scan hashes a whole range: key, zero byte, value, zero byte of each entry.
func scan(stub shim.ChaincodeStubInterface, args []string) (any, error) {
	results, err := stub.GetStateByRange(args[0], args[1])
	if err != nil {
		return nil, err
	}
	hash, count := sha256.New(), 0
	err = each(results, func(key string, value []byte) error {
		hash.Write([]byte(key + "\x00"))
		hash.Write(value)
		hash.Write([]byte{0})
		count++
		return nil
	})
	return scanAnswer{count, hex.EncodeToString(hash.Sum(nil))}, err
}
