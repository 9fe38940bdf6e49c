package reference

import (
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func init() {
	checks["answer types"] = check{run: answerTypes}
	checks["slow data"] = check{run: slowData}
}

// answerTypes looks at the type codes of the answers as they are on the wire.
func answerTypes(v *visit) {
	var mu sync.Mutex
	var came []uint64
	s := v.dialWith(moqt.Config{Trace: func(e moqt.Event) {
		if e.Type != moqt.EventMessage || e.Sent {
			return
		}
		switch e.Message.(type) {
		case *wire.RequestOK, *wire.SubscribeOK, *wire.RequestError:
			mu.Lock()
			defer mu.Unlock()
			came = append(came, e.MessageType)
		}
	}})
	want := []uint64{0x7, 0x7, 0x7, 0x4, 0x5, 0x5}
	switch {
	case v.d == wire.Draft14:
		want = []uint64{0x7, 0x12, 0x1E, 0x4, 0x5, 0x19}
	case v.d <= wire.Draft17:
		want[2] = 0x1E
	}
	v.announce(s)
	_, err := s.SubscribeNamespace(v.ctx, wire.TrackNamespace{"other"}, nil)
	v.must(err)
	v.publish(v.dial(), "t")
	v.publish(s, "u")
	v.subscribe(s, "t", nil)
	unknown := wire.TrackNamespace{"unknown"}
	_, err = s.Subscribe(v.ctx, &wire.Subscribe{TrackNamespace: unknown, TrackName: "t"})
	v.refused(err, moqt.RejectDoesNotExist)
	_, err = s.Fetch(v.ctx, moqt.FetchRequest{TrackNamespace: unknown, TrackName: "t", Range: groupEnd(loc(0, 0), 1)})
	v.refused(err, moqt.RejectDoesNotExist)
	mu.Lock()
	defer mu.Unlock()
	v.same("type codes", want, slices.Clone(came))
}

// slowData wants 3000 bytes within a second: of a relay in memory that is nothing.
func slowData(v *visit) {
	pub := v.publish(v.dial(), "t")
	sub := v.subscribe(v.dial(), "t", nil)
	w, err := pub.OpenSubgroup(v.ctx, wire.SubgroupHeader{FirstObject: true})
	v.must(err)
	began := time.Now()
	v.must(w.WriteObject(&moqt.Object{Payload: make([]byte, 3000)}))
	v.must(w.Close())
	v.objects(sub, 1)
	if took := time.Since(began); took > time.Second {
		v.fail("3000 bytes took %v", took)
	}
}

// dialWith opens a session with a configuration, whose drafts and linger are those of the visit.
func (v *visit) dialWith(cfg moqt.Config) *moqt.Session {
	client, served := v.connect()
	cfg.Drafts, cfg.Limits.Linger = []wire.Draft{v.d}, linger
	s, err := moqt.Client(v.ctx, client, cfg)
	v.must(err)
	v.end = append(v.end, func() {
		s.Close(wire.NoError, "")
		<-served
	})
	return s
}
