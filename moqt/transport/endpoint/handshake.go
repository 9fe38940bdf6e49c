package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// HandshakeOutcome is what became of a client's handshake with a Listener.
type HandshakeOutcome string

// The outcomes.
const (
	// HandshakeComplete: there is a connection, on WebTransport with its request accepted.
	HandshakeComplete HandshakeOutcome = "complete"
	// HandshakeChecked: it was a health check (CheckHealth), which asks for nothing more.
	HandshakeChecked HandshakeOutcome = "checked"
	// HandshakeWeb: the client took the listener for a web server, and has left.
	HandshakeWeb HandshakeOutcome = "web"
	// HandshakeLeft: the client ended the connection without an error before it asked for anything.
	HandshakeLeft HandshakeOutcome = "left"
	// HandshakeRefused: there was no room for another connection.
	HandshakeRefused HandshakeOutcome = "refused"
	// HandshakeNoProtocol: client and listener have no ALPN in common.
	HandshakeNoProtocol HandshakeOutcome = "no_application_protocol"
	// HandshakeBadCertificate: the client did not take the listener's certificate.
	HandshakeBadCertificate HandshakeOutcome = "certificate_refused"
	// HandshakeTimeout: the client fell silent.
	HandshakeTimeout HandshakeOutcome = "timeout"
	// HandshakeNoWebTransport: HTTP/3 was agreed on, and no WebTransport session came of it.
	HandshakeNoWebTransport HandshakeOutcome = "no_webtransport"
	// HandshakeFailed: anything else.
	HandshakeFailed HandshakeOutcome = "failed"
)

// HandshakeOutcomes are all of them.
func HandshakeOutcomes() []HandshakeOutcome {
	return []HandshakeOutcome{HandshakeComplete, HandshakeChecked, HandshakeWeb, HandshakeLeft, HandshakeRefused,
		HandshakeNoProtocol, HandshakeBadCertificate, HandshakeTimeout, HandshakeNoWebTransport, HandshakeFailed}
}

// A HandshakeReport is how a client's handshake went.
type HandshakeReport struct {
	Outcome HandshakeOutcome
	// Took is the time from the client's first packet to the outcome; 0 where the client was refused.
	Took time.Duration
	// Info is that of the connection. Where there is none, it has the client's address and no more.
	Info transport.Info
	// Err says why nothing came of it; nil with HandshakeComplete, HandshakeChecked, HandshakeWeb and
	// HandshakeLeft.
	Err error
}

// meta is what a listener knows of a QUIC connection.
type meta struct {
	client net.Addr
	began  time.Time
	odcid  []byte
	log    *connLog
	// check: the client says that it is a health check. taken: the QUIC handshake is complete, and who has taken the
	// connection reports the outcome. told: it is reported. The listener's lock guards them.
	check, taken, told bool
}

type metaKey struct{}

// metaOf is what the listener knows of a connection.
func metaOf(q *quic.Conn) *meta {
	if m, ok := q.Context().Value(metaKey{}).(*meta); ok {
		return m
	}
	return &meta{client: q.RemoteAddr(), began: time.Now()}
}

// alpnCheck is a protocol that nobody speaks. A client that offers it beside others asks for a handshake and nothing
// more; servers that do not know it pass over it (RFC 7301 §3.2).
const alpnCheck = "moq-interop-client-health-check"

// CheckHealth finds out whether a server completes a QUIC handshake that offers what carries MoQT, and ends the
// connection at once. A Listener neither hands such a connection to Accept nor tells Warn of it nor keeps a log of it.
// Errors are as Dial's.
func CheckHealth(ctx context.Context, opts DialOptions) error {
	offer := append(alpns(opts.Transport, opts.URL.Scheme, orAll(opts.Drafts)), alpnCheck)
	d := &dialer{opts: opts, offer: offer}
	addrs, err := resolve(ctx, opts.URL)
	if err != nil {
		return err
	}
	a, err := d.race(ctx, addrs)
	if err != nil {
		return err
	}
	farewell(a.q, "")
	a.free()
	return nil
}

