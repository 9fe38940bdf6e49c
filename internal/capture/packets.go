package capture

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// isPackets reports whether a file begins as pcap (in either order of bytes, with micro- or nanoseconds) or pcapng
// does.
func isPackets(first []byte) bool {
	for _, magic := range []string{"a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a"} {
		if b, err := hex.DecodeString(magic); err == nil && bytes.HasPrefix(first, b) {
			return true
		}
	}
	return false
}

// ErrNoTshark is the error for packets where tshark is not installed.
var ErrNoTshark = errors.New("packets are decrypted by tshark (Wireshark), which is not installed here: apt-get " +
	"install tshark, or give a qlog or JSON lines")

// readPackets has tshark decrypt the packets, and puts the streams together. No library for Go decrypts QUIC from a
// capture; Wireshark does, with key updates, retries and migration.
func readPackets(ctx context.Context, path, keys string) (*Capture, error) {
	program, err := exec.LookPath("tshark")
	if err != nil {
		return nil, ErrNoTshark
	}
	args := []string{"-n", "-r", path, "-Y", "quic", "-T", "pdml"}
	if keys != "" {
		args = append(args, "-o", "tls.keylog_file:"+keys)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &packets{c: &Capture{}, connections: make(map[string]*packetConnection)}
	failed := p.read(out)
	if failed != nil {
		cancel() // it would write on
	}
	err = cmd.Wait()
	switch {
	case failed != nil && !errors.Is(failed, io.ErrUnexpectedEOF):
		return p.c, failed
	case err != nil:
		return p.c, fmt.Errorf("tshark: %w: %s", err, strings.TrimSpace(said.String()))
	}
	p.finish(keys)
	return p.c, nil
}

// packets reads what tshark prints.
type packets struct {
	c           *Capture
	connections map[string]*packetConnection // by tshark's number
	packet      packet
	frame       *frame
	sealed      int            // packets that could not be decrypted
	unknown     map[string]int // frames that tshark does not know
}

// packet is one UDP datagram.
type packet struct {
	timeMS     float64
	from       string // address and port
	connection *packetConnection
}

// packetConnection is a QUIC connection.
type packetConnection struct {
	name    string
	client  string // address and port
	streams map[streamKey]*reassembly
}

type streamKey struct {
	id     uint64
	server bool
}

// frame is a QUIC frame whose fields are being read.
type frame struct {
	typ    uint64
	stream uint64
	offset uint64
	fin    bool
	data   []byte
	code   uint64
	reason string
}

// read reads all packets. Fields come in the order of the bytes; where one stands in the tree does not matter.
func (p *packets) read(in io.Reader) error {
	d := xml.NewDecoder(in)
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch x := t.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "packet":
				p.packet = packet{}
			case "field":
				err = p.field(attribute(x, "name"), attribute(x, "show"), attribute(x, "value"))
			}
		case xml.EndElement:
			if x.Name.Local == "proto" || x.Name.Local == "packet" {
				err = p.flush()
			}
		}
		if err != nil {
			return err
		}
	}
}

