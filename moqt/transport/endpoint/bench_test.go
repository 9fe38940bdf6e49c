package endpoint

import (
	"context"
	"crypto/tls"
	"io"
	"testing"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

const benchWrite = 4 << 10

// BenchmarkThroughput sends 4 KiB writes on one unidirectional stream over loopback: quic-go alone, and our two
// transports on it.
func BenchmarkThroughput(b *testing.B) {
	b.Run("quic-go", func(b *testing.B) {
		cert, err := SelfSigned()
		if err != nil {
			b.Fatal(err)
		}
		ln, err := quic.ListenAddr("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert},
			NextProtos: []string{"x"}}, quicDefaults())
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		q, err := quic.DialAddr(b.Context(), ln.Addr().String(),
			&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"x"}}, quicDefaults())
		if err != nil {
			b.Fatal(err)
		}
		defer q.CloseWithError(0, "")
		sq, err := ln.Accept(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer sq.CloseWithError(0, "")
		throughput(b, func(ctx context.Context) (io.WriteCloser, error) { return q.OpenUniStreamSync(ctx) },
			func(ctx context.Context) (io.Reader, error) { return sq.AcceptUniStream(ctx) })
	})
	for _, s := range schemes {
		b.Run(string(s.kind), func(b *testing.B) {
			l, err := Listen(ListenOptions{Addr: "127.0.0.1:0"})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			u, _ := transport.ParseURL(s.scheme + "://" + l.Addr().String())
			c, err := Dial(b.Context(), DialOptions{URL: u, TLS: insecure, Drafts: []wire.Draft{17}})
			if err != nil {
				b.Fatal(err)
			}
			sc, err := l.Accept(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			throughput(b, func(ctx context.Context) (io.WriteCloser, error) { return c.OpenUniStream(ctx) },
				func(ctx context.Context) (io.Reader, error) { return sc.AcceptUniStream(ctx) })
			c.CloseWithError(0, "")
		})
	}
}

func throughput(b *testing.B, open func(context.Context) (io.WriteCloser, error),
	accept func(context.Context) (io.Reader, error)) {
	w, err := open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, benchWrite)
	w.Write(buf)
	r, err := accept(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(benchWrite)
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan error, 1)
	go func() {
		_, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 64<<10))
		done <- err
	}()
	for b.Loop() {
		w.Write(buf)
	}
	w.Close()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// quicDefaults is how QUIC is set up without any settings.
func quicDefaults() *quic.Config {
	conf, err := QUIC{}.config()
	if err != nil {
		panic(err)
	}
	return conf
}
