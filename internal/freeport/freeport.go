// Package freeport finds UDP ports for programs that have to be told theirs.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
)

const (
	lowest  = 10000
	dynamic = 32768 // from here, Linux gives ports to sockets that ask for none; other systems begin later
	tries   = 200
)

// UDP finds a port that can be bound on every address at the moment. It lies below those that the system gives to
// sockets that ask for none: one of those may go to somebody else before the program that was told of it has started.
func UDP() (int, error) {
	return within(lowest, begin(os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"))-lowest)
}

// begin is the first port that the system gives by itself.
func begin(rangeFile []byte, err error) int {
	first := 0
	if err == nil {
		_, err = fmt.Sscan(string(rangeFile), &first)
	}
	if err != nil || first < 2*lowest { // the system says nothing, or leaves little
		return dynamic
	}
	return first
}

// within finds a port among n from first.
func within(first, n int) (int, error) {
	var last error
	for range tries {
		port := first + rand.IntN(n)
		c, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
		if err == nil {
			return port, c.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no UDP port from %d to %d is free: %w", first, first+n-1, last)
}

// String is a port as text, which is how programs are told of it.
func String() (string, error) {
	port, err := UDP()
	return fmt.Sprint(port), err
}
