package reference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// visit is one look at a relay: a check passes when the relay does it right. Its errors are the check's verdict.
type visit struct {
	ctx   context.Context
	relay *Relay
	d     wire.Draft
	end   []func()
}

func (v *visit) fail(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

func (v *visit) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (v *visit) same(what string, want, got any) {
	if diff := cmp.Diff(want, got); diff != "" {
		v.fail("%s (-want +got):\n%s", what, diff)
	}
}

func (v *visit) dial() *moqt.Session { return v.dialWith(moqt.Config{}) }

// connect opens a connection to the relay; served is closed when the relay has done with it.
func (v *visit) connect() (_ transport.Conn, served <-chan struct{}) {
	client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: v.d.ALPN()}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.relay.ServeConn(v.ctx, server)
	}()
	v.end = append(v.end, func() {
		client.CloseWithError(0, "")
		<-done
	})
	return client, done
}

// run runs a check against a relay with options, in a bubble of time.
func run(t *testing.T, d wire.Draft, opts Options, check func(v *visit)) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { err = look(t, d, opts, check) })
	return err
}

func look(t *testing.T, d wire.Draft, opts Options, check func(v *visit)) (err error) {
	opts.Limits.Session.Linger = linger
	r, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	v := &visit{ctx: ctx, relay: r, d: d}
	defer r.Close()
	defer func() {
		for _, f := range slices.Backward(v.end) {
			f()
		}
	}()
	defer func() {
		if x := recover(); x != nil {
			failed, ok := x.(error)
			if !ok {
				panic(x)
			}
			err = failed
		}
	}()
	check(v)
	return nil
}

var someNamespace = wire.TrackNamespace{"n"}

func (v *visit) announce(s *moqt.Session) *moqt.Announcement {
	a, err := s.PublishNamespace(v.ctx, someNamespace, nil)
	v.must(err)
	return a
}

func (v *visit) publish(s *moqt.Session, name string) *moqt.Publication {
	pub, err := s.Publish(v.ctx, &wire.Publish{TrackNamespace: someNamespace, TrackName: name})
	v.must(err)
	return pub
}

func (v *visit) subscribe(s *moqt.Session, name string, ps wire.Parameters) *moqt.Subscription {
	sub, err := s.Subscribe(v.ctx, &wire.Subscribe{TrackNamespace: someNamespace, TrackName: name, Parameters: ps})
	v.must(err)
	return sub
}

// refused expects a refusal with a meaning.
func (v *visit) refused(err error, want moqt.RejectCode) {
	var no *moqt.RequestError
	if !errors.As(err, &no) {
		v.fail("%v, want a refusal", err)
	}
	if no.Code != want.Number(v.d, no.Kind) {
		v.fail("%v, want code 0x%x", err, want.Number(v.d, no.Kind))
	}
}

// stream is a subgroup stream as a subscriber sees it.
type stream struct {
	Header  wire.SubgroupHeader
	Objects []item
	Fin     bool
}

var visitProps = wire.Properties{{Type: 0x3800, Uint: 7}}

// send writes a subgroup of objects on its own stream.
func (v *visit) send(pub *moqt.Publication, h wire.SubgroupHeader, ids ...uint64) (sent stream) {
	h.Priority, h.HasProperties, h.FirstObject, h.IDMode = 100, true, true, wire.SubgroupIDPresent
	w, err := pub.OpenSubgroup(v.ctx, h)
	v.must(err)
	sent = stream{Header: h, Fin: true}
	for _, id := range ids {
		o := &moqt.Object{ObjectID: id, Payload: payload(h.GroupID, id)}
		v.must(o.EncodeProperties(v.d, visitProps))
		v.must(w.WriteObject(o))
		sent.Objects = append(sent.Objects, item{Group: h.GroupID, Subgroup: h.SubgroupID, Object: id, Priority: 100,
			Payload: string(o.Payload), Properties: visitProps})
	}
	v.must(w.Close())
	if v.d < wire.Draft18 {
		sent.Header.FirstObject = false
	}
	return sent
}

