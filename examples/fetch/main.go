// Fetch prints what was published of a clock: groups 1 to 3.
//
//	fetch moqt://relay.example:4443
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

	first, last := moq.Location{Group: 1}, moq.Location{Group: 3} // both inclusive
	clock, err := session.Fetch(ctx, moq.Namespace{"hall"}, "clock", first, last)
	var refused *moq.RequestError
	if errors.As(err, &refused) {
		log.Fatalf("the relay says %s: %s", refused.Name, refused.Reason)
	}
	if err != nil {
		log.Fatal(err)
	}
	for {
		object, err := clock.Next(ctx)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(object.Location(), string(object.Payload))
	}
}
