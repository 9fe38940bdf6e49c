package moqt_test

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// fetchObjects has objects of several groups and subgroups, ascending, and what else the draft's fetch streams can say;
// complete as a reader must give them.
func fetchObjects(t testing.TB, d wire.Draft) []*moqt.Object {
	objects := []*moqt.Object{
		{GroupID: 3, SubgroupID: 1, ObjectID: 7, Priority: 200, Payload: []byte("first")},
		{GroupID: 3, SubgroupID: 1, ObjectID: 8, Priority: 200},
		{GroupID: 3, SubgroupID: 2, ObjectID: 9, Priority: 200, Payload: payload(70000),
			Properties: someProperties(t, d)},
		{GroupID: 3, SubgroupID: 0, ObjectID: 100, Priority: 0, Payload: payload(64)},
		{GroupID: 4, SubgroupID: 9, ObjectID: 0, Priority: 1, Payload: payload(1)},
		{GroupID: 1 << 40, SubgroupID: 10, ObjectID: 1, Priority: 1, Payload: payload(2)},
	}
	if d <= wire.Draft15 {
		objects = append(objects,
			&moqt.Object{GroupID: 1<<40 + 1, ObjectID: 0, Status: wire.StatusDoesNotExist},
			&moqt.Object{GroupID: 1<<40 + 1, ObjectID: 1, Status: wire.StatusEndOfTrack})
	} else {
		objects = append(objects,
			&moqt.Object{GroupID: 1<<40 + 1, ObjectID: 5, Range: wire.NonExistentRange},
			&moqt.Object{GroupID: 1<<40 + 1, ObjectID: 6, SubgroupID: 10, Priority: 1,
				Payload: []byte("after a marker")},
			&moqt.Object{GroupID: 1<<40 + 2, ObjectID: 4, Priority: 77, Payload: []byte("a datagram"), Datagram: true},
			&moqt.Object{GroupID: 1<<40 + 3, ObjectID: 1<<62 - 1, Range: wire.UnknownRange})
	}
	if d >= wire.Draft20 {
		objects = append(objects, &moqt.Object{GroupID: 1<<40 + 4, ObjectID: 1<<64 - 1, Range: wire.TimedOutRange})
	}
	for _, o := range objects {
		o.Draft = d
	}
	return objects
}

// descending turns the groups around and keeps the objects within a group in order.
func descending(objects []*moqt.Object) []*moqt.Object {
	out := slices.Clone(objects)
	slices.SortStableFunc(out, func(a, b *moqt.Object) int {
		switch {
		case a.GroupID > b.GroupID:
			return -1
		case a.GroupID < b.GroupID:
			return 1
		}
		return 0
	})
	return out
}

func TestFetchRoundTrip(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		for _, down := range []bool{false, true} {
			want := fetchObjects(t, d)
			if down {
				want = descending(want)
			}
			send, recv := uniStream(t, roomy)
			w, err := moqt.NewFetchWriter(send, d, 1<<40, down)
			if err != nil {
				t.Fatal(err)
			}
			objects := uint64(0)
			for _, o := range want {
				if o.Range == wire.NoRange {
					objects++
					err = w.WriteObject(o)
				} else {
					err = w.WriteRange(o.Range, o.Location())
				}
				if err != nil {
					t.Fatalf("%v: %v", o, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := moqt.NewFetchReader(recv(), d, fetchOptions(down))
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(r)
			if err != nil {
				t.Fatal(err)
			}
			wantObjects(t, got, want)
			if r.RequestID() != 1<<40 || r.Objects() != objects || w.Objects() != objects {
				t.Errorf("request %d, %d objects read, %d written, want %d", r.RequestID(), r.Objects(), w.Objects(),
					objects)
			}
		}
	})
}

func TestFetchWithoutObjects(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		b, _ := fetchBytes(t, d, false, nil)
		r, err := moqt.NewFetchReader(sent(t, b), d, fetchOptions(false))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("%v, want io.EOF", err)
		}
	})
}

func TestFetchTruncated(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		objects := slices.DeleteFunc(fetchObjects(t, d), func(o *moqt.Object) bool { return len(o.Payload) > 1000 })
		objects[1].Properties = someProperties(t, d)
		objects[1].Payload = payload(80)
		b, ends := fetchBytes(t, d, false, objects)
		for cut := range len(b) + 1 {
			stream := sent(t, b[:cut])
			if cut%2 == 1 {
				stream = oneByte{stream}
			}
			checkTruncated(t, cut, ends, func() (objectReader, error) {
				return moqt.NewFetchReader(stream, d,
					fetchOptions(false))
			})
			checkTruncated(t, cut, ends, func() (objectReader, error) {
				return moqt.NewFetchReader(&withFIN{b: b[:cut]}, d, fetchOptions(false))
			})
		}
	})
}

func TestFetchReset(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		send, recv := uniStream(t, 0)
		w, err := moqt.NewFetchWriter(send, d, 2, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.BeginObject(&wire.FetchObject{Group: 1, PayloadLength: 10}, 0); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Write([]byte("part")); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		r, err := moqt.NewFetchReader(recv(), d, fetchOptions(false))
		if err != nil {
			t.Fatal(err)
		}
		if h, err := r.Next(); err != nil || h.Group != 1 || r.Remaining() != 10 {
			t.Fatalf("%+v, %v", h, err)
		}
		w.Reset(0x6)
		_, err = r.Next()
		streamError(t, err, transport.StreamError{Remote: true, Code: 0x6})
	})
}

