package reference

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// begin notes that a retrieval is under way, so that it ends when its track turns out to be malformed. The caller calls
// over at its end.
func (f *retrieval) begin() (over func()) {
	t := f.track
	ctx, cancel := context.WithCancelCause(f.ctx)
	f.ctx = ctx
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fetches == nil {
		t.fetches = make(map[*retrieval]context.CancelCauseFunc)
	}
	t.fetches[f] = cancel
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.fetches, f)
		cancel(nil)
	}
}

// resetFetches ends the retrievals of a malformed track (draft-18 §2.4.2). The caller holds the track's lock.
func (t *track) resetFetches() {
	if t.relay.faults[malformedFetchGoesOn] {
		return
	}
	for _, cancel := range t.fetches {
		cancel(errReset{moqt.ResetMalformedTrack})
	}
}

// accept answers a FETCH and opens its stream.
func (f *retrieval) accept(req *moqt.Request, ok *wire.FetchOK) (*moqt.FetchWriter, error) {
	if !f.peer.relay.faults[cancelledStreamsStay] {
		return req.AcceptFetch(f.ctx, ok)
	}
	if err := req.AcceptFetchOnly(f.ctx, ok); err != nil {
		return nil, err
	}
	return f.openAnyway(req.ID())
}

// openFill opens the stream of a fill.
func (f *retrieval) openFill(id uint64) (*moqt.FetchWriter, error) {
	if !f.peer.relay.faults[cancelledStreamsStay] {
		return f.peer.session.OpenFill(f.ctx, id)
	}
	return f.openAnyway(id)
}

// openAnyway opens the stream without the session, which would reset it with its request.
func (f *retrieval) openAnyway(id uint64) (*moqt.FetchWriter, error) {
	stream, err := f.peer.session.Conn().OpenUniStream(f.peer.ctx)
	if err != nil {
		return nil, err
	}
	return moqt.NewFetchWriter(stream, f.peer.session.Draft(), id, f.descending)
}

// cancel gives up an upstream fetch.
func (f *retrieval) cancel(m *missing) {
	if f.peer.relay.faults[fetchStopsStreamAlone] {
		if r := m.accepted.Load(); r != nil {
			r.Stop(moqt.ResetCancelled.Number(m.publisher.session.Draft()))
			return
		}
	}
	m.fetch.Cancel()
}
