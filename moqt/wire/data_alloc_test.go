package wire

import (
	"fmt"
	"testing"
)

// hotObjects are what a relay sees: a few objects with and without properties, far into a long-lived track.
func hotObjects(d Draft) (h SubgroupHeader, objects []ObjectHeader) {
	h = SubgroupHeader{TrackAlias: 700, GroupID: 1 << 40, Priority: 128, HasProperties: true}
	block, err := AppendProperties(nil, d, Properties{{Type: PropPriorGroupIDGap, Uint: 1},
		{Type: 0x41, Bytes: []byte("traceID:123456")}})
	if err != nil {
		panic(err)
	}
	for i := range uint64(8) {
		o := ObjectHeader{ObjectID: 1<<20 + i, PayloadLength: 1200}
		if i%2 == 0 {
			o.Properties = block
		}
		objects = append(objects, o)
	}
	return h, objects
}

func hotFetch(d Draft) []FetchObject {
	_, objects := hotObjects(d)
	var out []FetchObject
	for i, o := range objects {
		out = append(out, FetchObject{Group: 1<<40 + uint64(i/4), Object: o.ObjectID, Subgroup: uint64(i % 2),
			Priority: 128, Properties: o.Properties,
			HasProperties: d == Draft14 || len(o.Properties) > 0, PayloadLength: o.PayloadLength})
	}
	return out
}

// dataPath is one direction of one form of object: run does all objects once.
type dataPath struct {
	name  string
	count int // objects a run
	bytes int // header bytes a run
	run   func() error
}

func dataPaths(d Draft) []dataPath {
	h, objects := hotObjects(d)
	buf := make([]byte, 0, 4096)
	w := h.Objects(d)
	var ends []int
	for i := range objects {
		buf, _ = w.AppendHeader(buf, &objects[i])
		ends = append(ends, len(buf))
	}
	header, _ := AppendSubgroupHeader(nil, d, &h)
	out := make([]byte, 0, 4096)

	fetch := hotFetch(d)
	fw := FetchObjects{Draft: d}
	var fbuf []byte
	for i := range fetch {
		fbuf, _ = fw.AppendHeader(fbuf, &fetch[i])
	}
	g := Datagram{TrackAlias: 700, GroupID: 1 << 40, ObjectID: 1 << 20, Priority: 128,
		Properties: objects[0].Properties, Payload: make([]byte, 1200)}
	datagram, _ := AppendDatagram(nil, d, &g)

	return []dataPath{
		{"subgroup-header/append", 1, len(header), func() (err error) {
			out, err = AppendSubgroupHeader(out[:0], d, &h)
			return err
		}},
		{"subgroup-header/parse", 1, len(header), func() error {
			var h SubgroupHeader
			_, err := ParseSubgroupHeader(header, d, &h)
			return err
		}},
		{"subgroup/append", len(objects), len(buf), func() (err error) {
			w := h.Objects(d)
			out = out[:0]
			for i := range objects {
				if out, err = w.AppendHeader(out, &objects[i]); err != nil {
					return err
				}
			}
			return nil
		}},
		{"subgroup/parse", len(objects), len(buf), func() error {
			r := h.Objects(d)
			var o ObjectHeader
			for pos := 0; pos < len(buf); {
				n, err := r.ParseHeader(buf[pos:], &o)
				if err != nil {
					return err
				}
				pos += n
			}
			return nil
		}},
		{"subgroup/need-more", len(objects), len(buf), func() error {
			r := h.Objects(d)
			var o ObjectHeader
			pos := 0
			for _, end := range ends {
				if _, err := r.ParseHeader(buf[pos:end-1], &o); err != ErrTruncated {
					return fmt.Errorf("%v, want ErrTruncated", err)
				}
				if _, err := r.ParseHeader(buf[pos:end], &o); err != nil {
					return err
				}
				pos = end
			}
			return nil
		}},
		{"fetch/append", len(fetch), len(fbuf), func() (err error) {
			w := FetchObjects{Draft: d}
			out = out[:0]
			for i := range fetch {
				if out, err = w.AppendHeader(out, &fetch[i]); err != nil {
					return err
				}
			}
			return nil
		}},
		{"fetch/parse", len(fetch), len(fbuf), func() error {
			r := FetchObjects{Draft: d}
			var o FetchObject
			for pos := 0; pos < len(fbuf); {
				n, err := r.ParseHeader(fbuf[pos:], &o)
				if err != nil {
					return err
				}
				pos += n
			}
			return nil
		}},
		{"datagram/append", 1, len(datagram) - 1200, func() (err error) {
			out, err = AppendDatagram(out[:0], d, &g)
			return err
		}},
		{"datagram/parse", 1, len(datagram) - 1200, func() error {
			var g Datagram
			return ParseDatagram(datagram, d, Options{}, &g)
		}},
		{"properties/lookup", 1, len(objects[0].Properties), func() error {
			if _, ok := LookupProperty(objects[0].Properties, d, 0x41); !ok {
				return fmt.Errorf("property 0x41 not found")
			}
			return nil
		}},
		{"properties/malformed", 1, len(objects[0].Properties), func() error {
			return MalformedObject(objects[0].Properties, d, Location{Group: 1 << 40, Object: 1 << 20})
		}},
		{"properties/transcode", 1, len(objects[0].Properties), func() (err error) {
			to := Draft22
			if d == Draft22 {
				to = Draft16
			}
			out, err = TranscodeProperties(out[:0], d, to, objects[0].Properties)
			return err
		}},
	}
}

// TestNoAllocations: nothing is allocated per object, in either direction.
func TestNoAllocations(t *testing.T) {
	for _, d := range Drafts() {
		for _, p := range dataPaths(d) {
			var err error
			if n := testing.AllocsPerRun(20, func() { err = p.run() }); n != 0 || err != nil {
				t.Errorf("%s: %s: %v allocations: %v", d, p.name, n, err)
			}
		}
	}
}

// BenchmarkObjects times one object a turn (ns/op), for each dialect of integers and form of object.
func BenchmarkObjects(b *testing.B) {
	for _, d := range []Draft{Draft14, Draft16, Draft18, Newest} {
		for _, p := range dataPaths(d) {
			b.Run(p.name+"/"+d.String(), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(p.bytes / p.count))
				for i := 0; i < b.N; i += p.count {
					if err := p.run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
