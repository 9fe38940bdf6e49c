package track

import (
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// TestReadInOrderUnrouted: streams that were opened before that of the next group may still bring objects of this one,
// until their headers say whose they are.
func TestReadInOrderUnrouted(t *testing.T) {
	eachDraft(t, func(t *testing.T, d wire.Draft) {
		p, s, pub := receiving(t, d, ReadOptions{InOrder: true, Patience: time.Second}, moqt.Limits{})
		start := time.Now()
		noError(t, p.stream(pub, wire.SubgroupHeader{}, 0).Close())
		same(t, take(t, p.ctx, s, 1), locations(0, 1, 1), true)
		// its header waits
		slow, err := pub.OpenSubgroup(p.ctx, wire.SubgroupHeader{SubgroupID: 1, IDMode: wire.SubgroupIDPresent})
		noError(t, err)
		noError(t, p.stream(pub, wire.SubgroupHeader{GroupID: 1}, 0).Close())
		quiet(t, s)
		p.objects(slow, 1)
		noError(t, slow.Close())
		same(t, take(t, p.ctx, s, 2), []wire.Location{{Object: 1}, {Group: 1}}, true)

		foreign, err := p.server.Conn().OpenUniStream(p.ctx)
		noError(t, err)
		noError(t, p.stream(pub, wire.SubgroupHeader{GroupID: 2}, 0).Close())
		quiet(t, s)
		w, err := moqt.NewSubgroupWriter(foreign, d, wire.SubgroupHeader{TrackAlias: 4711, GroupID: 1})
		noError(t, err)
		p.objects(w, 7)
		same(t, take(t, p.ctx, s, 1), []wire.Location{{Group: 2}}, true)
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		if r := s.Report(); r.Late+r.Missing != 0 {
			t.Errorf("report %+v", r)
		}
	})
}
