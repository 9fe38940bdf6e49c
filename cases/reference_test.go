package cases_test

import (
	"context"
	"os"
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
func onRelay(t *testing.T, c cases.Case, d wire.Draft, delay time.Duration, o reference.Options) cases.Result {
	return onWatchedRelay(t, c, d, delay, o, func(conn transport.Conn) transport.Conn { return conn })
}

// onWatchedRelay is the same where watch sees the relay's end of each connection.
func onWatchedRelay(t *testing.T, c cases.Case, d wire.Draft, delay time.Duration, o reference.Options,
	watch func(transport.Conn) transport.Conn) (r cases.Result) {
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
			if len(c.Transports) == 1 && c.Transports[0] == transport.WebTransport {
				opts.Info = transport.Info{Kind: transport.WebTransport, ALPN: "h3"}
				if drafts[0] > wire.Draft14 {
					opts.Info.Protocol = drafts[0].ALPN()
				}
			}
			// less than an object, since the connection has no bound of its own
			if slices.Contains(c.Tags, "congestion") {
				opts.StreamBuffer = 16 << 10
			}
			client, server := memconn.Pair(opts)
			served.Go(func() {
				time.Sleep(delay)
				relay.ServeConn(context.WithoutCancel(ctx), watch(server))
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
	for i, c := range cases.All() {
		for j, d := range wire.Drafts() {
			if !everyFault && (i+j)%3 != 0 {
				continue // .ci/run has every case on every draft, over UDP
			}
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
		if r := onRelay(t, find(t, "range-filter-update"), d, 0, o); r.Status != cases.NotApplicable ||
			!strings.Contains(r.Reason, "MAX_FILTER_RANGES") {
			t.Errorf("%s: %s %s, want that it does not apply, with the reason", d, r.Status, r.Reason)
		}
		o.Faults = []string{"subscribe-silent"}
		if r := onRelay(t, find(t, "range-filter"), d, 0, o); r.Status != cases.Fail {
			t.Errorf("%s: %s with a relay that is silent instead", d, r.Status)
		}
	}
}

// A relay whose SETUP takes a while is not slow in what a case is about.
func TestCasesPassBehindSlowSetups(t *testing.T) {
	for i, c := range cases.All() {
		for j, d := range []wire.Draft{wire.Draft14, wire.Draft18, wire.Draft22} {
			if c.Applies(d) && (everyFault || (i+j)%3 == 0) {
				t.Run(c.ID+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					r := onSlowReference(t, c, d, 1500*time.Millisecond)
					if r.Status != cases.Pass {
						t.Errorf("%s %s: %s\n%s", r.Status, r.Layer, r.Message, strings.Join(r.Transcript, "\n"))
					}
					for k, s := range r.Sessions {
						if s.Role != c.Roles[k] {
							t.Errorf("session %d is the %s's, want the %s's", k+1, s.Role, c.Roles[k])
						}
					}
				})
			}
		}
	}
}

// everyFault is true where each case and each fault is tried in every draft in which it shows. Otherwise a case is
// tried in every third draft, others for the next case, and a fault of one outside of the standard suite in two.
var everyFault = os.Getenv("MOQ_FAULTS") != "" || os.Getenv("MOQ_FULL") != ""

// triedOn are the drafts on which a fault of a case is tried; n is its number among all.
func triedOn(c cases.Case, f cases.Fault, n int) []wire.Draft {
	drafts := slices.DeleteFunc(wire.Drafts(), func(d wire.Draft) bool { return !f.Applies(d) || !c.Applies(d) })
	if everyFault || c.Suite == cases.SuiteStandard || len(drafts) <= 2 {
		return drafts
	}
	return []wire.Draft{drafts[n%len(drafts)], drafts[(n+len(drafts)/2)%len(drafts)]}
}

// Each case fails under each of its faults as the fault says, in every draft in which it shows.
func TestFaultsFailTheirCases(t *testing.T) {
	n := 0
	for _, c := range cases.All() {
		for _, f := range c.Faults {
			n++
			for _, d := range triedOn(c, f, n) {
				t.Run(c.ID+"/"+f.Name+"/"+d.String(), func(t *testing.T) {
					t.Parallel()
					r := onReference(t, c, d, f.Name)
					if f.Refused {
						if r.Status != cases.Skip || !strings.Contains(r.Reason, f.Says) || r.TooSlow {
							t.Errorf("%s %s%s\nwant a skip: %q\nnotes %q\n%s", r.Status, r.Message, r.Reason, f.Says,
								r.Notes, strings.Join(r.Transcript, "\n"))
						}
						return
					}
					if !f.Shows(&r) || r.Expected == "" || (r.Todo != "") != f.Should {
						t.Errorf("%s %s: %s%s\nwant %s: %q\nnotes %q\n%s", r.Status, r.Layer, r.Message, r.Reason,
							f.Layer, f.Says, r.Notes, strings.Join(r.Transcript, "\n"))
					}
				})
			}
		}
	}
}

// Every fault of the relay is one that some case names, but for those that are there to be measured, and the other way
// round; every case names one, and says what must come of it in some draft on which it is tried.
func TestEveryFaultIsCaught(t *testing.T) {
	caught := map[string]bool{}
	for _, f := range reference.Faults() {
		caught[f.Name] = slices.Contains(reference.Shares(), f)
	}
	trials := 0
	for _, c := range cases.All() {
		if len(c.Faults) == 0 {
			t.Errorf("no fault can fail %s", c.ID)
		}
		for _, f := range c.Faults {
			drafts := triedOn(c, f, trials)
			_, known := caught[f.Name]
			switch {
			case !known:
				t.Errorf("%s names the fault %s, which the relay does not have", c.ID, f.Name)
			case f.Layer == "" || f.Says == "":
				t.Errorf("%s does not say what %s must lead to", c.ID, f.Name)
			case len(drafts) == 0:
				t.Errorf("%s under %s is tried on no draft", c.ID, f.Name)
			}
			caught[f.Name] = true
			trials += len(drafts)
		}
	}
	for f, by := range caught {
		if !by {
			t.Errorf("no case names the fault %s", f)
		}
	}
	t.Logf("%d cases, %d faults, %d trials (a case, a fault, a draft)", len(cases.All()), len(caught), trials)
}
