package wire

// AppendHeader appends the header of an object, or a marker. The caller appends or streams the payload. The flags that
// take the fewest bytes are chosen, or Flags used with KeepFlags. The error is an *Error, and nothing is appended: what
// the draft has no form for, flags that do not fit the ids, ids against the Group Order (18 and later), a status where
// the draft has none.
func (o *FetchObjects) AppendHeader(b []byte, object *FetchObject) ([]byte, error) {
	d := o.Draft
	v := *object
	h := &v
	if h.Datagram && d <= Draft15 { // draft-14 §10.4.4, draft-15 §10.4.4: shown as a subgroup of its own
		h.Datagram, h.Subgroup = false, h.Object
	}
	if !fits(d, h.Group, h.Object, h.Subgroup, h.PayloadLength) {
		return b, unencodable(d, objectMessage, "", "integer above 2^62-1")
	}
	if h.Range != NoRange {
		return o.appendRange(b, h)
	}
	if err := checkObject(d, h.Status, h.PayloadLength, len(h.Properties)); err != nil {
		return b, err
	}
	if d >= Draft16 && h.Status != StatusNormal {
		return b, unencodable(d, objectMessage, "object_status", "objects of a fetch have none")
	}
	flags := h.Flags
	if !h.KeepFlags {
		flags = o.chooseFlags(h)
	} else if err := o.checkFlags(flags, h); err != nil {
		return b, err
	}
	if field := o.unreachable(flags, h); field != "" {
		return b, unencodable(d, objectMessage, field, "{%d, %d} cannot follow {%d, %d} on the wire", h.Group, h.Object,
			o.group, o.object)
	}
	switch {
	case d == Draft15:
		b = append(b, byte(flags))
	case d >= Draft16:
		b = AppendVarint(b, d, flags)
	}
	if flags&fetchGroupID != 0 {
		b = AppendVarint(b, d, o.groupField(h))
	}
	if flags&fetchDatagram == 0 && flags&fetchSubgroupMode == fetchSubgroupPresent {
		b = AppendVarint(b, d, h.Subgroup)
	}
	if flags&fetchObjectID != 0 {
		b = AppendVarint(b, d, o.objectField(flags, h))
	}
	if flags&fetchPriority != 0 {
		b = append(b, h.Priority)
	}
	if flags&fetchProperties != 0 {
		b = AppendVarint(b, d, uint64(len(h.Properties)))
		b = append(b, h.Properties...)
	}
	b = AppendVarint(b, d, h.PayloadLength)
	if d <= Draft15 && h.PayloadLength == 0 {
		b = AppendVarint(b, d, uint64(h.Status))
	}
	o.took(h)
	return b, nil
}

// chooseFlags says which fields to write; 14 writes all of them, and no flags.
func (o *FetchObjects) chooseFlags(h *FetchObject) uint64 {
	if o.Draft == Draft14 {
		return fetchGroupID | fetchSubgroupPresent | fetchObjectID | fetchPriority | fetchProperties
	}
	var flags uint64
	prior := o.objects && !o.datagram
	switch {
	case h.Datagram:
		flags = fetchDatagram
	case h.Subgroup == 0:
	case prior && h.Subgroup == o.subgroup:
		flags = fetchSubgroupPrior
	case prior && h.Subgroup-1 == o.subgroup:
		flags = fetchSubgroupNext
	default:
		flags = fetchSubgroupPresent
	}
	sameGroup := o.items && h.Group == o.group
	if !sameGroup {
		flags |= fetchGroupID
	}
	if !sameGroup || h.Object == 0 || h.Object-1 != o.object {
		flags |= fetchObjectID
	}
	if !o.objects || h.Priority != o.priority {
		flags |= fetchPriority
	}
	if h.HasProperties || len(h.Properties) > 0 {
		flags |= fetchProperties
	}
	return flags
}

// checkFlags judges flags that the caller chose: what they leave out must follow from the prior item.
func (o *FetchObjects) checkFlags(flags uint64, h *FetchObject) error {
	d := o.Draft
	if d == Draft14 {
		return unencodable(d, objectMessage, "serialization_flags", "14 has none")
	}
	field := o.missingPrior(flags)
	mode := flags & fetchSubgroupMode
	datagram := flags&fetchDatagram != 0
	switch {
	case flags >= 0x80 || datagram && d == Draft15:
		field = "flags"
	case field != "":
	case datagram != h.Datagram:
		field = "Forwarding Preference"
	case !datagram && (mode == fetchSubgroupZero && h.Subgroup != 0 || mode == fetchSubgroupPrior &&
		h.Subgroup != o.subgroup ||
		mode == fetchSubgroupNext && (h.Subgroup == 0 || h.Subgroup-1 != o.subgroup)):
		field = "Subgroup ID"
	case flags&fetchPriority == 0 && h.Priority != o.priority:
		field = "Priority"
	case flags&fetchProperties == 0 && len(h.Properties) > 0:
		field = propertiesField(d)
	}
	if field != "" {
		return unencodable(d, objectMessage, "serialization_flags", "0x%x does not fit the object's %s", flags, field)
	}
	return nil
}

// unreachable names the id that the flags and the draft's arithmetic cannot express after the prior item, "" if they
// can.
func (o *FetchObjects) unreachable(flags uint64, h *FetchObject) string {
	deltas := o.Draft >= Draft18 && o.items
	switch {
	case flags&fetchGroupID == 0 && h.Group != o.group,
		flags&fetchGroupID != 0 && deltas && !o.Options.Descending && h.Group <= o.group,
		flags&fetchGroupID != 0 && deltas && o.Options.Descending && h.Group >= o.group:
		return "group_id"
	case flags&fetchObjectID == 0 && (h.Object == 0 || h.Object-1 != o.object),
		flags&fetchObjectID != 0 && flags&fetchGroupID == 0 && deltas && h.Object < o.object:
		return "object_id"
	}
	return ""
}

// groupField is the Group ID or Group ID Delta to write.
func (o *FetchObjects) groupField(h *FetchObject) uint64 {
	switch {
	case o.Draft <= Draft17 || !o.items:
		return h.Group
	case o.Options.Descending:
		return o.group - h.Group - 1
	}
	return h.Group - o.group - 1
}

// objectField is the Object ID or Object ID Delta to write.
func (o *FetchObjects) objectField(flags uint64, h *FetchObject) uint64 {
	if o.Draft <= Draft17 || !o.items || flags&fetchGroupID != 0 {
		return h.Object
	}
	return h.Object - o.object
}

// appendRange writes a marker: absolute ids, no Payload Length.
func (o *FetchObjects) appendRange(b []byte, h *FetchObject) ([]byte, error) {
	d := o.Draft
	if rangeOf(d, h.Range.flags()) != h.Range {
		return b, unencodable(d, objectMessage, "serialization_flags", "the draft has no such End of Range")
	}
	b = AppendVarint(b, d, h.Range.flags())
	b = AppendVarint(b, d, h.Group)
	b = AppendVarint(b, d, h.Object)
	o.took(h)
	return b, nil
}
