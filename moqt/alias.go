package moqt

import (
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// maxRetired bounds the memory of aliases that are over.
const maxRetired = 1024

// patience is how long data without a subscription may wait.
type patience uint8

const (
	waitSome   patience = iota // its alias may become known
	waitAnswer                 // a request that is not answered yet names it, or may
	waitNever                  // its subscription is over
)

// lookup finds the subscription for data with an alias.
func (d *dataRoutes) lookup(alias uint64, key pickKey) (*Subscription, patience, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.aliases[alias]; e != nil {
		if len(e.subs) > 0 {
			return e.pick(key), waitSome, d.changed
		}
		return nil, waitAnswer, d.changed
	}
	if track, over := d.retired[alias]; over {
		for _, asked := range d.asking {
			if asked == track { // which may get its old alias again
				return nil, waitAnswer, d.changed
			}
		}
		return nil, waitNever, d.changed
	}
	if len(d.asking) > 0 {
		return nil, waitAnswer, d.changed
	}
	return nil, waitSome, d.changed
}

// ask notes a SUBSCRIBE before it is sent: until its answer has come, any unknown alias may be that of its data.
func (d *dataRoutes) ask(sub *Subscription, track string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asking[sub] = track
}

// answered forgets a SUBSCRIBE that has ended, if it is not forgotten yet.
func (d *dataRoutes) answered(sub *Subscription) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, asked := d.asking[sub]; asked {
		delete(d.asking, sub)
		d.wake()
	}
}

// expired reports whether a datagram has waited for its alias long enough. The caller holds mu.
func (d *dataRoutes) expired(h heldDatagram) bool {
	return len(d.asking) == 0 && time.Now().After(h.until)
}

// pick chooses between subscriptions to one track that share an alias (19 and later): the publisher sends a copy for
// each whose filters match, so a copy goes to the first that may want it and has not had it (draft-19 §5.1). The caller
// holds mu.
func (e *aliasEntry) pick(key pickKey) *Subscription {
	if len(e.subs) == 1 {
		return e.subs[0]
	}
	wanted := slices.DeleteFunc(slices.Clone(e.subs), func(sub *Subscription) bool { return !sub.mayWant(key.group) })
	if len(wanted) == 0 {
		wanted = e.subs
	}
	if e.picked == nil || len(e.picked) > 4096 {
		e.picked = make(map[pickKey]int)
	}
	n := e.picked[key]
	e.picked[key] = n + 1
	return wanted[n%len(wanted)]
}

// reserve notes the alias of an incoming PUBLISH (draft-19 §11.1).
func (d *dataRoutes) reserve(alias uint64, track string, r *Request) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.entry(alias, track, r)
	if err != nil {
		return err
	}
	e.pending = append(e.pending, r)
	d.wake()
	return nil
}

// bind binds the alias of a subscription that is established. sub is nil for a request that has no Subscription.
func (d *dataRoutes) bind(alias uint64, track string, r *Request, sub *Subscription) error {
	d.mu.Lock()
	e, err := d.entry(alias, track, r)
	if err != nil {
		d.mu.Unlock()
		return err
	}
	e.pending = slices.DeleteFunc(e.pending, func(x *Request) bool { return x == r })
	if sub == nil {
		d.prune(alias, e, false)
		d.wake()
		d.mu.Unlock()
		return nil
	}
	e.subs = append(e.subs, sub)
	delete(d.retired, alias)
	var due []heldDatagram
	d.waiting = slices.DeleteFunc(d.waiting, func(h heldDatagram) bool {
		if h.alias != alias {
			return d.expired(h)
		}
		due = append(due, h)
		return true
	})
	delete(d.asking, sub)
	d.wake()
	d.mu.Unlock()
	for _, h := range due {
		sub.addDatagram(h.object)
	}
	return nil
}

// entry finds or makes the entry of an alias for a track. An alias may not stand for two tracks at once; one whose
// subscriptions are only waiting for late data is free again. The caller holds mu.
func (d *dataRoutes) entry(alias uint64, track string, r *Request) (*aliasEntry, error) {
	e := d.aliases[alias]
	if e != nil && e.track != track {
		draining := true
		for _, p := range e.pending {
			draining = draining && p.ctx.Err() != nil
		}
		for _, sub := range e.subs {
			draining = draining && sub.isDone()
		}
		if !draining {
			name, rule := "SUBSCRIBE_OK", rules.TrackAliasDuplicate // what chose the alias
			if r.incoming {
				name, rule = "PUBLISH", rules.PublishAliasDuplicate
			}
			return nil, d.s.breach(name, wire.DuplicateTrackAlias, rule,
				"Track Alias %d of request %d is in use for another track", alias, r.id)
		}
		e = nil
	}
	if e == nil {
		e = &aliasEntry{track: track}
		d.aliases[alias] = e
	}
	return e, nil
}

// unbind takes a subscription, or a PUBLISH that was not accepted, off its alias.
func (d *dataRoutes) unbind(alias uint64, r *Request, sub *Subscription) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.aliases[alias]
	if e == nil {
		return
	}
	e.pending = slices.DeleteFunc(e.pending, func(x *Request) bool { return x == r })
	e.subs = slices.DeleteFunc(e.subs, func(x *Subscription) bool { return x == sub })
	d.prune(alias, e, true)
	d.wake()
}

// prune forgets an alias that stands for nothing any more; with retire, what still comes for it is discarded. The
// caller holds mu.
func (d *dataRoutes) prune(alias uint64, e *aliasEntry, retire bool) {
	if len(e.subs)+len(e.pending) > 0 {
		return
	}
	delete(d.aliases, alias)
	if _, known := d.retired[alias]; known || !retire {
		return
	}
	d.retired[alias] = e.track
	d.order = append(d.order, alias)
	if len(d.order) > maxRetired {
		delete(d.retired, d.order[0])
		d.order = slices.Delete(d.order, 0, 1)
	}
}

// chooseAlias gives a Track Alias for a track that this end publishes: the one wanted, or a fresh one.
func (d *dataRoutes) chooseAlias(wanted uint64, auto bool) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if auto {
		for d.ownAlias++; d.ownUsed[d.ownAlias] > 0; {
			d.ownAlias++
		}
		wanted = d.ownAlias
	}
	d.ownUsed[wanted]++
	return wanted
}

// freeAlias gives it back.
func (d *dataRoutes) freeAlias(alias uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ownUsed[alias]--; d.ownUsed[alias] <= 0 {
		delete(d.ownUsed, alias)
	}
}
