package cases_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// onReference runs a case on the reference relay with faults, in memory and in a bubble of time.
func onReference(t *testing.T, c cases.Case, d wire.Draft, faults ...string) (r cases.Result) {
	return onSlowReference(t, c, d, 0, faults...)
}

// onSlowReference is the same where the relay lets each SETUP wait for a while.
func onSlowReference(t *testing.T, c cases.Case, d wire.Draft, delay time.Duration, faults ...string) (r cases.Result) {
	return onRelay(t, c, d, delay, reference.Options{Faults: faults})
}

// onRelay is the same with other options.
func onRelay(t *testing.T, c cases.Case, d wire.Draft, delay time.Duration, o reference.Options) (r cases.Result) {
	synctest.Test(t, func(t *testing.T) {
		// The windows of a connection in memory are small, so that congestion reaches the relay's own bound early: it
		// must not reach the publisher.
		o.Limits.SubscriberBytes = 1 << 30
		relay, err := reference.New(o)
		if err != nil {
			t.Fatal(err)
		}
		var served sync.WaitGroup
		cfg := cases.Config{Drafts: []wire.Draft{d}, Dial: func(ctx context.Context, _ string,
			drafts []wire.Draft) (transport.Conn, error) {
			opts := memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()}}
			// less than an object, since the connection has no bound of its own
			if slices.Contains(c.Tags, "congestion") {
				opts.StreamBuffer = 16 << 10
			}
			client, server := memconn.Pair(opts)
			served.Go(func() {
				time.Sleep(delay)
				relay.ServeConn(context.WithoutCancel(ctx), server)
			})
			return client, nil
		}}
		r = cases.Run(t.Context(), c, cfg)
		relay.Close()
		served.Wait()
	})
	return r
}

func TestCasesPassOnReference(t *testing.T) {
	for _, c := range cases.All() {
		for _, d := range wire.Drafts() {
			t.Run(c.ID+"/"+d.String(), func(t *testing.T) {
				t.Parallel()
				r := onReference(t, c, d)
				if r.Status != cases.Pass && !(r.Status == cases.NotApplicable && !c.Applies(d)) {
					t.Errorf("%s %s: %s\nnotes %q\n%s", r.Status, r.Layer, r.Message, r.Notes,
						strings.Join(r.Transcript, "\n"))
				}
			})
		}
	}
}

// A relay that takes no range filters says so, and is not held against what it would have to do with them.
func TestNoRangeFilters(t *testing.T) {
	for _, d := range []wire.Draft{wire.Draft19, wire.Draft22} {
		o := reference.Options{Limits: reference.Limits{FilterRanges: -1}}
		r := onRelay(t, find(t, "range-filter"), d, 0, o)
		if r.Status != cases.Pass || r.Message != "the relay takes no range filters, and says so" {
			t.Errorf("%s: %s %s, notes %q", d, r.Status, r.Message, r.Notes)
		}
		if r := onRelay(t, find(t, "range-filter-update"), d, 0, o); r.Status != cases.Skip ||
			!strings.Contains(r.Reason, "MAX_FILTER_RANGES") {
			t.Errorf("%s: %s %s, want a skip with the reason", d, r.Status, r.Reason)
		}
		o.Faults = []string{"subscribe-silent"}
		if r := onRelay(t, find(t, "range-filter"), d, 0, o); r.Status != cases.Fail {
			t.Errorf("%s: %s with a relay that is silent instead", d, r.Status)
		}
	}
}

// A relay whose SETUP takes a while is not slow in what a case is about.
func TestCasesPassBehindSlowSetups(t *testing.T) {
	for _, c := range cases.All() {
		for _, d := range []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22} {
			if c.Applies(d) {
				t.Run(c.ID+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					r := onSlowReference(t, c, d, 1500*time.Millisecond)
					if r.Status != cases.Pass {
						t.Errorf("%s %s: %s\n%s", r.Status, r.Layer, r.Message, strings.Join(r.Transcript, "\n"))
					}
					for i, s := range r.Sessions {
						if s.Role != c.Roles[i] {
							t.Errorf("session %d is the %s's, want the %s's", i+1, s.Role, c.Roles[i])
						}
					}
				})
			}
		}
	}
}

