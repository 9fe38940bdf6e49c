package track

import (
	"io"
	"slices"
	"sync"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/internal/stream"
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

// batch is a run of objects from one stream, waiting for the consumer. They are views into the buffer that the stream
// was read into: a batch costs no copy, and nothing per object.
type batch struct {
	src     *source // nil for a datagram
	objects []moqt.Object
	bytes   int    // of the payloads of objects
	odd     bool   // one of objects has properties, or a status
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
	stream.PutBuffer(b.buf)
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

// source is one stream that a Subscribed reads: a subgroup, or a fetch stream.
type source struct {
	t        *Subscribed
	payload  *moqt.PayloadReader
	core     *stream.Reader       // within payload
	subgroup *moqt.SubgroupReader // one of the two
	fetched  *moqt.FetchReader
	fetch    *moqt.Fetch // of fetched

	begun  bool        // there is an object whose payload is not complete
	viewed bool        // its header is still in the stream's buffer
	head   moqt.Object // otherwise it is here
	props  []byte      // and its properties are here
	last   uint64      // Object ID of the last object that came whole, or was too large
	large  *moqt.ObjectTooLargeError

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

func (t *Subscribed) newSource() *source {
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
			if s.core.In.Buf != nil && !b.body {
				b.buf = s.core.In.Detach()
			}
			body := b.body
			if !s.t.put(b) {
				s.stop(moqt.ResetCancelled)
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
	p := s.core
	for {
		if !s.begun {
			if p.Err != nil {
				return p.Err
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
				return p.Final(p.In.Place(err))
			}
		}
		if have := p.In.Unread(); p.Left <= uint64(len(have)) {
			n := int(p.Left)
			s.complete(b, have[:n:n])
			p.In.Advance(n)
			p.Left = 0
			if len(b.objects) == maxBatch {
				return nil
			}
			continue
		}
		if s.viewed {
			s.look(&s.head)
			if len(s.head.Properties) > 0 {
				s.props = append(s.props[:0], s.head.Properties...)
				s.head.Properties = s.props
			}
			s.viewed = false
		}
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
	p := s.core
	switch limit := s.t.opts.StreamAbove; {
	case limit > 0 && p.Left > limit:
		b.body = true
		s.complete(b, nil)
		return true, nil
	case p.Left > s.payload.MaxObjectSize():
		s.begun, s.last = false, s.head.ObjectID
		s.large = &moqt.ObjectTooLargeError{Location: s.head.Location(), Size: p.Size, Max: s.payload.MaxObjectSize()}
		return true, nil
	case p.Left <= inPlace:
		return false, s.gather()
	}
	payload, err := p.ReadPayload(b.large[:0])
	b.large = payload[:0]
	if err != nil {
		return false, err
	}
	s.complete(b, payload)
	return true, nil
}

// complete moves the object at hand to the batch.
func (s *source) complete(b *batch, payload []byte) {
	n := len(b.objects)
	b.objects = slices.Grow(b.objects, 1)[:n+1]
	o := &b.objects[n]
	if s.viewed {
		s.look(o)
	} else {
		*o = s.head
		if len(o.Properties) > 0 {
			at := len(b.props)
			b.props = append(b.props, o.Properties...)
			o.Properties = b.props[at:]
		}
		s.head = moqt.Object{}
	}
	o.Payload = payload
	b.bytes += len(payload)
	b.odd = b.odd || o.Status != wire.StatusNormal || len(o.Properties) > 0
	s.last = o.ObjectID
	s.begun = false
}

// look sets o to the object whose header was read last.
func (s *source) look(o *moqt.Object) {
	if s.subgroup != nil {
		s.subgroup.View(o)
	} else {
		s.fetched.View(o)
	}
}

// header reads the next header, if it is in the buffer. The errors are those of package wire.
func (s *source) header() error {
	if r := s.subgroup; r != nil { // by its type: this is done for every object
		return r.NextBuffered()
	}
	return s.fetched.NextBuffered()
}

// more waits for more bytes of a header.
func (s *source) more() error {
	if s.subgroup != nil {
		return s.subgroup.More()
	}
	return s.fetched.More()
}

// gather reads until the payload is in the buffer, and of what follows a large one no more than a header: the rest
// would have to be moved.
func (s *source) gather() error {
	p := s.core
	p.In.Reserve(int(p.Left))
	for p.Left > uint64(len(p.In.Unread())) {
		ahead := 0
		if p.Left >= stream.LargePayload {
			ahead = int(p.Left) - len(p.In.Unread()) + stream.HeaderAhead
		}
		if err := p.In.ReadOnce(ahead); err != nil {
			n := len(p.In.Unread())
			p.In.Advance(n)
			p.Left -= uint64(n)
			return p.PayloadError(err)
		}
	}
	return nil
}

// stop ends the reading from this end.
func (s *source) stop(code moqt.ResetCode) { s.payload.Stop(code.Number(s.t.s.Draft())) }

// judge says what the end of the stream means: nil for FIN and for what the track counts.
func (s *source) judge(err error) error {
	if s.fetch == nil {
		return s.t.sub.StreamEnded(s.subgroup, err)
	}
	if err = s.fetch.StreamEnded(err); err == io.EOF {
		return nil
	}
	return err
}
