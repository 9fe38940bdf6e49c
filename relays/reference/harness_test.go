package reference

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/internal/leak"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestMain(m *testing.M) {
	if os.Getenv(siegeRelay) != "" {
		serveSiege()
		return
	}
	leak.VerifyTestMain(m)
}

// world is a relay with its clients, in memory.
type world struct {
	*testing.T
	ctx   context.Context
	relay *Relay
	conns memconn.Options
}

// linger is short: what is waited for is datagrams after the end of a track.
const linger = 20 * time.Millisecond

// limit bounds every test; nothing should come near it.
const limit = 20 * time.Second

func newWorld(t *testing.T, opts Options) *world {
	t.Helper()
	if os.Getenv("REFERENCE_LOG") != "" {
		opts.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	opts.Limits.Session.Linger = linger
	r, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	w := &world{T: t, ctx: ctx, relay: r}
	t.Cleanup(func() {
		cancel()
		r.Close()
	})
	return w
}

// dial opens a session of a draft with the relay.
func (w *world) dial(d wire.Draft) *moqt.Session {
	w.Helper()
	s, err := moqt.Client(w.ctx, w.connect(d), moqt.Config{Drafts: []wire.Draft{d},
		Limits: moqt.Limits{Linger: linger}})
	if err != nil {
		w.Fatalf("session on %s: %v", d, err)
	}
	w.Cleanup(func() { s.Close(wire.NoError, "") })
	return s
}

func (w *world) connect(d wire.Draft) transport.Conn {
	opts := w.conns
	opts.Info.ALPN = d.ALPN()
	client, server := memconn.Pair(opts)
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.relay.ServeConn(w.ctx, server)
	}()
	w.Cleanup(func() {
		client.CloseWithError(0, "")
		<-done
	})
	return client
}

// item is an object as tests see it.
type item struct {
	Group, Subgroup, Object uint64
	Priority                uint8
	Payload                 string
	Properties              wire.Properties
	Status                  wire.ObjectStatus
	Datagram                bool
	Range                   wire.RangeKind
}

func (w *world) item(o *moqt.Object) item {
	w.Helper()
	props, err := o.DecodeProperties()
	if err != nil {
		w.Fatal(err)
	}
	return item{Group: o.GroupID, Subgroup: o.SubgroupID, Object: o.ObjectID, Priority: o.Priority,
		Payload:    string(o.Payload),
		Properties: props, Status: o.Status, Datagram: o.Datagram, Range: o.Range}
}

// origin is a publisher in a session: it answers SUBSCRIBE by publishing groups on streams, and FETCH from what it has.
type origin struct {
	*world
	s     *moqt.Session
	props wire.Properties // of each object

	mu      sync.Mutex
	objects map[wire.Location]*moqt.Object
	largest *wire.Location
	pubs    chan *moqt.Publication
	fetches int
	refuse  moqt.RejectCode // of FETCH, if not 0
	mute    bool            // towards FETCH
}

// announce makes an origin that has published a namespace.
func (w *world) announce(d wire.Draft, ns ...string) *origin {
	w.Helper()
	o := w.origin(d)
	if _, err := o.s.PublishNamespace(w.ctx, ns, nil); err != nil {
		w.Fatalf("PUBLISH_NAMESPACE on %s: %v", d, err)
	}
	return o
}

func (w *world) origin(d wire.Draft) *origin {
	w.Helper()
	o := &origin{world: w, s: w.dial(d), objects: make(map[wire.Location]*moqt.Object),
		pubs: make(chan *moqt.Publication, 16)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.serve()
	}()
	w.Cleanup(func() { // before the session's own
		o.s.Close(wire.NoError, "")
		<-done
	})
	return o
}

// serve answers requests until the session ends.
func (o *origin) serve() {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	for {
		req, err := o.s.AcceptRequest(o.s.Context())
		if err != nil {
			return
		}
		switch req.Kind() {
		case wire.KindSubscribe:
			ok := &wire.SubscribeOK{}
			o.mu.Lock()
			if o.largest != nil {
				ok.Parameters.SetLargest(*o.largest)
			}
			o.mu.Unlock()
			pub, err := req.AcceptSubscribe(o.ctx, ok)
			if err == nil {
				o.pubs <- pub
			}
		case wire.KindFetch:
			tasks.Go(func() { o.serveFetch(req) })
		case wire.KindTrackStatus:
			ok := &wire.RequestOK{}
			ok.Parameters.SetLargest(loc(3, 4))
			req.Accept(o.ctx, ok)
		default:
			req.Reject(o.ctx, moqt.RejectNotSupported, "")
		}
	}
}

