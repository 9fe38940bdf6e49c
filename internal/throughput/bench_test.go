package throughput

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	tracks "github.com/moqinterop/moq-interop-client/moqt/track"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// turn is how many bytes a turn moves: many short ones in change see the same load.
const turn = 32 << 20

var choices = []struct {
	name   string
	choice transport.Choice
}{{"quic", transport.OnlyQUIC}, {"webtransport", transport.OnlyWebTransport}}

// BenchmarkLoopback compares, in turns, objects through two sessions with the same bytes through quic-go alone. One
// iteration is a turn of each.
func BenchmarkLoopback(b *testing.B) {
	each(b, func(b *testing.B, choice transport.Choice, streams, size int) {
		compare(b, bare(b, streams), objects(b, choice, size, streams), size)
	})
}

// each runs a benchmark for every transport, number of subgroup streams and size of objects.
func each(b *testing.B, f func(b *testing.B, choice transport.Choice, streams, size int)) {
	for _, c := range choices {
		for _, streams := range []int{1, 8} {
			for _, size := range []int{64, 1 << 10, 4 << 10, 64 << 10} {
				b.Run(fmt.Sprintf("%s/streams=%d/size=%d", c.name, streams, size),
					func(b *testing.B) { f(b, c.choice, streams, size) })
			}
		}
	}
}

// BenchmarkObjects is one side of the comparison alone, for profiles; BenchmarkBare the other.
func BenchmarkObjects(b *testing.B) {
	each(b, func(b *testing.B, choice transport.Choice, streams, size int) {
		alone(b, objects(b, choice, size, streams), size)
	})
}

// BenchmarkBare moves the bytes with quic-go alone.
func BenchmarkBare(b *testing.B) {
	each(b, func(b *testing.B, _ transport.Choice, streams, size int) { alone(b, bare(b, streams), size) })
}

// alone takes turns of one side.
func alone(b *testing.B, m mover, size int) {
	m(turn / 8)
	b.SetBytes(turn)
	b.ReportAllocs()
	for b.Loop() {
		m(turn)
	}
	b.ReportMetric(float64(b.N)*turn/float64(size)/b.Elapsed().Seconds(), "objects/s")
}

// sample is one turn: what it took by the clock, and of the processors.
type sample struct{ wall, cpu time.Duration }

// measure takes a turn.
func measure(m mover, total int) sample {
	before := processorTime()
	wall := m(total)
	return sample{wall, processorTime() - before}
}

// compare takes turns of both, in changing order, and reports the medians. The ratios are of neighbouring turns, so
// that they hold while others use the machine too: ratio is of throughput, cpu-ratio of processor time for the same
// bytes. Above 1 is in our favour.
func compare(b *testing.B, base, ours mover, size int) {
	total := turn
	if size < 1024 {
		total /= 4
	}
	base(total / 8)
	ours(total / 8)
	var plain, with, ratio, cpu []float64
	b.ResetTimer()
	for i := range b.N {
		var p, w sample
		if i%2 == 0 {
			p = measure(base, total)
			w = measure(ours, total)
		} else {
			w = measure(ours, total)
			p = measure(base, total)
		}
		rate := func(s sample) float64 { return float64(total) * 8 / 1e6 / s.wall.Seconds() }
		plain, with = append(plain, rate(p)), append(with, rate(w))
		ratio, cpu = append(ratio, p.wall.Seconds()/w.wall.Seconds()), append(cpu, p.cpu.Seconds()/w.cpu.Seconds())
	}
	b.ReportMetric(median(plain), "bare-Mbit/s")
	b.ReportMetric(median(with), "moqt-Mbit/s")
	b.ReportMetric(median(ratio), "ratio")
	b.ReportMetric(median(cpu), "cpu-ratio")
	b.ReportMetric(median(with)*1e6/8/float64(size), "objects/s")
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

func objects(tb testing.TB, choice transport.Choice, size, streams int) mover {
	p := dial(tb, choice, wire.Newest)
	ctx := tb.Context()
	track := tracks.NewPublished(wire.TrackNamespace{"bench"}, "t",
		tracks.Options{Layout: tracks.Layout{Mode: tracks.LayoutSpread, Subgroups: uint64(streams)}})
	var pub *moqt.Session
	var wg sync.WaitGroup
	wg.Go(func() {
		pub, _ = moqt.Server(ctx, p.server, moqt.Config{Handler: func(r *moqt.Request) { _ = track.Serve(ctx, r) }})
	})
	client, err := moqt.Client(ctx, p.client, moqt.Config{})
	wg.Wait()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { client.Close(wire.NoError, ""); pub.Close(wire.NoError, "") })
	sub, err := tracks.Open(ctx, client, tracks.Request{TrackNamespace: track.Namespace(), TrackName: track.Name()})
	if err != nil {
		tb.Fatal(err)
	}
	group := uint64(0)
	return func(total int) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		group++
		wg.Go(func() {
			o := moqt.Object{GroupID: group, Payload: make([]byte, size)}
			for n := total / size; n > 0; n-- {
				if err := track.Write(ctx, &o); err != nil {
					tb.Error(err)
					return
				}
				o.ObjectID++
			}
			track.EndGroup(ctx, group)
		})
		for n := total / size; n > 0; n-- {
			if _, err := sub.Next(ctx); err != nil {
				tb.Fatal(err)
			}
		}
		wg.Wait()
		return time.Since(start)
	}
}
