package throughput

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

const turn = 64 << 20

var choices = []struct {
	name   string
	choice transport.Choice
}{{"quic", transport.OnlyQUIC}, {"webtransport", transport.OnlyWebTransport}}

// BenchmarkLoopback compares, in turns, objects through two sessions with the same bytes through quic-go alone. One iteration is a turn of each.
func BenchmarkLoopback(b *testing.B) {
	for _, c := range choices {
		for _, streams := range []int{1, 8} {
			for _, size := range []int{64, 1 << 10, 4 << 10, 64 << 10} {
				b.Run(fmt.Sprintf("%s/streams=%d/size=%d", c.name, streams, size), func(b *testing.B) {
					compare(b, bare(b, streams), objects(b, c.choice, size, streams), size)
				})
			}
		}
	}
}

func compare(b *testing.B, base, ours mover, size int) {
	total := turn
	if size < 1024 {
		total /= 4
	}
	base(total / 8)
	ours(total / 8)
	var plain, with, ratio []float64
	b.ResetTimer()
	for i := range b.N {
		var p, w time.Duration
		if i%2 == 0 {
			p = base(total)
			w = ours(total)
		} else {
			w = ours(total)
			p = base(total)
		}
		rate := func(d time.Duration) float64 { return float64(total) * 8 / 1e6 / d.Seconds() }
		plain, with, ratio = append(plain, rate(p)), append(with, rate(w)), append(ratio, p.Seconds()/w.Seconds())
	}
	b.ReportMetric(median(plain), "bare-Mbit/s")
	b.ReportMetric(median(with), "moqt-Mbit/s")
	b.ReportMetric(median(ratio), "ratio")
	b.ReportMetric(median(with)*1e6/8/float64(size), "objects/s")
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

func objects(b *testing.B, choice transport.Choice, size, streams int) mover {
	p := dial(b, choice, wire.Newest)
	ctx := b.Context()
	var pub *moqt.Session
	var wg sync.WaitGroup
	wg.Go(func() { pub, _ = moqt.Server(ctx, p.server, moqt.Config{}) })
	client, err := moqt.Client(ctx, p.client, moqt.Config{})
	wg.Wait()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(wire.NoError, ""); pub.Close(wire.NoError, "") })
	s, err := client.StartSubscribe(ctx, &wire.Subscribe{TrackNamespace: wire.TrackNamespace{"a"}, TrackName: "b"})
	if err != nil {
		b.Fatal(err)
	}
	r, err := pub.AcceptRequest(ctx)
	if err != nil {
		b.Fatal(err)
	}
	publication, err := r.AcceptSubscribe(ctx, nil)
	if err != nil {
		b.Fatal(err)
	}
	group := uint64(0)
	return func(total int) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		group++
		for i := range streams {
			wg.Go(func() {
				w, err := publication.OpenSubgroup(context.Background(), wire.SubgroupHeader{GroupID: group, SubgroupID: uint64(i), IDMode: wire.SubgroupIDPresent})
				if err != nil {
					b.Error(err)
					return
				}
				w.SetAutoFlush(false)
				o := moqt.Object{Payload: make([]byte, size)}
				for n := total / streams / size; n > 0; n-- {
					if err := w.WriteObject(&o); err != nil {
						b.Error(err)
						return
					}
					o.ObjectID++
				}
				w.Close()
			})
			wg.Go(func() {
				r, err := s.AcceptSubgroup(ctx)
				if err != nil {
					b.Error(err)
					return
				}
				var o moqt.Object
				for err == nil {
					err = r.ReadObject(&o)
				}
				if err != io.EOF {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
}
