package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Read says what to read, for Subscribe, Join and Fetch.
type Read struct {
	Connection
	// Tracks are read at the same time.
	Tracks []Name
	// Filter is where a subscription starts and ends, or what to fetch.
	Filter wire.LocationFilter
	// GroupsBack is how many groups before the current one a join begins.
	GroupsBack uint64
	// Parameters are further ones of the request.
	Parameters wire.Parameters
	// InOrder hands out objects in ascending order.
	InOrder bool
	// Count, if not 0, is how many objects of each track to read.
	Count uint64
	// Wait is how long to ask again while a track does not exist.
	Wait time.Duration
	// To is where they go.
	To *Sink
}

// ErrIncomplete says that objects are missing, or came twice, where every one was wanted once.
var ErrIncomplete = errors.New("the track is not complete")

// Subscribe reads tracks from now on, until they end.
func (r *Read) Subscribe(ctx context.Context) error { return r.each(ctx, r.subscribe) }

// Join reads tracks from the past on, until they end, and wants every object once: an error says what is missing.
func (r *Read) Join(ctx context.Context) error { return r.each(ctx, r.join) }

// Fetch reads a part of tracks, and wants every object once.
func (r *Read) Fetch(ctx context.Context) error { return r.each(ctx, r.fetch) }

// reading is one track, over as many sessions as it takes.
type reading struct {
	r     *Read
	name  Name
	last  *wire.Location // the last that was handed out
	count uint64
	whole bool // every object is wanted
	ended bool
	// of the sessions before
	objects, bytes uint64
}

// each reads every track on one session after the other.
func (r *Read) each(ctx context.Context,
	open func(ctx context.Context, s *moq.Session, t *reading) (*moq.Subscribed, error)) error {
	tracks := make([]*reading, 0, len(r.Tracks))
	for _, name := range r.Tracks {
		tracks = append(tracks, &reading{r: r, name: name})
	}
	return r.Keep(ctx, func(ctx context.Context, s *moq.Session) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var wait sync.WaitGroup
		errs := make([]error, len(tracks))
		for i, t := range tracks {
			if t.ended {
				continue
			}
			wait.Go(func() {
				sub, err := r.insist(ctx, func() (*moq.Subscribed, error) { return open(ctx, s, t) })
				if err == nil {
					err = t.read(ctx, sub)
				}
				if err != nil {
					errs[i] = fmt.Errorf("%s: %w", t.name, err)
					cancel(errs[i]) // the others end too
				}
			})
		}
		wait.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
		}
		return errors.Join(errs...)
	})
}

// betweenAsking is how long to wait before a request is made again.
const betweenAsking = 200 * time.Millisecond

// insist asks again while the answer is that there is no such track, for Wait.
func (r *Read) insist(ctx context.Context, open func() (*moq.Subscribed, error)) (*moq.Subscribed, error) {
	for began := time.Now(); ; {
		sub, err := open()
		var refused *moq.RequestError
		if !errors.As(err, &refused) || time.Since(began) > r.Wait ||
			refused.Code != moqt.RejectDoesNotExist.Number(refused.Draft, refused.Kind) {
			return sub, err
		}
		if err := pause(ctx, betweenAsking); err != nil {
			return nil, err
		}
	}
}

func (r *Read) ask(t *reading, more ...moq.SubscribeOption) []moq.SubscribeOption {
	return append([]moq.SubscribeOption{func(q *moq.SubscribeRequest) {
		q.Filter, q.Parameters, q.Read.InOrder = r.Filter, r.all(), r.InOrder
		if t.last != nil { // the rest, of which a part may be past by now
			q.Past = &track.JoinRequest{Start: &wire.Location{Group: t.last.Group, Object: t.last.Object + 1},
				PastParameters: r.parameters()}
		}
	}}, more...)
}

// all are the parameters of a request.
func (r *Read) all() wire.Parameters {
	ps := r.Parameters.Clone()
	for _, p := range r.parameters() {
		ps.Add(p)
	}
	return ps
}

func (r *Read) subscribe(ctx context.Context, s *moq.Session, t *reading) (*moq.Subscribed, error) {
	sub, err := s.Subscribe(ctx, t.name.Namespace, t.name.Track, r.ask(t)...)
	var refused *moq.RequestError
	if t.last != nil && errors.As(err, &refused) { // the past cannot be had
		t.r.Say("%s: %v: reading on from now", t.name, err)
		t.last = nil
		sub, err = s.Subscribe(ctx, t.name.Namespace, t.name.Track, r.ask(t)...)
	}
	return sub, err
}

