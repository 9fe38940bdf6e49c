// Package matrix runs clients against relays: every client with every relay, endpoint, draft and transport that they
// share.
//
// MakePlan crosses a catalogue into a Plan: its cells, and why everything else was left out. Execute runs a plan, or
// the part of it that Plan.Part gives, and appends each result durably as it comes, so that a run that was killed
// resumes; Merge joins the parts. A Run is what came of it: its JSON form (run.json) is pinned by Schema. Judge says
// what a run amounts to in the light of the failures that are known.
//
// A cell is one client against one endpoint of one relay, with one draft and one transport. Its Label is the draft that
// the client's report says was negotiated, for each role; without a report it says that it is only predicted.
//
// Clients are run in this process, as programs or as containers, relays are reached by URL or started: embedded in this
// process, as programs or as containers. What needs a QUIC library comes from the caller, in Options.
//
// # Commands
//
// A client that is a program or a container has its cell in its environment: RELAY_URL (whose scheme says the
// transport), TESTCASE, MOQT_DRAFT, DRAFT, TLS_DISABLE_VERIFY, COMPAT, QLOGDIR. A relay has MOQT_ROLE, MOQT_PORT,
// MOQT_CERT, MOQT_KEY, MOQT_MLOG_DIR. For programs that want arguments, words of a command, and values of its own
// environment, may hold placeholders:
//
//	clients  {relay} {case} {draft} ("draft-18") {number} ("18") {transport} {qlog}
//	         {tls-disable-verify} (that flag, or nothing)
//	relays   {port} {cert} {key} {mlog}
//
// In both, {self} is this program, and {NAME} in capitals the variable of that name, which must be set.
//
// A word whose placeholders are all empty is left out, together with the flag before it: ["-t", "{case}"].
//
// A client is run once for its standard set, or, when the plan names cases, once for each case. What fails is repeated
// once, to tell flaky from failed; a repetition never makes a pass.
package matrix
