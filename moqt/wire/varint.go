package wire

import (
	"encoding/binary"
	"math/bits"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// MaxVarint is the largest integer that the draft's encoding can carry: 2^62-1 up to draft 16, 2^64-1 after.
func (d Draft) MaxVarint() uint64 {
	if d.dialect() == rfc9000 {
		return 1<<62 - 1
	}
	return 1<<64 - 1
}

// integerRule is the rule that a first byte breaks which begins no integer. 17 alone has one for it (draft-17 §1.4.1).
func (d Draft) integerRule() rules.ID {
	if d.dialect() == vi64Without7 {
		return rules.IntegerCodePoint
	}
	return rules.Integers
}

// VarintLen is the number of bytes of v's shortest encoding, 0 if the draft cannot encode v.
func VarintLen(d Draft, v uint64) int {
	if d.dialect() == rfc9000 {
		switch {
		case v < 1<<6:
			return 1
		case v < 1<<14:
			return 2
		case v < 1<<30:
			return 4
		case v < 1<<62:
			return 8
		}
		return 0
	}
	n := (bits.Len64(v|1) + 6) / 7
	switch {
	case n > 8: // 57 bits and more
		return 9
	case n == 7 && d.dialect() == vi64Without7: // draft-17 §1.4.1: no 7-byte form
		return 8
	}
	return n
}

// AppendVarint appends v in its shortest encoding. It panics if the draft cannot encode v (more than 62 bits before
// draft 17): check against MaxVarint where v is not known to fit. Everything else in this package returns an error
// instead.
func AppendVarint(b []byte, d Draft, v uint64) []byte {
	n := VarintLen(d, v)
	if n == 1 {
		return append(b, byte(v))
	}
	if d.dialect() == rfc9000 {
		switch n {
		case 2:
			return binary.BigEndian.AppendUint16(b, uint16(v)|1<<14)
		case 4:
			return binary.BigEndian.AppendUint32(b, uint32(v)|2<<30)
		case 8:
			return binary.BigEndian.AppendUint64(b, v|3<<62)
		}
		panic("wire: integer above 2^62-1")
	}
	if n == 9 {
		return binary.BigEndian.AppendUint64(append(b, 0xff), v)
	}
	// n-1 leading ones, a zero (none when n is 8 and the byte is 0xfe), then the value.
	first := byte(0xff << (9 - n))
	if n < 8 {
		first |= byte(v >> (8 * (n - 1)))
	}
	b = append(b, first)
	for i := n - 2; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// Varint reads an integer from the start of b and tells how many bytes it took. Any length that fits is accepted.
// n is 0 when b is too short, and -1 for draft 17's invalid code points 0xfc and 0xfd (draft-17 §1.4.1).
func Varint(b []byte, d Draft) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	first := b[0]
	if d.dialect() == rfc9000 {
		n = 1 << (first >> 6)
		if len(b) < n {
			return 0, 0
		}
		v = uint64(first & 0x3f)
		for _, c := range b[1:n] {
			v = v<<8 | uint64(c)
		}
		return v, n
	}
	n = bits.LeadingZeros8(^first) + 1
	if n == 7 && d.dialect() == vi64Without7 {
		return 0, -1
	}
	if len(b) < n {
		return 0, 0
	}
	if n < 8 {
		v = uint64(first & (0xff >> n))
	}
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

// twoBytes is the first byte of integers that have two bytes, for a value of 0; below it is that of one byte.
func twoBytes(d Draft) byte {
	if d < Draft17 {
		return 0x40
	}
	return 0x80
}

// shortVarint reads an integer of one or two bytes; two is that of the draft. n is 0 for a longer one, and where b has
// less than two bytes.
func shortVarint(b []byte, two byte) (v uint64, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch first := b[0]; {
	case first < two:
		return uint64(first), 1
	case first < two+0x40:
		return uint64(first&0x3f)<<8 | uint64(b[1]), 2
	}
	return 0, 0
}
