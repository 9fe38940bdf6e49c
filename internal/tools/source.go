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
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLineSize)
	return inBackground(func() ([]byte, error) {
		switch {
		case s.Scan():
			return bytes.Clone(s.Bytes()), nil
		case s.Err() != nil:
			return nil, s.Err()
		}
		return nil, io.EOF
	})
}

// Files gives the contents of files, a payload each.
func Files(names ...string) Source {
	return inBackground(func() ([]byte, error) {
		if len(names) == 0 {
			return nil, io.EOF
		}
		name := names[0]
		names = names[1:]
		return os.ReadFile(name)
	})
}

// background reads in a goroutine, so that a context ends the wait for a terminal or a pipe. A read that never returns
// ends with the program.
type background struct {
	want chan struct{}
	in   chan payload
	err  error // what ended it, once Next has told
}

type payload struct {
	bytes []byte
	err   error
}

// inBackground gives what next reads, until it fails.
func inBackground(next func() ([]byte, error)) Source {
	b := &background{want: make(chan struct{}), in: make(chan payload, 1)}
	go func() {
		for range b.want {
			var p payload
			p.bytes, p.err = next()
			b.in <- p
			if p.err != nil {
				return
			}
		}
	}()
	return b
}

// Next implements Source.
func (b *background) Next(ctx context.Context) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	select {
	case b.want <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case p := <-b.in:
		b.err = p.err
		return p.bytes, p.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
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
