package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// decodeCmd shows bytes as JSON lines.
type decodeCmd struct {
	Draft      string   `short:"d" required:"" placeholder:"NN" help:"The draft that the bytes are of."`
	Stream     string   `short:"s" enum:"control,request,uni,datagram" default:"control" help:"Where they were seen: control (the control stream), request (a request's own stream), uni (a unidirectional stream, from its first byte) or datagram. Default control."`
	GroupOrder string   `enum:"ascending,descending" default:"ascending" help:"Of a fetch stream, from draft 18 on: ascending or descending."`
	Answers    string   `placeholder:"NAME" complete:"kinds" help:"The request that a response answers, e.g. SUBSCRIBE, for the rules that depend on it."`
	Compat     []string `sep:"none" placeholder:"NAME,…" complete:"codec" help:"Let named deviations pass; they are reported on stderr. Names: ${codec}. [COMPAT]"`
	Hex        []string `arg:"" help:"The bytes in hex, white space ignored; - reads them from stdin."`
}

var streams = map[string]wire.StreamKind{
	"control": wire.ControlStream, "request": wire.RequestStream, "uni": wire.UniStream,
	"datagram": wire.DatagramStream,
}

// Help teaches.
func (*decodeCmd) Help() string {
	return `Exit codes: 0 all was decoded, 1 malformed (what was decoded before stands on stdout, the error with message, field, byte offset and close code on stderr), 2 usage error.

Examples:

  moq-interop-client decode --draft 16 --stream control 15000105
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
	if opt.Tolerate, err = codecTolerances(sys.chooseList(c.Compat, "--compat", "COMPAT")); err != nil {
		return err
	}
	opt.Tolerated = func(t wire.Tolerance, where string) { sys.say("tolerated %s: %s", t, where) }

	text := io.Reader(strings.NewReader(strings.Join(c.Hex, " ")))
	if len(c.Hex) == 1 && c.Hex[0] == "-" {
		text = sys.stdin
	}
	return decodeLines(text, wire.NewLineDecoder(d, streams[c.Stream], opt), sys.stdout)
}

// codecTolerances reads the names of the codec's tolerances.
func codecTolerances(v setting) (wire.Tolerance, error) {
	var all wire.Tolerance
	for _, name := range v.names() {
		t, err := wire.ParseTolerance(name)
		if err != nil {
			return 0, v.fail(err)
		}
		all |= t
	}
	return all, nil
}

// decodeLines prints each line as soon as its bytes are there. An error in the bytes goes before one in the digits
// behind them.
func decodeLines(text io.Reader, decoder *wire.LineDecoder, out io.Writer) error {
	in := hexReader{r: text}
	for {
		piece, bad := in.next()
		lines, err := decoder.Decode(piece, errors.Is(bad, io.EOF))
		if werr := writeLines(out, lines); werr != nil {
			return werr
		}
		switch {
		case err != nil:
			return closing(err)
		case errors.Is(bad, io.EOF):
			return nil
		case bad != nil:
			return bad
		}
	}
}

// closing adds the code that the draft has the session closed with.
func closing(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%w; close code %s", err, e.Code.In(e.Draft))
}

// writeLines prints one JSON object a line, with text as it is.
func writeLines(w io.Writer, lines []wire.Line) error {
	if len(lines) == 0 {
		return nil
	}
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
