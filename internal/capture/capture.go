// Package capture reads what was recorded of MoQT sessions (packets with their keys, qlog files, JSON lines) and
// decodes it session by session: streams are told apart, and what one stream tells is carried to the others.
package capture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Kind is what an event is.
type Kind uint8

// The kinds of events.
const (
	Bytes    Kind = iota + 1 // of a stream, in their order
	Datagram                 // one, whole
	Fin
	Reset
	Stop
	Close
	Logged // what a log tells of without its bytes
)

// Event is one thing that was recorded.
type Event struct {
	// TimeMS counts from the beginning of the record, in milliseconds.
	TimeMS float64
	// Connection names the connection; "" where there is one.
	Connection string
	// Server says that the server sent it.
	Server bool
	Kind   Kind
	Stream uint64
	// On is the kind of stream, where the record says it: control, request, uni. "" leaves it to the stream's id.
	On   string
	Data []byte
	// Code is that of a reset, a stop or a close. Reason is the close's.
	Code   uint64
	Reason string
	// HTTP3 says that a datagram begins with its Quarter Stream ID.
	HTTP3 bool
	// Name and Fields are those of a Logged event.
	Name   string
	Fields json.RawMessage
}

// Connection is what is known of a connection.
type Connection struct {
	// Draft is 0 while it is not known.
	Draft wire.Draft
	// HTTP3 says that the streams are those of an HTTP/3 connection with a WebTransport session in it.
	HTTP3 bool
}

// Capture is a record that was read.
type Capture struct {
	Events      []Event
	Connections map[string]*Connection
	// Notes say what could not be read, and why.
	Notes []string
	size  int
}

// maxCapture bounds what a record may hold: it is read whole.
const maxCapture = 256 << 20

func (c *Capture) connection(name string) *Connection {
	if c.Connections == nil {
		c.Connections = make(map[string]*Connection)
	}
	if c.Connections[name] == nil {
		c.Connections[name] = &Connection{}
	}
	return c.Connections[name]
}

// add appends an event, within the bound.
func (c *Capture) add(e Event) error {
	const each = 200 // what an event takes besides its bytes
	if c.size += len(e.Data) + len(e.Fields) + each; c.size > maxCapture {
		return fmt.Errorf("more than %d MiB of streams: cut the capture", maxCapture>>20)
	}
	c.connection(e.Connection)
	c.Events = append(c.Events, e)
	return nil
}

// Read reads a record. What it is, its first bytes tell. keys is the file in the format of SSLKEYLOGFILE that packets
// are decrypted with; "" leaves that to the capture itself, which may have them inside (pcapng).
func Read(ctx context.Context, path, keys string) (*Capture, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	first, err := in.Peek(4 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case isPackets(first):
		return readPackets(ctx, path, keys)
	case isQlog(first) && isLine(first):
		return readQlog(in)
	case isQlog(first) || bytes.Contains(first, []byte(`"qlog_version"`)):
		return readDocument(in)
	case len(bytes.TrimSpace(first)) > 0 && bytes.TrimSpace(first)[0] == '{':
		return readLines(in)
	}
	return nil, fmt.Errorf("%s: neither packets (pcap, pcapng), qlog, nor JSON lines of {stream, direction, hex}", path)
}

// isQlog reports whether a file begins as a qlog does: with an object that names its format.
func isQlog(first []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(first, "\x1e \r\n"), []byte("\n"))
	return bytes.Contains(line, []byte(`"qlog_version"`)) || bytes.Contains(line, []byte(`"qlog_format"`)) ||
		bytes.Contains(line, []byte(`"file_schema"`))
}

// isLine reports whether the first line is a JSON object by itself, as in JSON-SEQ.
func isLine(first []byte) bool {
	line, _, whole := bytes.Cut(bytes.TrimLeft(first, "\x1e \r\n"), []byte("\n"))
	return whole && json.Valid(line)
}

// longestLine bounds one line of text.
const longestLine = 16 << 20

// eachLine calls f for every line that is not blank, with its number.
func eachLine(in io.Reader, f func(number int, line []byte) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestLine)
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSpace(bytes.Trim(lines.Bytes(), "\x1e"))
		if len(line) == 0 {
			continue
		}
		if err := f(number, line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return lines.Err()
}
