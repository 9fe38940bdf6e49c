package cases

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Checks says what of an object is compared in addition to its ids and payload.
type Checks struct {
	// Priority: the Publisher Priority. Properties: every property that was published is there, with its value; a relay
	// may add its own.
	Priority, Properties bool
	// Forwarding: the object comes as it was published, as a datagram or in a subgroup. FirstObject: FIRST_OBJECT is
	// set where a stream begins with the first object of its subgroup, and nowhere else (18 and later).
	Forwarding, FirstObject bool
	// May reports whether an object that is not wanted may still come; nil means that none may.
	May func(at wire.Location) bool
}

// Checker compares received objects with those that were published, in any order. It ignores objects that only signal
// something about the track (End of Group, End of Track, the end of a range), since relays may add those. Safe for
// concurrent use.
type Checker struct {
	// Want is what should come.
	Want   Layout
	checks Checks

	mu      sync.Mutex
	index   map[wire.Location]int
	got     []int // how often each wanted object came
	missing int
	extra   []wire.Location
	wrong   []difference
	marks   []string
	done    chan struct{} // closed once nothing is missing
	changed broadcast
}

// difference is how one object differs from what was published.
type difference struct {
	at   wire.Location
	what string
}

// maxKept bounds how many locations of unwanted objects are kept.
const maxKept = 1000

// NewChecker is a checker that has seen nothing yet.
func NewChecker(want Layout, c Checks) *Checker {
	k := &Checker{Want: want, checks: c, index: map[wire.Location]int{}, got: make([]int, len(want)),
		missing: len(want), done: make(chan struct{}), changed: newBroadcast()}
	for i := range want {
		k.index[want[i].Location()] = i
	}
	if k.missing == 0 {
		close(k.done)
	}
	return k
}

// Add compares one received object. It keeps nothing of o.
func (k *Checker) Add(o *moqt.Object) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if o.Range != wire.NoRange || o.Status != wire.StatusNormal {
		if len(k.marks) < maxKept {
			k.marks = append(k.marks, o.String())
		}
		return
	}
	i, ok := k.index[o.Location()]
	if !ok {
		if k.checks.May != nil && k.checks.May(o.Location()) {
			return
		}
		if len(k.extra) < maxKept {
			k.extra = append(k.extra, o.Location())
		}
		return
	}
	k.got[i]++
	if k.got[i] > 1 {
		return
	}
	if what := k.differs(&k.Want[i], o); what != "" {
		k.wrong = append(k.wrong, difference{o.Location(), what})
	}
	if k.missing--; k.missing == 0 {
		close(k.done)
	}
	k.changed.fire()
}

