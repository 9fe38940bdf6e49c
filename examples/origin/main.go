// Origin serves a clock to its clients without a relay, until Ctrl-C.
//
//	origin :4443
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

func main() {
	every := flag.Duration("every", time.Second, "time between two objects")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	clock := moq.NewTrack(moq.Namespace{"hall"}, "clock", moq.TrackOptions{KeepGroups: 10})
	go func() {
		for group := uint64(0); ; group++ {
			o := &moq.Object{GroupID: group, Payload: []byte(time.Now().Format(time.TimeOnly))}
			if err := clock.Write(ctx, o); err != nil {
				return // Ctrl-C
			}
			time.Sleep(*every)
		}
	}()
	// Without a certificate among the options the server makes one.
	if err := moq.ListenAndServe(ctx, flag.Arg(0), moq.Serve(clock), nil); err != nil {
		log.Fatal(err)
	}
}
