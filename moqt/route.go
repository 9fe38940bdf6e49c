package moqt

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// acceptUni takes the peer's unidirectional streams.
func (s *Session) acceptUni() {
	if c, ok := s.conn.(transport.UniStreamTeller); ok {
		c.TellUniStreams(s.data.unrouted.tell)
	}
	for {
		stream, err := s.conn.AcceptUniStream(s.ctx)
		if err == nil {
			err = s.account.Wait(s.ctx, HeldStreams, streamCost) // QUIC's limit of streams pushes back
		}
		if err != nil {
			s.failAccept(err)
			return
		}
		s.data.unrouted.add(stream.StreamID())
		if !s.Go(func() { s.serveUni(stream) }) {
			return
		}
	}
}

// readerOptions are what the session reads data streams with. ended is called once when the reading has ended.
func (s *Session) readerOptions(ended func(error)) ReaderOptions {
	return ReaderOptions{MaxObjectSize: s.limits.MaxObjectSize, MaxProperties: s.limits.MaxProperties,
		Decode: s.cfg.Decode, Ended: ended, log: s.log, room: room{s, HeldObjects}}
}

// readUniHeader reads the header of a unidirectional stream. The stream is counted and watched until its reading has
// ended, whoever reads it.
func (s *Session) readUniHeader(stream transport.ReceiveStream) (*UniStream, error) {
	var forget func()
	over := func(err error) {
		forget()
		s.account.Give(HeldStreams, streamCost)
		s.readEnded(stream, err)
	}
	u := newUniStream(stream, s.draft, s.readerOptions(over))
	forget = s.watches.watch(u.in, func(why error) {
		s.trace(Event{Type: EventDropped, Stream: wire.UniStream, StreamID: stream.StreamID(), Err: why})
		u.Stop(ResetCancelled.Number(s.draft))
	})
	err := u.readHeader()
	switch {
	case err != nil:
		u.in.End(err)
	case u.Type == wire.ControlUniStream: // its messages are watched
		forget()
	}
	return u, err
}

// readEnded closes the session for a breach that was met on a data stream, whoever reads it (draft-16 §1.4.2, draft-18
// §1.4.3, §11.4). A limit of this end is no breach; where it is the account's, the stream is stopped.
func (s *Session) readEnded(stream transport.ReceiveStream, err error) {
	var breach *wire.Error
	var much *TooMuchError
	switch {
	case errors.As(err, &much):
		s.trace(Event{Type: EventDropped, Stream: wire.UniStream, StreamID: stream.StreamID(), Err: err})
		stream.Stop(ResetExcessiveLoad.Number(s.draft))
	case errors.As(err, &breach) && breach.Code != wire.InternalError:
		s.fail(err)
	}
}

// serveUni reads the header of a unidirectional stream and takes it where it belongs.
func (s *Session) serveUni(stream transport.ReceiveStream) {
	routed := func() { s.data.unrouted.remove(stream.StreamID()) }
	defer routed()
	u, err := s.readUniHeader(stream)
	if err != nil {
		s.unreadUni(stream, err)
		return
	}
	switch u.Type {
	case wire.ControlUniStream:
		routed()
		s.mu.Lock()
		second := s.setup.controlSeen
		s.setup.controlSeen = true
		s.mu.Unlock()
		if second {
			s.fail(s.breach("SETUP", wire.ProtocolViolation, rules.MessageStream, "a second control stream"))
			return
		}
		s.readControl(stream, &messageReader{in: u, draft: s.draft, owes: true})
		return
	case wire.PaddingStream:
		routed()
		s.trace(Event{Type: EventPadding, Stream: wire.UniStream, StreamID: stream.StreamID()})
		_, _ = io.Copy(io.Discard, u) // draft-18 §11.5: MUST be discarded
		return
	case wire.SubgroupStream:
		s.trace(Event{Type: EventSubgroup, Stream: wire.UniStream, StreamID: stream.StreamID(), Subgroup: &u.Subgroup,
			TrackAlias: u.Subgroup.TrackAlias})
	case wire.FetchStream:
		s.trace(Event{Type: EventFetch, Stream: wire.UniStream, StreamID: stream.StreamID(), RequestID: u.RequestID})
	}
	if !s.waitSetup(u) {
		return
	}
	if u.Type == wire.FetchStream {
		s.data.routeFetch(u)
		return
	}
	s.data.routeSubgroup(u)
}

// unreadUni judges a unidirectional stream that ended before its header was whole (draft-19 §3.4 for an unknown type).
func (s *Session) unreadUni(stream transport.ReceiveStream, err error) {
	var reset *transport.StreamError
	switch {
	case s.ctx.Err() != nil, errors.As(err, new(*TooMuchError)):
	case errors.As(err, &reset) && !reset.Remote: // our own Stop
	case errors.As(err, &reset):
		s.trace(Event{Type: EventReset, Stream: wire.UniStream, StreamID: stream.StreamID(), Code: reset.Code})
		s.data.mu.Lock()
		s.data.lost++
		s.data.lostCode = reset.Code
		s.data.mu.Unlock()
	case err == io.EOF: // opened and closed again
		s.trace(Event{Type: EventFin, Stream: wire.UniStream, StreamID: stream.StreamID()})
	default:
		s.fail(err)
	}
}