// WaitRange waits until every wanted object from start to end, inclusive, has come. It reports false when ctx ends
// before.
func (k *Checker) WaitRange(ctx context.Context, start, end wire.Location) bool {
	for {
		k.mu.Lock()
		whole, changed := true, k.changed.wait()
		for i, x := range k.Want {
			at := x.Location()
			whole = whole && (k.got[i] > 0 || at.Compare(start) < 0 || at.Compare(end) > 0)
		}
		k.mu.Unlock()
		if whole {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// differs says how an object differs from what was published; "" when it does not.
func (k *Checker) differs(want *Item, o *moqt.Object) string {
	switch {
	case !o.Datagram && o.SubgroupID != want.Subgroup:
		return fmt.Sprintf("subgroup %d instead of %d", o.SubgroupID, want.Subgroup)
	case len(o.Payload) != len(want.Payload):
		return fmt.Sprintf("%d bytes of payload instead of %d", len(o.Payload), len(want.Payload))
	case !bytes.Equal(o.Payload, want.Payload):
		at := 0
		for o.Payload[at] == want.Payload[at] {
			at++
		}
		return fmt.Sprintf("payload differs from byte %d of %d on", at, len(want.Payload))
	case k.checks.Forwarding && o.Datagram != want.Datagram:
		return "sent as a datagram though published in a subgroup, or the other way round"
	case k.checks.FirstObject && o.FirstObject != want.first:
		return fmt.Sprintf("FIRST_OBJECT is %t instead of %t", o.FirstObject, want.first)
	case k.checks.Priority && o.Priority != want.Priority:
		return fmt.Sprintf("priority %d instead of %d", o.Priority, want.Priority)
	}
	if !k.checks.Properties {
		return ""
	}
	have, err := o.DecodeProperties()
	if err != nil {
		return err.Error()
	}
	for _, p := range want.Properties {
		q, ok := have.Get(p.Type)
		switch {
		case !ok:
			return fmt.Sprintf("property 0x%x is missing", p.Type)
		case q.Uint != p.Uint || !bytes.Equal(q.Bytes, p.Bytes):
			return fmt.Sprintf("property 0x%x has another value", p.Type)
		}
	}
	for _, gap := range []uint64{wire.PropPriorGroupIDGap, wire.PropPriorObjectIDGap} { // draft-18 §12.8, §12.9
		_, set := want.Properties.Get(gap)
		if _, has := have.Get(gap); has && !set {
			return fmt.Sprintf("property 0x%x, which its publisher did not set", gap)
		}
	}
	return ""
}

// Complete reports whether every wanted object has come.
func (k *Checker) Complete() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.missing == 0
}

// Unexpected says which objects should not have come, or were changed; "" when there are none. Missing objects do not
// matter here.
func (k *Checker) Unexpected() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(k.surplus(), "; ")
}

// surplus are the objects that came too often, unwanted or changed. The caller holds mu.
func (k *Checker) surplus() (parts []string) {
	var twice []wire.Location
	for i, n := range k.got {
		if n > 1 {
			twice = append(twice, k.Want[i].Location())
		}
	}
	if len(twice) > 0 {
		parts = append(parts, "more than once "+locations(twice))
	}
	if len(k.extra) > 0 {
		parts = append(parts, "unexpected "+locations(k.extra))
	}
	return append(parts, k.corrupted()...)
}

// corrupted are the objects that came with other content, grouped by how they differ. The caller holds mu.
func (k *Checker) corrupted() (parts []string) {
	at, kinds := map[string][]wire.Location{}, []string{}
	for _, d := range k.wrong {
		if at[d.what] == nil {
			kinds = append(kinds, d.what)
		}
		at[d.what] = append(at[d.what], d.at)
	}
	for i, what := range kinds {
		if i == maxKinds {
			return append(parts, fmt.Sprintf("and %d other differences", len(kinds)-i))
		}
		parts = append(parts, "corrupted "+locations(at[what])+": "+what)
	}
	return parts
}

// maxKinds bounds how many kinds of difference one sentence names.
const maxKinds = 3

// Count is "14 of 15 objects".
func (k *Checker) Count() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return fmt.Sprintf("%d of %d objects", len(k.Want)-k.missing, len(k.Want))
}

// Corrupted says which objects came with other content than was published; "" for none.
func (k *Checker) Corrupted() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(k.corrupted(), "; ")
}

// Problem says in one sentence what is missing, doubled, unexpected or corrupted; "" when exactly the wanted objects
// have come: "105 of 108 objects came, {3, 1} to {3, 3} are missing".
func (k *Checker) Problem() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var missing []wire.Location
	for i, n := range k.got {
		if n == 0 {
			missing = append(missing, k.Want[i].Location())
		}
	}
	parts := k.surplus()
	if len(missing) == 0 && len(parts) == 0 {
		return ""
	}
	if len(k.Want) == 0 {
		return strings.Join(parts, "; ")
	}
	text := fmt.Sprintf("%d of %d objects came", len(k.Want)-k.missing, len(k.Want))
	switch len(missing) {
	case 0:
	case 1:
		text += ", " + locations(missing) + " is missing"
	default:
		text += ", " + locations(missing) + " are missing"
	}
	if len(missing) > 0 && len(k.marks) > 0 {
		parts = append(parts, "the peer marked "+few(k.marks))
	}
	return strings.Join(append([]string{text}, parts...), "; ")
}

// few joins the first few entries of a list.
func few(list []string) string {
	if len(list) > maxListed {
		return strings.Join(list[:maxListed], ", ") + fmt.Sprintf(" and %d more", len(list)-maxListed)
	}
	return strings.Join(list, ", ")
}
