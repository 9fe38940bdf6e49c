package bench

import (
	"fmt"
	"math/big"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Timestamps says which timestamps objects carry beside the header, for subscribers of other makes.
type Timestamps string

// The kinds of timestamps.
const (
	NoTimestamps       Timestamps = ""
	LOCTimestamps      Timestamps = "loc"      // TIMESTAMP, an Object Property of draft-ietf-moq-loc
	FrindellTimestamps Timestamps = "frindell" // OBJECT_TIMESTAMP and TIMESCALE of draft-frindell-moq-timestamp-00
	BothTimestamps     Timestamps = "both"
)

// Property types of draft-ietf-moq-loc (the older number is that of draft-18 §15.8's table), and of
// draft-frindell-moq-timestamp-00 §9. The last is what aiomoqt's benches have written before both.
const (
	propLOCTimestamp      = 0x10
	propLOCTimestampOld   = 0x06
	propLOCTimescale      = 0x08
	propTimescale         = 0x2c7a51e0
	propClockID           = 0x3e8d2b70
	propTimestampOrigin   = 0x31b49a6e
	propTimestampMapping  = 0x27f308c5
	propObjectTimestamp   = 0x2d1a
	propBenchTimestamp    = 0x20
	microsecondsPerSecond = 1_000_000
)

// track gives the Track Properties that go with the timestamps: ticks are microseconds since 1970, each object tells
// its own (draft-frindell-moq-timestamp-00 §4.1, Appendix A.2).
func (t Timestamps) track() wire.Properties {
	if t != FrindellTimestamps && t != BothTimestamps {
		return nil
	}
	return wire.Properties{{Type: propTimescale, Uint: microsecondsPerSecond}}
}

// stamp gives an object its timestamps; at is in nanoseconds since 1970.
func (t Timestamps) stamp(o *moqt.Object, at int64) error {
	var props wire.Properties
	us := uint64(at / int64(time.Microsecond))
	if t == LOCTimestamps || t == BothTimestamps {
		props = append(props, wire.Property{Type: propLOCTimestamp, Uint: us})
	}
	if t == FrindellTimestamps || t == BothTimestamps {
		props = append(props, wire.Property{Type: propObjectTimestamp, Uint: us})
	}
	if err := o.EncodeProperties(wire.Newest, props); err != nil {
		return fmt.Errorf("timestamps: %w", err)
	}
	return nil
}

// stampReader reads the timestamps of a publisher of another make.
type stampReader struct {
	scale    uint64 // ticks per second; 0 if the track does not declare frindell timestamps
	foreign  bool   // its clock is a media clock
	origin   uint64
	mapping  []uint64 // base group, base timestamp, group multiplier, object multiplier; or nil
	locMedia bool     // LOC timestamps count media time
}

// newStampReader reads the Track Properties. The error says why they cannot be used.
func newStampReader(d wire.Draft, props wire.Properties) (r stampReader, err error) {
	for _, p := range props {
		switch p.Type {
		case propTimescale:
			if r.scale = p.Uint; r.scale == 0 {
				return r, fmt.Errorf("TIMESCALE is 0")
			}
		case propClockID:
			r.foreign = p.Uint != 0
		case propTimestampOrigin:
			r.origin = p.Uint
		case propLOCTimescale:
			r.locMedia = true
		case propTimestampMapping:
			for b := p.Bytes; len(b) > 0; {
				v, n := wire.Varint(b, d)
				if n <= 0 {
					return r, fmt.Errorf("TIMESTAMP_MAPPING is cut")
				}
				r.mapping, b = append(r.mapping, v), b[n:]
			}
			if len(r.mapping) != 4 {
				return r, fmt.Errorf("TIMESTAMP_MAPPING has %d numbers instead of 4", len(r.mapping))
			}
		}
	}
	if r.scale == 0 && (r.mapping != nil || r.foreign) {
		return r, fmt.Errorf("there is no TIMESCALE")
	}
	return r, nil
}

// read gives the time of an object in nanoseconds since 1970, and where it is from; "" if it has none.
func (r *stampReader) read(o *moqt.Object) (at int64, from Timestamps) {
	if r.scale > 0 && !r.foreign {
		if ticks, ok := r.ticks(o); ok {
			ticks.Add(ticks, new(big.Int).SetUint64(r.origin))
			ticks.Mul(ticks, big.NewInt(int64(time.Second)))
			ticks.Quo(ticks, new(big.Int).SetUint64(r.scale))
			if ticks.IsInt64() && ticks.Sign() >= 0 {
				return ticks.Int64(), FrindellTimestamps
			}
		}
	}
	if _, media := o.Property(propLOCTimescale); media {
		r.locMedia = true
	}
	if !r.locMedia {
		for _, t := range []uint64{propLOCTimestamp, propLOCTimestampOld, propBenchTimestamp} {
			if p, ok := o.Property(t); ok && p.Uint < 1<<53 {
				return int64(p.Uint) * int64(time.Microsecond), LOCTimestamps
			}
		}
	}
	return 0, NoTimestamps
}

// ticks is the object's timestamp (draft-frindell-moq-timestamp-00 §5): what the mapping says and the object corrects,
// or what the object says.
func (r *stampReader) ticks(o *moqt.Object) (*big.Int, bool) {
	p, own := o.Property(propObjectTimestamp)
	if r.mapping == nil {
		return new(big.Int).SetUint64(p.Uint), own
	}
	number := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }
	groups := new(big.Int).Sub(number(o.GroupID), number(r.mapping[0]))
	at := groups.Mul(groups, number(r.mapping[2]))
	at.Add(at, number(r.mapping[1]))
	at.Add(at, new(big.Int).Mul(number(o.ObjectID), number(r.mapping[3])))
	if own {
		at.Add(at, big.NewInt(int64(p.Uint>>1)^-int64(p.Uint&1))) // zigzag, §2.1
	}
	return at, true
}
