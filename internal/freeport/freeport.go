// Package freeport finds UDP ports for programs that have to be told theirs.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"syscall"
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
		err := Check(port)
		if err == nil {
			return port, nil
		}
		last = err
	}
	return 0, fmt.Errorf("no UDP port from %d to %d is free: %w", first, first+n-1, last)
}

// Check reports why a UDP port cannot be bound on every address at the moment; nil when it can.
//
// A program that this one starts in between would hold the socket until it is running, and the port with it. So none
// starts meanwhile. On macOS, opening a socket takes the same lock, so nobody may hold it then.
func Check(port int) error {
	if runtime.GOOS == "linux" {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
	if err != nil {
		return err
	}
	return c.Close()
}

// Loopback is an address on loopback with such a port: for a server that comes back where it was, and for an address
// where nobody may be.
func Loopback() (*net.UDPAddr, error) {
	port, err := UDP()
	return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}, err
}

// String is a port as text, which is how programs are told of it.
func String() (string, error) {
	port, err := UDP()
	return fmt.Sprint(port), err
}
