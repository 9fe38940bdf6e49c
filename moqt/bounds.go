package moqt

import "github.com/moqinterop/moq-interop-client/moqt/wire"

// bounds is the range of a subscription in absolute terms, for the drafts whose updates may only narrow it (14, 15) or
// must restate it (14).
type bounds struct {
	known    bool
	start    wire.Location
	hasEnd   bool
	endGroup uint64
}

// begin takes the range of a request that gives it in absolute terms.
func (b *bounds) begin(ps wire.Parameters) { b.update(ps) }

// establish resolves the range against the Largest Object that the OK, or PUBLISH, tells of. 14 cannot do without a
// filter: left out, Largest Object goes out.
func (b *bounds) establish(d wire.Draft, ps wire.Parameters, largest wire.Location, hasLargest bool) {
	f, ok := ps.Filter()
	if !ok && d == wire.Draft14 {
		f.Form = wire.FilterNextObject
	}
	start, end, open := f.Bounds(largest, hasLargest)
	*b = bounds{known: true, start: start, hasEnd: !open, endGroup: end.Group}
}

// update takes over the range of an update.
func (b *bounds) update(ps wire.Parameters) {
	f, ok := ps.Filter()
	if !ok {
		return
	}
	switch f.Form {
	case wire.FilterAbsoluteStart, wire.FilterGroupEnd, wire.FilterRange:
		start, end, open := f.Bounds(wire.Location{}, false)
		*b = bounds{known: true, start: start, hasEnd: !open, endGroup: end.Group}
	}
}
