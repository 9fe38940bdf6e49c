package probe

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
)

// shown is the certificate that a handshake showed; nil if the handshake did not get that far.
type shown struct {
	certificate  *x509.Certificate
	verification string
}

// attempt makes one connection and a session on it.
func (p *prober) attempt(ctx context.Context, j job) (Attempt, shown) {
	a := j.attempted()
	var seen shown
	limit, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	start := time.Now()
	o := p.dialOptions(j, &seen)
	conn, err := endpoint.Dial(limit, o)
	if err != nil {
		a.Duration = Milliseconds(time.Since(start))
		var bad *tls.CertificateVerificationError
		if errors.As(err, &bad) && len(bad.UnverifiedCertificates) > 0 {
			seen = shown{bad.UnverifiedCertificates[0], notTrusted}
		}
		if cancelled(ctx, err) {
			a.Status, a.Message = Cancelled, "the run ended while a connection was made"
		} else {
			a.notDialled(j, err)
		}
		return a, seen
	}
	info := conn.Info()
	draft, _ := transport.NegotiatedDraft(info)
	a.Draft = relays.Draft(draft.String())
	a.Transport = transport.OnlyQUIC
	if info.Kind == transport.WebTransport {
		a.Transport = transport.OnlyWebTransport
	}
	a.ALPN, a.Protocol = info.ALPN, info.Protocol
	a.ConnectionID = hex.EncodeToString(info.OriginalDestinationConnectionID)
	a.Notes = slices.Clone(info.Notes)

	m := transport.NewMeter(conn)
	var tolerated tolerances
	s, err := moqt.Client(limit, m, p.config(j, o.URL, &tolerated))
	a.Duration = Milliseconds(time.Since(start))
	if err != nil {
		conn.CloseWithError(uint64(wire.NoError), "") // no effect where the session has closed it
		if cancelled(ctx, err) {
			a.Status, a.Message = Cancelled, "the run ended while SETUP was awaited"
		} else {
			a.notSetUp(draft, err, m, p.Timeout)
		}
		return a, seen
	}
	a.Status = OK
	a.Implementation, a.Options = s.PeerImplementation(), options(s.PeerSetup(), draft)
	if err := s.Close(wire.NoError, ""); err != nil {
		a.Ended = true
		a.Notes = append(a.Notes, "after SETUP the session did not stay up: "+err.Error())
	}
	a.Tolerated = tolerated.names()
	return a, seen
}

// dialOptions are the options for one attempt. seen is called with the certificate.
func (p *prober) dialOptions(j job, seen *shown) endpoint.DialOptions {
	o := endpoint.DialOptions{
		URL: j.target.URL, Transport: j.transport, Drafts: j.offer, TLS: &tls.Config{},
		QLOGDir: p.QLOGDir, KeyLog: p.KeyLog, UserAgent: p.Program, Warn: p.Warn,
		QUIC: endpoint.QUIC{HandshakeTimeout: p.Timeout},
	}
	if p.TLS != nil {
		o.TLS = p.TLS.Clone()
	}
	if p.TLSDisableVerify || j.target.TLSDisableVerify {
		o.TLS.InsecureSkipVerify = true
	}
	if j.relay != nil {
		o = j.relay.Connect(o)
	}
	verification := trusted
	if o.TLS.InsecureSkipVerify {
		verification = notChecked
	}
	before := o.TLS.VerifyConnection
	var mu sync.Mutex // several addresses of a name may be tried at once
	o.TLS.VerifyConnection = func(c tls.ConnectionState) error {
		if len(c.PeerCertificates) > 0 {
			mu.Lock()
			*seen = shown{c.PeerCertificates[0], verification}
			mu.Unlock()
		}
		if before != nil {
			return before(c)
		}
		return nil
	}
	return o
}

func (p *prober) config(j job, u transport.URL, t *tolerances) moqt.Config {
	implementation := p.Program
	if p.Version != "" {
		implementation += " " + p.Version
	}
	return moqt.Config{
		Drafts:         j.offer, // a session on another one fails
		Implementation: implementation, Path: u.Path, Authority: u.Authority,
		// requests that a relay sends right after its SETUP are not judged here
		Decode: wire.Options{Tolerate: j.target.Tolerate | wire.EmptyNamespacePrefix, Tolerated: t.add},
	}
}

// fail makes the attempt a failure. The message is made of expected and received.
func (a *Attempt) fail(layer transport.Layer, timeout bool, expected, received string) {
	a.Status, a.Expected, a.Received = statusOf(layer, timeout), expected, received
	a.Message = fmt.Sprintf("expected %s, received %s", expected, received)
}

