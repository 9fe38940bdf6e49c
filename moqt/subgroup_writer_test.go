package moqt_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestWritesAreLarge counts the writes that reach the stream: by default one for each object up to 64 KiB, and gathered
// ones of at least 64 KiB.
func TestWritesAreLarge(t *testing.T) {
	const full = 64 << 10
	for _, c := range []struct {
		name    string
		gather  bool
		size, n int
		most    int
	}{
		{"one small object", false, 64, 1, 1},
		{"ten small objects", false, 64, 10, 10},
		{"64 KiB", false, full, 3, 3},
		{"1 MiB", false, 1 << 20, 2, 4},
		{"gathered small objects", true, 64, 10000, 10000*68/full + 2},
		{"gathered 4 KiB", true, 4096, 1000, 1000*4100/full + 2},
		{"gathered 64 KiB", true, full, 20, 20 + 2},
	} {
		var rec recorder
		w, err := moqt.NewSubgroupWriter(&rec, 18, wire.SubgroupHeader{})
		if err != nil {
			t.Fatal(err)
		}
		w.SetAutoFlush(!c.gather)
		for i := range c.n {
			if err := w.WriteObject(&moqt.Object{ObjectID: uint64(i), Payload: payload(c.size)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if len(rec.writes) > c.most {
			t.Errorf("%s: %d writes, want at most %d", c.name, len(rec.writes), c.most)
		}
		if c.gather && slices.Min(rec.writes[:len(rec.writes)-1]) < full {
			t.Errorf("%s: writes of %v bytes", c.name, rec.writes)
		}
	}
}

// TestHeaderWaits: a header goes out with the first object, or when asked for.
func TestHeaderWaits(t *testing.T) {
	var rec recorder
	w, err := moqt.NewSubgroupWriter(&rec, 16, wire.SubgroupHeader{TrackAlias: 1})
	if err != nil || rec.Len() != 0 {
		t.Fatal(rec.Len(), err)
	}
	if err := w.WriteObject(&moqt.Object{}); err != nil || len(rec.writes) != 1 {
		t.Fatal(rec.writes, err)
	}
	rec = recorder{}
	if w, err = moqt.NewSubgroupWriter(&rec, 16, wire.SubgroupHeader{TrackAlias: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil || rec.Len() != 4 {
		t.Fatal(rec.Len(), err)
	}
	if err := w.Close(); err != nil || !rec.closed || rec.Len() != 4 {
		t.Fatal(rec.Len(), rec.closed, err)
	}
}

func TestSubgroupWriterRefuses(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		always := func(wire.Draft) bool { return true }
		for _, c := range []struct {
			name    string
			drafts  func(wire.Draft) bool
			noProps bool
			object  moqt.Object
		}{
			{"the same ID", always, false, moqt.Object{ObjectID: 4}},
			{"an ID going back", always, false, moqt.Object{ObjectID: 3}},
			{"payload with a status", always, false, moqt.Object{ObjectID: 9, Status: wire.StatusEndOfGroup,
				Payload: []byte("x")}},
			{"undefined status", always, false, moqt.Object{ObjectID: 9, Status: 0x2}},
			{"range", always, false, moqt.Object{ObjectID: 9, Range: wire.UnknownRange}},
			{"properties where there are none", always, true,
				moqt.Object{ObjectID: 9, Properties: block(t, d, wire.Properties{{Type: 0x3C, Uint: 0}})}},
			{"status of 14 and 15", func(d wire.Draft) bool { return d >= wire.Draft16 }, false,
				moqt.Object{ObjectID: 9, Status: wire.StatusDoesNotExist}},
			{"properties with a status", func(d wire.Draft) bool { return d >= wire.Draft15 }, false,
				moqt.Object{ObjectID: 9, Status: wire.StatusEndOfGroup,
					Properties: block(t, d, wire.Properties{{Type: 0x3C, Uint: 0}})}},
			{"62 bits", func(d wire.Draft) bool { return d <= wire.Draft16 }, false, moqt.Object{ObjectID: 1 << 62}},
		} {
			var rec recorder
			w, err := moqt.NewSubgroupWriter(&rec, d, wire.SubgroupHeader{HasProperties: !c.noProps})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.WriteObject(&moqt.Object{ObjectID: 4}); err != nil {
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
			if rec.Len() != before || w.Objects() != 1 {
				t.Errorf("%s: refused, but %d bytes written, %d objects", c.name, rec.Len()-before, w.Objects())
			}
			if err := w.WriteObject(&moqt.Object{ObjectID: 10}); err != nil {
				t.Errorf("%s: afterwards: %v", c.name, err)
			}
		}
		if _, err := moqt.NewSubgroupWriter(&recorder{}, d, wire.SubgroupHeader{IDMode: 3}); err == nil {
			t.Error("Subgroup ID mode 3 written")
		}
	})
}

// TestPayloadInPieces: exactly as many bytes as the header said, and no FIN before.
func TestPayloadInPieces(t *testing.T) {
	var rec recorder
	w, err := moqt.NewSubgroupWriter(&rec, 20, wire.SubgroupHeader{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.BeginObject(&wire.ObjectHeader{ObjectID: 1, PayloadLength: 5}, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write([]byte("abc")); n != 3 || err != nil || w.Remaining() != 2 {
		t.Fatal(n, err, w.Remaining())
	}
	sent := rec.Len()
	if n, err := w.Write([]byte("def")); n != 0 || err == nil {
		t.Errorf("3 bytes where 2 were to come: %d, %v", n, err)
	}
	for name, err := range map[string]error{
		"WriteObject": w.WriteObject(&moqt.Object{ObjectID: 2}),
		"BeginObject": w.BeginObject(&wire.ObjectHeader{ObjectID: 2}, 0),
		"Close":       w.Close(),
	} {
		if err == nil {
			t.Errorf("%s in the middle of a payload", name)
		}
	}
	if rec.Len() != sent || rec.closed {
		t.Fatalf("%d bytes written by what was refused, closed %t", rec.Len()-sent, rec.closed)
	}
	if _, err := w.Write([]byte("de")); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Write([]byte("f")); n != 0 || err == nil {
		t.Errorf("a byte after the payload: %d, %v", n, err)
	}
	if err := w.Close(); err != nil || !rec.closed {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := w.WriteObject(&moqt.Object{ObjectID: 2}); err != io.ErrClosedPipe {
		t.Errorf("after Close: %v", err)
	}
	if w.Reset(0); !rec.reset {
		t.Error("Reset after Close did not reach the stream: FIN may not have been acknowledged")
	}
	if !bytes.HasSuffix(rec.Bytes(), []byte("abcde")) {
		t.Errorf("%q", rec.Bytes())
	}
}

// TestWriteDeadline: a write that a deadline ended has ended the writer.
func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		send, _ := uniStream(t, 1<<10)
		w, err := moqt.NewSubgroupWriter(send, 18, wire.SubgroupHeader{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteObject(&moqt.Object{Payload: payload(2000)}); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%v, want a deadline", err)
		}
		if err := w.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{"WriteObject": w.WriteObject(&moqt.Object{ObjectID: 1}),
			"Close": w.Close()} {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v, want the same error", what, err)
			}
		}
	})
}
