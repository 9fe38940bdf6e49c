package matrix

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// Here provides what a run takes from this process: the built-in client, the embedded relay, handshakes, certificates.
type Here struct {
	// Info is who the built-in client says it is.
	Info runner.ClientInfo
	// Config is the configuration of its cases, except for what a cell decides: how to dial, the URL, the drafts, the
	// tolerances of the endpoint.
	Config cases.Config
	// Standard are the cases that are run when the plan names none.
	Standard []cases.Case
	// Relay has the options of the embedded relay, except for its faults, which are in its URL.
	Relay reference.Options
	// KeyLog gets the TLS secrets of the built-in client; nil is nowhere.
	KeyLog io.Writer
}

// Fill sets the options that are functions: Builtin, Embedded, Probe and Certificate.
func (h Here) Fill(o *Options) {
	o.Builtin, o.Embedded, o.Probe, o.Certificate = h.builtin, h.embedded, Handshake, Certificate
}

// builtin is Options.Builtin.
func (h Here) builtin(r Request) (runner.Client, []cases.Case, error) {
	list := h.Standard
	if len(r.Cases) > 0 {
		var err error
		if list, err = (runner.Selection{}).Cases(r.Cases); err != nil {
			return nil, nil, err
		}
	}
	cfg := h.Config
	cfg.Drafts = nil
	if r.Cell.Draft != "" {
		d, err := wire.ParseDraft(r.Cell.Draft)
		if err != nil {
			return nil, nil, err
		}
		cfg.Drafts = []wire.Draft{d}
	}
	for _, name := range r.Endpoint.Tolerances {
		if err := cfg.SetTolerance(name); err != nil {
			return nil, nil, err
		}
	}
	settings := r.Endpoint.Settings
	var err error
	if cfg.NamespacePrefix, err = settings.NamespacePrefix.Namespace(); err != nil {
		return nil, nil, err
	}
	cfg.AuthToken, cfg.Strict = r.AuthToken, cfg.Strict || settings.Strict
	if settings.TimeoutFactor != 0 {
		cfg.TimeoutFactor = float64(settings.TimeoutFactor)
	}
	u, err := transport.ParseURL(r.URL)
	if err != nil {
		return nil, nil, err
	}
	roots, err := authorities(settings.TLS)
	if err != nil {
		return nil, nil, err
	}
	dial := endpoint.DialOptions{
		URL: u, Transport: transport.Choice(r.Cell.Transport), Drafts: cfg.Drafts,
		TLS: &tls.Config{InsecureSkipVerify: r.TLSDisableVerify, RootCAs: roots}, QLOGDir: r.QLOGDir, KeyLog: h.KeyLog,
		UserAgent: h.Info.Name,
	}
	if r.Instance != nil {
		if relay, ok := r.Instance.Value.(*runner.Relay); ok {
			dial, cfg.Embedded = relay.Connect(dial), r.Endpoint.Network == ""
		}
	}
	if r.Endpoint.Network != "" { // the name is the relay's, the address that of the path
		dial.TLS.ServerName = dial.URL.Host
		if named, err := transport.ParseURL(r.Cell.URL); err == nil {
			dial.TLS.ServerName, u.Authority = named.Host, named.Authority
		}
		dial.URL = u
	}
	cfg.URL, cfg.Dial = dial.URL, runner.Dialer(dial)
	return runner.Builtin(h.Info, cfg), list, nil
}

// authorities reads the certificates to trust from a PEM file; nil, the system's, for no file.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("tls: %s has no certificate in PEM", file)
	}
	return pool, nil
}

// embedded is Options.Embedded.
func (h Here) embedded(_ context.Context, e Endpoint) (*Instance, error) {
	target, err := runner.ParseTarget(e.URL, reference.FaultNames(), reference.QuirkNames())
	if err != nil {
		return nil, err
	}
	relay, err := runner.StartEmbedded(target, h.Relay)
	if err != nil {
		return nil, err
	}
	return &Instance{Address: relay.Addr().String(), Value: relay, Done: relay.Done(), Err: relay.Err,
		Stop: relay.Close}, nil
}

// Handshake tries a QUIC handshake with a relay, for Options.Probe. A relay that has none of the protocols offered is
// up: no error.
func Handshake(ctx context.Context, url string) error {
	err := handshake(ctx, url)
	var dial *transport.DialError
	if errors.As(err, &dial) && ctx.Err() == nil && dial.Layer == transport.LayerALPN {
		return nil
	}
	return err
}

// handshake offers a relay every draft, and leaves.
func handshake(ctx context.Context, url string) error {
	u, err := transport.ParseURL(url)
	if err != nil {
		return err
	}
	return endpoint.CheckHealth(ctx, endpoint.DialOptions{URL: u, TLS: &tls.Config{InsecureSkipVerify: true}})
}

// Certificate writes a self-signed certificate for the names "localhost" and "relay" into dir, for Options.Certificate.
// The files are cert.pem and priv.key, the names that relay images expect.
func Certificate(dir string) (cert, key string, err error) {
	made, err := endpoint.SelfSigned("relay")
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		return "", "", fmt.Errorf("private key: %w", err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "priv.key")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]}), 0o644),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
}