// routeSubgroup finds the subscription of a subgroup stream. While its alias is unknown the stream is held unread
// (draft-18 §11.4.2: MAY), up to Limits.PendingTime, and without a limit while a PUBLISH with the alias, or any
// SUBSCRIBE, waits for its answer; then it is stopped.
func (d *dataRoutes) routeSubgroup(u *UniStream) {
	h := u.Subgroup
	sub, wait, changed := d.lookup(h.TrackAlias, pickKey{group: h.GroupID, id: h.SubgroupID})
	if sub == nil && wait != waitNever {
		d.unrouted.remove(u.StreamID()) // no subscription that is known
		if !d.hold() {
			d.drop(u, ResetExcessiveLoad, "too many streams are held")
			return
		}
		defer d.unhold()
		timer := time.NewTimer(d.s.limits.PendingTime)
		defer timer.Stop()
		for sub == nil && wait != waitNever {
			expired := timer.C
			if wait == waitAnswer {
				expired = nil
			}
			select {
			case <-changed:
			case <-expired:
				d.drop(u, ResetCancelled, fmt.Sprintf("its Track Alias stayed unknown for %s", d.s.limits.PendingTime))
				return
			case <-d.s.ctx.Done():
				return
			}
			sub, wait, changed = d.lookup(h.TrackAlias, pickKey{group: h.GroupID, id: h.SubgroupID})
		}
	}
	if sub == nil {
		d.drop(u, ResetCancelled, "its subscription is over")
		return
	}
	r, err := u.SubgroupReader()
	if err != nil {
		d.s.fail(err)
		return
	}
	sub.serve(r)
}

// receiveDatagrams takes the peer's datagrams ; what their bytes must be is judged by package wire.
func (s *Session) receiveDatagrams() {
	for {
		b, err := s.conn.ReceiveDatagram(s.ctx)
		if err != nil {
			s.failAccept(err)
			return
		}
		o := new(Object)
		alias, err := ParseDatagram(b, s.draft, s.cfg.Decode, o)
		switch {
		case err == wire.ErrPadding:
			s.trace(Event{Type: EventPadding, Stream: wire.DatagramStream, Bytes: len(b)})
			continue
		case err != nil:
			s.trace(Event{Type: EventDatagram, Stream: wire.DatagramStream, Bytes: len(b), Err: err})
			s.fail(err)
			return
		}
		s.trace(Event{Type: EventDatagram, Stream: wire.DatagramStream, TrackAlias: alias, Location: o.Location(),
			Status: o.Status, EndOfGroup: o.EndOfGroup, Payload: len(o.Payload), Bytes: len(b)})
		s.data.routeDatagram(alias, o, len(b))
	}
}

// routeDatagram finds the subscription of a datagram, or holds it for a while.
func (d *dataRoutes) routeDatagram(alias uint64, o *Object, size int) {
	sub, wait, _ := d.lookup(alias, pickKey{group: o.GroupID, id: o.ObjectID, datagram: true})
	if sub != nil {
		sub.addDatagram(o)
		return
	}
	why := "its subscription is over"
	if wait != waitNever {
		why = "too many wait for their Track Alias"
		d.mu.Lock()
		d.waiting = slices.DeleteFunc(d.waiting, d.expired)
		if !d.ended && len(d.waiting) < d.s.limits.PendingDatagrams {
			d.waiting = append(d.waiting, heldDatagram{alias, o, time.Now().Add(d.s.limits.PendingTime)})
			why = ""
		}
		d.mu.Unlock()
	}
	if why != "" {
		d.s.trace(Event{Type: EventDropped, Stream: wire.DatagramStream, TrackAlias: alias, Location: o.Location(),
			Bytes: size,
			Err:   fmt.Errorf("datagram with Track Alias %d: %s", alias, why)})
	}
}

// routeFetch finds the fetch or fill of a fetch stream. One that nobody asked for, or no longer wants, is stopped: an
// id is registered before its request is sent, so there is nothing to wait for (draft-20 and later).
func (d *dataRoutes) routeFetch(u *UniStream) {
	d.mu.Lock()
	f := d.fetches[u.RequestID]
	delete(d.fetches, u.RequestID)
	d.mu.Unlock()
	if f == nil {
		d.drop(u, ResetCancelled, "nobody asked for it, or nobody does any more")
		return
	}
	f.bind(u)
}

// StreamBefore reports whether a unidirectional stream of the peer with a smaller id has come whose header has not been
// read, so that its request is not known. If so, a value is sent to news at the next change, without waiting; news
// needs a buffer of one value. Where the transport numbers streams by itself, there may always be one that has not come
// yet.
func (s *Session) StreamBefore(id uint64, news chan struct{}) bool {
	return s.data.unrouted.below(id, news) || !s.conn.Info().WireStreamIDs
}
