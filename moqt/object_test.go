package moqt_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestObjectProperties(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		props := wire.Properties{{Type: 0x3C, Uint: 2}, {Type: 0x3F, Bytes: []byte("bytes")}}
		o := moqt.Object{GroupID: 5}
		if got, err := o.DecodeProperties(); err != nil || got != nil {
			t.Errorf("none: %v, %v", got, err)
		}
		if err := o.EncodeProperties(d, props); err != nil || o.Draft != d {
			t.Fatal(err, o.Draft)
		}
		got, err := o.DecodeProperties()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(props, got); diff != "" {
			t.Error(diff)
		}
		if x, ok := o.Property(0x3F); !ok || string(x.Bytes) != "bytes" {
			t.Errorf("%+v, %t", x, ok)
		}
		if _, ok := o.Property(0x40); ok {
			t.Error("property 0x40 found")
		}
		if err := o.Malformed(); err != nil {
			t.Error(err)
		}
		c := o.Clone()
		block := bytes.Clone(o.Properties)
		wrong := o.EncodeProperties(d, wire.Properties{{Type: 0x3F, Uint: 1}})
		wireError(t, wrong, wire.InternalError)
		if !bytes.Equal(o.Properties, block) {
			t.Error("a refused block changed the object")
		}
		if err := o.EncodeProperties(d, wire.Properties{{Type: 0x3C, Uint: 6}}); err != nil {
			t.Fatal(err)
		}
		if err := o.Malformed(); err == nil || !strings.Contains(err.Error(), "6 is larger than the ID 5") {
			t.Errorf("a gap larger than the group: %v", err)
		}
		if !bytes.Equal(c.Properties, block) {
			t.Error("a clone shares memory")
		}
	})
	o := moqt.Object{Properties: []byte{1}}
	_, err := o.DecodeProperties()
	wireError(t, err, wire.InternalError)
	if _, ok := o.Property(1); ok {
		t.Error("a property without a draft")
	}
}

