package reference

import (
	"context"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// trackStatus serves a TRACK_STATUS, from what the relay knows or by asking a publisher.
func (p *peer) trackStatus(req *moqt.Request) error {
	r, d, ctx := p.relay, p.session.Draft(), req.Context()
	if r.faults[statusSilent] {
		<-ctx.Done()
		return nil
	}
	p.spoilStatus(ctx)
	t := r.acquire(req.TrackNamespace(), req.TrackName())
	defer r.release(t)
	ok := &wire.RequestOK{Answers: wire.KindTrackStatus}
	t.mu.Lock()
	live := t.live
	if live {
		t.say(d, &ok.Parameters, &ok.Properties)
	}
	t.mu.Unlock()
	if !live {
		answer, err := t.askStatus(ctx)
		if err != nil {
			return asRefusal(err)
		}
		answer.say(d, &ok.Parameters, &ok.Properties)
	}
	if largest, has := ok.Parameters.Largest(); has && r.faults[statusWrong] {
		ok.Parameters.SetLargest(wire.Location{Group: largest.Group + 1, Object: largest.Object})
	}
	if req.Parameters().UintOr(wire.ParamIncludeProperties, 1) == 0 && !r.faults[propertiesAlways] {
		ok.Properties = nil
	}
	return req.Accept(ctx, ok)
}

// askStatus asks publishers one after the other for the state of a track. It returns a new track that only the caller
// knows.
func (t *track) askStatus(ctx context.Context) (*track, error) {
	ctx, cancel := context.WithTimeout(ctx, t.relay.limits.Fetch)
	defer cancel()
	var failed error = t.relay.nobody()
	for i, p := range t.relay.publishers(t.namespace) {
		ok, err := p.session.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: t.namespace, TrackName: t.name})
		if err == nil {
			info := infoOf(p.session.Draft(), ok.Parameters, ok.Properties)
			return &track{trackLog: trackLog{largest: info.largest, hasLargest: info.hasLargest},
				properties: info.properties}, nil
		}
		if i == 0 {
			failed = err
		}
	}
	return nil, failed
}
