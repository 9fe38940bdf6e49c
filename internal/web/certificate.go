package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
)

// fetchTime bounds fetching a certificate.
const fetchTime = 5 * time.Second

// Certificate asks a relay for its certificate, and judges nothing.
func Certificate(ctx context.Context, o endpoint.DialOptions) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	var cert *x509.Certificate
	o.TLS = &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) > 0 {
			cert = s.PeerCertificates[0]
		}
		return nil
	}}
	conn, err := endpoint.Dial(ctx, o)
	if err == nil {
		_ = conn.CloseWithError(0, "")
	}
	if cert != nil {
		return cert, nil // what came of the session is for the browser to find out
	}
	return nil, err
}

// mostPinned is how long a certificate may be valid that a browser accepts by its hash.
const mostPinned = 14 * 24 * time.Hour

// pinnable reports whether a browser accepts a certificate by its hash.
func pinnable(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok && key.Curve == elliptic.P256() && c.NotAfter.Sub(c.NotBefore) <= mostPinned
}
