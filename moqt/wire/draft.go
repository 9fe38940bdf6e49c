// Package wire is the codec of Media over QUIC Transport, drafts 14 to 22: every control message,
// parameter, property and data-stream header, to bytes and back. It does no I/O and keeps no state
// beyond one stream; message order and who may send what is the session's business (package moqt).
//
// The structs have the newest draft's shape; the draft is an argument of encoding and decoding, never a field.
// Decoding is strict: a breach of the draft's text that the bytes alone show is an *Error with the close code
// that the draft names. Encoding never repairs.
package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Draft is the number of a draft-ietf-moq-transport.
type Draft uint8

// The drafts this package speaks.
const (
	Draft14 Draft = 14 + iota
	Draft15
	Draft16
	Draft17
	Draft18
	Draft19
	Draft20
	Draft21
	Draft22

	// Oldest and Newest bound the range.
	Oldest = Draft14
	Newest = Draft22
)

// Drafts gives all drafts, newest first. The caller owns the slice.
func Drafts() []Draft {
	var all []Draft
	for d := Newest; d >= Oldest; d-- {
		all = append(all, d)
	}
	return all
}

// Valid reports whether this package speaks d.
func (d Draft) Valid() bool { return Oldest <= d && d <= Newest }

// String is "draft-16".
func (d Draft) String() string { return fmt.Sprintf("draft-%02d", uint8(d)) }

// ALPN is the draft's identifier on raw QUIC: "moq-00" for 14, "moqt-NN" after (draft-15 §3.1).
func (d Draft) ALPN() string {
	if d == Draft14 {
		return "moq-00"
	}
	return fmt.Sprintf("moqt-%d", uint8(d))
}

// WebTransportProtocol is the draft's token in WT-Available-Protocols, "" for 14, which has none.
func (d Draft) WebTransportProtocol() string {
	if d == Draft14 {
		return ""
	}
	return d.ALPN()
}

// Version is draft 14's number in the in-band version list (draft-14 §9.3.1).
func (d Draft) Version() uint64 { return 0xff000000 + uint64(d) }

// DraftOfALPN finds the draft of an ALPN or WebTransport protocol; ok is false for a foreign one.
func DraftOfALPN(alpn string) (d Draft, ok bool) {
	for d := Oldest; d <= Newest; d++ {
		if d.ALPN() == alpn {
			return d, true
		}
	}
	return 0, false
}

// ParseDraft reads "16", "draft-16" or "moqt-16".
func ParseDraft(s string) (Draft, error) {
	t := strings.TrimSpace(s)
	for _, prefix := range []string{"draft-", "moqt-"} {
		t = strings.TrimPrefix(t, prefix)
	}
	n, err := strconv.ParseUint(t, 10, 8)
	if err != nil || !Draft(n).Valid() {
		return 0, fmt.Errorf("draft %q: want a number from %d to %d", s, Oldest, Newest)
	}
	return Draft(n), nil
}

// dialect is one of the three integer encodings (draft-14 §1.4, draft-17 §1.4.1, draft-18 §1.4.1).
type dialect uint8

const (
	rfc9000      dialect = iota // drafts 14-16
	vi64Without7                // draft 17: no 7-byte form
	vi64                        // drafts 18 and later
)

func (d Draft) dialect() dialect {
	switch {
	case d < Draft17:
		return rfc9000
	case d == Draft17:
		return vi64Without7
	}
	return vi64
}