func TestObjectString(t *testing.T) {
	for want, o := range map[string]moqt.Object{
		"{3, 1} 2 bytes":              {GroupID: 3, ObjectID: 1, Payload: []byte("ab")},
		"{3, 2} End of Group":         {GroupID: 3, ObjectID: 2, Status: wire.StatusEndOfGroup},
		"{4, 5} End of Unknown Range": {GroupID: 4, ObjectID: 5, Range: wire.UnknownRange},
	} {
		if got := o.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestEveryDraftTowardsEveryOther sends objects with properties of all kinds on one draft's streams and datagrams, and
// forwards what is read to each other draft.
func TestEveryDraftTowardsEveryOther(t *testing.T) {
	eachDraft(t, func(t *testing.T, from wire.Draft) {
		objects := func() []*moqt.Object {
			return []*moqt.Object{
				{GroupID: 9, ObjectID: 3, Priority: 4, Draft: from, Payload: []byte("none")},
				{GroupID: 9, ObjectID: 5, Priority: 4, Draft: from, Payload: []byte("some"),
					Properties: someProperties(t, from)},
				{GroupID: 9, ObjectID: 6, Priority: 4, Draft: from,
					Properties: block(t, from, wire.Properties{{Type: 0x3E, Uint: 1}})},
			}
		}
		h := wire.SubgroupHeader{GroupID: 9, Priority: 4, HasProperties: true}
		sub, _ := subgroupBytes(t, from, h, objects())
		fetch, _ := fetchBytes(t, from, false, objects())
		for _, to := range wire.Drafts() {
			want := objects()
			meaning := map[uint64]wire.Properties{}
			for _, o := range want {
				props, err := o.DecodeProperties()
				if err != nil {
					t.Fatal(err)
				}
				if meaning[o.ObjectID], err = props.Transcode(from, to); err != nil {
					t.Fatal(err)
				}
				translate(t, o, to)
			}
			check := func(got []*moqt.Object, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				wantObjects(t, got, want)
				for _, o := range got {
					props, err := o.DecodeProperties()
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(meaning[o.ObjectID], props, cmp.Comparer(bytes.Equal)); diff != "" {
						t.Fatalf("%v to %v, %v: %s", from, to, o, diff)
					}
					if err := o.Malformed(); err != nil {
						t.Fatalf("%v to %v, %v: %v", from, to, o, err)
					}
				}
			}

			r, err := moqt.NewSubgroupReader(sent(t, sub), from, moqt.ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			read, err := readAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out, _ := subgroupBytes(t, to, r.Header(), read)
			back, err := moqt.NewSubgroupReader(sent(t, out), to, moqt.ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			check(readAll(back))

			f, err := moqt.NewFetchReader(sent(t, fetch), from, fetchOptions(false))
			if err != nil {
				t.Fatal(err)
			}
			if read, err = readAll(f); err != nil {
				t.Fatal(err)
			}
			out, _ = fetchBytes(t, to, false, read)
			if f, err = moqt.NewFetchReader(sent(t, out), to, fetchOptions(false)); err != nil {
				t.Fatal(err)
			}
			check(readAll(f))

			var arrived []*moqt.Object
			for _, o := range objects() {
				var hop, last moqt.Object
				b, err := moqt.AppendDatagram(nil, from, 1, o)
				if err == nil {
					_, err = moqt.ParseDatagram(b, from, wire.Options{}, &hop)
				}
				if err == nil {
					b, err = moqt.AppendDatagram(nil, to, 2, &hop)
				}
				if err == nil {
					_, err = moqt.ParseDatagram(b, to, wire.Options{}, &last)
				}
				if err != nil {
					t.Fatalf("%v to %v: %v", from, to, err)
				}
				last.Datagram = false
				arrived = append(arrived, &last)
			}
			check(arrived, nil)
		}
	})
}

// drawObjects gives random objects that a subgroup stream or an ascending fetch stream of the draft can carry, in
// order.
func drawObjects(t *rapid.T, d wire.Draft, fetch bool) []*moqt.Object {
	id := rapid.Uint64Range(0, 1<<40)
	small := rapid.Uint64Range(0, 3)
	at := wire.Location{Group: id.Draw(t, "group"), Object: rapid.Uint64Range(0, 1<<20).Draw(t, "object")}
	var objects []*moqt.Object
	for i := range rapid.IntRange(0, 12).Draw(t, "n") {
		step := uint64(1)
		if rapid.Bool().Draw(t, "gap") {
			step = 1 + id.Draw(t, "step")
		}
		switch {
		case i == 0:
		case fetch && rapid.Bool().Draw(t, "next group"):
			at = wire.Location{Group: at.Group + step, Object: small.Draw(t, "object")}
		default:
			at.Object += step
		}
		o := &moqt.Object{GroupID: at.Group, ObjectID: at.Object, Draft: d}
		if fetch {
			o.SubgroupID, o.Priority = small.Draw(t, "subgroup"), uint8(small.Draw(t, "priority"))
		}
		statuses := []wire.ObjectStatus{wire.StatusNormal}
		if !fetch || d <= wire.Draft15 {
			statuses = append(statuses, wire.StatusEndOfGroup, wire.StatusEndOfTrack)
		}
		if d <= wire.Draft15 {
			statuses = append(statuses, wire.StatusDoesNotExist)
		}
		o.Status = rapid.SampledFrom(statuses).Draw(t, "status")
		if fetch && d >= wire.Draft16 {
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				o.Datagram, o.SubgroupID = true, 0
			case 1:
				o.Range, o.SubgroupID, o.Priority = wire.UnknownRange, 0, 0
			}
		}
		if o.Status == wire.StatusNormal && o.Range == wire.NoRange {
			o.Payload = payload(rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(0, 70000)).Draw(t, "size"))
			o.Properties = drawBlock(t, d)
		}
		objects = append(objects, o)
	}
	return objects
}

func drawBlock(t *rapid.T, d wire.Draft) []byte {
	var props wire.Properties
	var typ uint64
	for range rapid.IntRange(0, 4).Draw(t, "properties") {
		typ += rapid.Uint64Range(0, 1<<20).Draw(t, "type")
		x := wire.Property{Type: typ}
		if typ%2 == 0 {
			x.Uint = rapid.Uint64Range(0, 1<<62-1).Draw(t, "value")
		} else {
			x.Bytes = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "value")
		}
		props = append(props, x)
	}
	b, err := wire.AppendProperties(nil, d, props)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestObjectsProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.SampledFrom(wire.Drafts()).Draw(rt, "draft")
		fetch := rapid.Bool().Draw(rt, "fetch")
		want := drawObjects(rt, d, fetch)
		var rec recorder
		var w interface {
			WriteObject(*moqt.Object) error
			SetAutoFlush(bool)
			Close() error
		}
		var err error
		h := wire.SubgroupHeader{HasProperties: true}
		if fetch {
			w, err = moqt.NewFetchWriter(&rec, d, 0, false)
		} else {
			if len(want) > 0 {
				h.GroupID = want[0].GroupID
			}
			w, err = moqt.NewSubgroupWriter(&rec, d, h)
		}
		if err != nil {
			rt.Fatal(err)
		}
		for _, o := range want {
			w.SetAutoFlush(rapid.Bool().Draw(rt, "flush"))
			if err := w.WriteObject(o); err != nil {
				rt.Fatalf("%v: %v", o, err)
			}
		}
		if err := w.Close(); err != nil {
			rt.Fatal(err)
		}
		stream := &chunked{withFIN{b: rec.Bytes()}, rapid.IntRange(1, 80000).Draw(rt, "chunk")}
		var r objectReader
		if fetch {
			r, err = moqt.NewFetchReader(stream, d, fetchOptions(false))
		} else {
			r, err = moqt.NewSubgroupReader(stream, d, moqt.ReaderOptions{})
		}
		if err != nil {
			rt.Fatal(err)
		}
		got, err := readAll(r)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
			rt.Fatalf("%v: objects (-want +got):\n%s", d, diff)
		}
	})
}

