package wire

import (
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// TrackNamespace is an ordered list of fields, each any bytes (draft-18 §2.4.1).
type TrackNamespace []string

// String joins the fields with "/", for people; fields may contain "/" themselves, so it is not for comparing.
func (n TrackNamespace) String() string { return strings.Join(n, "/") }

// Equal compares field by field.
func (n TrackNamespace) Equal(m TrackNamespace) bool { return len(n) == len(m) && n.HasPrefix(m) }

// HasPrefix reports whether the first fields of n are exactly those of p (draft-18 §2.4.2).
func (n TrackNamespace) HasPrefix(p TrackNamespace) bool {
	if len(p) > len(n) {
		return false
	}
	for i := range p {
		if n[i] != p[i] {
			return false
		}
	}
	return true
}

// Join gives a new namespace: n's fields, then more.
func (n TrackNamespace) Join(more ...string) TrackNamespace {
	return append(append(make(TrackNamespace, 0, len(n)+len(more)), n...), more...)
}

// Key is a string that two namespaces share only when they are equal; for use as a map key.
func (n TrackNamespace) Key() string {
	var b []byte
	for _, f := range n {
		b = AppendVarint(b, Draft22, uint64(len(f)))
		b = append(b, f...)
	}
	return string(b)
}

func (n TrackNamespace) size() (total int) {
	for _, f := range n {
		total += len(f)
	}
	return total
}

// Limits of names (draft-18 §2.4.1, draft-22 §8.7): fields in a namespace; bytes in a Full Track Name and, from 16 on,
// in a namespace alone.
const (
	MaxNamespaceFields = 32
	MaxFullTrackName   = 4096
)

// minFields is how many fields a whole namespace needs: 1 up to 16, none from 17 on (draft-17 §2.4.1).
func (c *coder) minFields() int {
	if c.draft <= Draft16 {
		return 1
	}
	return 0
}

const prefixField = "track_namespace_prefix"

// prefix is a Track Namespace Prefix: may be empty from 16 on (draft-16 §9.25).
func (c *coder) prefix(n *TrackNamespace) {
	min := 0
	lenient := c.op == opDecode && c.opt != nil && c.opt.Tolerate.Has(EmptyNamespacePrefix)
	if c.draft <= Draft15 && !lenient {
		min = 1
	}
	c.namespace(prefixField, n, min)
	if c.err == nil && lenient && c.draft <= Draft15 && len(*n) == 0 {
		c.tolerate(EmptyNamespacePrefix, prefixField)
	}
}

// fullTrackName is a namespace and a name.
func (c *coder) fullTrackName(n *TrackNamespace, name *string) {
	c.namedTrack("track_namespace", n, name, c.minFields())
}

// namedTrack is a namespace, or the part of one that follows a prefix, and a name: together at most 4096 bytes
// (draft-18 §2.4.1).
func (c *coder) namedTrack(field string, n *TrackNamespace, name *string, min int) {
	c.namespace(field, n, min)
	c.text("track_name", name, 0)
	if total := n.size() + len(*name); total > MaxFullTrackName {
		c.failf("track_name", ProtocolViolation, rules.NameLength,
			"Full Track Name of %d bytes, at most %d are allowed", total, MaxFullTrackName)
	}
}

// namespace is a count and that many fields with their lengths.
func (c *coder) namespace(name string, n *TrackNamespace, min int) {
	if c.err != nil {
		return
	}
	start := c.base + c.pos
	switch c.op {
	case opDecode:
		count := c.readVarint(name)
		if !c.checkFieldCount(name, count, min) {
			return
		}
		*n = make(TrackNamespace, 0, count)
		for range count {
			f := c.readBytes(name, c.readVarint(name))
			if c.err != nil {
				return
			}
			*n = append(*n, string(f))
		}
		c.at = start
	case opEncode:
		c.writeVarint(name, uint64(len(*n)))
		for _, f := range *n {
			c.writeVarint(name, uint64(len(f)))
			c.out = append(c.out, f...)
		}
	case opDescribe:
		list := []any{}
		for _, f := range *n {
			list = append(list, textValue(f))
		}
		c.state(name, list)
	case opParse:
		list, ok := c.take(name).([]any)
		if !ok {
			c.fail(name, InternalError, "", "want a list")
		}
		*n = TrackNamespace{}
		for _, x := range list {
			f, err := parseText(x)
			if err != nil {
				c.fail(name, InternalError, "", err.Error())
			}
			*n = append(*n, f)
		}
	}
	if c.op == opDescribe || !c.checkFieldCount(name, uint64(len(*n)), min) {
		return
	}
	if c.draft < Draft16 { // up to 15 empty fields are allowed, and only the Full Track Name is limited
		return
	}
	for _, f := range *n {
		if f == "" {
			c.fail(name, ProtocolViolation, rules.NameFieldEmpty, "a namespace field of length 0")
		}
	}
	if total := n.size(); total > MaxFullTrackName {
		c.failf(name, ProtocolViolation, rules.NameLength, "namespace of %d bytes, at most %d are allowed", total,
			MaxFullTrackName)
	}
}

func (c *coder) checkFieldCount(name string, count uint64, min int) bool {
	if c.err == nil && (count < uint64(min) || count > MaxNamespaceFields) {
		c.failf(name, ProtocolViolation, c.fieldCountRule(name), "%d fields, want %d to %d", count, min,
			MaxNamespaceFields)
	}
	return c.err == nil
}

// fieldCountRule is the rule of a namespace's field count: up to 20 the prefix of a subscription has one of its own
// (draft-14 §9.28, draft-18 §10.18).
func (c *coder) fieldCountRule(name string) rules.ID {
	switch {
	case name != prefixField || c.draft >= Draft21:
	case c.row.kind == KindSubscribeNamespace:
		return rules.PrefixFieldCount
	case c.row.kind == KindSubscribeTracks:
		return rules.TracksPrefixFieldCount
	}
	return rules.NameFieldCount
}
