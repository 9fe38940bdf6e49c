package matrix

import (
	"context"
	"fmt"
	"net"
)

// Healthy checks that a relay on this host is up: a UDP socket is bound to the port of addr, and a QUIC handshake
// agrees on a protocol that carries MoQT. addr is "host:port" as a relay listens on it; no host, or the address of all
// interfaces, stands for loopback. The relay's certificate is not checked, and no request is sent. The error says what
// is missing; ctx bounds the handshake. Systems other than Linux do not tell which ports are bound: there the handshake
// alone decides.
func Healthy(ctx context.Context, addr string) error {
	host, name, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", name)
	if err != nil {
		return err
	}
	if bound, err := udpBound(port); err != nil {
		return fmt.Errorf("which UDP ports are bound: %w", err)
	} else if !bound {
		return fmt.Errorf("no UDP socket of this host is bound to port %d", port)
	}
	switch ip := net.ParseIP(host); {
	case host == "", ip.Equal(net.IPv4zero):
		host = "127.0.0.1"
	case ip.Equal(net.IPv6zero):
		host = "::1"
	}
	at := net.JoinHostPort(host, name)
	if err := handshake(ctx, "moqt://"+at); err != nil {
		return fmt.Errorf("port %d is bound, but no QUIC handshake with %s: %w", port, at, err)
	}
	return nil
}
