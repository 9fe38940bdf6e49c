package endpoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/wtconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestSlowClientHoldsUpNobody(t *testing.T) {
	var mu sync.Mutex
	var warnings []string
	warned := make(chan struct{}, 16)
	l := listen(t, ListenOptions{UpgradeTimeout: 300 * time.Millisecond, Warn: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, err.Error())
		warned <- struct{}{}
	}})
	ctx := testContext(t)
	slow, err := quic.DialAddr(ctx, l.Addr().String(), &tls.Config{InsecureSkipVerify: true,
		NextProtos: []string{"h3"}}, quicDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.CloseWithError(0, "")
	for _, s := range schemes {
		c, err := Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseWithError(0, "")
		if _, err := l.Accept(ctx); err != nil {
			t.Fatal(err)
		}
	}
	<-slow.Context().Done()
	<-warned
	mu.Lock()
	defer mu.Unlock()
	if len(warnings) != 1 || !strings.Contains(warnings[0], "no WebTransport session") ||
		!strings.Contains(warnings[0], "deadline") {
		t.Errorf("warnings %q", warnings)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	addr, err := freeport.Loopback() // nobody else may get the port when it is free again
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, ListenOptions{Addr: addr.String()})
	ctx := testContext(t)
	var clients []transport.Conn
	for _, s := range schemes {
		for range 2 { // one is accepted, one is not
			c, err := Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseWithError(0, "")
			clients = append(clients, c)
		}
	}
	for range 2 {
		if _, err := l.Accept(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for !allHere(l, len(clients)) { // a client knows of a connection before the server does
		time.Sleep(time.Millisecond)
	}
	l.Close()
	for _, c := range clients {
		select {
		case <-c.Context().Done():
			var cause *transport.CloseError
			if !errors.As(context.Cause(c.Context()), &cause) || !cause.Remote || cause.Code != 0 || cause.Transport {
				t.Errorf("cause %v", context.Cause(c.Context()))
			}
		case <-ctx.Done():
			t.Fatal("a client did not notice")
		}
	}
	if _, err := l.Accept(ctx); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if conn, err := net.ListenPacket("udp", l.Addr().String()); err != nil {
		t.Errorf("the port is still taken: %v", err)
	} else {
		conn.Close()
	}
}

func allHere(l *Listener, n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns) == n
}

// A client whose handshake has just ended for itself learns of Close too, and does not wait for its idle timeout.
func TestCloseWhileClientsCome(t *testing.T) {
	for i := range 40 {
		l := listen(t, ListenOptions{})
		s := schemes[i%2]
		dialled := make(chan transport.Conn)
		for range 3 {
			go func() {
				c, err := Dial(testContext(t), DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure})
				if err != nil {
					c = nil
				}
				dialled <- c
			}()
		}
		first := <-dialled
		l.Close()
		for _, c := range []transport.Conn{first, <-dialled, <-dialled} {
			if c == nil {
				continue
			}
			select {
			case <-c.Context().Done():
			case <-time.After(3 * time.Second):
				t.Errorf("%s: a client did not notice", s.scheme)
			}
			c.CloseWithError(0, "")
		}
	}
}

func TestTooManyWaitingConnectionsAreRefused(t *testing.T) {
	l := listen(t, ListenOptions{})
	for range maxPending {
		l.pending <- struct{}{}
	}
	defer func() {
		for range maxPending {
			<-l.pending
		}
	}()
	c, err := Dial(testContext(t), DialOptions{URL: urlOf(t, "moqt", l.Addr(), ""), TLS: insecure})
	if err != nil {
		return // refused before the handshake was over for us
	}
	defer c.CloseWithError(0, "")
	<-c.Context().Done()
	var cause *transport.CloseError
	if !errors.As(context.Cause(c.Context()), &cause) || cause.Code != internalError {
		t.Errorf("cause %v", context.Cause(c.Context()))
	}
}