// streams takes the streams of a subscription until its end.
func (v *visit) streams(sub *moqt.Subscription) (all []stream) {
	for {
		r, err := sub.AcceptSubgroup(v.ctx)
		if errors.Is(err, io.EOF) {
			return all
		}
		v.must(err)
		all = append(all, v.read(r))
	}
}

func (v *visit) read(r *moqt.SubgroupReader) (s stream) {
	for {
		var o moqt.Object
		err := r.ReadObject(&o)
		s.Header = r.Header()
		s.Header.TrackAlias = 0
		if err != nil {
			s.Fin = errors.Is(err, io.EOF)
			return s
		}
		props, err := o.DecodeProperties()
		v.must(err)
		s.Objects = append(s.Objects, item{Group: o.GroupID, Subgroup: o.SubgroupID, Object: o.ObjectID,
			Priority: o.Priority, Status: o.Status, Payload: string(o.Payload), Properties: props})
	}
}

// track publishes a track and has a subscriber receive groups 0 to 2 of three objects each.
func (v *visit) track() (pub *moqt.Publication, sub *moqt.Subscription, sent []stream) {
	s := v.dial()
	pub = v.publish(s, "t")
	sub = v.subscribe(v.dial(), "t", nil)
	for g := range uint64(3) {
		sent = append(sent, v.send(pub, wire.SubgroupHeader{GroupID: g, SubgroupID: 1, EndOfGroup: true}, 0, 1, 2))
	}
	return pub, sub, sent
}

func objectsOf(streams []stream, keep func(item) bool) (all []item) {
	for _, s := range streams {
		for _, o := range s.Objects {
			if keep == nil || keep(o) {
				all = append(all, o)
			}
		}
	}
	return all
}

func (v *visit) objects(sub *moqt.Subscription, n int) (all []item) {
	for range n {
		o, err := sub.Next(v.ctx)
		v.must(err)
		props, err := o.DecodeProperties()
		v.must(err)
		all = append(all, item{Group: o.GroupID, Subgroup: o.SubgroupID, Object: o.ObjectID, Priority: o.Priority,
			Status: o.Status, Payload: string(o.Payload), Properties: props, Datagram: o.Datagram})
	}
	sortItems(all)
	return all
}

func (v *visit) fetched(f *moqt.Fetch) (all []item) {
	for {
		o, err := f.Next(v.ctx)
		if errors.Is(err, io.EOF) {
			return all
		}
		v.must(err)
		props, err := o.DecodeProperties()
		v.must(err)
		all = append(all, item{Group: o.GroupID, Subgroup: o.SubgroupID, Object: o.ObjectID, Priority: o.Priority,
			Payload: string(o.Payload), Properties: props})
	}
}

// quiet checks that nothing comes of a subscription for a while.
func (v *visit) quiet(sub *moqt.Subscription) {
	ctx, cancel := context.WithTimeout(v.ctx, 60*time.Millisecond)
	defer cancel()
	if o, err := sub.Next(ctx); err == nil {
		v.fail("%s came", o)
	}
}

// TestChecks: every check passes.
func TestChecks(t *testing.T) {
	for name, c := range checks {
		for _, d := range someDrafts {
			if d < c.first {
				continue
			}
			if err := run(t, d, c.opts, c.run); err != nil {
				t.Errorf("%s on %s: %v", name, d, err)
			}
		}
	}
}

func TestUnknownFault(t *testing.T) {
	if _, err := New(Options{Faults: []string{"no-such-fault"}}); err == nil ||
		!strings.Contains(err.Error(), "no-such-fault") {
		t.Errorf("%v, want an error that names the fault", err)
	}
	seen := make(map[string]bool)
	for _, f := range Faults() {
		if f.Name == "" || f.Doc == "" || seen[f.Name] || strings.Contains(f.Doc, "\n") {
			t.Errorf("fault %q (%q)", f.Name, f.Doc)
		}
		seen[f.Name] = true
	}
}
