package wire

import (
	"fmt"
	"slices"
	"strings"
)

// Tolerance is a set of named deviations that decoding accepts on request (`--compat`). The zero value accepts none.
// Each deviation accepted is reported through Options.Tolerated.
type Tolerance uint32

// The tolerances of the codec. Each is a deviation that deployed programs have.
const (
	// LenientExtensions accepts a truncated or unparsable block of track or object extensions (properties).
	LenientExtensions Tolerance = 1 << iota
	// EndOfRangeDeltas reads End of Range markers of fetch streams with delta ids and a Payload Length of 0.
	EndOfRangeDeltas
	// FetchObjectStatus reads an Object Status behind a Payload Length of 0 in fetch streams of 16 and later.
	FetchObjectStatus
	// LargestObjectLength reads LARGEST_OBJECT with a length before the Location (17 and later).
	LargestObjectLength
	// GroupOrderInReplies accepts GROUP_ORDER in SUBSCRIBE_OK, FETCH_OK, PUBLISH and PUBLISH_OK, where the draft does
	// not define it there.
	GroupOrderInReplies
	// FillWithoutLength reads FILL_PARAMETERS as a bare parameter block: count, no Length (20-22).
	FillWithoutLength
	// MisplacedParameters ignores known parameters in messages they are not defined for (17 and later), as 14-16 do.
	MisplacedParameters
	// EmptyNamespacePrefix accepts SUBSCRIBE_NAMESPACE with an empty prefix in 14-15, which want a field (draft-14
	// §9.28, draft-15 §9.23).
	EmptyNamespacePrefix
	// NamespacePrefixLength accepts a length before the TRACK_NAMESPACE_PREFIX of a REQUEST_UPDATE (18 and later),
	// where the draft has the namespace alone (draft-18 §10.2.14).
	NamespacePrefixLength
)

// toleranceNames is the one list of names; `--compat` and reports use it.
var toleranceNames = []struct {
	bit  Tolerance
	name string
}{
	{LenientExtensions, "lenient-extensions"},
	{EndOfRangeDeltas, "end-of-range-deltas"},
	{FetchObjectStatus, "fetch-object-status"},
	{LargestObjectLength, "largest-object-length"},
	{GroupOrderInReplies, "group-order-in-replies"},
	{FillWithoutLength, "fill-without-length"},
	{MisplacedParameters, "misplaced-parameters"},
	{EmptyNamespacePrefix, "empty-namespace-prefix"},
	{NamespacePrefixLength, "namespace-prefix-length"},
}

// ToleranceNames lists the names that ParseTolerance knows.
func ToleranceNames() []string {
	var names []string
	for _, t := range toleranceNames {
		names = append(names, t.name)
	}
	return names
}

// ParseTolerance reads one name.
func ParseTolerance(name string) (Tolerance, error) {
	for _, t := range toleranceNames {
		if t.name == name {
			return t.bit, nil
		}
	}
	return 0, fmt.Errorf("unknown tolerance %q: want one of %s", name, strings.Join(ToleranceNames(), ", "))
}

// Has reports whether all of u is in t.
func (t Tolerance) Has(u Tolerance) bool { return t&u == u }

// String joins the names with commas.
func (t Tolerance) String() string {
	var names []string
	for _, x := range toleranceNames {
		if t.Has(x.bit) {
			names = append(names, x.name)
		}
	}
	return strings.Join(names, ",")
}

// Options change how bytes are decoded. The zero value is the strict reading.
type Options struct {
	// Tolerate names the deviations to accept.
	Tolerate Tolerance
	// Tolerated, if set, is told of each deviation accepted: which, and where.
	Tolerated func(t Tolerance, where string)
	// Answers is the kind of request that a response answers; the rules for a response depend on it. Zero: not known,
	// and what depends on it is not judged.
	Answers Kind
	// Descending is the Group Order of the fetch stream being read; needed from 18 on, where the sign of group deltas
	// is not on the wire.
	Descending bool
	// HTTP3 says that the bytes are those of the HTTP/3 connection below WebTransport, where a datagram begins with its
	// Quarter Stream ID (RFC 9297 §2.1). Streams need no such word: what begins them tells.
	HTTP3 bool
}

// wouldPass finds what would have let an input pass that opt refuses: one tolerance where one is enough. 0 is none.
// passes tries. LenientExtensions is tried last, for it takes almost anything at the end of a message.
func wouldPass(opt Options, passes func(Options) bool) Tolerance {
	opt.Tolerated = nil
	with := func(t Tolerance) bool {
		opt := opt
		opt.Tolerate |= t
		return passes(opt)
	}
	var all Tolerance
	for i := range toleranceNames {
		t := toleranceNames[(i+1)%len(toleranceNames)].bit
		if opt.Tolerate.Has(t) {
			continue
		}
		if with(t) {
			return t
		}
		all |= t
	}
	if all == 0 || !with(all) {
		return 0
	}
	for _, t := range toleranceNames {
		if less := all &^ t.bit; with(less) {
			all = less
		}
	}
	return all
}

// deviation lists the places of a message where the tolerances that would let it pass come in, without those that the
// error's Field names. LenientExtensions has none: a block fails where it is cut short.
func deviation(failed *Error, message string, opt Options, passes func(Options) bool) string {
	var places []string
	opt.Tolerate |= failed.WouldPass
	opt.Tolerated = func(t Tolerance, where string) {
		place := strings.TrimPrefix(where, message+" ")
		within := place // or the parameter that it is in: "parameters[0]."
		if dot := strings.LastIndexByte(place, '.'); dot >= 0 {
			within = place[:dot+1]
		}
		if t != LenientExtensions && failed.WouldPass.Has(t) && !strings.HasPrefix(failed.Field, within) {
			places = append(places, place)
		}
	}
	passes(opt)
	return strings.Join(slices.Compact(places), ", ")
}

// tell reports each of the deviations accepted.
func (o *Options) tell(passed Tolerance, where string) {
	if o.Tolerated == nil || passed == 0 {
		return
	}
	for _, t := range toleranceNames {
		if passed.Has(t.bit) {
			o.Tolerated(t.bit, where)
		}
	}
}
