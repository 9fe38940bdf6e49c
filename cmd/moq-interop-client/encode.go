package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// encodeCmd turns JSON lines back into bytes.
type encodeCmd struct {
	Draft *string `short:"d" placeholder:"NN" help:"The draft. Default: the first line's."`
	File  string  `arg:"" optional:"" default:"-" help:"Lines as decode prints them. Default -, which is stdin."`
}

// Help teaches.
func (*encodeCmd) Help() string {
	return `Prints the bytes of all lines as one line of hex. It takes the fields of each line, and repairs nothing:
a line that contradicts its own bytes is an error.

Exit codes: 0 all was encoded, 1 a line cannot be encoded (those before it are on stdout), 2 usage error.

Example:

  moq-interop-client decode --draft 16 15000105 | moq-interop-client encode --draft 16
`
}

// maxLine bounds one line of input.
const maxLine = 256 << 20

// Run encodes.
func (c *encodeCmd) Run(sys *system) error {
	var enc wire.LineEncoder
	if c.Draft != nil {
		var err error
		if enc.Draft, err = wire.ParseDraft(*c.Draft); err != nil {
			return usage("--draft: %v", err)
		}
	}
	in := sys.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return usage("%v", err)
		}
		defer f.Close()
		in = f
	}
	written, err := encodeLines(&enc, in, sys.stdout)
	if written {
		if _, werr := fmt.Fprintln(sys.stdout); werr != nil {
			return werr
		}
	}
	return err
}

// encodeLines writes the hex of each line that is not blank as soon as it has read it, and says whether there was any.
func encodeLines(enc *wire.LineEncoder, in io.Reader, out io.Writer) (written bool, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	var b, text []byte
	for number := 1; lines.Scan(); number++ {
		raw := bytes.TrimSpace(lines.Bytes())
		if len(raw) == 0 {
			continue
		}
		var line wire.Line
		strict := json.NewDecoder(bytes.NewReader(raw))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&line); err != nil {
			return written, fmt.Errorf("line %d: %w", number, err)
		}
		if _, err := strict.Token(); !errors.Is(err, io.EOF) {
			return written, fmt.Errorf("line %d: more than one JSON object", number)
		}
		if enc.Draft == 0 {
			if line.Draft < int(wire.Oldest) || line.Draft > int(wire.Newest) {
				return written, fmt.Errorf("line %d: draft %d: want %d to %d, in the line or with --draft", number,
					line.Draft, wire.Oldest, wire.Newest)
			}
			enc.Draft = wire.Draft(line.Draft)
		}
		if b, err = enc.Append(b[:0], line); err != nil {
			return written, fmt.Errorf("line %d: %w", number, err)
		}
		text = hex.AppendEncode(text[:0], b)
		if _, err := out.Write(text); err != nil {
			return written, err
		}
		written = true
	}
	if err := lines.Err(); err != nil {
		return written, fmt.Errorf("standard input: %w", err)
	}
	return written, nil
}