// chunked gives at most so many bytes a time.
type chunked struct {
	withFIN
	most int
}

func (c *chunked) Read(p []byte) (int, error) { return c.withFIN.Read(p[:min(len(p), c.most)]) }

// FuzzUniStream reads any bytes as a data stream, in two ways that must agree. The first byte chooses draft and Group
// Order.
func FuzzUniStream(f *testing.F) {
	for _, d := range wire.Drafts() {
		b, _ := subgroupBytes(f, d, wire.SubgroupHeader{TrackAlias: 1, IDMode: wire.SubgroupIDFirstObject,
			HasProperties: true},
			[]*moqt.Object{{ObjectID: 3, Payload: payload(70), Properties: someProperties(f, d)},
				{ObjectID: 9, Status: wire.StatusEndOfGroup}})
		f.Add(append([]byte{byte(d - wire.Oldest)}, b...))
		for _, o := range fetchObjects(f, d) {
			b, _ := fetchBytes(f, d, true, []*moqt.Object{o})
			f.Add(append([]byte{byte(d-wire.Oldest) | 0x80}, b[:min(len(b), 2000)]...))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		d := wire.Oldest + wire.Draft(in[0]&0x7f)%(wire.Newest-wire.Oldest+1)
		descending := in[0]&0x80 != 0
		read := func(chunk int) (objects []*moqt.Object, err error) {
			u, err := moqt.ReadUniHeader(&chunked{withFIN{b: in[1:]}, chunk}, d, moqt.ReaderOptions{})
			if err != nil {
				return nil, err
			}
			switch u.Type {
			case wire.SubgroupStream:
				r, err := u.SubgroupReader()
				if err != nil {
					t.Fatal(err)
				}
				return readAll(r)
			case wire.FetchStream:
				r, err := u.FetchReader(descending)
				if err != nil {
					t.Fatal(err)
				}
				return readAll(r)
			}
			return nil, nil
		}
		text := func(err error) string {
			if err == nil {
				return ""
			}
			return err.Error()
		}
		whole, err := read(1 << 20)
		pieces, err2 := read(1)
		wantObjects(t, pieces, whole)
		if text(err) != text(err2) {
			t.Fatalf("read at once: %v; in pieces: %v", err, err2)
		}
	})
}
