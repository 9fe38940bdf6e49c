package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// listen starts a server that is no good relay, and sets VAR to its host:port: listen VAR KIND
//
//	dead        nobody: a port that was free a moment ago
//	free        the same, for a server that the script starts
//	mute        a port that takes everything and never answers
//	quic        a QUIC server that knows another protocol
//	404, 200    a web server that gives this answer to every request
//	silent      takes every connection, and never says a word
//	only-18     the same, for draft 18 alone
//	closes      takes every connection, and ends it at the first byte of a stream
//	vanishes    the same, without a word
func listen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: listen VAR KIND")
	}
	var addr net.Addr
	switch kind := args[1]; kind {
	case "dead", "free":
		addr = unused(ts)
	case "mute":
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		ts.Check(err)
		ts.Defer(func() { conn.Close() })
		addr = conn.LocalAddr()
	case "quic":
		addr = strangerQUIC(ts)
	case "404", "200":
		status, _ := strconv.Atoi(kind)
		addr = webServer(ts, status)
	case "silent":
		addr = badPeer(ts, endpoint.ListenOptions{}, func(transport.Conn) {})
	case "only-18":
		addr = badPeer(ts, endpoint.ListenOptions{Drafts: []wire.Draft{wire.Draft18}}, func(transport.Conn) {})
	case "closes":
		addr = badPeer(ts, endpoint.ListenOptions{}, func(conn transport.Conn) {
			firstByte(conn)
			conn.CloseWithError(0x1, "out of order")
		})
	case "vanishes":
		addr = vanishing(ts)
	default:
		ts.Fatalf("unknown kind of server: %s", kind)
	}
	ts.Setenv(args[0], addr.String())
}

func unused(ts *testscript.TestScript) net.Addr {
	addr, err := freeport.Loopback()
	ts.Check(err)
	return addr
}

func selfSigned(ts *testscript.TestScript, protocols ...string) *tls.Config {
	cert, err := endpoint.SelfSigned()
	ts.Check(err)
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protocols}
}

func strangerQUIC(ts *testscript.TestScript) net.Addr {
	ln, err := quic.ListenAddr("127.0.0.1:0", selfSigned(ts, "another-protocol"), nil)
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	return ln.Addr()
}

func webServer(ts *testscript.TestScript, status int) net.Addr {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	ts.Check(err)
	server := &http3.Server{
		TLSConfig: http3.ConfigureTLSConfig(selfSigned(ts)),
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(conn)
	}()
	ts.Defer(func() {
		server.Close()
		conn.Close()
		<-done
	})
	return conn.LocalAddr()
}

// badPeer accepts connections and hands each to a function; those that it leaves open end with the script.
func badPeer(ts *testscript.TestScript, o endpoint.ListenOptions, serve func(transport.Conn)) net.Addr {
	o.Addr = "127.0.0.1:0"
	ln, err := endpoint.Listen(o)
	ts.Check(err)
	accepted := make(chan struct{}, 1)
	visited.Store(ln.Addr().String(), accepted)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			select {
			case accepted <- struct{}{}:
			default:
			}
			serve(conn)
		}
	}()
	ts.Defer(func() {
		cancel()
		ln.Close()
		<-done
	})
	return ln.Addr()
}

// certificateFiles writes a self-signed certificate for loopback and its key: certificate CERT KEY
func certificateFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: certificate CERT KEY")
	}
	cert, err := endpoint.SelfSigned()
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	ts.Check(err)
	for i, block := range []*pem.Block{{Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		{Type: "PRIVATE KEY", Bytes: key}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[i]), pem.EncodeToMemory(block), 0o600))
	}
}

// shows wants a relay to show the certificate that a file has: shows HOST:PORT CERT
func shows(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: shows HOST:PORT CERT")
	}
	u, err := transport.ParseURL("moqt://" + args[0])
	ts.Check(err)
	block, _ := pem.Decode([]byte(ts.ReadFile(args[1])))
	same := false
	conf := &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		same = bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes)
		return nil
	}}
	ts.Check(endpoint.CheckHealth(context.Background(), endpoint.DialOptions{URL: u, TLS: conf}))
	if same == neg {
		ts.Fatalf("%s: the same certificate: %v", args[0], same)
	}
}

// envPort sets a variable to the port of an address: env-port VAR HOST:PORT
func envPort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: env-port VAR HOST:PORT")
	}
	_, port, err := net.SplitHostPort(args[1])
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// visited has, by host:port, a channel that says that a peer of badPeer was connected to.
var visited sync.Map

// visit waits until the program has connected to a server of the script: visit HOST:PORT
func visit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: visit HOST:PORT")
	}
	accepted, ok := visited.Load(args[0])
	if !ok {
		ts.Fatalf("no such server: %s", args[0])
	}
	select {
	case <-accepted.(chan struct{}):
	case <-time.After(10 * time.Second):
		ts.Fatalf("nobody has connected to %s", args[0])
	}
}

// vanishing is a server whose socket is gone as soon as the client has said something.
func vanishing(ts *testscript.TestScript) net.Addr {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	ts.Check(err)
	var protocols []string
	for _, d := range wire.Drafts() {
		protocols = append(protocols, d.ALPN())
	}
	tr := &quic.Transport{Conn: socket}
	ln, err := tr.Listen(selfSigned(ts, protocols...), nil)
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := ln.Accept(ctx); err == nil {
			stop := context.AfterFunc(ctx, func() { conn.CloseWithError(0, "") })
			if s, err := conn.AcceptUniStream(ctx); err == nil {
				s.Read(make([]byte, 1))
			}
			stop()
			socket.Close()
		}
	}()
	ts.Defer(func() {
		cancel()
		<-done
		socket.Close()
		tr.Close()
	})
	return socket.LocalAddr()
}

// firstByte waits for the first byte that the peer sends on a stream of either kind.
func firstByte(conn transport.Conn) {
	ctx, cancel := context.WithCancel(conn.Context())
	defer cancel()
	seen := make(chan struct{}, 2)
	go func() {
		if s, err := conn.AcceptStream(ctx); err == nil {
			s.Read(make([]byte, 1))
		}
		seen <- struct{}{}
	}()
	go func() {
		if s, err := conn.AcceptUniStream(ctx); err == nil {
			s.Read(make([]byte, 1))
		}
		seen <- struct{}{}
	}()
	<-seen
}

// await waits until a relay that the script has started takes connections: await HOST:PORT
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await HOST:PORT")
	}
	u, err := transport.ParseURL("moqt://" + args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		conn, err := endpoint.Dial(ctx, endpoint.DialOptions{URL: u, Transport: transport.OnlyQUIC,
			TLS: &tls.Config{InsecureSkipVerify: true}})
		if err == nil {
			conn.CloseWithError(0, "")
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			ts.Fatalf("nobody at %s: %v", args[0], err)
		}
	}
}
