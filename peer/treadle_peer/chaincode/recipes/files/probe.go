// Tells whether somebody listens at the given host:port: exit code 0, or 3.
package main

import (
	"net"
	"os"
	"time"
)

func main() {
	connection, err := net.DialTimeout("tcp", os.Args[1], 3*time.Second)
	if err != nil {
		os.Exit(3)
	}
	connection.Close()
}
