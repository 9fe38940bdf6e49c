package wire

import "fmt"

// Malformed says why a track or object with these properties makes its track malformed, nil if it does not. The
// subscription or fetch must be cancelled then; the session stays open (draft-14 §11, draft-18 §2.5.1, §12.7-12.9). loc
// is the object's location, not used for a track. What takes several objects to see (a gap that covers an object
// already received) is for the session to find.
func (p Properties) Malformed(d Draft, scope Scope, loc Location) error {
	m := malformed{d: d, scope: scope, loc: loc}
	for _, x := range p {
		if err := m.property(x); err != nil {
			return err
		}
	}
	return nil
}

// MalformedObject is Properties.Malformed for an object's encoded block; it allocates nothing but the error. It does
// not judge a block that cannot be parsed: ParseHeader and ParseDatagram refuse that.
func MalformedObject(raw []byte, d Draft, loc Location) error {
	m := malformed{d: d, scope: ObjectScope, loc: loc}
	for r := (kvReader{b: raw, d: d}); r.more(); {
		if r.next() != nil {
			return nil
		}
		if err := m.property(r.pair); err != nil {
			return err
		}
	}
	return nil
}

// malformed counts what an object may have once only.
type malformed struct {
	d                           Draft
	scope                       Scope
	loc                         Location
	groups, objects, immutables int
}

func (m *malformed) property(x Property) error {
	if x.Type != PropImmutable {
		return m.plain(x)
	}
	if m.immutables++; m.immutables > 1 && m.scope == ObjectScope {
		return fmt.Errorf("malformed track: more than one %s on an object", PropertyName(m.d, m.scope, PropImmutable))
	}
	for r := (kvReader{b: x.Bytes, d: m.d}); r.more(); {
		if err := r.next(); err != nil {
			return fmt.Errorf("malformed track: %s cannot be parsed: %w", PropertyName(m.d, m.scope, PropImmutable),
				err)
		}
		if r.pair.Type == PropImmutable {
			name := PropertyName(m.d, m.scope, PropImmutable)
			return fmt.Errorf("malformed track: %s inside %s", name, name)
		}
		if err := m.plain(r.pair); err != nil {
			return err
		}
	}
	return nil
}

func (m *malformed) plain(x Property) error {
	switch {
	case m.scope != ObjectScope:
	case x.Type == PropPriorGroupIDGap:
		m.groups++
		return oneGap("PRIOR_GROUP_ID_GAP", m.groups, x.Uint, m.loc.Group)
	case x.Type == PropPriorObjectIDGap:
		m.objects++
		return oneGap("PRIOR_OBJECT_ID_GAP", m.objects, x.Uint, m.loc.Object)
	case MandatoryProperty(m.d, x.Type):
		return fmt.Errorf("malformed track: Mandatory Track Property 0x%x on an object", x.Type)
	}
	return nil
}

func oneGap(name string, seen int, gap, id uint64) error {
	switch {
	case seen > 1:
		return fmt.Errorf("malformed track: more than one %s on an object", name)
	case gap > id:
		return fmt.Errorf("malformed track: %s %d is larger than the ID %d", name, gap, id)
	}
	return nil
}
