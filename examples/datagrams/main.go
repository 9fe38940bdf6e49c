// Datagrams sends a hundred datagrams through a relay to itself, and tells how many came and how long they took.
//
//	datagrams moqt://relay.example:4443
package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

func main() {
	insecure := flag.Bool("insecure", false, "accept any certificate")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dial := func() *moq.Session {
		s, err := moq.Dial(ctx, flag.Arg(0), &moq.Options{TLS: &tls.Config{InsecureSkipVerify: *insecure}})
		if err != nil {
			log.Fatal(err)
		}
		return s
	}
	sender, receiver := dial(), dial()
	defer sender.Close()
	defer receiver.Close()

	pings := moq.NewTrack(moq.Namespace{"hall"}, "pings", moq.TrackOptions{Rate: 200,
		Layout: moq.Layout{Mode: moq.LayoutDatagram}})
	if err := sender.Publish(ctx, pings); err != nil {
		log.Fatal(err)
	}
	pongs, err := receiver.Subscribe(ctx, pings.Namespace(), pings.Name())
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for n := range uint64(100) {
			now := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
			if err := pings.Write(ctx, &moq.Object{GroupID: n, Payload: now}); err != nil {
				log.Fatal(err)
			}
		}
		_ = pings.End(ctx) // the receiver sees how it ended
	}()
	count, sum := 0, time.Duration(0)
	for {
		object, err := pongs.Next(ctx)
		if err != nil {
			break // io.EOF, or the time is over
		}
		count++
		sum += time.Duration(time.Now().UnixNano() - int64(binary.BigEndian.Uint64(object.Payload)))
	}
	fmt.Printf("%d of 100 came, after %v on average\n", count, sum/time.Duration(max(count, 1)))
}
