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
	Draft  string `short:"d" placeholder:"NN" help:"The draft. Needed, unless the --session tells it."`
	Stream string `short:"s" enum:"control,request,uni,datagram,h3-datagram" default:"control" help:"Where they were."`

	GroupOrder string   `enum:"ascending,descending" default:"ascending" help:"Of a fetch stream (18 and later)."`
	Answers    string   `placeholder:"REQUEST" complete:"kinds" help:"What a response answers, e.g. SUBSCRIBE."`
	Compat     []string `sep:"none" placeholder:"NAME,…" complete:"codec" help:"Deviations to allow. [COMPAT]"`
	MaxPayload size     `default:"64KiB" placeholder:"SIZE" help:"How much of a payload is shown. Default 64KiB."`
	Raw        bool     `help:"Stdin has the bytes themselves, not hex."`

	Session    string `placeholder:"FILE" help:"Decode a capture, a qlog or JSON lines of whole sessions."`
	Keylog     string `placeholder:"FILE" help:"The keys of a capture. [SSLKEYLOGFILE]"`
	Connection string `placeholder:"ID" help:"Of a --session: only this connection."`
	Rules      bool   `help:"Of a --session: mark what breaks a rule of the draft; exit code 1 if anything does."`
	HTML       string `name:"html" placeholder:"FILE" help:"Of a --session: draw its sequence diagram."`

	Hex []string `arg:"" optional:"" help:"The bytes in hex, or - for stdin."`
}

var streams = map[string]wire.StreamKind{
	"control": wire.ControlStream, "request": wire.RequestStream, "uni": wire.UniStream,
	"datagram": wire.DatagramStream, "h3-datagram": wire.DatagramStream,
}

// Help teaches.
func (*decodeCmd) Help() string {
	return `Takes the bytes from the command line, in hex, or from stdin, in hex or as they are. It ignores white
space in hex. --stream says which stream they are from: control (the control stream, the default), request (a request's
own stream), uni (a unidirectional stream, from its first byte), datagram, or h3-datagram (a datagram of WebTransport,
whose quarter stream id goes first; nothing in the bytes tells it from a datagram on raw QUIC). The prefix of a
WebTransport stream, 0x54 or 0x41 and the session's id, is shown as such.

Each message, header and object is printed as soon as it has come. Memory is bounded: of a payload that is longer than
--max-payload, only the beginning and the length are shown.

--compat takes ` + strings.Join(wire.ToleranceNames(), ", ") + `;
stderr names those that were needed.

--session takes a file with whole sessions and tells their streams apart: packets (pcap or pcapng, with the keys that
SSLKEYLOGFILE names; tshark has to be installed, which decrypts them), a qlog (.sqlog, .mlog; of it, control messages
have bytes), or JSON lines such as {"stream": 0, "direction": "client", "hex": "…"}, where stream is the QUIC stream
id, "datagram" or "h3-datagram", direction is who sent it, and "fin": true, "reset": CODE, "stop": CODE, "time_ms" and
"connection" may stand beside. What answers what, group orders and track names are carried from stream to stream.

Exit codes: 0 all was decoded, 1 malformed or incomplete, 2 usage error. What was decoded before an error is on stdout,
the error on stderr. A capture that ends within a message is incomplete, which breaks no rule. A broken rule is named
with message, field, byte offset and the code with which the session is closed.

Examples:

  moq-interop-client decode --draft 16 --stream control 15000105
  moq-interop-client decode --draft 18 --stream uni - < stream.bin
  moq-interop-client decode --session capture.pcapng --keylog keys.txt --html session.html --rules
`
}

// Run decodes.
func (c *decodeCmd) Run(sys *system) error {
	if c.Session != "" {
		return c.session(sys)
	}
	if err := c.alone(); err != nil {
		return err
	}
	d, err := wire.ParseDraft(c.Draft)
	if err != nil {
		return usage("--draft: %v", err)
	}
	opt := wire.Options{Descending: c.GroupOrder == "descending", HTTP3: c.Stream == "h3-datagram"}
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

	in := &hexReader{r: strings.NewReader(strings.Join(c.Hex, " ")), form: hexForm}
	if len(c.Hex) == 1 && c.Hex[0] == "-" {
		in = &hexReader{r: sys.stdin}
		if c.Raw {
			in.form = rawForm
		}
	} else if c.Raw {
		return usage("--raw: the bytes come from stdin then, for which - stands")
	}
	decoder := wire.NewLineDecoder(d, streams[c.Stream], opt)
	decoder.MaxPayload = int(c.MaxPayload)
	err = decodeLines(in, decoder, sys.stdout)
	if quarter, ok := decoder.AlsoHTTP3(); ok {
		sys.say("it can be read as a datagram of WebTransport too, with the quarter stream id %d in front: "+
			"--stream h3-datagram", quarter)
	}
	return err
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
func decodeLines(in *hexReader, decoder *wire.LineDecoder, out io.Writer) error {
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

// closing adds the code that the draft has the session closed with. An input that ends too early, or is too large to be
// shown, breaks no rule.
func closing(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) || e.Code == wire.NoError || e.Code == wire.InternalError {
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

// alone refuses what only goes with --session, and wants what is needed without.
func (c *decodeCmd) alone() error {
	for _, x := range []struct {
		flag  string
		given bool
	}{{"--keylog", c.Keylog != ""}, {"--connection", c.Connection != ""}, {"--rules", c.Rules}, {"--html",
		c.HTML != ""}} {
		if x.given {
			return usage("%s: it goes with --session", x.flag)
		}
	}
	switch {
	case c.Draft == "":
		return usage("--draft: which draft the bytes are of")
	case len(c.Hex) == 0:
		return usage("the bytes are missing, in hex, or - for stdin, or --session FILE")
	}
	return nil
}
