//go:build !small

package pictures

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/moqinterop/moq-interop-client/internal/bench"
)

// show is a folder for the pictures of the tests, to look at.
var show = flag.String("show", "", "write the pictures of the tests to this folder")

// result makes one up, with latencies around ms milliseconds.
func result(t testing.TB, label string, mbps, ms float64, seed uint64) *bench.Result {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	r := &bench.Result{Version: bench.ResultVersion, Bench: "relay", Label: label, Draft: "draft-22", Transport: "quic",
		Load: bench.Load{ObjectBytes: 4096, ObjectsPerGroup: 100, Streams: 1, RatePerS: 1000, Tracks: 1,
			Subscribers: 1}}
	all := hdrhistogram.New(1, int64(time.Minute), 3)
	for i := range 10 {
		one := hdrhistogram.New(1, int64(time.Minute), 3)
		for range 1000 {
			v := int64(ms * 1e6 * (0.5 + random.ExpFloat64()))
			one.RecordValue(v)
			all.RecordValue(v)
		}
		at := func(p float64) float64 { return float64(one.ValueAtPercentile(p)) / 1e6 }
		r.Intervals = append(r.Intervals, bench.Interval{AtS: float64(i + 1), Seconds: 1,
			GoodputMbps: mbps * (0.9 + 0.2*random.Float64()),
			Latency:     &bench.Spread{Samples: 1000, P50: at(50), P99: at(99)}})
	}
	log, err := all.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	at := func(p float64) float64 { return float64(all.ValueAtPercentile(p)) / 1e6 }
	r.Latency = &bench.Latency{Spread: bench.Spread{P50: at(50), P99: at(99), Log: string(log)}}
	r.Received = &bench.Received{GoodputMbps: mbps, ObjectsPerS: mbps * 1e6 / 8 / 4096, Objects: 10000}
	r.CPU = &bench.CPU{ProcessS: 0.1 + random.Float64()}
	relay := 0.2 + random.Float64()
	r.CPU.RelayS = &relay
	r.Memory = &bench.Memory{ProcessMiB: 30 + 10*random.Float64(), RelayMiB: &relay}
	return r
}

// texts are what an SVG says. It must be well-formed.
func texts(t *testing.T, svg []byte) (all string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.CharData:
			all += string(x) + "\n"
		case xml.StartElement:
			if x.Name.Local == "script" {
				t.Fatal("a script in a picture")
			}
		}
	}
}

// written gives a picture in a format, and leaves it for people to look at.
func written(t *testing.T, p Picture, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	if *show != "" {
		name := filepath.Join(*show, filepath.Base(t.Name())+"-"+p.Name+"."+format)
		if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestDraw: three relays, three runs each. Every picture names each, and has its colour; the title has what is the
// same.
func TestDraw(t *testing.T) {
	t.Parallel()
	var results []*bench.Result
	names := []string{"one <&> \"quoted\"", "two", "three"}
	for i := range uint64(3) {
		for j, name := range names {
			results = append(results, result(t, name, 30+float64(3*j)+float64(i), 0.4+float64(j), 10*uint64(j)+i))
		}
	}
	pictures, left, err := Draw(results)
	if err != nil || len(left) > 0 || len(pictures) != 3 {
		t.Fatal(len(pictures), left, err)
	}
	wants := map[string][]string{
		"time":        {"goodput, Mbit/s", "latency, ms: p50, and p99 in dashes", "seconds of the measured window"},
		"percentiles": {"share of the objects, %", "99.9", "latency, ms"},
		// the medians of the three runs
		"bars": {"31.0", "34.0", "37.0", "latency p99, ms", "relay: processor time of an object, µs"},
	}
	for _, p := range pictures {
		text := texts(t, written(t, p, "svg"))
		for _, want := range append(append(wants[p.Name], names...), "draft-22, quic, objects of 4096 B, 1,000/s") {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", p.Name, want)
			}
		}
		img, err := png.Decode(bytes.NewReader(written(t, p, "png")))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[color.Color]int{}
		for y := 0; y < img.Bounds().Dy(); y += 2 {
			for x := 0; x < img.Bounds().Dx(); x += 2 {
				seen[color.RGBAModel.Convert(img.At(x, y))]++
			}
		}
		for i := range names {
			if n := seen[colour(i)]; n < 200 {
				t.Errorf("%s: %d pixels have the colour of series %d", p.Name, n, i)
			}
		}
	}
}

// TestDrawAnything: whatever figures a result has or lacks, there is a picture or a word why not.
func TestDrawAnything(t *testing.T) {
	t.Parallel()
	one := result(t, "one", 1, 1, 1)
	zero := &bench.Result{Bench: "relay", Received: &bench.Received{}, Intervals: []bench.Interval{{}, {}},
		Latency: &bench.Latency{}, CPU: &bench.CPU{}, Memory: &bench.Memory{}}
	huge := &bench.Result{Bench: "relay", Received: &bench.Received{GoodputMbps: 1e15, ObjectsPerS: 1e-15},
		Intervals: []bench.Interval{{AtS: 1e15, GoodputMbps: 1e15, Latency: &bench.Spread{P50: 1e-15, P99: 1e15}}}}
	low := &bench.Result{Bench: "relay", Received: &bench.Received{GoodputMbps: -1},
		Intervals: []bench.Interval{{AtS: -1, GoodputMbps: -1e15, Latency: &bench.Spread{P50: -1, P99: -1e15}}}}
	many := make([]*bench.Result, 20)
	for i := range many {
		many[i] = result(t, fmt.Sprint("a name that is rather long, of relay ", i), float64(i), float64(i+1), uint64(i))
	}
	single := result(t, "one", 1, 1, 1)
	h := hdrhistogram.New(1, 100, 3)
	h.RecordValue(7)
	log, _ := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	single.Latency.Log, single.Intervals = string(log), single.Intervals[:1]
	for name, c := range map[string]struct {
		results  []*bench.Result
		pictures int
		left     int
	}{
		"one": {[]*bench.Result{one}, 3, 0}, "single": {[]*bench.Result{single}, 3, 0},
		"zero": {[]*bench.Result{zero}, 2, 1}, "huge": {[]*bench.Result{huge, one}, 3, 1},
		"low":  {[]*bench.Result{low}, 2, 1},
		"none": {[]*bench.Result{{Bench: "pub"}}, 0, 3}, "many": {many, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			pictures, left, err := Draw(c.results)
			if err != nil || len(pictures) != c.pictures || len(left) != c.left {
				t.Fatalf("%d pictures, left %q, %v", len(pictures), left, err)
			}
			for _, p := range pictures {
				texts(t, written(t, p, "svg"))
				if *show != "" { // a PNG takes its time
					written(t, p, "png")
				}
			}
		})
	}
	if _, _, err := Draw(nil); err == nil {
		t.Error("no result, no error")
	}
	if err := (Picture{}).Write(io.Discard, "gif"); err == nil || !strings.Contains(err.Error(), "svg") {
		t.Errorf("%v, want the forms that there are", err)
	}
	one.Latency.Log = "no histogram"
	if _, _, err := Draw([]*bench.Result{one}); err == nil || !strings.Contains(err.Error(), "one: ") ||
		!strings.Contains(err.Error(), "hdr_histogram_ns") {
		t.Errorf("%v, want whose histogram it is", err)
	}
}
