package moqt_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestObjectSizes walks the sizes at which buffers change, written at once and in pieces, read at once and in pieces.
func TestObjectSizes(t *testing.T) {
	sizes := []int{0, 1, 63, 64, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537, 66559, 66560, 66561,
		131072, 200000}
	var want []*moqt.Object
	for i, n := range sizes {
		want = append(want, &moqt.Object{ObjectID: uint64(i), Payload: payload(n), Draft: 18})
	}
	for _, gather := range []bool{false, true} {
		for _, pieces := range []int{0, 1000, 70000} {
			send, recv := uniStream(t, roomy)
			w, err := moqt.NewSubgroupWriter(send, 18, wire.SubgroupHeader{})
			if err != nil {
				t.Fatal(err)
			}
			w.SetAutoFlush(!gather)
			for _, o := range want {
				if pieces == 0 {
					err = w.WriteObject(o)
				} else {
					err = w.BeginObject(&wire.ObjectHeader{ObjectID: o.ObjectID, PayloadLength: uint64(len(o.Payload))},
						0)
					for p := o.Payload; err == nil && len(p) > 0; {
						n := min(len(p), pieces)
						_, err = w.Write(p[:n])
						p = p[n:]
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := moqt.NewSubgroupReader(recv(), 18, moqt.ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if pieces == 0 {
				got, err := readAll(r)
				if err != nil {
					t.Fatal(err)
				}
				wantObjects(t, got, want)
				continue
			}
			for _, o := range want {
				h, err := r.Next()
				if err != nil || h.ObjectID != o.ObjectID || r.Remaining() != uint64(len(o.Payload)) {
					t.Fatalf("%v: %+v, %d remaining, %v", o, h, r.Remaining(), err)
				}
				var got bytes.Buffer
				if _, err := io.CopyBuffer(&got, struct{ io.Reader }{r}, make([]byte, pieces)); err != nil ||
					!bytes.Equal(got.Bytes(), o.Payload) {
					t.Fatalf("%v: %d bytes, %v", o, got.Len(), err)
				}
			}
			if _, err := r.Next(); err != io.EOF {
				t.Fatalf("%v, want io.EOF", err)
			}
		}
	}
}

// TestStreamLargeObject moves 10 MB from one draft's stream to another's without either side holding it.
func TestStreamLargeObject(t *testing.T) {
	const size = 10 << 20
	data := payload(size)
	fromSend, fromRecv := uniStream(t, 0)
	toSend, toRecv := uniStream(t, 0)
	errs := make(chan error, 2)
	go func() {
		w, err := moqt.NewSubgroupWriter(fromSend, 16, wire.SubgroupHeader{HasProperties: true})
		if err == nil {
			err = w.BeginObject(&wire.ObjectHeader{ObjectID: 3, PayloadLength: size,
				Properties: block(t, 16, wire.Properties{{Type: 0x3C, Uint: 0}, {Type: 0x3E, Uint: 200}})}, 0)
		}
		if err == nil {
			_, err = io.Copy(w, bytes.NewReader(data))
		}
		if err == nil {
			err = w.Close()
		}
		errs <- err
	}()
	go func() {
		errs <- func() error {
			r, err := moqt.NewSubgroupReader(fromRecv(), 16, moqt.ReaderOptions{})
			if err != nil {
				return err
			}
			w, err := moqt.NewSubgroupWriter(toSend, 22, r.Header())
			if err != nil {
				return err
			}
			h, err := r.Next()
			if err != nil {
				return err
			}
			if err := w.BeginObject(h, r.Draft()); err != nil {
				return err
			}
			if n, err := io.Copy(w, r); err != nil || n != size {
				return errors.Join(err, errors.New(describe("%d bytes forwarded", n)))
			}
			return w.Close()
		}()
	}()
	r, err := moqt.NewSubgroupReader(toRecv(), 22, moqt.ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var o moqt.Object
	if err := r.ReadObject(&o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(o.Payload, data) {
		t.Error("the payload differs")
	}
	if x, ok := o.Property(0x3E); !ok || x.Uint != 200 {
		t.Errorf("property %+v, %t", x, ok)
	}
	if err := r.ReadObject(&o); err != io.EOF {
		t.Errorf("%v, want io.EOF", err)
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestObjectTooLarge(t *testing.T) {
	b, _ := subgroupBytes(t, 20, wire.SubgroupHeader{GroupID: 4}, []*moqt.Object{{ObjectID: 1, Payload: payload(101)},
		{ObjectID: 2, Payload: payload(102)}, {ObjectID: 3, Payload: payload(100)}})
	r, err := moqt.NewSubgroupReader(sent(t, b), 20, moqt.ReaderOptions{MaxObjectSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	var o moqt.Object
	tooLarge := func(id, size uint64) {
		t.Helper()
		var e *moqt.ObjectTooLargeError
		if err := r.ReadObject(&o); !errors.As(err, &e) {
			t.Fatalf("got %v, want *ObjectTooLargeError", err)
		}
		if *e != (moqt.ObjectTooLargeError{Location: wire.Location{Group: 4, Object: id}, Size: size, Max: 100}) ||
			o.ObjectID != id {
			t.Fatalf("%v, object %v", e, &o)
		}
	}
	tooLarge(1, 101)
	if p, err := io.ReadAll(r); err != nil || !bytes.Equal(p, payload(101)) {
		t.Fatalf("in pieces: %d bytes, %v", len(p), err)
	}
	tooLarge(2, 102)
	if err := r.ReadObject(&o); err != nil || o.ObjectID != 3 || len(o.Payload) != 100 {
		t.Fatalf("after one left unread: %v, %v", &o, err)
	}
}

// TestLengthsTakeNoMemory gives lengths that nothing follows: no buffer of their size may be made.
func TestLengthsTakeNoMemory(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		header, err := wire.AppendSubgroupHeader(nil, d, &wire.SubgroupHeader{HasProperties: true})
		if err != nil {
			t.Fatal(err)
		}
		object := func(properties, payload uint64) []byte {
			b := wire.AppendVarint(bytes.Clone(header), d, 0)
			b = wire.AppendVarint(b, d, properties)
			if properties == 0 {
				b = wire.AppendVarint(b, d, payload)
			}
			return append(b, "few"...)
		}
		read := func(b []byte) (moqt.Object, error) {
			r, err := moqt.NewSubgroupReader(sent(t, b), d, moqt.ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var o moqt.Object
			return o, r.ReadObject(&o)
		}
		var large *moqt.ObjectTooLargeError
		if _, err := read(object(0, d.MaxVarint())); !errors.As(err, &large) || large.Size != d.MaxVarint() {
			t.Errorf("payload of 2^62 and more: %v", err)
		}
		o, err := read(object(0, moqt.DefaultMaxObjectSize))
		if wireError(t, err, wire.ProtocolViolation); cap(o.Payload) > 1<<20 {
			t.Errorf("%d bytes held for a payload of which 3 came", cap(o.Payload))
		}
		_, err = read(object(d.MaxVarint(), 0))
		if e := wireError(t, err, wire.InternalError); !strings.Contains(e.Error(), "at most 262144") {
			t.Errorf("properties of 2^62 and more: %v", e)
		}
		_, err = read(object(moqt.DefaultMaxProperties, 0))
		wireError(t, err, wire.ProtocolViolation)
	})
}

// TestLargeProperties fills the bound for properties to the last byte.
func TestLargeProperties(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		var props wire.Properties
		for i := range uint64(3) {
			props = append(props, wire.Property{Type: 0x3801 + 2*i, Bytes: payload(65535)})
		}
		want := &moqt.Object{Properties: block(t, d, props), Payload: payload(9), Draft: d}
		b, _ := subgroupBytes(t, d, wire.SubgroupHeader{HasProperties: true}, []*moqt.Object{want})
		for _, stream := range []transport.ReceiveStream{sent(t, b), &withFIN{b: b}} {
			r, err := moqt.NewSubgroupReader(stream, d, moqt.ReaderOptions{MaxProperties: uint64(len(want.Properties))})
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(r)
			if err != nil {
				t.Fatal(err)
			}
			wantObjects(t, got, []*moqt.Object{want})
			if back, err := got[0].DecodeProperties(); err != nil || len(back) != len(props) {
				t.Fatalf("%d properties, %v", len(back), err)
			}
		}
		r, err := moqt.NewSubgroupReader(sent(t, b), d,
			moqt.ReaderOptions{MaxProperties: uint64(len(want.Properties)) - 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = readAll(r)
		wireError(t, err, wire.InternalError)
	})
}
