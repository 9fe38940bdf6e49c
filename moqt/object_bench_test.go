//go:build !race

// Under the race detector sync.Pool drops buffers on purpose, so that allocations cannot be counted.

package moqt_test

import (
	"io"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// sink is a SendStream that takes everything and keeps nothing.
type sink struct{ transport.SendStream }

func (sink) Write(p []byte) (int, error) { return len(p), nil }
func (sink) StreamID() uint64            { return 2 }

// endless is a ReceiveStream that gives a header once and then the same object again and again.
type endless struct {
	head, object []byte
	n            int
}

func (s *endless) Read(p []byte) (n int, err error) {
	if len(s.head) > 0 {
		n = copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	for n < len(p) {
		k := copy(p[n:], s.object[s.n:])
		n += k
		if s.n += k; s.n == len(s.object) {
			s.n = 0
		}
	}
	return n, nil
}
func (*endless) Stop(uint64)                     {}
func (*endless) SetReadDeadline(time.Time) error { return nil }
func (*endless) StreamID() uint64                { return 3 }

// endlessObjects gives readers of streams whose objects never end, with payloads of this size.
func endlessObjects(t testing.TB, d wire.Draft, size int, properties bool) (*moqt.SubgroupReader, *moqt.FetchReader) {
	var objects []*moqt.Object
	for i := range uint64(3) {
		o := &moqt.Object{ObjectID: i, Payload: payload(size)}
		if properties {
			o.Properties = block(t, d, wire.Properties{{Type: 0x0A, Uint: 63}, {Type: 0x3801, Bytes: []byte("unknown")},
				{Type: 0x3802, Uint: 1 << 61}})
		}
		objects = append(objects, o)
	}
	b, ends := subgroupBytes(t, d, wire.SubgroupHeader{HasProperties: properties}, objects)
	s, err := moqt.NewSubgroupReader(&endless{head: b[:ends[2]], object: b[ends[2]:]}, d, moqt.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, ends = fetchBytes(t, d, false, objects)
	f, err := moqt.NewFetchReader(&endless{head: b[:ends[2]], object: b[ends[2]:]}, d, fetchOptions(false))
	if err != nil {
		t.Fatal(err)
	}
	return s, f
}

func wantNoAllocs(t *testing.T, what string, f func() error) {
	t.Helper()
	var failed error
	once := func() {
		if err := f(); err != nil {
			failed = err
		}
	}
	for range 10 {
		once() // buffers find their size
	}
	if n := testing.AllocsPerRun(500, once); n != 0 {
		t.Errorf("%s: %v allocations per object", what, n)
	}
	if failed != nil {
		t.Errorf("%s: %v", what, failed)
	}
}

// TestNoAllocations shows that reading, writing and forwarding an object allocate nothing, on every draft and from
// draft to draft. Immutable Properties alone, where another draft reads their inside otherwise, cost an allocation
// (wire.TranscodeProperties).
func TestNoAllocations(t *testing.T) {
	for _, d := range wire.Drafts() {
		for _, c := range []struct {
			size       int
			properties bool
		}{{64, false}, {64, true}, {4096, false}, {100 << 10, false}} {
			name := func(what string) string {
				return describe("%s, %v, %d bytes, properties %t", what, d, c.size, c.properties)
			}
			s, f := endlessObjects(t, d, c.size, c.properties)
			var o moqt.Object
			wantNoAllocs(t, name("SubgroupReader.ReadObject"), func() error { return s.ReadObject(&o) })
			wantNoAllocs(t, name("FetchReader.ReadObject"), func() error { return f.ReadObject(&o) })
			wantNoAllocs(t, name("SubgroupReader.Next and WriteTo"), func() error {
				if _, err := s.Next(); err != nil {
					return err
				}
				_, err := io.Copy(sink{}, s)
				return err
			})
			for _, to := range []wire.Draft{d, otherForm(d), wire.Draft17} {
				for _, gather := range []bool{false, true} {
					sw, err := moqt.NewSubgroupWriter(sink{}, to, wire.SubgroupHeader{HasProperties: c.properties})
					if err != nil {
						t.Fatal(err)
					}
					fw, err := moqt.NewFetchWriter(sink{}, to, 0, false)
					if err != nil {
						t.Fatal(err)
					}
					sw.SetAutoFlush(!gather)
					fw.SetAutoFlush(!gather)
					id := o.ObjectID
					wantNoAllocs(t, name(describe("SubgroupWriter.WriteObject to %v", to)),
						func() error { o.ObjectID++; return sw.WriteObject(&o) })
					wantNoAllocs(t, name(describe("FetchWriter.WriteObject to %v", to)),
						func() error { o.ObjectID++; return fw.WriteObject(&o) })
					wantNoAllocs(t, name(describe("forwarding in pieces to %v", to)), func() error {
						h, err := s.Next()
						if err != nil {
							return err
						}
						h.ObjectID += 1 << 20
						if err := sw.BeginObject(h, d); err != nil {
							return err
						}
						_, err = io.Copy(sw, s)
						return err
					})
					o.ObjectID = id
				}
				var b []byte
				var got moqt.Object
				wantNoAllocs(t, name(describe("datagram to %v", to)), func() (err error) {
					if b, err = moqt.AppendDatagram(b[:0], to, 1, &o); err != nil {
						return err
					}
					_, err = moqt.ParseDatagram(b, to, wire.Options{}, &got)
					return err
				})
			}
		}
	}
}

var sizes = []struct {
	name string
	n    int
}{{"64B", 64}, {"1KiB", 1 << 10}, {"4KiB", 4 << 10}, {"64KiB", 64 << 10}, {"1MiB", 1 << 20}}

func BenchmarkSubgroupWrite(b *testing.B) {
	for _, size := range sizes {
		for _, mode := range []string{"flush", "gather"} {
			b.Run(size.name+"/"+mode, func(b *testing.B) {
				w, err := moqt.NewSubgroupWriter(sink{}, 22, wire.SubgroupHeader{})
				if err != nil {
					b.Fatal(err)
				}
				w.SetAutoFlush(mode == "flush")
				o := moqt.Object{Payload: payload(size.n)}
				b.SetBytes(int64(size.n))
				b.ReportAllocs()
				for b.Loop() {
					o.ObjectID++
					if err := w.WriteObject(&o); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkSubgroupRead(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			r, _ := endlessObjects(b, 22, size.n, false)
			var o moqt.Object
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.ReadObject(&o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFetchRead(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			_, r := endlessObjects(b, 22, size.n, false)
			var o moqt.Object
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.ReadObject(&o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkForward reads whole objects of draft 16 and writes them to a stream of draft 22, as a relay does.
func BenchmarkForward(b *testing.B) {
	for _, properties := range []bool{false, true} {
		b.Run(describe("properties=%t", properties), func(b *testing.B) {
			r, _ := endlessObjects(b, 16, 1<<10, properties)
			w, err := moqt.NewSubgroupWriter(sink{}, 22, r.Header())
			if err != nil {
				b.Fatal(err)
			}
			var o moqt.Object
			b.SetBytes(1 << 10)
			b.ReportAllocs()
			for b.Loop() {
				if err := r.ReadObject(&o); err != nil {
					b.Fatal(err)
				}
				if err := w.WriteObject(&o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
