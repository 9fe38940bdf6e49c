//go:build js

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/moqinterop/moq-interop-client/internal/sequence"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// decoding is bytes that the page wants explained, or a transcript that it wants drawn.
type decoding struct {
	Draft  int    `json:"draft"`
	Stream string `json:"stream"`
	Hex    string `json:"hex"`

	Title      string   `json:"title"`
	Transcript []string `json:"transcript"`
	Failure    string   `json:"failure"`
	ID         string   `json:"id"`
}

// maxShown is how much of a payload is shown.
const maxShown = 256

// decoded is what bytes mean, line by line, and why there are no more lines.
type decoded struct {
	Lines []string `json:"lines"`
	Error string   `json:"error"`
}

// kinds are the streams that bytes can be of, by the names of the command decode.
var kinds = map[string]wire.StreamKind{"control": wire.ControlStream, "request": wire.RequestStream,
	"uni": wire.UniStream, "datagram": wire.DatagramStream}

// decode explains bytes.
func (d *decoding) decode() (out decoded) {
	out.Lines = []string{}
	fail := func(err error) decoded {
		out.Error = err.Error()
		return out
	}
	draft, err := wire.ParseDraft(fmt.Sprint(d.Draft))
	if err != nil {
		return fail(err)
	}
	kind, ok := kinds[d.Stream]
	if !ok {
		return fail(fmt.Errorf("unknown stream %q", d.Stream))
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, d.Hex)
	if digits == "" {
		return fail(fmt.Errorf("no bytes: paste hex digits"))
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return fail(fmt.Errorf("the bytes: %s", strings.TrimPrefix(err.Error(), "encoding/hex: ")))
	}
	decoder := wire.NewLineDecoder(draft, kind, wire.Options{})
	decoder.MaxPayload = maxShown
	lines, err := decoder.Decode(b, true)
	for _, l := range lines {
		if text, err := json.Marshal(l); err == nil {
			out.Lines = append(out.Lines, string(text))
		}
	}
	if err != nil {
		return fail(err)
	}
	return out
}

// drawing is the diagram of a case.
type drawing struct {
	ID  string `json:"id"`
	SVG string `json:"svg"`
}

func (d *decoding) diagram() drawing {
	return drawing{d.ID, string(sequence.Transcript(d.Title, d.Transcript, d.Failure))}
}
