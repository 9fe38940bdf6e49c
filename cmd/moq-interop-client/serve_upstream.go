package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// serveUpstream says which relay this one is behind, and how it is reached.
type serveUpstream struct {
	Upstream          *string `placeholder:"URL" help:"The relay that is asked for what nobody publishes here."`
	UpstreamToken     string  `placeholder:"T" help:"Authorization token for its SETUP."`
	UpstreamCA        *string `name:"upstream-ca" placeholder:"FILE" help:"Trust these certificates (PEM) alone."`
	UpstreamNoVerify  bool    `name:"upstream-tls-disable-verify" help:"Accept any certificate from it."`
	UpstreamDrafts    *string `placeholder:"NN,…" help:"Drafts to offer it. Default: all, newest first."`
	UpstreamTransport *string `placeholder:"NAME" help:"One of ${transports}. Default scheme."`
}

// parent gives the relay's parent, nil without --upstream. quic has the idle time and keep-alive of this side too. The
// error is a usage error.
func (u *serveUpstream) parent(sys *system, quic endpoint.QUIC) (*reference.Parent, error) {
	v := sys.choose(u.Upstream, "--upstream", "")
	if !v.set {
		if u.UpstreamToken != "" || u.UpstreamCA != nil || u.UpstreamNoVerify || u.UpstreamDrafts != nil ||
			u.UpstreamTransport != nil {
			return nil, usage("--upstream: missing, with other flags for the upstream relay")
		}
		return nil, nil
	}
	to, err := transport.ParseURL(v.text)
	if err != nil {
		return nil, v.fail(err)
	}
	drafts, err := parseDrafts(sys.choose(u.UpstreamDrafts, "--upstream-drafts", ""))
	if err != nil {
		return nil, err
	}
	choice, err := parseTransport(sys.choose(u.UpstreamTransport, "--upstream-transport", string(transport.Scheme)))
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{InsecureSkipVerify: u.UpstreamNoVerify}
	if ca := sys.choose(u.UpstreamCA, "--upstream-ca", ""); ca.set {
		if conf.RootCAs, err = roots(ca.text); err != nil {
			return nil, ca.fail(err)
		}
	}
	return &reference.Parent{
		Name: v.text, Path: to.Path, Authority: to.Authority, Token: u.UpstreamToken,
		Dial: func(ctx context.Context) (transport.Conn, error) {
			return endpoint.Dial(ctx, endpoint.DialOptions{URL: to, Transport: choice, Drafts: drafts, TLS: conf,
				QUIC: quic})
		},
	}, nil
}

// roots reads certificates to trust.
func roots(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}
