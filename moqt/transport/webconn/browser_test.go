//go:build !js

package webconn

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/transport/wtconn"
)

// TestInBrowser runs the other tests of this package in a browser, against a peer that is served here.
// MOQ_BROWSER=1 asks for it, MOQ_WASM_EXEC names wasmbrowsertest if it is not on the path.
func TestInBrowser(t *testing.T) {
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("set MOQ_BROWSER=1 to run the browser")
	}
	runner := os.Getenv("MOQ_WASM_EXEC")
	if runner == "" {
		runner = "wasmbrowsertest"
	}
	path, err := exec.LookPath(runner)
	if err != nil {
		t.Skipf("no wasmbrowsertest (go install github.com/agnivade/wasmbrowsertest): %v", err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output() // where wasmbrowsertest finds wasm_exec.js
	if err != nil {
		t.Fatal(err)
	}
	ln, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go serve(t.Context(), ln)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=60s", "-exec", path, ".")
	hash := endpoint.CertificateHash(ln.Certificate())
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOROOT="+strings.TrimSpace(string(root)),
		"WEBCONN_PEER="+ln.Addr().String(), "WEBCONN_HASH="+hex.EncodeToString(hash[:]))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// serve plays the peer. The path of a session says how.
func serve(ctx context.Context, ln *endpoint.Listener) {
	said := make(chan string, 16)
	for {
		c, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		p := &peer{c, said}
		switch c.Info().Path {
		case "/echo":
			go p.echo(ctx)
			go p.echoUni(ctx)
			go p.echoDatagrams(ctx)
		case "/end":
			go p.end(ctx)
		case "/close":
			go func() {
				_, _ = c.AcceptStream(ctx)
				_ = c.CloseWithError(0x1234567, "enough")
			}()
		case "/closed":
			go func() { <-c.Context().Done(); said <- fmt.Sprint(context.Cause(c.Context())) }()
		case "/deaf":
			go p.Conn.AcceptUniStream(ctx)
		case "/odd":
			go p.odd(ctx)
		case "/said":
			go p.say(ctx)
		}
	}
}

type peer struct {
	transport.Conn
	said chan string
}

func (p *peer) echo(ctx context.Context) {
	for {
		s, err := p.AcceptStream(ctx)
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(s, s)
			_ = s.Close()
		}()
	}
}

func (p *peer) echoUni(ctx context.Context) {
	for {
		r, err := p.AcceptUniStream(ctx)
		if err != nil {
			return
		}
		go func() {
			w, err := p.OpenUniStream(ctx)
			if err != nil {
				return
			}
			_, _ = io.Copy(w, r)
			_ = w.Close()
		}()
	}
}

func (p *peer) echoDatagrams(ctx context.Context) {
	for {
		b, err := p.Conn.ReceiveDatagram(ctx)
		if err != nil {
			return
		}
		_ = p.SendDatagram(b)
	}
}

// end ends both directions of a stream that asks for it, and notes the ends of others.
func (p *peer) end(ctx context.Context) {
	for {
		s, err := p.AcceptStream(ctx)
		if err != nil {
			return
		}
		go func() {
			word := make([]byte, 4)
			if _, err := io.ReadFull(s, word); err == nil && string(word) == "end!" {
				s.Reset(21)
				s.Stop(22)
				return
			}
			_, err := s.Read(word)
			var ended *transport.StreamError
			errors.As(err, &ended)
			<-s.Context().Done()
			p.said <- fmt.Sprintf("%v; %v", ended, context.Cause(s.Context()))
		}()
	}
}

// odd resets a stream with a code that is none of the application's.
func (p *peer) odd(ctx context.Context) {
	s, err := p.Conn.(*wtconn.Conn).QUIC().OpenUniStreamSync(ctx)
	if err != nil {
		return
	}
	_, _ = s.Write([]byte{0x40, 0x54, 0, 'x'}) // a WebTransport stream of the session that stream 0 asked for
	time.Sleep(100 * time.Millisecond)
	s.CancelWrite(0x100)
	w, err := p.OpenUniStream(ctx)
	if err != nil {
		return
	}
	_ = w.Close()
}

// say sends what was noted last.
func (p *peer) say(ctx context.Context) {
	w, err := p.OpenUniStream(ctx)
	if err != nil {
		return
	}
	select {
	case text := <-p.said:
		_, _ = io.WriteString(w, text)
	case <-time.After(5 * time.Second):
	}
	_ = w.Close()
}
