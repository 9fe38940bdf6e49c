package reference

import (
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// trackParameters are the facts about a track that 14 and 15 carry in parameters and later drafts in properties
// (draft-14 §9.2.1, draft-15 §9.2.1, draft-16 §11).
var trackParameters = []struct {
	parameter wire.ParameterType
	property  uint64
	first     wire.Draft
}{
	{wire.ParamObjectDeliveryTimeout, wire.PropObjectDeliveryTimeout, wire.Draft14},
	{wire.ParamRendezvousTimeout, wire.PropMaxCacheDuration, wire.Draft14}, // MAX_CACHE_DURATION has its code up to 15
	{wire.ParamPublisherPriority, wire.PropDefaultPublisherPriority, wire.Draft15},
	{wire.ParamGroupOrder, wire.PropDefaultGroupOrder, wire.Draft14},
	{wire.ParamDynamicGroups, wire.PropDynamicGroups, wire.Draft15},
}

// infoOf reads what a publisher says about a track in SUBSCRIBE_OK, PUBLISH, FETCH_OK or REQUEST_OK.
func infoOf(d wire.Draft, ps wire.Parameters, props wire.Properties) trackInfo {
	info := trackInfo{properties: slices.Clone(props), priority: moqt.DefaultPublisherPriority}
	info.largest, info.hasLargest = ps.Largest()
	if d <= wire.Draft15 {
		for _, p := range trackParameters {
			if v, ok := ps.Uint(p.parameter); ok && d >= p.first {
				info.properties = append(info.properties, wire.Property{Type: p.property, Uint: v})
			}
		}
		slices.SortStableFunc(info.properties, func(a, b wire.Property) int { return int(a.Type) - int(b.Type) })
	}
	get := func(t uint64) uint64 {
		p, _ := info.properties.Lookup(d, t)
		return p.Uint
	}
	if p, ok := info.properties.Lookup(d, wire.PropDefaultPublisherPriority); ok {
		info.priority = uint8(p.Uint)
	}
	info.timeouts.object = milliseconds(get(wire.PropObjectDeliveryTimeout))
	if d >= wire.Draft18 {
		info.timeouts.subgroup = milliseconds(get(wire.PropSubgroupDeliveryTimeout))
	}
	info.maxAge = milliseconds(get(wire.PropMaxCacheDuration))
	if props, err := info.properties.Transcode(d, wire.Newest); err == nil {
		info.properties = props
	}
	return info
}

// say puts a track's properties, in the newest form, where draft d has them: up to 15 into parameters, as far as these
// exist, later into properties. Largest goes into the parameters.
func (t *track) say(d wire.Draft, ps *wire.Parameters, props *wire.Properties) {
	if t.hasLargest {
		ps.SetLargest(t.largest)
	}
	if d >= wire.Draft16 {
		out, err := t.properties.Transcode(wire.Newest, d)
		if err == nil {
			*props = slices.DeleteFunc(slices.Clone(out), func(p wire.Property) bool { return !speaks(d, p) })
		}
		return
	}
	for _, p := range trackParameters {
		if v, ok := t.properties.Lookup(wire.Newest, p.property); ok && d >= p.first {
			ps.SetUint(p.parameter, v.Uint)
		}
	}
}

// speaks reports whether a draft can express a property. Draft 16 forbids a DELIVERY_TIMEOUT of 0, which later drafts
// use for none.
func speaks(d wire.Draft, p wire.Property) bool {
	return d != wire.Draft16 || p.Type != wire.PropObjectDeliveryTimeout || p.Uint > 0
}

// unknownMandatory finds a Mandatory Track Property. The relay knows none (draft-18 §2.5.1).
func (r *Relay) unknownMandatory(d wire.Draft, props wire.Properties) (uint64, bool) {
	for _, p := range props {
		if wire.MandatoryProperty(d, p.Type) && !r.faults[mandatoryIgnored] {
			return p.Type, true
		}
	}
	return 0, false
}

// oneOf gives the smaller of a limit and what was asked for in milliseconds.
func oneOf(limit time.Duration, ms uint64) time.Duration { return min(limit, milliseconds(ms)) }

// milliseconds is a duration of the wire; more than a day is a day.
func milliseconds(v uint64) time.Duration {
	return time.Duration(min(v, uint64(24*time.Hour/time.Millisecond))) * time.Millisecond
}