func attribute(x xml.StartElement, name string) string {
	for _, a := range x.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (p *packets) field(name, show, value string) error {
	number := func() uint64 { n, _ := strconv.ParseUint(show, 0, 64); return n }
	switch name {
	case "frame.time_relative":
		seconds, _ := strconv.ParseFloat(show, 64)
		p.packet.timeMS = seconds * 1000
	case "ip.src", "ipv6.src":
		p.packet.from = show
	case "udp.srcport":
		p.packet.from += ":" + show
	case "quic.connection.number":
		p.connection(show)
	case "quic.dcid":
		if c := p.packet.connection; c != nil && c.name == "" {
			c.name = value // of the client's first packet: the Original Destination Connection ID
		}
	case "quic.remaining_payload":
		p.sealed++
	case "tls.handshake.extensions_alpn_str":
		if c := p.packet.connection; c != nil && p.packet.from != c.client { // the server's choice
			k := p.c.connection(c.name)
			k.HTTP3 = show == "h3"
			if draft, ok := wire.DraftOfALPN(show); ok {
				k.Draft = draft
			}
		}
	case "quic.frame_type":
		err := p.flush()
		p.frame = &frame{typ: number()}
		return err
	}
	f := p.frame
	if f == nil {
		return nil
	}
	switch name {
	case "quic.stream.stream_id", "quic.rsts.stream_id", "quic.ss.stream_id":
		f.stream = number()
	case "quic.stream.offset":
		f.offset = number()
	case "quic.stream.fin":
		f.fin = show == "1" || show == "True"
	case "quic.stream_data", "quic.dg":
		var err error
		f.data, err = hex.DecodeString(value)
		return err
	case "quic.rsts.application_error_code", "quic.ss.application_error_code", "quic.cc.error_code.app",
		"quic.cc.error_code":
		f.code = number()
	case "quic.cc.reason_phrase":
		f.reason = show
	}
	return nil
}

// connection sets the packet's connection. Its first packet is the client's.
func (p *packets) connection(number string) {
	c := p.connections[number]
	if c == nil {
		c = &packetConnection{client: p.packet.from, streams: make(map[streamKey]*reassembly)}
		p.connections[number] = c
	}
	p.packet.connection = c
}

// Types of QUIC frames (RFC 9000 §19, RFC 9221 §4).
const (
	frameReset    = 0x04
	frameStop     = 0x05
	frameStream   = 0x08 // to 0x0f
	frameClose    = 0x1c
	frameCloseApp = 0x1d
	frameDatagram = 0x30 // and 0x31
)

// flush takes the frame whose fields are read.
func (p *packets) flush() error {
	f, c := p.frame, p.packet.connection
	p.frame = nil
	if f == nil || c == nil {
		return nil
	}
	e := Event{TimeMS: p.packet.timeMS, Connection: c.name, Server: p.packet.from != c.client, Stream: f.stream,
		Code: f.code, Reason: f.reason}
	switch {
	case f.typ&^7 == frameStream:
		key := streamKey{f.stream, e.Server}
		r := c.streams[key]
		if r == nil {
			r = &reassembly{}
			c.streams[key] = r
		}
		return r.add(f.offset, f.data, f.fin, func(data []byte, fin bool) error {
			var err error
			if e.Kind, e.Data = Bytes, data; len(data) > 0 {
				err = p.c.add(e)
			}
			if e.Kind, e.Data = Fin, nil; fin && err == nil {
				err = p.c.add(e)
			}
			return err
		})
	case f.typ == frameReset:
		e.Kind = Reset
	case f.typ == frameStop:
		e.Kind = Stop
	case f.typ&^1 == frameDatagram:
		e.Kind, e.Data, e.HTTP3 = Datagram, f.data, p.c.connection(c.name).HTTP3
	case f.typ == frameClose || f.typ == frameCloseApp:
		e.Kind = Close
	case f.typ == 0x24: // RESET_STREAM_AT, which tshark 4.0 does not take apart
		if p.unknown == nil {
			p.unknown = make(map[string]int)
		}
		p.unknown["RESET_STREAM_AT"]++
		return nil
	default:
		return nil // of QUIC itself
	}
	return p.c.add(e)
}

// finish notes what is missing.
func (p *packets) finish(keys string) {
	if p.sealed > 0 {
		why := "the keys are not those of this connection, or its beginning is missing"
		if keys == "" {
			why = "no file with keys was given (--keylog, SSLKEYLOGFILE)"
		}
		p.c.Notes = append(p.c.Notes, fmt.Sprintf("%d packets could not be decrypted: %s", p.sealed, why))
	}
	for _, name := range sorted(p.unknown) {
		p.c.Notes = append(p.c.Notes, fmt.Sprintf("%d frames %s, which this tshark does not take apart",
			p.unknown[name], name))
	}
	for _, number := range sorted(p.connections) {
		c := p.connections[number]
		missing := 0
		for _, r := range c.streams {
			if len(r.later) > 0 {
				missing++
			}
		}
		if missing > 0 {
			p.c.Notes = append(p.c.Notes, fmt.Sprintf(
				"connection %s: packets are missing in %d streams, which end there", c.name, missing))
		}
	}
}

// sorted gives the keys of a map in order.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// reassembly puts the frames of one direction of a stream in order.
type reassembly struct {
	next  uint64 // the first byte that has not been given
	final *uint64
	ended bool
	later []piece
}

type piece struct {
	offset uint64
	data   []byte
}

// add takes a frame, and gives what is complete now.
func (r *reassembly) add(offset uint64, data []byte, fin bool, give func(data []byte, fin bool) error) error {
	if fin {
		end := offset + uint64(len(data))
		r.final = &end
	}
	if len(data) > 0 {
		r.later = append(r.later, piece{offset, data})
		slices.SortStableFunc(r.later, func(a, b piece) int {
			switch {
			case a.offset < b.offset:
				return -1
			case a.offset > b.offset:
				return 1
			}
			return 0
		})
	}
	var ready []byte
	for len(r.later) > 0 && r.later[0].offset <= r.next {
		p := r.later[0]
		r.later = r.later[1:]
		if end := p.offset + uint64(len(p.data)); end > r.next { // the rest was sent again
			ready = append(ready, p.data[r.next-p.offset:]...)
			r.next = end
		}
	}
	done := r.final != nil && r.next == *r.final && !r.ended
	r.ended = r.ended || done
	if len(ready) == 0 && !done {
		return nil
	}
	return give(ready, done)
}
