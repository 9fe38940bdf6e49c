package cases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// How a publisher ends streams, subscriptions and its session otherwise than at the end of all that it has.

// ResetSubgroup resets the open streams of a subgroup. What is published of it afterwards goes on a new stream.
func (p *Publisher) ResetSubgroup(group, subgroup uint64, code moqt.ResetCode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := subgroupKey{group, subgroup}
	for _, sub := range p.subscriptions {
		if w := sub.streams[k]; w != nil {
			w.Reset(code.Number(p.Session.Draft()))
			delete(sub.streams, k)
		}
	}
}

// DoneBefore ends the first subscription with PUBLISH_DONE, which counts the streams of objects that are still to come,
// and then sends these. To the receiver it looks as if the streams had been overtaken, as any stream may be. If the
// relay stops one of them, that is a note: what it leaves out is seen at the subscriber.
func (p *Publisher) DoneBefore(ctx context.Context, l Layout) {
	s := p.Session
	const expected = "the relay to take PUBLISH_DONE and the streams that it counts"
	p.mu.Lock()
	pub := p.subscriptions[0].pub
	p.mu.Unlock()
	streams := uint64(0)
	for i := range l {
		if l[i].first {
			streams++
		}
	}
	err := pub.Done(ctx, moqt.DoneTrackEnded, "", moqt.WithStreamCount(pub.StreamCount()+streams))
	s.Check(ctx, err, transport.LayerRequest, expected)
	s.e.Sleep(ctx, overtaken)
	open := map[subgroupKey]*moqt.SubgroupWriter{}
	for i := range l {
		k := subgroupKey{l[i].Group, l[i].Subgroup}
		if l[i].first {
			open[k], err = p.openBehind(ctx, pub, &l[i])
			s.Check(ctx, err, transport.LayerData, expected)
		} else if open[k] == nil {
			continue // stopped
		}
		var stop *transport.StreamError
		switch _, err := p.send(ctx, pub, open[k], &l[i]); {
		case errors.As(err, &stop) && stop.Remote:
			p.notSent(l[i].Location(), err)
			open[k] = nil
		default:
			s.Check(ctx, err, transport.LayerData, expected)
		}
	}
}

// overtaken is how long PUBLISH_DONE is ahead of the streams that it counts.
const overtaken = 20 * time.Millisecond

// earlyAlias is the Track Alias of a subscription whose objects come before its SUBSCRIBE_OK.
const earlyAlias = 77

// sendEarly sends objects of a subscription that is not accepted yet, and waits a while.
func (p *Publisher) sendEarly(ctx context.Context) {
	s := p.Session
	const expected = "the relay to take objects before SUBSCRIBE_OK"
	open := map[subgroupKey]*moqt.SubgroupWriter{}
	for i := range p.Early {
		x := &p.Early[i]
		o, err := x.asObject(s.Draft())
		s.Check(ctx, err, transport.LayerData, expected)
		if x.Datagram {
			b, err := moqt.AppendDatagram(nil, s.Draft(), earlyAlias, o)
			s.Check(ctx, err, transport.LayerData, expected)
			s.Check(ctx, s.Conn().SendDatagram(b), transport.LayerData, expected)
			continue
		}
		k := subgroupKey{x.Group, x.Subgroup}
		if open[k] == nil {
			stream, err := s.Conn().OpenUniStream(ctx)
			s.Check(ctx, err, transport.LayerData, expected)
			h := x.header()
			h.TrackAlias = earlyAlias
			open[k], err = moqt.NewSubgroupWriter(stream, s.Draft(), h)
			s.Check(ctx, err, transport.LayerData, expected)
		}
		s.Check(ctx, open[k].WriteObject(o), transport.LayerData, expected)
		if x.last {
			s.Check(ctx, open[k].Close(), transport.LayerData, expected)
		}
	}
	s.e.Sleep(ctx, p.EarlyBy)
}

// openBehind opens the stream of an object's subgroup, though the subscription is over for the session.
func (p *Publisher) openBehind(ctx context.Context, pub *moqt.Publication, x *Item) (*moqt.SubgroupWriter, error) {
	stream, err := p.Session.Conn().OpenUniStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	h := x.header()
	h.TrackAlias = pub.TrackAlias()
	return moqt.NewSubgroupWriter(stream, pub.Draft(), h)
}

// header is the header of the stream that the object begins.
func (i *Item) header() wire.SubgroupHeader {
	return wire.SubgroupHeader{
		GroupID: i.Group, SubgroupID: i.Subgroup, IDMode: wire.SubgroupIDPresent, Priority: i.Priority,
		HasProperties: i.extended, FirstObject: i.first, EndOfGroup: i.closing,
	}
}

// Leave ends the session without a word about its requests, as a client does that crashes or loses its network.
func (s *Session) Leave() { s.Session.Close(wire.NoError, "") }
