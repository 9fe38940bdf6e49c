// Send offers a file as a track until Ctrl-C, for the example receive.
//
//	send moqt://relay.example:4443 film.mp4
package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"flag"
	"log"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// piece is the length in bytes of a group, which is one object. Group 0 has the hash of the whole file.
const piece = 256 << 10

func main() {
	insecure := flag.Bool("insecure", false, "accept any certificate")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	path := flag.Arg(1)
	rest, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	session, err := moq.Dial(ctx, flag.Arg(0), &moq.Options{TLS: &tls.Config{InsecureSkipVerify: *insecure}})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	// Everything is written before anybody asks, and kept for those who fetch it.
	file := moq.NewTrack(moq.Namespace{"files"}, filepath.Base(path), moq.TrackOptions{
		KeepGroups: len(rest)/piece + 2, KeepBytes: len(rest) + sha256.Size})
	sum := sha256.Sum256(rest)
	payload := sum[:]
	for group := uint64(0); len(payload) > 0; group++ {
		if err := file.Write(ctx, &moq.Object{GroupID: group, Payload: payload}); err != nil {
			log.Fatal(err)
		}
		payload = rest[:min(piece, len(rest))]
		rest = rest[len(payload):]
	}
	if err := session.Publish(ctx, file); err != nil {
		log.Fatal(err)
	}
	log.Print("ready")
	select {
	case <-ctx.Done(): // Ctrl-C: closing the session tells the relay that the file is gone
	case <-session.Context().Done():
		log.Print(session.Err())
	}
}
