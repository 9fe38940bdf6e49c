package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
)

// Origin says what to serve without a relay.
type Origin struct {
	// Addr is the UDP address.
	Addr string
	// Options are those of the listener.
	Options moq.Options
	// Namespace is that of every track.
	Namespace moq.Namespace
	// Dir, if not empty, has the tracks: each file that is asked for by its name.
	Dir string
	// Track is the name of a track that is generated: an object of Size bytes Rate times a second, and a group for each
	// PerGroup objects.
	Track    string
	Rate     float64
	Size     int
	PerGroup uint64
	// Say gets what people want to know.
	Say func(format string, args ...any)

	mu     sync.Mutex
	tracks map[string]*file
}

// file is a file that was asked for.
type file struct {
	track    *moq.Track
	modified time.Time
}

// A file's objects have fileObject bytes, and its groups fileGroup objects. A larger file than maxFile is not served: a
// track is kept in memory as a whole.
const (
	fileObject = 64 << 10
	fileGroup  = 16
	maxFile    = 256 << 20
	maxFiles   = 64
)

// Run serves until ctx ends.
func (o *Origin) Run(ctx context.Context) error {
	o.tracks = make(map[string]*file)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var live *moq.Track
	if o.Track != "" {
		live = moq.NewTrack(o.Namespace, o.Track, moq.TrackOptions{KeepGroups: 16, Rate: o.Rate})
	}
	o.Options.Handler = moq.Find(func(ns moq.Namespace, name string) *moq.Track {
		switch {
		case !ns.Equal(o.Namespace):
			return nil
		case live != nil && name == o.Track:
			return live
		case o.Dir == "":
			return nil
		}
		t, err := o.fromFile(ctx, name)
		if err != nil {
			o.Say("%q: %v", name, err)
			return nil
		}
		return t
	})
	l, err := moq.Listen(o.Addr, &o.Options)
	if err != nil {
		return err
	}
	defer l.Close()
	o.Say("listening on %s", l.Addr())
	var writing sync.WaitGroup
	defer writing.Wait()
	if live != nil {
		writing.Go(func() {
			cancel(o.generate(ctx, live)) // without effect where ctx has ended
		})
	}
	<-ctx.Done()
	l.Goaway("", time.Second)
	return context.Cause(ctx)
}

// generate writes the live track until it fails, or ctx ends.
func (o *Origin) generate(ctx context.Context, t *moq.Track) error {
	from := Generated(0, o.Size)
	for n := uint64(0); ; n++ {
		payload, err := from.Next(ctx)
		if err != nil {
			return err
		}
		x := &moq.Object{GroupID: n / o.PerGroup, ObjectID: n % o.PerGroup, Payload: payload}
		if err := t.Write(ctx, x); err != nil {
			return err
		}
	}
}

// fromFile gives the track of a file, as it is now.
func (o *Origin) fromFile(ctx context.Context, name string) (*moq.Track, error) {
	root, err := os.OpenRoot(o.Dir) // what is outside of it is not found
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%d bytes: more than %d are not kept in memory", info.Size(), maxFile)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if known := o.tracks[name]; known != nil && known.modified.Equal(info.ModTime()) {
		return known.track, nil
	}
	if len(o.tracks) >= maxFiles {
		return nil, fmt.Errorf("%d files are served already", maxFiles)
	}
	groups := int(info.Size()/fileObject/fileGroup) + 1
	t := moq.NewTrack(o.Namespace, name, moq.TrackOptions{KeepGroups: groups, KeepBytes: int(info.Size()) + 1})
	b := make([]byte, fileObject)
	for n := uint64(0); ; n++ {
		got, err := io.ReadFull(f, b)
		if got > 0 || n == 0 && err == io.EOF {
			x := &moq.Object{GroupID: n / fileGroup, ObjectID: n % fileGroup, Payload: b[:got]}
			if err := t.Write(ctx, x); err != nil {
				return nil, err
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if err := t.End(ctx); err != nil {
		return nil, err
	}
	o.tracks[name] = &file{t, info.ModTime()}
	return t, nil
}
