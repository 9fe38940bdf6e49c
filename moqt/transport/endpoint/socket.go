package endpoint

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"

	"golang.org/x/net/ipv4"
)

// maxRefusals is how many port-unreachable answers in a row, with nothing received between them, end an established
// connection. One can also come when the peer has closed and its last packets still wait to be read.
const maxRefusals = 3

// clientSocket is a connected UDP socket for quic-go, which only knows unconnected ones. The system tells a connected
// socket of an ICMP port-unreachable answer, so that a dead port is known at once and not by a timeout.
type clientSocket struct {
	*net.UDPConn
	batch    *ipv4.PacketConn
	received atomic.Int64
	refusals atomic.Int32 // since the last datagram
}

func dialUDP(addr *net.UDPAddr) (*clientSocket, error) {
	conn, err := net.DialUDP("udp", nil, addr)
	if err != nil {
		return nil, err
	}
	return &clientSocket{UDPConn: conn, batch: ipv4.NewPacketConn(conn)}, nil
}

// fatal reports whether an error of the socket ends the connection. Besides refusals, a connected socket also reports
// the ICMP answers that path MTU discovery provokes, which mean nothing here.
func (s *clientSocket) fatal(err error) bool {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return s.refusals.Add(1) >= maxRefusals || s.received.Load() == 0
	case errors.Is(err, syscall.EMSGSIZE):
		return false
	}
	return true
}

func (s *clientSocket) got(n int) {
	s.received.Add(int64(n))
	s.refusals.Store(0)
}

// ReadBatch is what quic-go reads with where the system can read several datagrams at a time.
func (s *clientSocket) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	for {
		n, err := s.batch.ReadBatch(ms, flags)
		if err == nil {
			s.got(n)
			return n, nil
		}
		if s.fatal(err) {
			return n, err
		}
	}
}

// ReadMsgUDP and ReadFrom are what it reads with elsewhere.
func (s *clientSocket) ReadMsgUDP(b, oob []byte) (n, oobn, flags int, addr *net.UDPAddr, err error) {
	for {
		n, oobn, flags, addr, err = s.UDPConn.ReadMsgUDP(b, oob)
		if err == nil {
			s.got(1)
			return
		}
		if s.fatal(err) {
			return
		}
	}
}

// ReadFrom is ReadMsgUDP without the control data.
func (s *clientSocket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, _, _, addr, err := s.ReadMsgUDP(b, nil)
	return n, addr, err
}

// WriteMsgUDP sends to the address the socket is connected to; package net wants none then.
func (s *clientSocket) WriteMsgUDP(b, oob []byte, _ *net.UDPAddr) (n, oobn int, err error) {
	n, oobn, err = s.UDPConn.WriteMsgUDP(b, oob, nil)
	if err != nil && errors.Is(err, syscall.ECONNREFUSED) && !s.fatal(err) {
		return len(b), len(oob), nil // QUIC sends again what was lost
	}
	return n, oobn, err
}

// WriteTo is WriteMsgUDP without control data.
func (s *clientSocket) WriteTo(b []byte, _ net.Addr) (int, error) {
	n, _, err := s.WriteMsgUDP(b, nil, nil)
	return n, err
}
