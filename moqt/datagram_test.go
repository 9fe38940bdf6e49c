package moqt_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestDatagramRoundTrip(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		objects := []*moqt.Object{
			{GroupID: 1, ObjectID: 0, Priority: 3, Payload: []byte("p")},
			{GroupID: 1 << 40, ObjectID: 1 << 20, Priority: 255, EndOfGroup: true},
			{GroupID: 2, ObjectID: 3, Properties: someProperties(t, d), Payload: payload(300)},
			{GroupID: 2, ObjectID: 4, Status: wire.StatusEndOfGroup},
			{GroupID: 2, ObjectID: 0, Status: wire.StatusEndOfTrack},
		}
		if d >= wire.Draft15 {
			objects = append(objects, &moqt.Object{DefaultPriority: true, Priority: moqt.DefaultPublisherPriority,
				Payload: []byte("default")})
		}
		if d <= wire.Draft15 {
			objects = append(objects, &moqt.Object{Status: wire.StatusDoesNotExist})
		}
		for _, want := range objects {
			want.Datagram, want.Draft = true, d
			b, err := moqt.AppendDatagram([]byte("kept"), d, 77, want)
			if err != nil {
				t.Fatalf("%v: %v", want, err)
			}
			var got moqt.Object
			alias, err := moqt.ParseDatagram(bytes.TrimPrefix(b, []byte("kept")), d, wire.Options{}, &got)
			if err != nil || alias != 77 {
				t.Fatalf("%v: alias %d, %v", want, alias, err)
			}
			wantObjects(t, []*moqt.Object{&got}, []*moqt.Object{want})
		}
	})
}

func TestDatagramRefuses(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		for name, o := range map[string]moqt.Object{
			"range":                    {Range: wire.UnknownRange},
			"status and payload":       {Status: wire.StatusEndOfGroup, Payload: []byte("x")},
			"status and end of group":  {Status: wire.StatusEndOfGroup, EndOfGroup: true},
			"undefined status":         {Status: 0x2},
			"properties not parseable": {Properties: []byte{0xff}, Draft: otherForm(d)},
		} {
			b, err := moqt.AppendDatagram([]byte("kept"), d, 1, &o)
			if e := new(wire.Error); !errors.As(err, &e) || string(b) != "kept" {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}
		var o moqt.Object
		if _, err := moqt.ParseDatagram([]byte{0x10}, d, wire.Options{}, &o); err == nil {
			t.Error("type 0x10 read")
		}
		padding := wire.AppendVarint(nil, d, wire.TypePaddingDatagram)
		_, err := moqt.ParseDatagram(padding, d, wire.Options{}, &o)
		if (err == wire.ErrPadding) != (d >= wire.Draft18) {
			t.Errorf("padding: %v", err)
		}
	})
}

// otherForm is a draft that writes properties in another form.
func otherForm(d wire.Draft) wire.Draft {
	if d <= wire.Draft15 {
		return wire.Draft22
	}
	return wire.Draft14
}

// TestDatagramDefaultPriorityTo14: 14 has no form without a priority, so the one that holds is written.
func TestDatagramDefaultPriorityTo14(t *testing.T) {
	b, err := moqt.AppendDatagram(nil, 14, 1, &moqt.Object{DefaultPriority: true, Priority: 99, Draft: 22,
		Payload: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	var o moqt.Object
	if _, err := moqt.ParseDatagram(b, 14, wire.Options{}, &o); err != nil || o.DefaultPriority || o.Priority != 99 {
		t.Errorf("%+v, %v", o, err)
	}
}
