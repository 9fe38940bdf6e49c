package reference

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The quirks of setup, of requests, and of what the relay asks its clients. Without a quirk these functions do nothing.

// greaseNumber and greaseText are types that no draft gives a meaning, for a number and for bytes (draft-18 §14).
const (
	greaseNumber = 0x7f*1 + 0x9D
	greaseText   = 0x7f*2 + 0x9D
)

// quirkyLimits changes the limits of a relay.
func (q *quirkSet) quirkyLimits(l *Limits) {
	if q[filterRangesNone] {
		l.FilterRanges = -1
	}
	if q[upstreamKept] {
		l.Keep = 30 * time.Second
	}
	if q[upstreamLeft] {
		l.Keep = time.Nanosecond
	}
	if q[cacheNone] {
		l.CacheBytes = 1
	}
}

// quirkySetup changes our SETUP, and waits with it.
func (r *Relay) quirkySetup(ctx context.Context, conn transport.Conn, cfg *moqt.Config) {
	q := &r.quirks
	if q[setupLate] {
		pause(ctx, time.Second)
	}
	if q[setupOptionsUnknown] {
		cfg.SetupOptions = append(cfg.SetupOptions, wire.Property{Type: greaseNumber, Uint: 1 << 40},
			wire.Property{Type: greaseText, Bytes: []byte("nothing that you know")})
	}
	if q[requestIDsFew] {
		cfg.MaxRequestID = 4 // they step by 2
	}
	if q[tokensNotStored] {
		cfg.MaxAuthTokenCacheSize = 0
	}
}

// quirkySession does what the relay does of its own accord when a session begins. All of it ends with the session.
func (p *peer) quirkySession() {
	q, d := &p.relay.quirks, p.session.Draft()
	if q[saysBlocked] && d <= wire.Draft16 {
		p.session.SendControl(p.ctx, &wire.RequestsBlocked{})
	}
	if q[asksNamespaces] && d >= wire.Draft16 {
		p.tasks.Go(func() {
			m := &wire.SubscribeNamespace{Options: wire.SubscribeNamespaces}
			if s, err := p.session.StartSubscribeNamespace(p.ctx, m); err == nil {
				for {
					if _, err := s.Next(p.ctx); err != nil {
						return
					}
				}
			}
		})
	}
	if q[asksTracks] && d >= wire.Draft18 {
		p.tasks.Go(func() { p.session.SubscribeTracks(p.ctx, nil, nil) })
	}
	if q[announcesOwn] {
		p.tasks.Go(func() { p.session.PublishNamespace(p.ctx, wire.TrackNamespace{"relay", "own"}, nil) })
	}
	if q[paddingStreams] && d >= wire.Draft18 {
		p.tasks.Go(p.padding)
	}
	if q[paddingDatagrams] && d >= wire.Draft18 {
		for _, n := range []int{0, 1, 700} {
			p.session.Conn().SendDatagram(append(wire.AppendVarint(nil, d, wire.TypePaddingDatagram),
				make([]byte, n)...))
		}
	}
}

// padding opens streams of padding, one after the other, and ends each with FIN but the last (draft-18 §11.5.1).
func (p *peer) padding() {
	for _, n := range []int{0, 1, 5000} {
		s, err := p.session.Conn().OpenUniStream(p.ctx)
		if err != nil {
			return
		}
		b := append(wire.AppendVarint(nil, p.session.Draft(), wire.TypePaddingStream), make([]byte, n)...)
		if _, err := s.Write(b); err != nil {
			return
		}
		if n > 1000 {
			s.Reset(moqt.ResetCancelled.Number(p.session.Draft()))
			return
		}
		if s.Close() != nil {
			return
		}
		pause(p.ctx, 20*time.Millisecond)
	}
}

// quirkyRequest waits before a request is served. The error is a *refusal.
func (p *peer) quirkyRequest(req *moqt.Request) error {
	q := &p.relay.quirks
	switch {
	case q[answersLate]:
		pause(req.Context(), 400*time.Millisecond)
	case q[answersShuffled] && p.served.Add(1)%2 == 1:
		pause(req.Context(), 150*time.Millisecond)
	}
	refused := map[wire.Kind]quirk{wire.KindFetch: refusesFetch, wire.KindTrackStatus: refusesStatus,
		wire.KindSubscribeNamespace: refusesNamespaces, wire.KindSubscribeTracks: refusesTracks}
	if is, ok := refused[req.Kind()]; ok && q[is] {
		return refuse(moqt.RejectNotSupported, "%s is not served here", req.Kind())
	}
	if req.Kind() == wire.KindPublishNamespace && q[refusesSecondNamespace] && p.relay.publishes(req.TrackNamespace()) {
		return refuse(moqt.RejectUninterested, "another session publishes it") // draft-18 §9.3
	}
	return nil
}

// long is a reason of 1,000 bytes.
var long = strings.Repeat("ä…", 200)

