package moqt_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestUniStreamKinds opens each kind of stream without knowing which, and reads on without losing a byte.
func TestUniStreamKinds(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		open := func(b []byte, want wire.StreamType) *moqt.UniStream {
			t.Helper()
			u, err := moqt.ReadUniHeader(oneByte{sent(t, b)}, d, moqt.ReaderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if u.Type != want || u.Draft() != d {
				t.Fatalf("type %d, want %d", u.Type, want)
			}
			return u
		}
		header := wire.SubgroupHeader{TrackAlias: 5, GroupID: 6, Priority: 7}
		b, _ := subgroupBytes(t, d, header, []*moqt.Object{{ObjectID: 1, Payload: []byte("s")}})
		u := open(b, wire.SubgroupStream)
		if u.Subgroup != header {
			t.Errorf("header %+v, want %+v", u.Subgroup, header)
		}
		if _, err := u.FetchReader(false); err == nil {
			t.Error("a subgroup stream gave a FetchReader")
		}
		s, err := u.SubgroupReader()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(s); err != nil || len(got) != 1 || string(got[0].Payload) != "s" {
			t.Errorf("%v, %v", got, err)
		}

		b, _ = fetchBytes(t, d, true, []*moqt.Object{{GroupID: 9, Payload: []byte("f")}, {GroupID: 8}})
		u = open(b, wire.FetchStream)
		if u.RequestID != 4 {
			t.Errorf("Request ID %d, want 4", u.RequestID)
		}
		if _, err := u.SubgroupReader(); err == nil {
			t.Error("a fetch stream gave a SubgroupReader")
		}
		f, err := u.FetchReader(true)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readAll(f); err != nil || len(got) != 2 || got[1].GroupID != 8 {
			t.Errorf("%v, %v", got, err)
		}

		setup := append(wire.AppendVarint(nil, d, 0x2F00), "and the rest"...)
		if d >= wire.Draft17 {
			if got, err := io.ReadAll(open(setup, wire.ControlUniStream)); err != nil || !bytes.Equal(got, setup) {
				t.Errorf("control stream: %q, %v", got, err)
			}
		} else {
			unknownStream(t, d, setup)
		}
		padding := append(wire.AppendVarint(nil, d, wire.TypePaddingStream), 0, 0, 0)
		if d >= wire.Draft18 {
			if got, err := io.ReadAll(open(padding, wire.PaddingStream)); err != nil ||
				!bytes.Equal(got, []byte{0, 0, 0}) {
				t.Errorf("padding: %v, %v", got, err)
			}
		} else {
			unknownStream(t, d, padding)
		}
		unknownStream(t, d, []byte{0x16, 0, 0})
		if _, err := moqt.ReadUniHeader(sent(t, nil), d, moqt.ReaderOptions{}); err != io.EOF {
			t.Errorf("empty stream: %v, want io.EOF", err)
		}
	})
}

func unknownStream(t *testing.T, d wire.Draft, b []byte) {
	t.Helper()
	_, err := moqt.ReadUniHeader(sent(t, b), d, moqt.ReaderOptions{})
	if wireError(t, err, wire.ProtocolViolation); !errors.Is(err, wire.ErrUnknownType) {
		t.Errorf("%x: %v, want an unknown type", b, err)
	}
}

func TestUniStreamReset(t *testing.T) {
	send, recv := uniStream(t, 0)
	if _, err := send.Write([]byte{0x10}); err != nil {
		t.Fatal(err)
	}
	stream := recv()
	done := make(chan error)
	go func() {
		_, err := moqt.ReadUniHeader(stream, 16, moqt.ReaderOptions{})
		done <- err
	}()
	send.Reset(0x3)
	streamError(t, <-done, transport.StreamError{Remote: true, Code: 0x3})
}