// serveFetch answers a FETCH from the origin's objects.
func (o *origin) serveFetch(req *moqt.Request) {
	o.mu.Lock()
	o.fetches++
	refuse, mute := o.refuse, o.mute
	var largest wire.Location
	if o.largest != nil {
		largest = *o.largest
	}
	o.mu.Unlock()
	switch {
	case mute:
		<-req.Context().Done()
		return
	case refuse != 0:
		req.Reject(o.ctx, refuse, "")
		return
	}
	asked, err := req.FetchRange()
	if err != nil {
		o.Errorf("origin: %v", err)
		return
	}
	start, end, open := asked.Range.Bounds(largest, true)
	if open || end.Compare(largest) > 0 {
		end = largest
	}
	w, err := req.AcceptFetch(o.ctx, &wire.FetchOK{End: end})
	if err != nil {
		return
	}
	write := func(g uint64) {
		for id := range uint64(10) {
			o.mu.Lock()
			x := o.objects[loc(g, id)]
			o.mu.Unlock()
			if x != nil && x.Location().Compare(start) >= 0 && x.Location().Compare(end) <= 0 {
				w.WriteObject(x)
			}
		}
	}
	if asked.Descending {
		for g := end.Group; ; g-- {
			write(g)
			if g == start.Group {
				break
			}
		}
	} else {
		for g := start.Group; g <= end.Group; g++ {
			write(g)
		}
	}
	w.Close()
}

// publication waits for the relay's SUBSCRIBE.
func (o *origin) publication() *moqt.Publication {
	o.Helper()
	select {
	case p := <-o.pubs:
		return p
	case <-o.ctx.Done():
		o.Fatal("the relay has not subscribed")
		return nil
	}
}

// have gives the origin objects without sending them.
func (o *origin) have(group uint64, ids ...uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		x := &moqt.Object{GroupID: group, ObjectID: id, Priority: 100, Payload: payload(group, id)}
		if o.props != nil {
			if err := x.EncodeProperties(o.s.Draft(), o.props); err != nil {
				o.Fatal(err)
			}
		}
		o.objects[loc(group, id)] = x
		if l := loc(group, id); o.largest == nil || l.Compare(*o.largest) > 0 {
			o.largest = &l
		}
	}
}

func payload(group, id uint64) []byte { return fmt.Appendf(nil, "object %d of group %d", id, group) }

// send sends a group as one subgroup stream and ends it.
func (o *origin) send(pub *moqt.Publication, group uint64, ids ...uint64) {
	o.Helper()
	o.have(group, ids...)
	w := o.open(pub, group)
	o.write(w, group, ids...)
	if err := w.Close(); err != nil {
		o.Fatal(err)
	}
}

func (o *origin) open(pub *moqt.Publication, group uint64) *moqt.SubgroupWriter {
	o.Helper()
	w, err := pub.OpenSubgroup(o.ctx, wire.SubgroupHeader{GroupID: group, Priority: 100, HasProperties: o.props != nil,
		FirstObject: true})
	if err != nil {
		o.Fatal(err)
	}
	return w
}

func (o *origin) write(w *moqt.SubgroupWriter, group uint64, ids ...uint64) {
	o.Helper()
	o.have(group, ids...)
	for _, id := range ids {
		if err := w.WriteObject(o.objects[loc(group, id)]); err != nil {
			o.Fatal(err)
		}
	}
}

// expected is what subscribers get of groups.
func (o *origin) expected(locations ...wire.Location) (items []item) {
	for _, l := range locations {
		items = append(items, item{Group: l.Group, Object: l.Object, Priority: 100,
			Payload: string(payload(l.Group, l.Object)), Properties: o.props})
	}
	return items
}