// quirkyRefusal waits before a refusal, and words it.
func (r *Relay) quirkyRefusal(ctx context.Context, no *refusal) (*refusal, []moqt.RejectOption) {
	var options []moqt.RejectOption
	if r.quirks[refusalsLate] {
		pause(ctx, 800*time.Millisecond)
	}
	if r.quirks[refusalsWordy] {
		no = &refusal{no.code, long}
	}
	if r.quirks[refusalsRetry] {
		options = append(options, moqt.RetryAfter(time.Minute))
	}
	return no, options
}

// quirkyOK changes a SUBSCRIBE_OK.
func (r *Relay) quirkyOK(d wire.Draft, ok *wire.SubscribeOK) {
	if r.quirks[answersExpire] {
		ok.Parameters.SetUint(wire.ParamExpires, uint64(time.Hour/time.Millisecond))
	}
	if r.quirks[answersUnknownProperties] && d >= wire.Draft16 {
		ok.Properties = greased(ok.Properties)
	}
}

// greased adds an unknown property. Properties are in the order of their types (draft-18 §2.5).
func greased(props wire.Properties) wire.Properties {
	i, _ := slices.BinarySearchFunc(props, greaseNumber, func(p wire.Property, t int) int { return int(p.Type) - t })
	return slices.Insert(slices.Clone(props), i, wire.Property{Type: greaseNumber, Uint: 7})
}

// quirkyPublication gives options for a publication.
func (r *Relay) quirkyPublication() (options []moqt.PublicationOption) {
	if r.quirks[aliasesLarge] {
		options = append(options, moqt.WithTrackAlias(1<<40-r.aliases.Add(1)))
	}
	return options
}

// quirkyAsk waits before a publisher is asked for the track, and asks it for other things first.
func (u *upstream) quirkyAsk(ctx context.Context) {
	t, q := u.track, &u.track.relay.quirks
	if q[upstreamLate] {
		pause(ctx, 400*time.Millisecond)
	}
	if q[asksStatus] {
		u.peer.session.TrackStatus(ctx, &wire.TrackStatus{TrackNamespace: t.namespace, TrackName: t.name})
	}
}

// quirkyUpstream does what the relay does with a new subscription upstream.
func (u *upstream) quirkyUpstream() {
	t, q := u.track, &u.track.relay.quirks
	if q[updatesUpstream] {
		t.relay.tasks.Go(func() { u.update(wire.Parameters{{Type: wire.ParamSubscriberPriority, Uint: 100}}) })
	}
	if q[fetchesAhead] {
		t.relay.tasks.Go(func() {
			fetch, err := u.peer.session.Fetch(u.ctx, moqt.FetchRequest{TrackNamespace: t.namespace,
				TrackName: t.name, Range: rangeOf(u.draft, wire.Location{}, lastOf(0))})
			if err != nil {
				return
			}
			defer fetch.Cancel()
			for {
				if _, err := fetch.Next(u.ctx); err != nil {
					return
				}
			}
		})
	}
}

// quirkyNamespace asks who has announced a namespace for a track of it.
func (p *peer) quirkyNamespace(req *moqt.Request) {
	if !p.relay.quirks[subscribesToOthers] {
		return
	}
	p.tasks.Go(func() {
		sub, err := p.session.Subscribe(req.Context(), &wire.Subscribe{TrackNamespace: req.TrackNamespace(),
			TrackName: "catalog"})
		if err == nil {
			sub.Unsubscribe()
		}
	})
}

// quirkyDone waits before PUBLISH_DONE, and changes it.
func (s *subscriber) quirkyDone(ctx context.Context, end *ending) (options []moqt.DoneOption) {
	q := &s.track.relay.quirks
	if q[endOfTrackAdded] && end.code == moqt.DoneTrackEnded {
		s.endOfTrack(ctx)
	}
	if q[doneLate] {
		pause(ctx, 400*time.Millisecond)
	}
	if q[doneWordy] {
		end.reason = long
	}
	if q[doneCountUnknown] {
		options = append(options, moqt.WithStreamCount(wire.StreamCountUnknown(s.draft)))
	}
	return options
}

// endOfTrack sends an End of Track object, as the first of the group behind the last one.
func (s *subscriber) endOfTrack(ctx context.Context) {
	s.track.mu.Lock()
	largest, has := s.track.largest, s.track.hasLargest
	s.track.mu.Unlock()
	if !has || largest.Group == math.MaxUint64 || !s.pub.Forward() || largest.Group+1 > s.end.Group {
		return
	}
	o := &moqt.Object{GroupID: largest.Group + 1, Status: wire.StatusEndOfTrack}
	w, err := s.pub.OpenSubgroup(ctx, wire.SubgroupHeader{GroupID: o.GroupID, Priority: defaultPriority,
		FirstObject: true, EndOfGroup: true})
	if err != nil {
		return
	}
	if w.WriteObject(o) != nil || w.Close() != nil {
		w.Reset(moqt.ResetInternalError.Number(s.draft))
	}
}
