package wire

import "github.com/moqinterop/moq-interop-client/moqt/rules"

// ParseHeader reads the next object's header, or a marker, from the start of b and tells how many bytes it took;
// h.PayloadLength bytes of payload follow and are the caller's to consume. ErrTruncated means that the header is not
// complete: read more and parse again. Any other error is an *Error, and the stream is of no further use. Nothing is
// allocated but the *Error.
func (o *FetchObjects) ParseHeader(b []byte, h *FetchObject) (int, error) {
	c := cursor{b: b, d: o.Draft}
	return c.result(objectMessage, o.parse(&c, h))
}

func (o *FetchObjects) parse(c *cursor, h *FetchObject) (err error) {
	var v FetchObject
	switch {
	case o.Draft == Draft14:
		v.HasProperties = true
		v.Group = c.varint("group_id")
		v.Subgroup = c.varint("subgroup_id")
		v.Object = c.varint("object_id")
		v.Priority = c.uint8("publisher_priority")
	case o.Draft == Draft15:
		v.Flags = uint64(c.uint8("serialization_flags"))
	default:
		v.Flags = c.varint("serialization_flags")
	}
	if o.Draft >= Draft15 && c.stop == running {
		if v.Range = rangeOf(o.Draft, v.Flags); v.Range != NoRange {
			return o.parseRange(c, v, h)
		}
		if v.Flags >= 0x80 || v.Flags >= fetchDatagram && o.Draft == Draft15 {
			return c.fail(objectMessage, "serialization_flags", 0, rules.FetchFlags, "0x%x is not defined", v.Flags)
		}
		if err := o.parseIDs(c, &v); err != nil {
			return err
		}
	}
	if v.HasProperties {
		if v.Properties, err = c.objectProperties(objectMessage, o.MaxProperties, &o.Options); err != nil {
			return err
		}
	}
	v.PayloadLength = c.varint("payload_length")
	if c.stop == running && v.PayloadLength == 0 && (o.Draft <= Draft15 || c.tolerates(&o.Options, FetchObjectStatus)) {
		at := c.n
		v.Status = ObjectStatus(c.varint("object_status"))
		if err := c.checkStatus(objectMessage, v.Status, len(v.Properties), at); err != nil {
			return err
		}
	}
	o.parsed(c, &v, h)
	return nil
}

// parsed hands out the item v if all of it was read.
func (o *FetchObjects) parsed(c *cursor, v, h *FetchObject) {
	if c.stop != running {
		return
	}
	*h = *v
	o.took(h)
	o.Options.tell(c.passed, objectMessage)
}

// parseIDs reads what the flags say up to the priority, and fills in the rest from the prior item.
func (o *FetchObjects) parseIDs(c *cursor, v *FetchObject) error {
	if field := o.missingPrior(v.Flags); field != "" {
		return c.fail(objectMessage, "serialization_flags", 0, rules.FetchFirstObject,
			"0x%x takes the %s from a prior object, and there is none", v.Flags, field)
	}
	if err := o.parseGroup(c, v); err != nil {
		return err
	}
	if v.Datagram = v.Flags&fetchDatagram != 0; !v.Datagram {
		switch v.Flags & fetchSubgroupMode {
		case fetchSubgroupPrior:
			v.Subgroup = o.subgroup
		case fetchSubgroupNext:
			if o.subgroup == o.Draft.MaxVarint() {
				return c.fail(objectMessage, "serialization_flags", 0, rules.FetchFlags, "Subgroup ID passes %d",
					o.subgroup)
			}
			v.Subgroup = o.subgroup + 1
		case fetchSubgroupPresent:
			v.Subgroup = c.varint("subgroup_id")
		}
	}
	if err := o.parseObject(c, v); err != nil {
		return err
	}
	v.Priority = o.priority
	if v.Flags&fetchPriority != 0 {
		v.Priority = c.uint8("publisher_priority")
	}
	v.HasProperties = v.Flags&fetchProperties != 0
	return nil
}

