package moqt

import (
	"errors"
	"io"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

const (
	// inPlace is up to which length a payload is read into the stream's buffer, and handed on there.
	inPlace = 192 << 10
	// maxBatch bounds the objects of a batch, whose descriptions take more memory than small objects do.
	maxBatch = 4096
	// keepLarge is up to which length a buffer for large payloads is used again.
	keepLarge = 4 << 20
)

// batch is objects of one stream on their way to who takes them. They are views into the buffer that the stream was
// read into: a batch costs no copy and nothing per object.
type batch struct {
	src     *source // nil for a datagram
	objects []Object
	next    int    // of objects
	buf     []byte // from the stream
	props   []byte // for properties that came in an earlier buffer
	large   []byte // for a payload too long for buf
	body    bool   // the payload of the only object is read from src
	cost    int
	order   int // of arrival
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// free gives the batch back; its objects are not valid any more.
func (b *batch) free() {
	putBuffer(b.buf)
	clear(b.objects)
	large := b.large
	if cap(large) > keepLarge {
		large = nil
	}
	*b = batch{objects: b.objects[:0], props: b.props[:0], large: large[:0]}
	batches.Put(b)
}

// weigh says how much memory the batch holds.
func (b *batch) weigh() int { return cap(b.buf) + cap(b.large) + 128*len(b.objects) }

// source is one stream that a SubscribedTrack reads: a subgroup, or a fetch stream.
type source struct {
	t        *SubscribedTrack
	payload  *PayloadReader
	subgroup *SubgroupReader // one of the two
	fetched  *FetchReader
	fetch    *Fetch // of fetched

	begun  bool // head is an object whose payload is not complete
	head   Object
	viewed bool   // head.Properties are in the stream's buffer
	props  []byte // otherwise they are here
	large  *ObjectTooLargeError

	room chan struct{} // there may be room for another batch
	body chan struct{} // the payload that was handed out as a stream is done with

	// The track's mutex guards these.
	line   []*batch // behind the one that is in the track's line, in order only
	inLine int      // batches that are not freed yet

	// Of a fetch stream: what lies before next is known, once told; until, where not zero, is behind its end. A
	// filtered one says nothing of what is not there.
	next     wire.Location
	until    wire.Location
	told     bool
	filtered bool
}

func (t *SubscribedTrack) newSource() *source {
	return &source{t: t, room: make(chan struct{}, 1), body: make(chan struct{}, 1)}
}

// run reads the stream to its end.
func (s *source) run() {
	for {
		b := batches.Get().(*batch)
		b.src = s
		err := s.fill(b)
		switch {
		case s.large != nil:
			s.t.skip(s.large)
			s.large = nil
			b.free()
			continue
		case len(b.objects) > 0:
			if s.payload.in.buf != nil && !b.body {
				b.buf = s.payload.in.detach()
			}
			body := b.body
			if !s.t.put(b) {
				s.stop(ResetCancelled)
				continue
			}
			if body {
				select {
				case <-s.body:
				case <-s.t.ctx.Done(): // somebody may be reading still: the stream is theirs
					s.t.sourceEnded(s, nil)
					return
				}
			}
			continue
		}
		b.free()
		if err != nil {
			s.t.sourceEnded(s, s.judge(err))
			return
		}
	}
}

// fill puts the objects that have come into an empty batch; it waits for the first of them. On error, and with large
// set, there are none.
func (s *source) fill(b *batch) error {
	p := s.payload
	for {
		if !s.begun {
			if p.err != nil {
				return p.err
			}
			if err := p.Discard(); err != nil {
				return err
			}
			err := s.header()
			switch {
			case err == nil:
				s.begun, s.viewed = true, true
			case len(b.objects) > 0: // they are in the buffer: the rest follows
				return nil
			case err == wire.ErrTruncated:
				if err := s.more(); err != nil {
					return err
				}
				continue
			default:
				return p.final(p.in.place(err))
			}
		}
		if have := p.in.unread(); p.left <= uint64(len(have)) {
			n := int(p.left)
			s.head.Payload = have[:n:n]
			p.in.advance(n)
			p.left = 0
			s.complete(b)
			if len(b.objects) == maxBatch {
				return nil
			}
			continue
		}
		if s.viewed && len(s.head.Properties) > 0 {
			s.props = append(s.props[:0], s.head.Properties...)
			s.head.Properties = s.props
		}
		s.viewed = false
		if len(b.objects) > 0 {
			return nil
		}
		if done, err := s.long(b); done || err != nil {
			return err
		}
	}
}

// long goes on with an object whose payload has not come as a whole. It reports true when the batch is to be handed on.
func (s *source) long(b *batch) (done bool, err error) {
	p := s.payload
	switch limit := s.t.opts.StreamAbove; {
	case limit > 0 && p.left > limit:
		b.body = true
		s.complete(b)
		return true, nil
	case p.left > p.opts.MaxObjectSize:
		s.begun = false
		s.large = &ObjectTooLargeError{Location: s.head.Location(), Size: p.size, Max: p.opts.MaxObjectSize}
		return true, nil
	case p.left <= inPlace:
		return false, s.gather()
	}
	s.head.Payload = b.large[:0]
	err = p.readPayload(&s.head)
	b.large = s.head.Payload[:0]
	if err != nil {
		return false, err
	}
	s.complete(b)
	return true, nil
}

// complete moves the object at hand to the batch.
func (s *source) complete(b *batch) {
	if !s.viewed && len(s.head.Properties) > 0 {
		at := len(b.props)
		b.props = append(b.props, s.head.Properties...)
		s.head.Properties = b.props[at:]
	}
	b.objects = append(b.objects, s.head)
	s.begun = false
	s.head.Payload, s.head.Properties = nil, nil
}

// header reads the next header, if it is in the buffer, into head. The errors are those of package wire.
func (s *source) header() error {
	in := s.payload.in
	if r := s.subgroup; r != nil {
		n, err := r.objects.ParseHeader(in.unread(), &r.current)
		if err != nil {
			return err
		}
		in.advance(n)
		r.reached()
		s.head = Object{GroupID: r.header.GroupID, SubgroupID: r.header.SubgroupID, ObjectID: r.current.ObjectID,
			Priority:        r.Priority(),
			DefaultPriority: r.header.DefaultPriority, Status: r.current.Status, Properties: r.current.Properties,
			Draft:       r.draft,
			FirstObject: r.header.FirstObject && r.count == 1}
		return nil
	}
	r := s.fetched
	n, err := r.objects.ParseHeader(in.unread(), &r.current)
	if err != nil {
		return err
	}
	in.advance(n)
	r.reached()
	h := &r.current
	s.head = Object{GroupID: h.Group, SubgroupID: h.Subgroup, ObjectID: h.Object, Priority: h.Priority,
		Status: h.Status, Properties: h.Properties,
		Draft: r.draft, Datagram: h.Datagram, Range: h.Range}
	return nil
}

// more waits for more bytes of a header.
func (s *source) more() error {
	p := s.payload
	ahead := 0
	if len(p.in.unread()) == 0 {
		ahead = p.ahead()
	}
	err := p.in.fill(ahead)
	if err == nil {
		return nil
	}
	if rest := p.in.unread(); err == io.EOF && len(rest) > 0 {
		if s.subgroup != nil {
			err = p.in.place(s.subgroup.objects.EndOfStream(rest))
		} else {
			err = p.in.place(s.fetched.objects.EndOfStream(rest))
		}
	}
	return p.final(err)
}

// gather reads until the payload is in the buffer, and of what follows a large one no more than a header: the rest
// would have to be moved.
func (s *source) gather() error {
	p := s.payload
	p.in.reserve(int(p.left))
	for p.left > uint64(len(p.in.unread())) {
		ahead := 0
		if p.left >= largePayload {
			ahead = int(p.left) - len(p.in.unread()) + headerAhead
		}
		if err := p.in.readOnce(ahead); err != nil {
			n := len(p.in.unread())
			p.in.advance(n)
			p.left -= uint64(n)
			return p.payloadError(err)
		}
	}
	return nil
}

// stop ends the reading from this end.
func (s *source) stop(code ResetCode) { s.payload.Stop(code.Number(s.t.s.draft)) }

// judge says what the end of the stream means: nil for FIN and for a reset of a subgroup stream, which the track
// counts.
func (s *source) judge(err error) error {
	if s.fetch != nil {
		if err = s.fetch.streamEnded(err); err == io.EOF {
			return nil
		}
		return err
	}
	session := s.t.s
	var reset *transport.StreamError
	var breach *wire.Error
	switch {
	case err == io.EOF:
		return nil
	case errors.As(err, &reset):
		if reset.Remote {
			h := s.subgroup.Header()
			session.trace(Event{Type: EventReset, Stream: wire.UniStream, StreamID: reset.StreamID, Code: reset.Code,
				Subgroup: &h, TrackAlias: h.TrackAlias})
		}
		return err
	case errors.As(err, &breach) && breach.Code == wire.InternalError: // a limit of this end
		s.stop(ResetExcessiveLoad)
		return err
	}
	session.fail(err)
	return session.streamError(err)
}
