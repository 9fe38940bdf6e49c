package moqt_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// headers gives every form of SUBGROUP_HEADER that the draft has.
func headers(d wire.Draft) (all []wire.SubgroupHeader) {
	flags := []bool{false, true}
	for _, mode := range []wire.SubgroupIDMode{wire.SubgroupIDZero, wire.SubgroupIDFirstObject,
		wire.SubgroupIDPresent} {
		for _, props := range flags {
			for _, end := range flags {
				for _, byDefault := range flags {
					for _, first := range flags {
						if byDefault && d < wire.Draft15 || first && d < wire.Draft18 {
							continue
						}
						h := wire.SubgroupHeader{TrackAlias: 7, GroupID: 300, IDMode: mode, HasProperties: props,
							EndOfGroup: end, DefaultPriority: byDefault, FirstObject: first}
						if mode == wire.SubgroupIDPresent {
							h.SubgroupID = 5
						}
						if !byDefault {
							h.Priority = 200
						}
						all = append(all, h)
					}
				}
			}
		}
	}
	return all
}

// someObjects has gaps, all statuses and sizes around those of an integer, as h lets them be; complete as a reader of
// the stream must give them.
func someObjects(t testing.TB, d wire.Draft, h wire.SubgroupHeader) []*moqt.Object {
	objects := []*moqt.Object{
		{ObjectID: 2, Payload: []byte("first")},
		{ObjectID: 3, Payload: nil},
		{ObjectID: 4, Payload: payload(63)},
		{ObjectID: 90, Payload: payload(64)},
		{ObjectID: 1 << 20, Payload: payload(16384), Status: wire.StatusNormal},
		{ObjectID: 1<<20 + 1, Status: wire.StatusEndOfGroup},
		{ObjectID: 1<<62 - 1, Status: wire.StatusEndOfTrack},
	}
	if d <= wire.Draft15 {
		objects = append(objects[:2:2], append([]*moqt.Object{{ObjectID: 3 + 1<<10, Status: wire.StatusDoesNotExist}},
			objects[4:]...)...)
	}
	if h.HasProperties {
		objects[0].Properties = someProperties(t, d)
		objects[1].Properties = block(t, d, wire.Properties{{Type: 0x3801, Bytes: payload(40000)}})
		objects[3].Properties = nil
	}
	for i, o := range objects {
		o.GroupID, o.Draft, o.SubgroupID, o.Priority = h.GroupID, d, h.SubgroupID, h.Priority
		if h.IDMode == wire.SubgroupIDFirstObject {
			o.SubgroupID = 2
		}
		if o.DefaultPriority = h.DefaultPriority; o.DefaultPriority {
			o.Priority = moqt.DefaultPublisherPriority
		}
		o.FirstObject = h.FirstObject && i == 0
	}
	return objects
}

