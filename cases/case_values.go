package cases

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Values at the edges of what the drafts allow.

// valuesCase is a case of such values.
func valuesCase(id, title string, faults []Fault, run func(ctx context.Context, e *Env) error,
	what ...rules.ID) Case {
	return topicCase(id, title, faults, run, what, "values")
}

var largeIDs = valuesCase("large-ids",
	"Group IDs and Object IDs above 2^32 and near the largest number arrive unchanged",
	[]Fault{
		dataFault("ids-32-bit", "unexpected {7, "),
		dataFault("wrong-group-id", "unexpected {4294967304, "),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		largest := p.Session.Draft().MaxVarint()
		l := NewLayout([]uint64{1<<32 + 7, largest/2 + 1, largest - 2}, []uint64{1<<32 + 1, largest/2 + 1, largest - 2},
			LayoutOptions{Payload: e.NamedPayload})
		a := e.Follow(ctx, "subscriber", p, l, Checks{})
		p.WaitForward(ctx)
		p.Deliver(ctx, l, ObjectPace, a)
		return nil
	}, rules.ObjectFields, rules.Forwarding)

// trackOf announces a namespace and delivers one object of a track in it, whose name must arrive byte for byte: the
// publisher refuses every other one.
func trackOf(ctx context.Context, e *Env, source, s *Session, ns wire.TrackNamespace, name string) {
	step, cancel := e.Step(ctx)
	defer cancel()
	p := source.Publisher(ns, name)
	source.Announce(step, ns)
	l := oneObject(e)
	a := s.Follow(ctx, p, l, Checks{})
	p.WaitForward(ctx)
	p.Deliver(ctx, l, 0, a)
}

var namespaceFields = valuesCase("namespace-32-fields",
	"A track whose namespace has 32 fields is delivered",
	[]Fault{
		requestFault("namespace-31-fields", "0x"),
		dataFault("drop-object", "0 of 1 objects came"),
	}, func(ctx context.Context, e *Env) error {
		source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
		ns := e.Namespace()
		for i := len(ns); i < maxFields; i++ {
			ns = ns.Join(fmt.Sprintf("field %d", i+1))
		}
		trackOf(ctx, e, source, s, ns, e.TrackName())
		return nil
	}, rules.Routing, rules.NameFieldCount, rules.Forwarding)

// The most that a Full Track Name may have (draft-18 §2.4.1).
const (
	maxFields = 32
	maxName   = 4096
)

var nameLength = valuesCase("name-4096-bytes",
	"A track whose Full Track Name has 4,096 bytes is delivered",
	[]Fault{
		requestFault("name-4000-bytes", "0x"),
		dataFault("drop-object", "0 of 1 objects came"),
	}, func(ctx context.Context, e *Env) error {
		source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
		ns := e.Namespace(strings.Repeat("n", 1500))
		n := maxName
		for _, field := range ns {
			n -= len(field)
		}
		trackOf(ctx, e, source, s, ns, strings.Repeat("t", n))
		return nil
	}, rules.Routing, rules.NameLength, rules.Forwarding)

// awkward are names and fields that are easily taken for text, for a path, or for nothing.
var awkward = []string{"", ".", "..", "/", "a/b", "//", "with spaces ", "\x00", "line\nbreak", "\xff\xfe not UTF-8",
	"\xc3", "e\u0301", "%2F", `"quoted"`, "\u202eleft"}

var nameBytes = valuesCase("name-bytes",
	"Names that are empty, no UTF-8, or have dots, slashes and spaces arrive byte for byte",
	[]Fault{
		requestFault("names-as-text", "(the publisher has seen no request for the track)"),
		requestFault("empty-name-refused", "0x"),
		dataFault("drop-object", "0 of 1 objects came"),
	}, runNameBytes, rules.Routing, rules.Forwarding)

// runNameBytes: names are bytes, compared as such (draft-18 §2.4.1). Each is a track's name, and, unless it is empty,
// the last field of another one's namespace.
func runNameBytes(ctx context.Context, e *Env) error {
	source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	ns := e.Namespace()
	source.Announce(step, ns)
	var all []*Publisher
	for _, name := range awkward {
		all = append(all, source.Publisher(ns, name))
		if name != "" {
			all = append(all, source.Publisher(ns.Join(name), "track"))
		}
	}
	l := oneObject(e)
	for _, p := range all {
		a := s.Follow(ctx, p, l, Checks{})
		p.WaitForward(ctx)
		e.Go(ctx, func(ctx context.Context) { p.Publish(ctx, l, 0) })
		a.WaitAll(ctx)
		p.End()
	}
	return nil
}

// manyTracks is how many tracks a session subscribes to at the same time.
const manyTracks = 100

var manySubscriptions = granting(2*manyTracks, valuesCase("many-subscriptions",
	fmt.Sprintf("A session subscribes to %d tracks at the same time, and gets the objects of each", manyTracks),
	[]Fault{
		requestFault("subscriptions-60", `"fault"`),
		dataFault("drop-object", "0 of 1 objects came"),
	}, runManySubscriptions, rules.Routing, rules.Forwarding, rules.TrackAlias))

// granting is a case whose sessions take so many requests of the relay at once, in 14 to 16.
func granting(requests uint64, c Case) Case {
	c.Requests = requests
	return c
}

