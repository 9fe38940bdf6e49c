package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// decodeCmd shows bytes as JSON lines.
type decodeCmd struct {
	Draft      string   `short:"d" required:"" placeholder:"NN" help:"The draft that the bytes are of."`
	Stream     string   `short:"s" enum:"control,request,uni,datagram" default:"control" help:"Where they were seen: control (the control stream), request (a request's own stream), uni (a unidirectional stream, from its first byte) or datagram. Default control."`
	GroupOrder string   `enum:"ascending,descending" default:"ascending" help:"Of a fetch stream, from draft 18 on: ascending or descending."`
	Answers    string   `placeholder:"NAME" help:"The request that a response answers, e.g. SUBSCRIBE, for the rules that depend on it."`
	Compat     []string `sep:"none" placeholder:"NAME,…" help:"Let named deviations pass; they are reported on stderr. [COMPAT]"`
	Hex        []string `arg:"" help:"The bytes in hex, white space ignored; - reads them from stdin."`
}

var streams = map[string]wire.StreamKind{
	"control": wire.ControlStream, "request": wire.RequestStream, "uni": wire.UniStream, "datagram": wire.DatagramStream,
}

// Help teaches.
func (*decodeCmd) Help() string {
	return `Exit codes: 0 all was decoded, 1 malformed (what was decoded before stands on stdout, the error with message, field and byte offset on stderr), 2 usage error.

Examples:

  moq-interop-client decode --draft 16 --stream control 0x15000105
  xxd -p stream.bin | moq-interop-client decode --draft 18 --stream uni -
`
}

// Run decodes.
func (c *decodeCmd) Run(sys *system) error {
	d, err := wire.ParseDraft(c.Draft)
	if err != nil {
		return usage("--draft: %v", err)
	}
	opt := wire.Options{Descending: c.GroupOrder == "descending"}
	if c.Answers != "" {
		kind, ok := wire.ParseKind(c.Answers)
		if !ok || !kind.Opens() && kind != wire.KindRequestUpdate {
			return usage("--answers: %q is no request", c.Answers)
		}
		opt.Answers = kind
	}
	var tolerate cases.Config
	compat := sys.chooseList(c.Compat, "--compat", "COMPAT")
	for _, name := range compat.names() {
		if err := tolerate.SetTolerance(name); err != nil {
			return compat.fail(err)
		}
	}
	opt.Tolerate = tolerate.Tolerate
	opt.Tolerated = func(t wire.Tolerance, where string) { sys.say("tolerated %s: %s", t, where) }

	text := io.Reader(strings.NewReader(strings.Join(c.Hex, " ")))
	if len(c.Hex) == 1 && c.Hex[0] == "-" {
		text = sys.stdin
	}
	data, bad := readHex(text)
	lines, err := wire.Decode(d, streams[c.Stream], data, opt)
	if werr := writeLines(sys.stdout, lines); werr != nil {
		return werr
	}
	if bad != nil { // what is missing at the end of the data is not the first thing that is wrong
		if err != nil && !errors.Is(err, wire.ErrTruncated) {
			return err
		}
		return bad
	}
	return err
}

// writeLines prints one JSON object a line, with text as it is.
func writeLines(w io.Writer, lines []wire.Line) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// readHex reads digits, ignoring white space, up to the end or to what is no hex. It gives what it read in any case.
func readHex(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(text)/2)
	var high byte
	half := false
	for i, c := range text {
		digit, ok := hexDigit(c)
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			continue
		case !ok:
			return out, fmt.Errorf("no hex digit at character %d of the input: %q", i, c)
		case half:
			out = append(out, high<<4|digit)
		default:
			high = digit
		}
		half = !half
	}
	if half {
		return out, fmt.Errorf("the input ends in the middle of byte %d: an odd number of hex digits", len(out))
	}
	return out, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
