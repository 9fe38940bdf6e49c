// Survivor reads a clock, and goes where the relay sends it when it says GOAWAY.
//
//	survivor moqt://relay.example:4443
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

func main() {
	insecure := flag.Bool("insecure", false, "accept any certificate")
	flag.Parse()
	ctx := context.Background()
	session, err := moq.Dial(ctx, flag.Arg(0), &moq.Options{TLS: &tls.Config{InsecureSkipVerify: *insecure}})
	if err != nil {
		log.Fatal(err)
	}
	for !read(ctx, session) {
		log.Print("GOAWAY")
		next, err := session.Redial(ctx)
		if err != nil {
			log.Fatal(err)
		}
		session.Close()
		session = next
	}
	session.Close()
}

// read reads until the track ends, or false: until the session is to be left.
func read(ctx context.Context, session *moq.Session) (done bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-session.PeerGoaway():
			cancel()
		case <-ctx.Done():
		}
	}()
	clock, err := session.Subscribe(ctx, moq.Namespace{"hall"}, "clock", moq.FromPast(0), moq.InOrder())
	if err != nil {
		log.Fatal(err)
	}
	defer clock.Close()
	for {
		object, err := clock.Next(ctx)
		switch {
		case err == nil:
			fmt.Println(object.Location(), string(object.Payload))
		case ctx.Err() != nil:
			return false
		case errors.Is(err, io.EOF):
			return true
		default:
			log.Fatal(err)
		}
	}
}
