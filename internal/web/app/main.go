//go:build js

// The page's program: it runs in a worker beside the page, takes its commands as JSON, and answers with events.
package main

import (
	"encoding/json"
	"fmt"
	"syscall/js"

	"github.com/moqinterop/moq-interop-client/cases"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays/reference"
	"github.com/moqinterop/moq-interop-client/runner"
)

// command is what the page asks for.
type command struct {
	Do string `json:"do"`
	order
	decoding
}

func main() {
	app := &app{}
	js.Global().Set("moqCommand", js.FuncOf(func(_ js.Value, args []js.Value) any {
		var c command
		if err := json.Unmarshal([]byte(args[0].String()), &c); err != nil {
			app.tell("failed", fmt.Sprintf("a command of the page: %v", err))
			return nil
		}
		go app.obey(&c)
		return nil
	}))
	app.tell("ready", about())
	select {}
}

// app is the program. A run at a time.
type app struct {
	running running
}

// obey does what the page asks for.
func (a *app) obey(c *command) {
	switch c.Do {
	case "run":
		if err := a.run(&c.order); err != nil {
			a.tell("failed", err.Error())
		}
	case "stop":
		a.running.stop()
	case "documents":
		a.tell("documents", a.running.documents())
	case "decode":
		a.tell("decoded", c.decode())
	case "diagram":
		a.tell("diagram", c.diagram())
	}
}

// tell sends the page an event.
func (a *app) tell(event string, data any) {
	b, err := json.Marshal(map[string]any{"event": event, "data": data})
	if err != nil {
		b, _ = json.Marshal(map[string]any{"event": "failed", "data": err.Error()})
	}
	js.Global().Call("postMessage", string(b))
}

// choices are what the page offers.
type choices struct {
	Version    string   `json:"version"`
	Drafts     []int    `json:"drafts"`
	Suites     []string `json:"suites"`
	Cases      []choice `json:"cases"`
	Faults     []choice `json:"faults"`
	Quirks     []choice `json:"quirks"`
	Tolerances []string `json:"tolerances"`
}

// choice is a name and what it stands for.
type choice struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func about() choices {
	c := choices{Version: runner.Version(), Suites: cases.Suites(), Tolerances: cases.ToleranceNames()}
	for _, d := range wire.Drafts() {
		c.Drafts = append(c.Drafts, int(d))
	}
	for _, x := range cases.All() {
		c.Cases = append(c.Cases, choice{x.ID, x.Title})
	}
	for _, f := range reference.Faults() {
		c.Faults = append(c.Faults, choice{f.Name, f.Doc})
	}
	for _, q := range reference.Quirks() {
		c.Quirks = append(c.Quirks, choice{q.Name, q.Doc})
	}
	return c
}
