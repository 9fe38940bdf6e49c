// Chat is a chat without a server of its own: everybody publishes a track, and reads those of all others.
//
//	chat moqt://relay.example:4443 alice
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

func main() {
	insecure := flag.Bool("insecure", false, "accept any certificate")
	flag.Parse()
	ctx, name := context.Background(), flag.Arg(1)
	session, err := moq.Dial(ctx, flag.Arg(0), &moq.Options{TLS: &tls.Config{InsecureSkipVerify: *insecure}})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	said := moq.NewTrack(moq.Namespace{"chat", name}, "said", moq.TrackOptions{KeepGroups: 100})
	if err := session.Publish(ctx, said); err != nil {
		log.Fatal(err)
	}
	people, err := session.SubscribeNamespace(ctx, moq.Namespace{"chat"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			event, err := people.Next(ctx)
			if err != nil {
				return // the session has ended
			}
			if who := event.Namespace; len(who) == 2 && !event.Done && who[1] != name {
				go listen(ctx, session, who[1])
			}
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	for group := uint64(0); lines.Scan(); group++ {
		if err := said.Write(ctx, &moq.Object{GroupID: group, Payload: lines.Bytes()}); err != nil {
			log.Fatal(err)
		}
	}
	_ = said.End(ctx) // who has left cannot be told
}

// listen prints what somebody says, from now on.
func listen(ctx context.Context, session *moq.Session, who string) {
	said, err := session.Subscribe(ctx, moq.Namespace{"chat", who}, "said", moq.InOrder())
	log.Print(who, " is here")
	for err == nil {
		var line *moq.Object
		if line, err = said.Next(ctx); err == nil {
			fmt.Printf("%s: %s\n", who, line.Payload)
		}
	}
}