func (r *Read) join(ctx context.Context, s *moq.Session, t *reading) (*moq.Subscribed, error) {
	t.whole = true
	return s.Subscribe(ctx, t.name.Namespace, t.name.Track, r.ask(t, func(q *moq.SubscribeRequest) {
		q.Read.InOrder = true
		if q.Past == nil {
			q.Past = &track.JoinRequest{GroupsBack: r.GroupsBack, PastParameters: r.parameters()}
		}
	})...)
}

func (r *Read) fetch(ctx context.Context, s *moq.Session, t *reading) (*moq.Subscribed, error) {
	t.whole = true
	q := moqt.FetchRequest{TrackNamespace: t.name.Namespace, TrackName: t.name.Track, Range: r.Filter,
		Parameters: r.all()}
	if t.last != nil {
		q.Range.StartGroup, q.Range.StartObject = t.last.Group, t.last.Object+1
	}
	return track.Fetch(ctx, s.Session, q, track.ReadOptions{InOrder: r.InOrder})
}

// read hands out the objects of a track until it ends, or enough have come.
func (t *reading) read(ctx context.Context, sub *moq.Subscribed) error {
	defer sub.Close()
	for {
		o, err := sub.Next(ctx)
		var large *moqt.ObjectTooLargeError
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			t.ended = true
			return t.end(sub.Report())
		case errors.As(err, &large):
			t.r.Say("%s: %v", t.name, err)
			continue
		case ctx.Err() == nil && partial(sub, err):
			if t.whole {
				return fmt.Errorf("the past: %w", err)
			}
			t.r.Say("%s: %v", t.name, err)
			continue
		default:
			if r := sub.Report(); r.Objects > 0 {
				t.objects, t.bytes = t.objects+r.Objects, t.bytes+r.Bytes
			}
			if ctx.Err() == nil {
				t.r.Say("%s: %s", t.name, summary(sub.Report()))
			}
			return err
		}
		at := o.Location()
		if t.last != nil && at.Compare(*t.last) <= 0 && t.r.InOrder {
			continue // of the session before
		}
		if err := t.r.To.Write(t.name, o); err != nil {
			return err
		}
		if t.last == nil || at.Compare(*t.last) > 0 {
			t.last = &at
		}
		if o.Status == wire.StatusNormal {
			t.count++
		}
		if t.r.Count > 0 && t.count >= t.r.Count {
			t.ended = true
			t.r.Say("%s: %s: enough", t.name, plural(t.count, "object"))
			if t.whole {
				return complete(sub.Report())
			}
			return nil
		}
	}
}

// partial reports whether an error is about a fetch beside a subscription, which goes on.
func partial(sub *moq.Subscribed, err error) bool {
	if sub.Subscription() == nil {
		return false
	}
	return errors.As(err, new(*moq.RequestError)) || errors.As(err, new(*transport.StreamError))
}

// end tells what came of a track that has ended.
func (t *reading) end(r moq.Report) error {
	t.r.Say("%s: the track has ended: %s", t.name, summary(r))
	if t.whole {
		return complete(r)
	}
	return nil
}

// complete wants every object once. Groups may be left out by a publisher, and say nothing.
func complete(r moq.Report) error {
	if r.Missing > 0 || r.Late > 0 || r.Skipped > 0 {
		return fmt.Errorf("%w: %s", ErrIncomplete, summary(r))
	}
	return nil
}

// summary is a line about what came.
func summary(r moq.Report) string {
	text := fmt.Sprintf("%s, %d bytes", plural(r.Objects, "object"), r.Bytes)
	if r.HasLargest {
		text += ", up to " + r.Largest.String()
	}
	for _, x := range []struct {
		n    uint64
		what string
	}{{r.Missing, "missing"}, {r.MissingGroups, "whole groups missing"}, {r.Duplicates, "twice"}, {r.Late, "too late"},
		{r.Skipped, "too large"}, {r.Resets, "streams reset"}, {r.Dropped, "datagrams dropped"}} {
		if x.n > 0 {
			text += fmt.Sprintf(", %d %s", x.n, x.what)
		}
	}
	const most = 4
	var gaps []string
	for _, g := range r.Gaps[:min(most, len(r.Gaps))] {
		gaps = append(gaps, g.String())
	}
	if len(gaps) > 0 {
		text += ": " + strings.Join(gaps, ", ")
	}
	return text
}

func plural(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// answerTime bounds the wait for the answer to a request.
const answerTime = 10 * time.Second

// asking bounds a request by answerTime.
func asking(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, answerTime, fmt.Errorf("no answer within %s", answerTime))
}
