// Package matrix runs clients against relays: every client with every relay, endpoint, draft and transport that they share.
//
// MakePlan crosses a catalogue into a Plan: its cells, and why everything else was left out. Execute runs a plan, or the part of it that
// Plan.Shard gives, and appends each result durably as it comes, so that a run that was killed resumes; Merge joins the parts. A Run is
// what came of it: its JSON form (run.json) is pinned by Schema.
//
// A cell is one client against one endpoint of one relay, with one draft and one transport. Its Label is the draft that the client's
// report says was negotiated, for each role; without a report it says that it is only predicted.
//
// Clients are run in this process, as programs or as containers, relays are reached by URL or started: embedded in this process, as
// programs or as containers. What needs a QUIC library comes from the caller, in Options.
package matrix