func TestListenErrors(t *testing.T) {
	l := listen(t, ListenOptions{})
	for _, addr := range []string{l.Addr().String(), "nonsense", "127.0.0.1:99999"} {
		if other, err := Listen(ListenOptions{Addr: addr}); err == nil {
			other.Close()
			t.Errorf("%s: no error", addr)
		} else if !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestHalfWrittenStreamsDoNotBlockOthers(t *testing.T) {
	client, server := connect(t, ListenOptions{}, DialOptions{Drafts: []wire.Draft{17}}, "https", "")
	ctx := testContext(t)
	q := client.(*wtconn.Conn).QUIC()
	for range 500 { // streams whose header never comes whole
		s, err := q.OpenUniStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte{0x40})
	}
	s, err := client.OpenUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Write([]byte("whole"))
	s.Close()
	r, err := server.AcceptUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "whole" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestSelfSigned(t *testing.T) {
	cert, err := SelfSigned("relay", "192.0.2.7", "relay")
	if err != nil {
		t.Fatal(err)
	}
	leaf := cert.Leaf
	for _, host := range []string{"localhost", "127.0.0.1", "::1", "relay", "192.0.2.7"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life >= 14*24*time.Hour || time.Until(leaf.NotAfter) < 24*time.Hour ||
		leaf.NotBefore.After(time.Now()) {
		t.Errorf("valid from %s for %s", leaf.NotBefore, life)
	}
	if leaf.IsCA || !leaf.BasicConstraintsValid || len(leaf.DNSNames) != 2 {
		t.Errorf("CA %v, basic constraints %v, names %v", leaf.IsCA, leaf.BasicConstraintsValid, leaf.DNSNames)
	}
	if CertificateHash(cert) != sha256.Sum256(leaf.Raw) || CertificateHash(tls.Certificate{}) != [32]byte{} {
		t.Error("the hash is not the certificate's")
	}
}

func TestLogs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SSLKEYLOGFILE", filepath.Join(dir, "keys")) // a library takes nothing from there
	t.Setenv("QLOGDIR", filepath.Join(dir, "from the environment"))
	var clientKeys, serverKeys bytes.Buffer
	l := listen(t, ListenOptions{QLOGDir: filepath.Join(dir, "q"), KeyLog: &serverKeys})
	ctx := testContext(t)
	c, err := Dial(ctx, DialOptions{URL: urlOf(t, "moqt", l.Addr(), ""), TLS: insecure,
		QLOGDir: filepath.Join(dir, "client"), KeyLog: &clientKeys})
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("%x", c.Info().OriginalDestinationConnectionID)
	if _, err := l.Accept(ctx); err != nil {
		t.Fatal(err)
	}
	c.CloseWithError(0, "")
	l.Close()
	for _, file := range []string{filepath.Join(dir, "client", id+"_client.sqlog"),
		filepath.Join(dir, "q", id+"_server.sqlog")} {
		b, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(b, []byte(id)) || !bytes.Contains(b, []byte("connection_close")) {
			t.Errorf("%s: %d bytes, %v", file, len(b), err)
		}
	}
	if !bytes.Contains(clientKeys.Bytes(), []byte("CLIENT_TRAFFIC_SECRET_0")) {
		t.Errorf("client's secrets: %q", clientKeys.Bytes())
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v: want the two folders that were asked for", entries, err)
	}
	if !bytes.Contains(serverKeys.Bytes(), []byte("SERVER_TRAFFIC_SECRET_0")) {
		t.Errorf("server's secrets: %q", serverKeys.Bytes())
	}
}

// failing is a writer that cannot write.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestLogsThatCannotBeWrittenEndNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	warned := 0
	client, server := connect(t, ListenOptions{QLOGDir: filepath.Join(file, "below a file")}, DialOptions{
		QLOGDir: filepath.Join(file, "below a file"), KeyLog: failing{}, Drafts: []wire.Draft{17},
		Warn: func(error) { mu.Lock(); defer mu.Unlock(); warned++ },
	}, "moqt", "")
	echo(t, client, server)
	mu.Lock()
	defer mu.Unlock()
	if notes := strings.Join(client.Info().Notes, "\n"); warned != 2 || !strings.Contains(notes, "qlog") ||
		!strings.Contains(notes, "disk full") {
		t.Errorf("warned %d times, notes %s", warned, notes)
	}
}

// TestMaxConnections: there is room for so many connections, whatever their transport; who comes too many is refused at
// once and told so, and comes in when another has left.
func TestMaxConnections(t *testing.T) {
	warned := make(chan error, 16)
	l := listen(t, ListenOptions{MaxConnections: 2, Warn: func(err error) { warned <- err }})
	ctx := testContext(t)
	var clients []transport.Conn
	for _, s := range schemes {
		c, err := Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseWithError(0, "")
		clients = append(clients, c)
	}
	for _, s := range schemes {
		_, err := Dial(ctx, DialOptions{URL: urlOf(t, s.scheme, l.Addr(), ""), TLS: insecure})
		var refused *quic.TransportError
		if !errors.As(err, &refused) || !refused.Remote || refused.ErrorCode != quic.ConnectionRefused {
			t.Errorf("one too many over %s: %v, want CONNECTION_REFUSED", s.scheme, err)
		}
	}
	if open, refused := l.Connections(); open != 2 || refused < 2 {
		t.Errorf("%d connections, %d refused; want 2 of each", open, refused)
	}
	if n := len(warned); n != 1 {
		t.Errorf("%d warnings, want one for the row", n)
	} else if err := <-warned; !strings.Contains(err.Error(), "there are 2 connections") {
		t.Errorf("warning %q", err)
	}
	clients[0].CloseWithError(0, "")
	// Not at once: a late packet of one that was refused begins a handshake again, which takes the place for seconds.
	var c transport.Conn
	var err error
	for range 500 {
		if c, err = Dial(t.Context(), DialOptions{URL: urlOf(t, "moqt", l.Addr(), ""), TLS: insecure}); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("after one has left: %v", err)
	}
	c.CloseWithError(0, "")
}

// TestCheckLogDir: a directory that cannot be written is found before anybody comes.
func TestCheckLogDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var path *os.PathError
	if err := CheckLogDir(filepath.Join(file, "below")); !errors.As(err, &path) {
		t.Errorf("below a file: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "new", "er")
	if err := CheckLogDir(dir); err != nil {
		t.Errorf("a new directory: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestLogIsBounded: a log ends with the record that exceeds its bound, whole, and says so once.
func TestLogIsBounded(t *testing.T) {
	var out bytes.Buffer
	var warned []string
	log := logFiles{{w: &out, room: 20, warn: func(err error) { warned = append(warned, err.Error()) }, what: "log"}}
	for range 5 {
		for _, piece := range []string{"\x1e", "0123456789ab", "c\n"} {
			if n, err := log.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
	}
	if want := strings.Repeat("\x1e0123456789abc\n", 2); out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "log: 30 bytes are written") {
		t.Errorf("warned %q", warned)
	}
}