// missingPrior names what the flags take from a prior object that was not there (draft-18 §11.4.4.1), ""
// if all is there.
func (o *FetchObjects) missingPrior(flags uint64) string {
	mode := flags & fetchSubgroupMode
	usesSubgroup := flags&fetchDatagram == 0 && (mode == fetchSubgroupPrior || mode == fetchSubgroupNext)
	switch {
	case flags&fetchGroupID == 0 && !o.items:
		return "Group ID"
	case usesSubgroup && !o.objects:
		return "Subgroup ID"
	case flags&fetchObjectID == 0 && !o.items:
		return "Object ID"
	case flags&fetchPriority == 0 && !o.objects:
		return "Priority"
	}
	return ""
}

// parseGroup: absolute up to 17 and in the first item, after that a delta of at least 1 in the fetch's Group Order
// (draft-18 §11.4.4.1).
func (o *FetchObjects) parseGroup(c *cursor, v *FetchObject) error {
	v.Group = o.group
	if v.Flags&fetchGroupID == 0 {
		return nil
	}
	at := c.n
	if o.Draft <= Draft17 {
		v.Group = c.varint("group_id")
		return nil
	}
	v.GroupDelta = c.varint("group_id_delta")
	limit := o.Draft.MaxVarint()
	switch {
	case c.stop != running:
	case !o.items:
		v.Group = v.GroupDelta
	case o.Options.Descending:
		if v.GroupDelta >= o.group {
			return c.fail(objectMessage, "group_id_delta", at, rules.FetchGroupBound,
				"Group ID below 0: %d - (%d + 1), descending", o.group, v.GroupDelta)
		}
		v.Group = o.group - v.GroupDelta - 1
	default:
		if o.group == limit || v.GroupDelta > limit-o.group-1 {
			return c.fail(objectMessage, "group_id_delta", at, rules.FetchGroupBound,
				"Group ID passes 2^64-1: %d + %d + 1, ascending", o.group, v.GroupDelta)
		}
		v.Group = o.group + v.GroupDelta + 1
	}
	return nil
}

// parseObject: absolute up to 17, in the first item and where the group changed; else a delta without the plus one
// (draft-18 §11.4.4.1).
func (o *FetchObjects) parseObject(c *cursor, v *FetchObject) error {
	limit := o.Draft.MaxVarint()
	at := c.n
	switch {
	case v.Flags&fetchObjectID == 0:
		if o.object == limit {
			return c.fail(objectMessage, "serialization_flags", 0, rules.FetchObjectBound, "Object ID passes %d", limit)
		}
		v.Object = o.object + 1
	case o.Draft <= Draft17:
		v.Object = c.varint("object_id")
	default:
		v.ObjectDelta = c.varint("object_id_delta")
		v.Object = v.ObjectDelta
		if c.stop == running && o.items && v.Flags&fetchGroupID == 0 {
			if v.ObjectDelta > limit-o.object {
				return c.fail(objectMessage, "object_id_delta", at, rules.FetchObjectBound,
					"Object ID passes 2^64-1: %d + %d", o.object, v.ObjectDelta)
			}
			v.Object = o.object + v.ObjectDelta
		}
	}
	return nil
}

// parseRange reads a marker: both ids absolute and no Payload Length. From 18 on the text leaves this open (draft-18
// §11.4.4.2), and implementations agree on it. With the tolerance EndOfRangeDeltas the ids are read as those of an
// object of the draft, and a Payload Length of 0 follows.
func (o *FetchObjects) parseRange(c *cursor, v FetchObject, h *FetchObject) error {
	if !c.tolerates(&o.Options, EndOfRangeDeltas) {
		v.Group = c.varint("group_id")
		v.Object = c.varint("object_id")
	} else {
		flags := v.Flags
		v.Flags = fetchGroupID | fetchObjectID
		if err := o.parseGroup(c, &v); err != nil {
			return err
		}
		if err := o.parseObject(c, &v); err != nil {
			return err
		}
		v.Flags = flags
		at := c.n
		if length := c.varint("payload_length"); length != 0 {
			return c.fail(objectMessage, "payload_length", at, rules.EndOfRange, "%d after an End of Range", length)
		}
	}
	o.parsed(c, &v, h)
	return nil
}