// failure is what a fault must lead to: the layer, and a piece of what was received (or of the message).
type failure struct {
	layer transport.Layer
	piece string
	// first and last bound the drafts in which it does; zero means no bound. old is the piece up to draft 19, where
	// that differs.
	first, last wire.Draft
	old         string
	// todo: only a SHOULD is broken.
	todo bool
}

// failures are the verdicts on each fault that a case names. The list is complete: the test compares it with the cases.
var failures = together(firstFailures, trackFailures, moreFailures)

func together(parts ...map[string]map[string]failure) map[string]map[string]failure {
	all := map[string]map[string]failure{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

var firstFailures = map[string]map[string]failure{
	"setup-only": {
		"setup-silence":       {layer: "setup", piece: "nothing (0 bytes) for 2000 ms"},
		"setup-garbage":       {layer: "setup", piece: ""},
		"setup-wrong-version": {layer: "setup", piece: ""},
		"die-after-setup":     {layer: "setup", piece: "connection"},
		"close-error":         {layer: "setup", piece: "connection closed by the peer with 0x1 INTERNAL_ERROR"},
	},
	"announce-only": {
		"announce-silent": {layer: "request", piece: "nothing for 2000 ms after PUBLISH_NAMESPACE"},
		"announce-reject": {layer: "request", piece: "0x1 UNAUTHORIZED"},
		"die-on-request":  {layer: "request", piece: "connection"},
	},
	"publish-namespace-done": {
		"withdraw-closes-session": {layer: "request",
			piece: "connection closed by the peer with 0x3 PROTOCOL_VIOLATION"},
		"announce-silent": {layer: "request", piece: "nothing for 2000 ms after PUBLISH_NAMESPACE"},
	},
	"subscribe-error": {
		"subscribe-accepts-everything": {layer: "request", piece: "SUBSCRIBE_OK for a track that does not exist"},
		"subscribe-error-zero":         {layer: "request", piece: "0x0 INTERNAL_ERROR"},
		"subscribe-silent":             {layer: "request", piece: "nothing for 2000 ms after SUBSCRIBE"},
	},
	"announce-subscribe": {
		"route-nowhere": {layer: "request",
			piece: "(the publisher has seen no request for the track)"},
		"subscribe-ok-without-publisher": {layer: "request", piece: "nothing for 3000 ms after"},
		"subscribe-silent":               {layer: "request", piece: "nothing for 3000 ms after SUBSCRIBE"},
	},
	"subscribe-before-announce": {
		"subscribe-before-silent": {layer: "request", piece: "nothing for 3500 ms after SUBSCRIBE"},
		"subscribe-silent":        {layer: "request", piece: "nothing for 3500 ms after SUBSCRIBE"},
	},
	"fetch": {
		"fetch-silent":          {layer: "request", piece: "nothing for 5000 ms after FETCH"},
		"fetch-error":           {layer: "request", piece: "0x0 INTERNAL_ERROR"},
		"fetch-missing-object":  {layer: "data", piece: "4 of 5 objects: missing {1, 1}"},
		"fetch-extra-object":    {layer: "data", piece: "unexpected {1, 5}"},
		"fetch-corrupt-payload": {layer: "data", piece: "corrupted {1, 0}: payload differs from byte 0"},
		"fetch-reset":           {layer: "data", piece: "RESET_STREAM"},
		"fetch-no-stream":       {layer: "data", piece: "0 of 5 objects: missing {1, 0}"},
		"fetch-everything":      {layer: "data", piece: "unexpected {0, 0}"},
		"fetch-wrong-end":       {layer: "request", piece: "End {2,4}", old: "End of group 2", todo: true},
		"corrupt-payload":       {layer: "data", piece: "corrupted {0, 0}: payload differs from byte 0"},
		"drop-object":           {layer: "data", piece: "12 of 15 objects: missing {0, 0}, {1, 0}, {2, 0}"},
	},
	"join": {
		"join-hole":      {layer: "data", piece: "14 of 15 objects: missing {2, 4}"},
		"join-duplicate": {layer: "data", piece: "15 of 15 objects: more than once {2, 4}"},
		"join-silent": {layer: "data", piece: "10 of 15 objects: missing {2, 0}",
			old: "no such answer for 5000 ms after FETCH"},
		"fetch-error":           {layer: "data", piece: "RESET_STREAM", old: "0x0 INTERNAL_ERROR"},
		"fetch-corrupt-payload": {layer: "data", piece: "corrupted {2, 0}: payload differs from byte 0"},
	},
	"join-one-back": {
		"join-hole":      {layer: "data", piece: "19 of 20 objects: missing {2, 4}"},
		"join-duplicate": {layer: "data", piece: "20 of 20 objects: more than once {2, 4}"},
		"join-silent": {layer: "data", piece: "10 of 20 objects: missing {1, 0}",
			old: "no such answer for 5000 ms after FETCH"},
		"fetch-reset": {layer: "data", piece: "RESET_STREAM"},
	},
}

// faultDrafts are those on which each fault of a case outside of the standard suite is tried.
var faultDrafts = []wire.Draft{wire.Draft14, wire.Draft16, wire.Draft18, wire.Draft20, wire.Draft22}

// triedOn are the drafts on which a fault of a case is tried.
func (f failure) triedOn(c cases.Case) []wire.Draft {
	drafts := faultDrafts
	if c.Suite == cases.SuiteStandard {
		drafts = wire.Drafts()
	}
	return slices.DeleteFunc(slices.Clone(drafts), func(d wire.Draft) bool {
		return f.first > d || f.last != 0 &&
			d > f.last || !c.Applies(d)
	})
}

func TestFaultsFailTheirCases(t *testing.T) {
	for _, c := range cases.All() {
		for _, fault := range c.Faults {
			want, ok := failures[c.ID][fault]
			if !ok {
				t.Errorf("%s under %s: the test does not know what must come of it", c.ID, fault)
				continue
			}
			for _, d := range want.triedOn(c) {
				t.Run(c.ID+"/"+fault+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					r := onReference(t, c, d, fault)
					layer, piece := want.layer, want.piece
					if want.old != "" && d <= wire.Draft19 {
						layer, piece = transport.LayerRequest, want.old
					}
					if r.Status != cases.Fail || r.Layer != layer || !strings.Contains(r.Received, piece) ||
						r.Expected == "" || (r.Todo != "") != want.todo {
						t.Errorf("%s %s: %s\nwant %s: %q\nnotes %q\n%s", r.Status, r.Layer, r.Message, layer, piece,
							r.Notes, strings.Join(r.Transcript, "\n"))
					}
				})
			}
		}
	}
	for id, list := range failures {
		c := find(t, id)
		for fault := range list {
			if !slices.Contains(c.Faults, fault) {
				t.Errorf("%s does not name %s", id, fault)
			}
		}
	}
}

// Every fault that a case names is one that the relay has, every case names one, and every fault of the relay is named.
// The README says how many there are.
func TestEveryFaultIsCaught(t *testing.T) {
	caught := map[string]bool{}
	for _, f := range reference.Faults() {
		caught[f.Name] = false
	}
	pairs, trials := 0, 0
	for _, c := range cases.All() {
		if len(c.Faults) == 0 {
			t.Errorf("no fault can fail %s", c.ID)
		}
		for _, f := range c.Faults {
			if _, known := caught[f]; !known {
				t.Errorf("%s names the fault %s, which the relay does not have", c.ID, f)
			}
			drafts := failures[c.ID][f].triedOn(c)
			if len(drafts) == 0 {
				t.Errorf("%s under %s is tried on no draft", c.ID, f)
			}
			caught[f] = true
			pairs++
			trials += len(drafts)
		}
	}
	for f, by := range caught {
		if !by {
			t.Errorf("no case names the fault %s", f)
		}
	}
	t.Logf("%d cases, %d faults, %d pairs of the two, %d trials (cases x faults x drafts)", len(cases.All()), len(caught),
		pairs, trials)
}