func TestSubgroupRoundTrip(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		for _, h := range headers(d) {
			want := someObjects(t, d, h)
			send, recv := uniStream(t, roomy)
			w, err := moqt.NewSubgroupWriter(send, d, h)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range want {
				if err := w.WriteObject(o); err != nil {
					t.Fatalf("%+v: %v: %v", h, o, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := moqt.NewSubgroupReader(recv(), d, moqt.ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Header() != h {
				t.Fatalf("header %+v, want %+v", r.Header(), h)
			}
			if r.EndOfGroup() {
				t.Fatal("EndOfGroup before the end")
			}
			got, err := readAll(r)
			if err != nil {
				t.Fatal(err)
			}
			wantObjects(t, got, want)
			if r.EndOfGroup() != h.EndOfGroup {
				t.Errorf("EndOfGroup %t, want %t", r.EndOfGroup(), h.EndOfGroup)
			}
			if n := uint64(len(want)); r.Objects() != n || w.Objects() != n {
				t.Errorf("%d objects read, %d written, want %d", r.Objects(), w.Objects(), n)
			}
			id := want[0].SubgroupID
			if r.Header().SubgroupID != id || w.Header().SubgroupID != id {
				t.Errorf("Subgroup ID %d read, %d written, want %d", r.Header().SubgroupID, w.Header().SubgroupID, id)
			}
			if err := r.ReadObject(&moqt.Object{}); err != io.EOF {
				t.Errorf("after the end: %v, want io.EOF again", err)
			}
		}
	})
}

func TestSubgroupDefaultPriority(t *testing.T) {
	b, _ := subgroupBytes(t, 16, wire.SubgroupHeader{DefaultPriority: true},
		[]*moqt.Object{{ObjectID: 0}, {ObjectID: 1}})
	r, err := moqt.NewSubgroupReader(sent(t, b), 16, moqt.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var o moqt.Object
	for _, want := range []uint8{moqt.DefaultPublisherPriority, 0} {
		if err := r.ReadObject(&o); err != nil {
			t.Fatal(err)
		}
		if o.Priority != want || !o.DefaultPriority || r.Priority() != want {
			t.Errorf("priority %d (reader: %d, by default %t), want %d by default", o.Priority, r.Priority(),
				o.DefaultPriority, want)
		}
		r.SetDefaultPriority(0)
	}
}

// TestSubgroupTruncated ends a stream with FIN after every byte: what is whole is read, the rest is cut short (draft-18
// §11.4).
func TestSubgroupTruncated(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		h := wire.SubgroupHeader{TrackAlias: 70, GroupID: 300, IDMode: wire.SubgroupIDPresent, SubgroupID: 1 << 20,
			Priority: 9, HasProperties: true}
		objects := []*moqt.Object{
			{ObjectID: 64, Payload: payload(70), Properties: someProperties(t, d)},
			{ObjectID: 1000},
			{ObjectID: 1 << 31, Status: wire.StatusEndOfGroup},
		}
		b, ends := subgroupBytes(t, d, h, objects)
		for cut := range len(b) + 1 {
			stream := sent(t, b[:cut])
			if cut%2 == 1 {
				stream = oneByte{stream}
			}
			checkTruncated(t, cut, ends, func() (objectReader, error) {
				return moqt.NewSubgroupReader(stream, d,
					moqt.ReaderOptions{})
			})
			checkTruncated(t, cut, ends, func() (objectReader, error) {
				return moqt.NewSubgroupReader(&withFIN{b: b[:cut]}, d, moqt.ReaderOptions{})
			})
		}
	})
}

// checkTruncated judges the reading of a stream that was cut; ends are where the header and each object end.
func checkTruncated(t *testing.T, cut int, ends []int, open func() (objectReader, error)) {
	t.Helper()
	r, err := open()
	if cut < ends[0] {
		if cut == 0 {
			if err != io.EOF {
				t.Fatalf("empty stream: %v, want io.EOF", err)
			}
			return
		}
		if e := wireError(t, err, wire.ProtocolViolation); !errors.Is(err, wire.ErrTruncated) || e.Offset > cut {
			t.Fatalf("cut at %d: %v (offset %d)", cut, err, e.Offset)
		}
		return
	}
	if err != nil {
		t.Fatalf("cut at %d: %v", cut, err)
	}
	got, err := readAll(r)
	whole, boundary := 0, false
	for i, end := range ends {
		if end <= cut {
			whole, boundary = i, end == cut
		}
	}
	if len(got) != whole {
		t.Fatalf("cut at %d: %d objects, want %d", cut, len(got), whole)
	}
	if boundary {
		if err != nil {
			t.Fatalf("cut at %d, after an object: %v", cut, err)
		}
		return
	}
	e := wireError(t, err, wire.ProtocolViolation)
	if !errors.Is(err, wire.ErrTruncated) || e.Offset < ends[whole] || e.Offset > cut {
		t.Fatalf("cut at %d: %v (offset %d, want %d to %d)", cut, err, e.Offset, ends[whole], cut)
	}
	if again := r.ReadObject(&moqt.Object{}); again != err {
		t.Fatalf("cut at %d: second error %v, want the same", cut, again)
	}
}

func TestSubgroupTruncatedPayloadInPieces(t *testing.T) {
	b, ends := subgroupBytes(t, 22, wire.SubgroupHeader{}, []*moqt.Object{{Payload: payload(1000)}})
	r, err := moqt.NewSubgroupReader(sent(t, b[:len(b)-1]), 22, moqt.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r)
	if e := wireError(t, err, wire.ProtocolViolation); n != 999 || e.Offset != ends[1]-1000 {
		t.Errorf("%d bytes, then %v at %d", n, err, e.Offset)
	}
	if _, again := r.Read(make([]byte, 1)); again != err {
		t.Errorf("then %v, want the same error, not the end of a payload", again)
	}
}

// TestSubgroupReset resets and stops a stream in the middle of an object.
func TestSubgroupReset(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		send, recv := uniStream(t, 0)
		w, err := moqt.NewSubgroupWriter(send, d, wire.SubgroupHeader{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.WriteObject(&moqt.Object{Payload: []byte("whole")}); err != nil {
			t.Fatal(err)
		}
		r, err := moqt.NewSubgroupReader(recv(), d, moqt.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var o moqt.Object
		if err := r.ReadObject(&o); err != nil || string(o.Payload) != "whole" {
			t.Fatalf("%v, %v", &o, err)
		}
		if err := w.BeginObject(&wire.ObjectHeader{ObjectID: 1, PayloadLength: 100}, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(payload(50)); err != nil {
			t.Fatal(err)
		}
		w.Reset(0x2)
		err = r.ReadObject(&o)
		streamError(t, err, transport.StreamError{Remote: true, Code: 0x2})
		if again := r.ReadObject(&o); again != err {
			t.Errorf("then %v, want the same error", again)
		}
		for what, err := range map[string]error{"WriteObject": w.WriteObject(&moqt.Object{ObjectID: 2}),
			"Flush": w.Flush(), "Close": w.Close()} {
			streamError(t, err, transport.StreamError{Code: 0x2})
			if err == nil {
				t.Error(what)
			}
		}
	})
}

func TestSubgroupStop(t *testing.T) {
	send, recv := uniStream(t, 1<<10)
	w, err := moqt.NewSubgroupWriter(send, 18, wire.SubgroupHeader{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := moqt.NewSubgroupReader(recv(), 18, moqt.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- w.WriteObject(&moqt.Object{Payload: payload(1 << 20)}) }()
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	r.Stop(0x1) // the writer is blocked: the stream holds 1 KiB
	streamError(t, <-done, transport.StreamError{Remote: true, Stop: true, Code: 0x1})
	_, err = io.Copy(io.Discard, r)
	streamError(t, err, transport.StreamError{Stop: true, Code: 0x1})
}

// TestResetEndsBlockedWrite resets while another goroutine's write waits for the peer.
func TestResetEndsBlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send, _ := uniStream(t, 1<<10)
		w, err := moqt.NewSubgroupWriter(send, 18, wire.SubgroupHeader{})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- w.WriteObject(&moqt.Object{Payload: payload(1 << 20)}) }()
		synctest.Wait()
		w.Reset(0x5)
		streamError(t, <-done, transport.StreamError{Code: 0x5})
		streamError(t, w.WriteObject(&moqt.Object{ObjectID: 1}), transport.StreamError{Code: 0x5})
	})
}

// TestSubgroupDeadline lets deadlines pass at every point of an object; nothing is lost.
func TestSubgroupDeadline(t *testing.T) {
	h := wire.SubgroupHeader{HasProperties: true}
	want := &moqt.Object{Payload: payload(100), Properties: someProperties(t, 22), Draft: 22}
	b, ends := subgroupBytes(t, 22, h, []*moqt.Object{want})
	synctest.Test(t, func(t *testing.T) {
		send, recv := uniStream(t, roomy)
		if _, err := send.Write(b[:ends[0]]); err != nil {
			t.Fatal(err)
		}
		r, err := moqt.NewSubgroupReader(recv(), 22, moqt.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var o moqt.Object
		for i := ends[0]; i < len(b); i++ {
			if err := r.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			if err := r.ReadObject(&o); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("after %d bytes: %v, want a deadline", i, err)
			}
			if _, err := send.Write(b[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := r.ReadObject(&o); err != nil {
			t.Fatal(err)
		}
		wantObjects(t, []*moqt.Object{&o}, []*moqt.Object{want})
	})
}

// TestDeadlineInLargePayload lets a deadline pass while the payload goes straight to the object's buffer.
func TestDeadlineInLargePayload(t *testing.T) {
	const size = 300 << 10
	b, _ := subgroupBytes(t, 19, wire.SubgroupHeader{}, []*moqt.Object{{Payload: payload(size)}})
	synctest.Test(t, func(t *testing.T) {
		send, recv := uniStream(t, roomy)
		if _, err := send.Write(b[:200<<10]); err != nil {
			t.Fatal(err)
		}
		r, err := moqt.NewSubgroupReader(recv(), 19, moqt.ReaderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		var o moqt.Object
		if err := r.ReadObject(&o); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%v, want a deadline", err)
		}
		if err := r.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := send.Write(b[200<<10:]); err != nil {
			t.Fatal(err)
		}
		if err := r.ReadObject(&o); err != nil || !bytes.Equal(o.Payload, payload(size)) {
			t.Fatalf("%d bytes, %v", len(o.Payload), err)
		}
	})
}

// TestEnded: whoever watches a stream is told once how its reading ended.
func TestEnded(t *testing.T) {
	b, _ := subgroupBytes(t, 18, wire.SubgroupHeader{}, []*moqt.Object{{Payload: payload(50)}})
	for _, c := range []struct {
		name string
		end  func(r *moqt.SubgroupReader) error
		cut  int
	}{
		{"FIN", func(r *moqt.SubgroupReader) error { return r.ReadObject(&moqt.Object{}) }, 0},
		{"cut", func(r *moqt.SubgroupReader) error { return r.ReadObject(&moqt.Object{}) }, 1},
		{"stop", func(r *moqt.SubgroupReader) error {
			r.Stop(0x1)
			return &transport.StreamError{StreamID: r.StreamID(), Stop: true, Code: 0x1}
		}, 0},
	} {
		var told []error
		r, err := moqt.NewSubgroupReader(sent(t, b[:len(b)-c.cut]), 18,
			moqt.ReaderOptions{Ended: func(err error) { told = append(told, err) }})
		if err != nil {
			t.Fatal(err)
		}
		if c.cut == 0 {
			if err := r.ReadObject(&moqt.Object{}); err != nil || told != nil {
				t.Fatalf("%s: %v, told %v", c.name, err, told)
			}
		}
		want := c.end(r)
		r.ReadObject(&moqt.Object{})
		r.Stop(0)
		if len(told) != 1 || told[0].Error() != want.Error() {
			t.Errorf("%s: told %v, want %v once", c.name, told, want)
		}
	}
}
