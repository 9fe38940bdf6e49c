package reference

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults of which tracks a session may subscribe to, and of how they are asked for.

// spoilNames refuses a SUBSCRIBE that should be served; nil where no fault does. subscribes has counted it.
func (p *peer) spoilNames(t *track) error {
	f := &p.relay.faults
	n := len(t.name)
	for _, field := range t.namespace {
		n += len(field)
	}
	p.mu.Lock()
	subscriptions := p.subscriptions
	p.mu.Unlock()
	if f[ownTrackUnknown] && slices.Contains(p.relay.publishers(t.namespace), p) ||
		f[name4000Bytes] && n > 4000 || f[emptyNameRefused] && t.name == "" {
		return refuse(moqt.RejectDoesNotExist, "fault")
	}
	if f[subscriptions60] && subscriptions > 60 {
		return refuse(moqt.RejectInternalError, "fault")
	}
	return nil
}

// inARow reports whether less than a millisecond has passed since it was called last.
func (p *peer) inARow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.announcedAt
	p.announcedAt = time.Now()
	return time.Since(before) < time.Millisecond
}

// spoilAnnounced counts for a fault how often a namespace is published. The caller holds the relay's lock.
func (r *Relay) spoilAnnounced(ns wire.TrackNamespace) {
	if !r.faults[announceAgainIgnored] {
		return
	}
	if r.announced == nil {
		r.announced = make(map[string]int)
	}
	r.announced[ns.Key()]++
}

// spoilAsking changes the relay's SUBSCRIBE to a publisher, which a subscriber's leads to.
func (r *Relay) spoilAsking(m *wire.Subscribe, asked wire.Parameters) {
	if r.faults[namesAsText] {
		m.TrackName = strings.ToValidUTF8(m.TrackName, "?")
	}
	for _, p := range asked {
		switch p.Type {
		case wire.ParamSubscriberPriority, wire.ParamGroupOrder, wire.ParamObjectDeliveryTimeout, wire.ParamForward:
			if r.faults[upstreamCopies] {
				m.Parameters.Set(p)
			}
		}
	}
	if r.faults[forwardNotPassedOn] {
		m.Parameters.SetUint(wire.ParamForward, 0)
	}
}

// spoilEarly is the fault that loses what comes before the relay's SUBSCRIBE_OK.
func (s *subscriber) spoilEarly(ctx context.Context) {
	t := s.track
	if !t.relay.faults[earlyObjectsLost] {
		return
	}
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.since = t.seq
}
