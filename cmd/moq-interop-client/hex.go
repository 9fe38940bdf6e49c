package main

import (
	"errors"
	"fmt"
	"io"
)

// form is what input looks like.
type form int

const (
	anyForm form = iota // the first piece tells
	hexForm
	rawForm
)

// hexReader reads bytes that are given as hex digits, ignoring white space, or as they are.
type hexReader struct {
	r     io.Reader
	form  form
	buf   [64 << 10]byte
	chars int // read so far
	bytes int // given so far
	high  byte
	half  bool // high is the first digit of a byte
}

// next gives the bytes that the next piece of text holds; they stay valid until the next call. At the end, also of text
// that ends as it should not, it gives an error with the last bytes: io.EOF, or what is wrong.
func (h *hexReader) next() ([]byte, error) {
	n, err := h.r.Read(h.buf[:])
	if h.form == anyForm && n > 0 {
		h.form = formOf(h.buf[:n])
	}
	if h.form == rawForm {
		return h.buf[:n], err
	}
	out := h.buf[:0] // never ahead of what is being read
	for _, c := range h.buf[:n] {
		digit, ok := hexDigit(c)
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			h.chars++
			continue
		case !ok:
			return out, fmt.Errorf("no hex digit at character %d of the input: %q (--raw takes stdin as it is)",
				h.chars, c)
		case h.half:
			out = append(out, h.high<<4|digit)
			h.bytes++
		default:
			h.high = digit
		}
		h.chars++
		h.half = !h.half
	}
	if errors.Is(err, io.EOF) && h.half {
		err = fmt.Errorf("the input ends in the middle of byte %d: an odd number of hex digits", h.bytes)
	}
	return out, err
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

// formOf is hex where there is nothing but text, so that a slip in hex is called one.
func formOf(piece []byte) form {
	for _, c := range piece {
		if c >= 0x7f || c < ' ' && (c < '\t' || c > '\r') {
			return rawForm
		}
	}
	return hexForm
}
