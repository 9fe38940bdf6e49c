package moq_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// relay is the reference relay on a free port of this host.
type relay struct {
	*reference.Relay
	listener *endpoint.Listener
	done     chan struct{}
}

func startRelay() *relay {
	below, err := reference.New(reference.Options{})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := endpoint.Listen(endpoint.ListenOptions{Addr: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	r := &relay{Relay: below, listener: listener, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		_ = below.ServeListener(context.Background(), listener)
	}()
	return r
}

func (r *relay) url() string { return "moqt://" + r.listener.Addr().String() }

func (r *relay) clientTLS() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(r.listener.Certificate().Leaf)
	return &tls.Config{RootCAs: roots}
}

func (r *relay) Close() {
	r.Relay.Close()
	<-r.done
	r.listener.Close()
}

// serve serves tracks on a free port of this host.
func serve(tracks ...*moq.Track) *moq.Listener {
	l, err := moq.Listen("127.0.0.1:0", &moq.Options{Handler: moq.Serve(tracks...)})
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func insecureTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
