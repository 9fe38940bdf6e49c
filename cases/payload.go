package cases

import "fmt"

// Filled gives n bytes that depend on the location. They repeat every 4093 bytes. No packet size is a multiple of that,
// so a lost or moved piece shows.
func Filled(n int, group, object uint64) []byte {
	b := make([]byte, n)
	x := uint32(group*31 + object*7 + 1)
	for i := range min(n, fillPeriod) {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	for i := fillPeriod; i < n; i *= 2 {
		copy(b[i:], b[:i])
	}
	return b
}

const fillPeriod = 4093 // a prime

// NamedPayload is a payload that names the run and the object's location.
func (e *Env) NamedPayload(group, object uint64) []byte {
	return fmt.Appendf(nil, "%s object %d of group %d", e.run, object, group)
}

// Groups is a layout of the groups from first to last, of 5 objects each, with NamedPayload.
func (e *Env) Groups(first, last uint64) Layout {
	return NewLayout(Span(first, last), Span(0, 4), LayoutOptions{Payload: e.NamedPayload})
}

// oneObject is a layout of one object that names the run.
func oneObject(e *Env) Layout {
	return NewLayout(Span(0, 0), Span(0, 0),
		LayoutOptions{Payload: func(uint64, uint64) []byte { return []byte(e.run + " the only object") }})
}
