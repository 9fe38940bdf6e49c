package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// sameKeyValues reports whether two drafts write Key-Value-Pairs alike: the same integers, and types both absolute or
// both as deltas.
func sameKeyValues(from, to Draft) bool {
	return from.dialect() == to.dialect() && (from >= Draft16) == (to >= Draft16)
}

// TranscodeProperties appends to dst the block raw, written for one draft, as another writes it: a relay forwards an
// object from 16 to 22 with it. Types keep their order unless the other draft needs them ascending.
//
// The bytes inside Immutable Properties may be authenticated end to end (draft-18 §12.7), so they stay as they are
// where both drafts read the same from them. Otherwise they are translated, because a subscriber that cannot parse them
// must hold the track malformed. An integer longer than it needs to be keeps its length then, so that from a newer
// draft the way back gives the bytes that came. What does not parse stays.
//
// Nothing is allocated but for out-of-order types, nested blocks that need translation, and errors. The error is an
// *Error: raw cannot be parsed, or an integer that the other draft cannot encode; dst is unchanged then.
func TranscodeProperties(dst []byte, from, to Draft, raw []byte) ([]byte, error) {
	return transcode(dst, from, to, raw, false)
}

// transcode is TranscodeProperties; nested says that raw is inside Immutable Properties.
func transcode(dst []byte, from, to Draft, raw []byte, nested bool) ([]byte, error) {
	if sameKeyValues(from, to) {
		return append(dst, raw...), nil
	}
	out := dst
	var prev uint64
	for r := (kvReader{b: raw, d: from}); r.more(); {
		if err := r.next(); err != nil {
			return dst, err
		}
		if r.pair.Type < prev && to >= Draft16 {
			return transcodeSorted(dst, from, to, raw, nested)
		}
		x := r.pair
		if err := transcodePair(&x, from, to, nested); err != nil {
			return dst, err
		}
		if !fits(to, typeField(to, prev, x.Type)) {
			return dst, unencodable(to, "properties", typeValue(x.Type), "integer above 2^62-1")
		}
		if nested {
			out = r.appendAlike(out, to, prev, x)
		} else {
			out = appendKeyValue(out, to, prev, x)
		}
		prev = x.Type
	}
	return out, nil
}

// appendAlike writes x, the pair just read, with the integers that are longer than need be as long as they were.
func (r *kvReader) appendAlike(b []byte, to Draft, prev uint64, x Property) []byte {
	written, _ := Varint(r.b[r.start:], r.d)
	n := r.value - r.start
	b = appendVarintAlike(b, to, typeField(to, prev, x.Type), n > VarintLen(r.d, written), n)
	if x.Type%2 == 0 {
		return appendVarintAlike(b, to, x.Uint, r.n-r.value > VarintLen(r.d, x.Uint), r.n-r.value)
	}
	length, n := Varint(r.b[r.value:], r.d)
	b = appendVarintAlike(b, to, uint64(len(x.Bytes)), n > VarintLen(r.d, length), n)
	return append(b, x.Bytes...)
}

// appendVarintAlike appends v in its shortest encoding, or if it was longer in one of n bytes, or the next length that
// the draft has.
func appendVarintAlike(b []byte, d Draft, v uint64, longer bool, n int) []byte {
	if !longer || n <= VarintLen(d, v) {
		return AppendVarint(b, d, v)
	}
	start := len(b)
	b = binary.BigEndian.AppendUint64(append(b, 0), v) // the value ends at the last byte
	if d.dialect() == rfc9000 {
		n = 1 << bits.Len(uint(n-1)) // 2, 4 or 8
		b = append(b[:start], b[start+9-n:]...)
		b[start] |= byte(bits.TrailingZeros(uint(n))) << 6
		return b
	}
	if n == 7 && d.dialect() == vi64Without7 {
		n = 8
	}
	b = append(b[:start], b[start+9-n:]...)
	b[start] |= byte(0xff << (9 - n)) // n-1 leading ones
	return b
}

// Transcode gives the properties as another draft needs them: a copy in ascending order where the draft wants it,
// Immutable Properties translated as TranscodeProperties does. The result shares the byte values that did not change.
func (p Properties) Transcode(from, to Draft) (Properties, error) {
	return p.transcode(from, to, false)
}

func (p Properties) transcode(from, to Draft, nested bool) (Properties, error) {
	if sameKeyValues(from, to) {
		return p, nil
	}
	out := slices.Clone(p)
	for i := range out {
		if err := transcodePair(&out[i], from, to, nested); err != nil {
			return nil, err
		}
	}
	if to >= Draft16 {
		slices.SortStableFunc(out, func(a, b Property) int {
			switch {
			case a.Type < b.Type:
				return -1
			case a.Type > b.Type:
				return 1
			}
			return 0
		})
	}
	return out, nil
}

func transcodeSorted(dst []byte, from, to Draft, raw []byte, nested bool) ([]byte, error) {
	var props Properties
	for r := (kvReader{b: raw, d: from}); r.more(); {
		if err := r.next(); err != nil {
			return dst, err
		}
		props = append(props, r.pair)
	}
	props, err := props.transcode(from, to, nested)
	if err != nil {
		return dst, err
	}
	return AppendProperties(dst, to, props)
}

// transcodePair translates a value. Immutable Properties inside others make the track malformed, and stay as they are.
func transcodePair(x *Property, from, to Draft, nested bool) error {
	if !fits(to, x.Uint) {
		return unencodable(to, "properties", typeValue(x.Type), "integer above 2^62-1")
	}
	if x.Type != PropImmutable || nested || readsAlike(x.Bytes, from, to) {
		return nil
	}
	inner, err := transcode(nil, from, to, x.Bytes, true)
	if err != nil {
		if e := err.(*Error); e.Draft == from {
			return nil // it does not parse where it came from: a malformed track, whose bytes nobody may change
		}
		return err
	}
	if len(inner) > maxKeyValue {
		return unencodable(to, "properties", typeValue(x.Type), "%d bytes after translation, at most %d", len(inner),
			maxKeyValue)
	}
	x.Bytes = inner
	return nil
}

// readsAlike reports whether both drafts read the same pairs from b.
func readsAlike(b []byte, d1, d2 Draft) bool {
	r1, r2 := kvReader{b: b, d: d1}, kvReader{b: b, d: d2}
	for r1.more() && r2.more() {
		if r1.next() != nil || r2.next() != nil {
			return false
		}
		if r1.n != r2.n || r1.pair.Type != r2.pair.Type || r1.pair.Uint != r2.pair.Uint ||
			!bytes.Equal(r1.pair.Bytes, r2.pair.Bytes) {
			return false
		}
	}
	return !r1.more() && !r2.more()
}