// TestFetchForward moves a fetch stream header by header, payloads in pieces, between drafts of the same abilities.
func TestFetchForward(t *testing.T) {
	for _, way := range [][2]wire.Draft{{14, 15}, {15, 14}, {16, 22}, {22, 20}, {19, 17}} {
		from, to := way[0], way[1]
		objects := fetchObjects(t, from)
		if from == wire.Draft22 && to == wire.Draft20 {
			objects = objects[:len(objects):len(objects)]
		} else {
			objects = slices.DeleteFunc(objects, func(o *moqt.Object) bool { return o.Range == wire.TimedOutRange })
		}
		b, _ := fetchBytes(t, from, false, objects)
		r, err := moqt.NewFetchReader(sent(t, b), from, fetchOptions(false))
		if err != nil {
			t.Fatal(err)
		}
		var rec recorder
		w, err := moqt.NewFetchWriter(&rec, to, 9, false)
		if err != nil {
			t.Fatal(err)
		}
		for {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := w.BeginObject(h, from); err != nil {
				t.Fatalf("%v to %v: %+v: %v", from, to, h, err)
			}
			if _, err := io.Copy(w, r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		back, err := moqt.NewFetchReader(sent(t, rec.Bytes()), to, fetchOptions(false))
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAll(back)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			translate(t, o, to)
		}
		wantObjects(t, got, objects)
	}
}

// translate makes of an object what a reader of another draft gives.
func translate(t testing.TB, o *moqt.Object, to wire.Draft) {
	t.Helper()
	props, err := wire.TranscodeProperties(nil, o.Draft, to, o.Properties)
	if err != nil {
		t.Fatal(err)
	}
	o.Properties, o.Draft = props, to
}

func TestFetchWriterRefuses(t *testing.T) {
	refused := []struct {
		name   string
		drafts func(wire.Draft) bool
		object moqt.Object
	}{
		{"marker", func(d wire.Draft) bool { return d <= wire.Draft15 },
			moqt.Object{GroupID: 9, Range: wire.NonExistentRange}},
		{"unknown range", func(d wire.Draft) bool { return d <= wire.Draft15 },
			moqt.Object{GroupID: 9, Range: wire.UnknownRange}},
		{"timed-out range", func(d wire.Draft) bool { return d <= wire.Draft19 },
			moqt.Object{GroupID: 9, Range: wire.TimedOutRange}},
		{"status", func(d wire.Draft) bool { return d >= wire.Draft16 },
			moqt.Object{GroupID: 9, Status: wire.StatusEndOfGroup}},
		{"status that is gone", func(d wire.Draft) bool { return d >= wire.Draft16 },
			moqt.Object{GroupID: 9, Status: wire.StatusDoesNotExist}},
		{"group against the order", func(d wire.Draft) bool { return d >= wire.Draft18 },
			moqt.Object{GroupID: 1, ObjectID: 5}},
		{"object going back", func(d wire.Draft) bool { return d >= wire.Draft18 },
			moqt.Object{GroupID: 2, ObjectID: 1}},
		{"payload with a status", func(wire.Draft) bool { return true },
			moqt.Object{GroupID: 9, Status: wire.StatusEndOfGroup, Payload: []byte("x")}},
		{"marker with a payload", func(wire.Draft) bool { return true },
			moqt.Object{GroupID: 9, Range: wire.UnknownRange, Payload: []byte("x")}},
		{"62 bits", func(d wire.Draft) bool { return d <= wire.Draft16 }, moqt.Object{GroupID: 1 << 62}},
	}
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		for _, c := range refused {
			var rec recorder
			w, err := moqt.NewFetchWriter(&rec, d, 2, false)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.WriteObject(&moqt.Object{GroupID: 2, ObjectID: 4}); err != nil {
				t.Fatal(err)
			}
			before := rec.Len()
			err = w.WriteObject(&c.object)
			if !c.drafts(d) {
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
				continue
			}
			wireError(t, err, wire.InternalError)
			if rec.Len() != before {
				t.Errorf("%s: refused, but %d bytes written", c.name, rec.Len()-before)
			}
			if err := w.WriteObject(&moqt.Object{GroupID: 10, Payload: []byte("goes on")}); err != nil {
				t.Errorf("%s: afterwards: %v", c.name, err)
			}
			if err := w.Close(); err != nil {
				t.Errorf("%s: close: %v", c.name, err)
			}
			r, err := moqt.NewFetchReader(sent(t, rec.Bytes()), d, fetchOptions(false))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := readAll(r); err != nil || len(got) != 2 || !bytes.Equal(got[1].Payload, []byte("goes on")) {
				t.Errorf("%s: read back %v, %v", c.name, got, err)
			}
		}
		var rec recorder
		w, err := moqt.NewFetchWriter(&rec, d, 2, false)
		if err != nil {
			t.Fatal(err)
		}
		wireError(t, w.WriteRange(wire.NoRange, wire.Location{}), wire.InternalError)
	})
}

func TestFetchReaderGivesWhatItCannotRead(t *testing.T) {
	b, _ := fetchBytes(t, 22, false, []*moqt.Object{{GroupID: 5}, {GroupID: 9}})
	r, err := moqt.NewFetchReader(sent(t, b), 22, fetchOptions(true)) // the other order: 5 - (3 + 1) is still a group
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(r); err != nil || got[1].GroupID != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	b, _ = fetchBytes(t, 22, false, []*moqt.Object{{GroupID: 5}, {GroupID: 90}})
	if r, err = moqt.NewFetchReader(sent(t, b), 22, fetchOptions(true)); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	if e := wireError(t, err, wire.ProtocolViolation); e.Field != "group_id_delta" || len(got) != 1 || e.Offset < 5 {
		t.Errorf("%v after %d objects (offset %d)", e, len(got), e.Offset)
	}
}
