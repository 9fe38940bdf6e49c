// Publisher publishes a clock: ten objects, each in a group of its own.
//
//	publisher moqt://relay.example:4443
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"log"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

func main() {
	insecure := flag.Bool("insecure", false, "accept any certificate")
	every := flag.Duration("every", time.Second, "time between two objects")
	flag.Parse()
	ctx := context.Background()
	session, err := moq.Dial(ctx, flag.Arg(0), &moq.Options{TLS: &tls.Config{InsecureSkipVerify: *insecure}})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	clock := moq.NewTrack(moq.Namespace{"hall"}, "clock", moq.TrackOptions{KeepGroups: 10})
	if err := session.Publish(ctx, clock); err != nil {
		log.Fatal(err)
	}
	log.Print("waiting for a subscriber")
	if err := clock.WaitForward(ctx, 1); err != nil {
		log.Fatal(err)
	}
	for group := range uint64(10) {
		o := &moq.Object{GroupID: group, Payload: []byte(time.Now().Format(time.TimeOnly))}
		if err := clock.Write(ctx, o); err != nil {
			log.Fatal(err)
		}
		time.Sleep(*every)
	}
	if err := clock.End(ctx); err != nil {
		log.Fatal(err)
	}
}