// all lists locations group by group.
func all5(groups ...uint64) (out []wire.Location) {
	for _, g := range groups {
		for id := range uint64(5) {
			out = append(out, loc(g, id))
		}
	}
	return out
}

// subscribe subscribes to a track and waits for the OK.
func (w *world) subscribe(s *moqt.Session, ps wire.Parameters, name string, ns ...string) *moqt.Subscription {
	w.Helper()
	sub, err := s.Subscribe(w.ctx, &wire.Subscribe{TrackNamespace: ns, TrackName: name, Parameters: ps})
	if err != nil {
		w.Fatalf("SUBSCRIBE on %s: %v", s.Draft(), err)
	}
	return sub
}

// receive takes n objects of a subscription, by group and object.
func (w *world) receive(sub *moqt.Subscription, n int) []item {
	w.Helper()
	var items []item
	for range n {
		o, err := sub.Next(w.ctx)
		if err != nil {
			w.Fatalf("object %d of %d: %v", len(items)+1, n, err)
		}
		items = append(items, w.item(o))
	}
	sortItems(items)
	return items
}

func sortItems(items []item) {
	for i := range items {
		for j := i; j > 0 && loc(items[j].Group, items[j].Object).Compare(loc(items[j-1].Group,
			items[j-1].Object)) < 0; j-- {
			items[j], items[j-1] = items[j-1], items[j]
		}
	}
}

// finish takes what is left of a subscription that ends, and its PUBLISH_DONE.
func (w *world) finish(sub *moqt.Subscription) (items []item, done *wire.PublishDone) {
	w.Helper()
	for {
		o, err := sub.Next(w.ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			w.Fatalf("after %d objects: %v", len(items), err)
		}
		items = append(items, w.item(o))
	}
	sortItems(items)
	done, err := sub.Done(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	return items, done
}

// fetched takes all of a fetch.
func (w *world) fetched(f *moqt.Fetch) (items []item) {
	w.Helper()
	for {
		o, err := f.Next(w.ctx)
		if errors.Is(err, io.EOF) {
			return items
		}
		if err != nil {
			w.Fatalf("fetch %d after %d objects: %v", f.ID(), len(items), err)
		}
		items = append(items, w.item(o))
	}
}

func (w *world) fetch(s *moqt.Session, r wire.LocationFilter, descending bool, name string, ns ...string) *moqt.Fetch {
	w.Helper()
	req := moqt.FetchRequest{TrackNamespace: ns, TrackName: name, Range: r}
	if descending {
		req.Parameters.SetUint(wire.ParamGroupOrder, wire.Descending)
	}
	f, err := s.Fetch(w.ctx, req)
	if err != nil {
		w.Fatalf("FETCH on %s: %v", s.Draft(), err)
	}
	return f
}

func (w *world) same(what string, want, got any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// refused expects a *moqt.RequestError with a meaning.
func (w *world) refused(what string, err error, want moqt.RejectCode) {
	w.Helper()
	var refused *moqt.RequestError
	if !errors.As(err, &refused) {
		w.Errorf("%s: %v, want a refusal", what, err)
		return
	}
	if number := want.Number(refused.Draft, refused.Kind); refused.Code != number {
		w.Errorf("%s: %v, want code 0x%x", what, err, number)
	}
}

// eventually waits for something that the relay does in its own time.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for !ok() {
		select {
		case <-w.ctx.Done():
			w.Fatalf("never: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func large(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }

// someDrafts are enough for what does not depend on details of the wire.
var someDrafts = []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft18, wire.Draft22}

// onDrafts runs a test on each of some drafts, in a bubble of time: what waits costs nothing, and nothing depends on
// the machine's load.
func onDrafts(t *testing.T, drafts []wire.Draft, f func(t *testing.T, d wire.Draft)) {
	t.Helper()
	for _, d := range drafts {
		t.Run(d.String(), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { f(t, d) }) })
	}
}

func parameter(t wire.ParameterType, v uint64) wire.Parameters {
	return wire.Parameters{{Type: t, Uint: v}}
}

func filter(f wire.LocationFilter) wire.Parameters {
	var ps wire.Parameters
	ps.SetFilter(f)
	return ps
}
