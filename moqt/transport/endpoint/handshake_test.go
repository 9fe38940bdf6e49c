package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// A handshake that comes to nothing is told with its reason, on raw QUIC too, and its outcome is reported once.
func TestHandshakeOutcomes(t *testing.T) {
	for _, c := range []struct {
		name    string
		listen  ListenOptions
		dial    func(ctx context.Context, t *testing.T, l *Listener) error
		outcome HandshakeOutcome
		warns   string // "" for no warning
	}{
		{"complete, QUIC", ListenOptions{}, dialAs("moqt", insecure), HandshakeComplete, ""},
		{"complete, WebTransport", ListenOptions{}, dialAs("https", insecure), HandshakeComplete, ""},
		{"certificate refused, QUIC", ListenOptions{}, dialAs("moqt", nil), HandshakeBadCertificate,
			"the client refuses the certificate"},
		{"certificate refused, WebTransport", ListenOptions{}, dialAs("https", nil), HandshakeBadCertificate,
			"the client refuses the certificate"},
		{"no ALPN", ListenOptions{Transport: transport.OnlyWebTransport}, dialAs("moqt", insecure),
			HandshakeNoProtocol, "the client offers no ALPN that is served"},
		{"no path", ListenOptions{Path: "/moq"}, dialAs("https", insecure), HandshakeNoWebTransport, "404"},
		{"health check, QUIC", ListenOptions{}, check("moqt"), HandshakeChecked, ""},
		{"health check, WebTransport", ListenOptions{Transport: transport.OnlyWebTransport}, check("https"),
			HandshakeChecked, ""},
		{"health check, another path", ListenOptions{Path: "/moq"}, check("https"), HandshakeChecked, ""},
		{"left, HTTP/3", ListenOptions{}, func(ctx context.Context, t *testing.T, l *Listener) error {
			q, err := quic.DialAddr(ctx, l.Addr().String(), &tls.Config{InsecureSkipVerify: true,
				NextProtos: []string{"h3"}}, quicDefaults())
			if err == nil {
				q.CloseWithError(0x100, "")
			}
			return err
		}, HandshakeLeft, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reports, warnings := make(chan HandshakeReport, 8), make(chan error, 8)
			c.listen.Handshake = func(r HandshakeReport) { reports <- r }
			c.listen.Warn = func(err error) { warnings <- err }
			c.listen.MLOGDir = t.TempDir()
			l := listen(t, c.listen)
			ctx := testContext(t)
			err := c.dial(ctx, t, l)
			var r HandshakeReport
			select {
			case r = <-reports:
			case <-ctx.Done():
				t.Fatalf("nothing is reported; the client has %v", err)
			}
			l.Close()
			if r.Outcome != c.outcome || r.Info.RemoteAddr == nil || r.Took <= 0 {
				t.Errorf("%+v, want %s; the client has %v", r, c.outcome, err)
			}
			if len(reports) > 0 {
				t.Errorf("another report: %+v", <-reports)
			}
			switch {
			case c.warns == "" && len(warnings) > 0:
				t.Errorf("warning %v", <-warnings)
			case c.warns != "" && len(warnings) != 1:
				t.Errorf("%d warnings", len(warnings))
			case c.warns != "":
				if err := <-warnings; !strings.Contains(err.Error(), c.warns) || !strings.Contains(err.Error(),
					"127.0.0.1:") || !errors.Is(r.Err, err) {
					t.Errorf("warning %q, report %v", err, r.Err)
				}
			}
			files, err := os.ReadDir(c.listen.MLOGDir)
			if err != nil || (len(files) == 0) != (c.outcome == HandshakeChecked) {
				t.Errorf("logs %v, %v", files, err)
			}
		})
	}
}

// dialAs dials with a scheme, and closes what comes of it.
func dialAs(scheme string, conf *tls.Config) func(context.Context, *testing.T, *Listener) error {
	return func(ctx context.Context, t *testing.T, l *Listener) error {
		c, err := Dial(ctx, DialOptions{URL: urlOf(t, scheme, l.Addr(), ""), TLS: conf, Transport: transport.Scheme})
		if err == nil {
			if _, err := l.Accept(ctx); err != nil {
				t.Error(err)
			}
			c.CloseWithError(0, "")
		}
		return err
	}
}

func check(scheme string) func(context.Context, *testing.T, *Listener) error {
	return func(ctx context.Context, t *testing.T, l *Listener) error {
		err := CheckHealth(ctx, DialOptions{URL: urlOf(t, scheme, l.Addr(), ""), TLS: insecure})
		if err != nil {
			t.Error(err)
		}
		return err
	}
}

// Many health checks leave nothing behind, however their last packets are put together.
func TestHealthChecksLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	l := listen(t, ListenOptions{MLOGDir: dir, QLOGDir: dir, Warn: func(err error) { t.Errorf("warning %v", err) }})
	for range 30 {
		check("moqt")(testContext(t), t, l)
	}
	if open, _ := l.Connections(); open > 30 {
		t.Errorf("%d connections", open)
	}
	l.Close()
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// A client that says it checks health, and stays, is sent away.
func TestHealthCheckThatStays(t *testing.T) {
	l := listen(t, ListenOptions{UpgradeTimeout: 50 * time.Millisecond})
	ctx := testContext(t)
	q, err := quic.DialAddr(ctx, l.Addr().String(), &tls.Config{InsecureSkipVerify: true,
		NextProtos: []string{"moqt-18", alpnCheck}}, quicDefaults())
	if err != nil {
		t.Fatal(err)
	}
	defer q.CloseWithError(0, "")
	<-q.Context().Done()
	var app *quic.ApplicationError
	if err := context.Cause(q.Context()); !errors.As(err, &app) || !app.Remote || app.ErrorCode != 0 {
		t.Errorf("it ended with %v", err)
	}
}
