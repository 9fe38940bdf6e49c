package cases_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/memconn"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// A case of one's own: two subscribers of one track, each with its own Forward State.
var pausedBeside = cases.Case{
	ID: "paused-beside", Title: "A paused subscriber does not hold up the other one",
	Rules: []rules.ID{rules.Forwarding},
	Level: cases.Must, Suite: cases.SuiteAll, Tags: []string{"data"},
	Roles: []string{"publisher", "paused", "subscriber"}, Timeout: 10 * time.Second,
	Faults: []cases.Fault{{Name: "corrupt-payload", Layer: transport.LayerData, Says: "payload differs"}},
	Run: func(ctx context.Context, e *cases.Env) error {
		p := e.Announced(ctx)
		want := e.Groups(0, 1)
		paused := e.Follow(ctx, "paused", p, nil, cases.Checks{}, cases.UintParameter(wire.ParamForward, 0))
		s := e.Follow(ctx, "subscriber", p, want, cases.Checks{Priority: true})
		p.WaitAnyForward(ctx)
		p.Deliver(ctx, want, cases.ObjectPace, s, paused)
		e.Note("the paused subscriber saw %d streams", paused.DataSeen())
		return nil
	},
}

// Any package can write a case and run it. Here the relay is the reference relay in memory, once with a fault.
func ExampleRun() {
	for _, faults := range [][]string{nil, {"corrupt-payload"}} {
		relay, err := reference.New(reference.Options{Faults: faults})
		if err != nil {
			log.Fatal(err)
		}
		cfg := cases.Config{
			Drafts: []wire.Draft{wire.Draft18},
			Dial: func(ctx context.Context, _ string, drafts []wire.Draft) (transport.Conn, error) {
				client, server := memconn.Pair(memconn.Options{Info: transport.Info{ALPN: drafts[0].ALPN()}})
				go relay.ServeConn(context.WithoutCancel(ctx), server)
				return client, nil
			},
		}
		r := cases.Run(context.Background(), pausedBeside, cfg)
		fmt.Println(r.Case, r.Status, r.Sections)
		if r.Status == cases.Fail {
			fmt.Println("layer", r.Layer, "expected", r.Expected)
		} else {
			fmt.Println(r.Notes)
		}
		relay.Close()
	}
	// Output:
	// paused-beside pass draft-18 §9.4
	// [the paused subscriber saw 0 streams]
	// paused-beside fail draft-18 §9.4
	// layer data expected 10 objects: groups 0-1, objects 0-4 each
}