// runManySubscriptions: no text says how many subscriptions a relay takes. One that lets no more streams be opened, or
// says that it has enough (EXCESSIVE_LOAD), is not judged further.
func runManySubscriptions(ctx context.Context, e *Env) error {
	source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	ns := e.Namespace()
	source.Announce(step, ns)
	l := oneObject(e)
	var tracks []*Publisher
	for i := range manyTracks {
		tracks = append(tracks, source.Publisher(ns, fmt.Sprintf("%s-%d", e.TrackName(), i)))
	}
	var subs []*moqt.Subscription
	for _, p := range tracks {
		sub, err := s.StartSubscribe(step, s.SubscribeMessage(p.Namespace, p.Name))
		s.mayHaveEnough(err, len(subs))
		s.Check(step, err, transport.LayerRequest, "SUBSCRIBE to be sent")
		subs = append(subs, sub)
	}
	type reading struct {
		k *Checker
		r *Reader
	}
	var reads []reading
	for i, sub := range subs {
		if err := sub.Ready(step); err != nil {
			s.mayHaveEnough(err, i)
			s.Check(step, err, transport.LayerRequest, fmt.Sprintf("SUBSCRIBE_OK for track %d of %d", i+1, manyTracks))
		}
		k := NewChecker(l, Checks{})
		reads = append(reads, reading{k, s.Read(ctx, "SUBSCRIBE", k, sub.Next)})
	}
	for _, p := range tracks {
		p.WaitForward(step)
		p.Publish(ctx, l, 0)
	}
	step, cancel = e.Within(ctx, DeliveryLimit)
	defer cancel()
	for i, x := range reads {
		s.Gather(step, x.k, x.r)
		tracks[i].End()
	}
	return nil
}

// manyNames is how many namespaces are published at the same time, nameBatch how many are asked for at once.
const (
	manyNames = 1000
	nameBatch = 50
)

var manyNamespaces = granting(manyNames+nameBatch, valuesCase("many-namespaces",
	fmt.Sprintf("A namespace subscriber is told of %d namespaces", manyNames),
	[]Fault{
		requestFault("namespaces-70", "were told"),
		requestFault("namespace-silent", "0 of them were told"),
	}, runManyNamespaces, rules.SubscribeNamespace, rules.PublishNamespace))

// runManyNamespaces: no text says how many namespaces a relay takes. Of those that it has accepted it tells.
func runManyNamespaces(ctx context.Context, e *Env) error {
	source, s := e.Dial(ctx, "publisher"), e.Dial(ctx, "subscriber")
	step, cancel := e.Step(ctx)
	defer cancel()
	n := s.WantNamespaceSubscription(step, e.Namespace())
	waiting := map[string]bool{}
	for full := false; len(waiting) < manyNames && !full; {
		step, cancel := e.Step(ctx)
		var batch []*moqt.Announcement
		var names []wire.TrackNamespace
		for range nameBatch {
			ns := e.Namespace(fmt.Sprint(len(waiting) + len(batch)))
			soon, cancel := context.WithTimeout(step, e.settled(LateTime))
			a, err := source.StartPublishNamespace(soon, ns, e.Parameters())
			cancel()
			if err != nil && source.Context().Err() == nil && step.Err() == nil { // no more streams
				full = true
				break
			}
			source.Check(step, err, transport.LayerRequest, "PUBLISH_NAMESPACE to be sent")
			batch, names = append(batch, a), append(names, ns)
		}
		for i, a := range batch {
			err := a.Ready(step)
			var refused *moqt.RequestError
			if errors.As(err, &refused) {
				e.Note("PUBLISH_NAMESPACE %d was refused: %s", len(waiting)+1, RefusalText(refused))
				full = true
				break
			}
			source.Check(step, err, transport.LayerRequest, source.OKName(wire.KindPublishNamespace)+
				" for PUBLISH_NAMESPACE")
			waiting[names[i].Key()] = true
		}
		cancel()
	}
	all := len(waiting)
	e.Note("the relay has accepted %d namespaces at the same time", all)
	step, cancel = e.Within(ctx, DeliveryLimit)
	defer cancel()
	for len(waiting) > 0 {
		news, err := n.Next(step)
		if err != nil {
			expected := fmt.Sprintf("news of all %d namespaces that were accepted", all)
			if step.Err() == nil || ctx.Err() != nil {
				s.Check(step, err, transport.LayerRequest, expected)
			}
			e.Fail(transport.LayerRequest, expected, fmt.Sprintf("%d of them were told", all-len(waiting)))
		}
		delete(waiting, news.Namespace.Key())
	}
	return nil
}

// datagramSizes are payloads up to more than most paths carry in a datagram, in bytes.
var datagramSizes = []int{0, 1, 100, 500, 900, 1000, 1050, 1100, 1150, 1200, 1300, 1400}

var datagramSize = valuesCase("datagram-sizes",
	"Datagrams of all sizes that the path carries arrive whole",
	[]Fault{
		dataFault("datagrams-cut", "500 bytes of payload instead of 900"),
		dataFault("drop-datagrams", "none of them"),
	}, func(ctx context.Context, e *Env) error {
		p := e.Announced(ctx)
		s := e.Dial(ctx, "subscriber")
		step, cancel := e.Step(ctx)
		defer cancel()
		sub := s.SubscribeTo(step, p)
		w := s.Watch(ctx, sub)
		p.WaitForward(step)
		var l Layout
		for i, n := range datagramSizes {
			l = append(l, Item{Object: uint64(i), Priority: 128, Datagram: true, Payload: Filled(n, 0, uint64(i))})
		}
		p.Publish(ctx, l, datagramPace)
		w.gathered(step, e, len(l))
		p.End()
		s.settled(step, sub)
		s.intact(ctx, l, w)
		return nil
	}, rules.DeliveryMode, rules.ObjectFields, rules.PayloadOpaque, rules.DatagramsSupported)
