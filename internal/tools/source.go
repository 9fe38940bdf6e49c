package tools

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// Source gives the payloads of a track, one after the other, and io.EOF behind the last.
type Source interface {
	Next(ctx context.Context) ([]byte, error)
}

// maxLineSize is the longest line of Lines, in bytes.
const maxLineSize = 16 << 20

// Lines gives the lines of a reader, without their ends.
func Lines(r io.Reader) Source {
	l := &lines{in: make(chan line), want: make(chan struct{})}
	go l.read(r)
	return l
}

// lines reads in a goroutine, which a read that never returns cannot stop; it ends with the program.
type lines struct {
	in   chan line
	want chan struct{}
}

type line struct {
	text []byte
	err  error
}

func (l *lines) read(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLineSize)
	for range l.want {
		if s.Scan() {
			l.in <- line{text: bytes.Clone(s.Bytes())}
			continue
		}
		err := s.Err()
		if err == nil {
			err = io.EOF
		}
		l.in <- line{err: err}
	}
}

// Next implements Source.
func (l *lines) Next(ctx context.Context) ([]byte, error) {
	select {
	case l.want <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case x := <-l.in:
		return x.text, x.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Files gives the contents of files, a payload each.
func Files(names ...string) Source { return &files{names} }

type files struct{ names []string }

// Next implements Source.
func (f *files) Next(context.Context) ([]byte, error) {
	if len(f.names) == 0 {
		return nil, io.EOF
	}
	b, err := os.ReadFile(f.names[0])
	f.names = f.names[1:]
	return b, err
}

// Generated gives n payloads of some size, that tell their number and the time; 0 is without end. A size too small for
// that cuts the text.
func Generated(n uint64, size int) Source { return &generated{n: n, size: size} }

type generated struct {
	n, next uint64
	size    int
}

// Next implements Source.
func (g *generated) Next(context.Context) ([]byte, error) {
	if g.n > 0 && g.next == g.n {
		return nil, io.EOF
	}
	text := fmt.Appendf(nil, "%d %s", g.next, time.Now().UTC().Format("15:04:05.000"))
	g.next++
	for g.size > len(text) {
		text = append(text, ' ')
		text = append(text, text[:min(len(text), g.size-len(text))]...)
	}
	if g.size > 0 {
		text = text[:g.size]
	}
	return text, nil
}
