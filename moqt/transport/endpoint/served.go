package endpoint

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"
)

const (
	// renewBefore is how long before its end a certificate that the listener made is replaced. A client that pins
	// the hash of the old one has that time, minus renewEvery, to learn the new one.
	renewBefore = 24 * time.Hour
	// renewEvery is how often that is looked at: by the clock on the wall, which goes on while a machine sleeps.
	renewEvery = time.Hour
)

// served is what a listener shows as its certificate. It can be replaced while the listener serves.
type served struct {
	mu    sync.Mutex
	certs []tls.Certificate // empty when the TLS configuration has a function of its own
}

// first is the first certificate, zero when there is none.
func (s *served) first() tls.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.certs) == 0 {
		return tls.Certificate{}
	}
	return s.certs[0]
}

func (s *served) set(certs ...tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.certs = certs
}

// choose is tls.Config.GetCertificate: the first certificate that suits the client, or else the first.
func (s *served) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	certs := s.certs
	s.mu.Unlock()
	for i := range certs {
		if hello.SupportsCertificate(&certs[i]) == nil {
			return &certs[i], nil
		}
	}
	return &certs[0], nil
}

// keepFresh replaces a certificate of our own making before it ends, until ctx does.
func (s *served) keepFresh(ctx context.Context, renewed func(tls.Certificate), warn func(error)) {
	every := time.NewTicker(renewEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		if now := time.Now().Round(0); now.Before(s.first().Leaf.NotAfter.Add(-renewBefore)) {
			continue
		}
		cert, err := SelfSigned()
		if err != nil {
			warn(fmt.Errorf("the certificate ends on %v and cannot be renewed: %w", s.first().Leaf.NotAfter, err))
			continue
		}
		s.set(cert)
		if renewed != nil {
			renewed(cert)
		}
	}
}

// SetCertificate has every handshake from now on see this certificate; connections that there are go on. The listener
// renews it no more. The error is about a TLS configuration that chooses the certificate by a function of its own.
func (l *Listener) SetCertificate(cert tls.Certificate) error {
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return fmt.Errorf("a certificate without chain or key")
	}
	if l.opts.TLS != nil && len(l.opts.TLS.Certificates) == 0 && l.opts.TLS.GetCertificate != nil {
		return fmt.Errorf("the TLS configuration has a function that chooses the certificate")
	}
	l.stopRenewing()
	l.served.set(cert)
	return nil
}

// Certificate is the first certificate that is served now; zero when the TLS configuration chooses by a function of its
// own.
func (l *Listener) Certificate() tls.Certificate { return l.served.first() }
