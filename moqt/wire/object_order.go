package wire

import "fmt"

// objectOrder finds what makes a track malformed among the objects of one stream: what one object shows alone, and what
// it shows beside those before it (draft-14 §2.5, draft-18 §2.4.2, §12.8, §12.9, draft-22 §12.1). What takes more than
// one stream is not seen.
type objectOrder struct {
	d          Draft
	fetch      bool
	descending bool

	any        bool
	last       Location
	groupEnd   *Location // the last End of Group
	trackEnd   *Location // the End of Track
	priorities map[uint64]uint8
}

// maxPriorities bounds the subgroups of a group whose priorities are remembered.
const maxPriorities = 1 << 12

// object judges the next object, by its location, status and encoded properties.
func (o *objectOrder) object(at Location, status ObjectStatus, properties []byte) error {
	err := MalformedObject(properties, o.d, at)
	for _, more := range []func() error{
		func() error { return o.past(at) },
		func() error { return o.gaps(at, properties) },
	} {
		if err == nil {
			err = more()
		}
	}
	switch status {
	case StatusEndOfGroup:
		o.groupEnd = &at
	case StatusEndOfTrack:
		o.trackEnd = &at
	}
	o.any, o.last = true, at
	return err
}

// fetched judges the next item of a fetch stream. A marker is no object.
func (o *objectOrder) fetched(h *FetchObject) error {
	if h.Range != NoRange {
		return nil
	}
	at := Location{h.Group, h.Object}
	err := o.order(at)
	if !o.any || at.Group != o.last.Group {
		o.priorities = nil
	}
	if e := o.priority(h); err == nil {
		err = e
	}
	if e := o.object(at, h.Status, h.Properties); err == nil {
		err = e
	}
	return err
}

// order: up to 17 the objects of a fetch have to come in order for the track to be well-formed. From 18 on their
// encoding sees to it.
func (o *objectOrder) order(at Location) error {
	switch {
	case !o.any || o.d >= Draft18:
	case at.Group == o.last.Group && at.Object <= o.last.Object:
		return fmt.Errorf("malformed track: Object ID %d after %d in one group of a fetch", at.Object, o.last.Object)
	case !o.descending && at.Group < o.last.Group:
		return fmt.Errorf("malformed track: group %d after %d in an ascending fetch", at.Group, o.last.Group)
	case o.descending && at.Group > o.last.Group:
		return fmt.Errorf("malformed track: group %d after %d in a descending fetch", at.Group, o.last.Group)
	}
	return nil
}

// priority: from 16 on the objects of a subgroup have one priority.
func (o *objectOrder) priority(h *FetchObject) error {
	if o.d < Draft16 || h.Datagram {
		return nil
	}
	before, known := o.priorities[h.Subgroup]
	switch {
	case known && before != h.Priority:
		return fmt.Errorf("malformed track: priority %d in subgroup %d, whose last object had %d", h.Priority,
			h.Subgroup, before)
	case o.priorities == nil:
		o.priorities = make(map[uint64]uint8)
	}
	if known || len(o.priorities) < maxPriorities {
		// the map is shared with the copies of a decoder, which all have read the same objects before this one
		o.priorities[h.Subgroup] = h.Priority
	}
	return nil
}

// past finds an object past the end of its group or track.
func (o *objectOrder) past(at Location) error {
	switch {
	case o.trackEnd != nil && at.Compare(*o.trackEnd) > 0:
		return fmt.Errorf("malformed track: object %s is past the End of Track at %s", at, *o.trackEnd)
	case o.groupEnd != nil && o.groupEnd.Group == at.Group && at.Object > o.groupEnd.Object:
		return fmt.Errorf("malformed track: object %s is past the End of Group at %s", at, *o.groupEnd)
	}
	return nil
}

// gaps finds a gap that covers the object before.
func (o *objectOrder) gaps(at Location, properties []byte) error {
	if !o.any {
		return nil
	}
	if gap, ok := LookupProperty(properties, o.d, PropPriorObjectIDGap); ok && at.Group == o.last.Group &&
		o.last.Object < at.Object && at.Object-o.last.Object <= gap.Uint {
		return fmt.Errorf("malformed track: PRIOR_OBJECT_ID_GAP %d of object %s covers object %s", gap.Uint, at, o.last)
	}
	if gap, ok := LookupProperty(properties, o.d, PropPriorGroupIDGap); ok && o.last.Group < at.Group &&
		at.Group-o.last.Group <= gap.Uint {
		return fmt.Errorf("malformed track: PRIOR_GROUP_ID_GAP %d of object %s covers object %s", gap.Uint, at, o.last)
	}
	return nil
}
