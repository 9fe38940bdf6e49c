// Receive fetches a file that the example send offers. It may be stopped, and then goes on where it was.
//
//	receive moqt://relay.example:4443 film.mp4
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

const piece = 256 << 10 // as in send

func main() {
	insecure := flag.Bool("insecure", false, "accept any certificate")
	flag.Parse()
	ctx, path := context.Background(), flag.Arg(1)
	session, err := moq.Dial(ctx, flag.Arg(0), &moq.Options{TLS: &tls.Config{InsecureSkipVerify: *insecure}})
	check(err)
	defer session.Close()

	out, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	check(err)
	size, err := out.Seek(0, io.SeekEnd)
	check(err)
	there := size / piece // whole pieces
	check(out.Truncate(there * piece))
	_, err = out.Seek(there*piece, io.SeekStart)
	check(err)
	fetch := func(first, last moq.Location, to io.Writer) {
		pieces, err := session.Fetch(ctx, moq.Namespace{"files"}, filepath.Base(path), first, last)
		check(err)
		for {
			object, err := pieces.Next(ctx)
			if err == io.EOF {
				return
			}
			check(err)
			_, err = to.Write(object.Payload)
			check(err)
		}
	}
	var want bytes.Buffer
	fetch(moq.Location{}, moq.Location{Object: 1}, &want)
	fetch(moq.Location{Group: uint64(there) + 1}, moq.Location{}, out)

	_, err = out.Seek(0, io.SeekStart)
	check(err)
	hash := sha256.New()
	_, err = io.Copy(hash, out)
	check(err)
	if !bytes.Equal(hash.Sum(nil), want.Bytes()) {
		log.Fatal("the file is damaged: remove it and begin again")
	}
	log.Printf("whole: %d pieces were there", there)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
