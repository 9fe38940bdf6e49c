// Subscriber prints the clock of the example publisher until it ends.
//
//	subscriber moqt://relay.example:4443
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
	defer session.Close()

	clock, err := session.Subscribe(ctx, moq.Namespace{"hall"}, "clock", moq.InOrder())
	if err != nil {
		log.Fatal(err)
	}
	for {
		object, err := clock.Next(ctx)
		if errors.Is(err, io.EOF) {
			return // the track has ended, and everything has come
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
}
