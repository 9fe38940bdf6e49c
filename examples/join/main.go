// Join prints a clock from two groups back on, and then live: each object once, wherever it comes from.
//
//	join moqt://relay.example:4443
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

	// Up to draft 19 this is a SUBSCRIBE and a joining FETCH, from 20 on a SUBSCRIBE with a fill.
	clock, err := session.Subscribe(ctx, moq.Namespace{"hall"}, "clock", moq.FromPast(2), moq.InOrder())
	if err != nil {
		log.Fatal(err)
	}
	for {
		object, err := clock.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
	report := clock.Report()
	fmt.Println(report.Objects, "objects,", report.Missing, "missing,", report.Duplicates, "twice")
}