// checking notes that a client is a health check, whose hello has this context.
func (l *Listener) checking(ctx context.Context) {
	if m, ok := ctx.Value(metaKey{}).(*meta); ok {
		l.mu.Lock()
		defer l.mu.Unlock()
		m.check = true
	}
}

// checked waits until a health check has left, and reports whether it is one.
func (l *Listener) checked(q *quic.Conn, m *meta) bool {
	l.mu.Lock()
	check := m.check
	l.mu.Unlock()
	if !check {
		return false
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.opts.UpgradeTimeout)
	defer cancel()
	select {
	case <-q.Context().Done():
	case <-ctx.Done():
		farewell(q, "a health check is over when the handshake is")
	}
	return true
}

// take notes that the QUIC handshake is complete.
func (l *Listener) take(m *meta) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.taken = true
}

// report tells what became of a handshake, once.
func (l *Listener) report(m *meta, r HandshakeReport) {
	l.mu.Lock()
	told := m.told
	m.told = true
	l.mu.Unlock()
	if told {
		return
	}
	if r.Info.RemoteAddr == nil {
		r.Info.RemoteAddr = m.client
		r.Info.OriginalDestinationConnectionID = m.odcid
	}
	r.Took = time.Since(m.began)
	if r.Err != nil {
		l.warn(r.Err)
	}
	if l.opts.Handshake != nil {
		l.opts.Handshake(r)
	}
}

// ended is called when a QUIC connection has, for a cause.
func (l *Listener) ended(m *meta, cause error) {
	l.mu.Lock()
	check, taken := m.check, m.taken
	l.mu.Unlock()
	switch {
	case check && leftAtOnce(cause):
		l.report(m, HandshakeReport{Outcome: HandshakeChecked})
	case !taken && l.ctx.Err() == nil:
		l.report(m, judge(m.client, cause))
	}
	m.log.letGo(!check)
}

// leftAtOnce reports whether a client ended its connection without an error.
func leftAtOnce(cause error) bool {
	var app *quic.ApplicationError
	var qerr *quic.TransportError
	switch {
	case errors.As(cause, &app):
		return app.Remote && (app.ErrorCode == 0 || app.ErrorCode == quic.ApplicationErrorCode(http3.ErrCodeNoError))
	case errors.As(cause, &qerr): // what an application's code becomes in a Handshake packet (RFC 9000 §10.2.3)
		return qerr.Remote && qerr.ErrorCode == quic.ApplicationErrorErrorCode
	}
	return false
}

// The TLS alerts with which a client refuses a certificate (RFC 8446 §6.2): bad_certificate to certificate_unknown, and
// unknown_ca.
const (
	alertBadCertificate     = cryptoErrors + 42
	alertCertificateUnknown = cryptoErrors + 46
	alertUnknownCA          = cryptoErrors + 48
)

// judge says what came of a handshake that ended for a cause before there was a connection.
func judge(client net.Addr, cause error) HandshakeReport {
	var qerr *quic.TransportError
	var timeout net.Error
	r := HandshakeReport{Outcome: HandshakeFailed}
	what := ""
	switch {
	case leftAtOnce(cause):
		r.Outcome = HandshakeLeft
		return r
	case errors.As(cause, &qerr):
		switch code := qerr.ErrorCode; {
		case code == alertNoApplicationPro && !qerr.Remote:
			r.Outcome, what = HandshakeNoProtocol, "the client offers no ALPN that is served"
		case qerr.Remote && (code >= alertBadCertificate && code <= alertCertificateUnknown || code == alertUnknownCA):
			r.Outcome, what = HandshakeBadCertificate, "the client refuses the certificate"
		case code == quic.ConnectionRefused && !qerr.Remote:
			r.Outcome = HandshakeRefused
		}
	case errors.Is(cause, context.DeadlineExceeded), errors.As(cause, &timeout) && timeout.Timeout():
		r.Outcome, what = HandshakeTimeout, "the client fell silent"
	}
	if what != "" {
		what += ": "
	}
	r.Err = fmt.Errorf("no connection from %s: %s%w", client, what, cause)
	return r
}