// notDialled is the failure of a connection that could not be made.
func (a *Attempt) notDialled(j job, err error) {
	var dial *transport.DialError
	if !errors.As(err, &dial) {
		dial = &transport.DialError{Layer: transport.LayerUDP, Reason: err.Error(), Err: err}
	}
	var alpns, protocols []string
	for _, d := range j.offer {
		alpns = append(alpns, d.ALPN())
		if token := d.WebTransportProtocol(); token != "" {
			protocols = append(protocols, "WT-Protocol "+token)
		} else {
			protocols = append(protocols, "no WT-Protocol")
		}
	}
	alpn, protocol := strings.Join(alpns, " or "), strings.Join(protocols, " or ")
	switch j.transport {
	case transport.OnlyWebTransport:
		alpn = "h3"
	case transport.Auto:
		alpn += " or h3"
	}
	expected := map[transport.Layer]string{
		transport.LayerDNS:          "an address of " + j.target.URL.Host,
		transport.LayerUDP:          "an answer to the QUIC handshake",
		transport.LayerTLS:          "a TLS handshake that completes",
		transport.LayerALPN:         "ALPN " + alpn,
		transport.LayerHTTP3:        "HTTP/3 SETTINGS and room for a request",
		transport.LayerWebTransport: "200 with " + protocol,
	}
	a.fail(dial.Layer, timedOut(err), expected[dial.Layer], dial.Reason)
	a.Message, a.HTTPStatus = dial.Reason, dial.HTTPStatus
}

// notSetUp is the failure of a connection on which SETUP of the negotiated draft did not go both ways.
func (a *Attempt) notSetUp(draft wire.Draft, err error, m *transport.Meter, limit time.Duration) {
	expected := "SERVER_SETUP"
	if draft >= wire.Draft17 {
		expected = "SETUP from the relay"
	}
	var (
		session *moqt.SessionError
		broken  *wire.Error
		lost    *transport.CloseError
	)
	received, timeout := err.Error(), false
	switch {
	case errors.As(err, &broken):
		received = "a breach of the draft: " + broken.Error()
	case errors.As(err, &lost) && (lost.Timeout || lost.Transport):
		received, timeout = lost.Error(), lost.Timeout
	case errors.As(err, &session):
	case timedOut(err):
		received, timeout = fmt.Sprintf("%s within %s", m.Seen(), limit), true
	}
	if assumed := m.Info().DraftAssumed(); assumed != "" && !strings.Contains(received, assumed) {
		received += "; " + assumed
	}
	a.fail(transport.LayerSetup, timeout, expected, received)
}

// timedOut reports whether an error means that the time was up.
func timedOut(err error) bool {
	var n net.Error
	var lost *transport.CloseError
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &lost) && lost.Timeout || errors.As(err, &n) &&
		n.Timeout()
}

// options are all options of a SETUP.
func options(m *wire.Setup, d wire.Draft) (out []Option) {
	for _, o := range m.Options {
		x := Option{Type: fmt.Sprintf("0x%x", o.Type), Name: wire.OptionName(d, o.Type)}
		if d == wire.Draft14 && o.Type == wire.OptionAuthority {
			// draft-14 §9.3.2.6 gives both one code, and a server sends no AUTHORITY
			x.Name = wire.OptionName(d, wire.OptionImplementation)
		}
		text := string(o.Bytes)
		switch {
		case o.Type%2 == 0: // draft-18 §1.4.3
			x.Value = &o.Uint
		case x.Name == wire.OptionName(d, wire.OptionImplementation):
			x.Text = &text
		default:
			text = hex.EncodeToString(o.Bytes)
			x.Hex = &text
		}
		out = append(out, x)
	}
	return out
}

// certificate describes a certificate at a given time.
func certificate(s shown, now time.Time) Certificate {
	c := s.certificate
	sum := sha256.Sum256(c.Raw)
	out := Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: slices.Clone(c.DNSNames),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		Days:         int(math.Floor(c.NotAfter.Sub(now).Hours() / 24)),
		Verification: s.verification, SHA256: hex.EncodeToString(sum[:]),
	}
	for _, ip := range c.IPAddresses {
		out.Names = append(out.Names, ip.String())
	}
	return out
}

// tolerances collects the deviations that were tolerated. Safe for concurrent use.
type tolerances struct {
	mu   sync.Mutex
	list []string
}

func (t *tolerances) add(x wire.Tolerance, where string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := strings.TrimSpace(x.String() + " " + where); !slices.Contains(t.list, text) {
		t.list = append(t.list, text)
	}
}

func (t *tolerances) names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.list)
}
