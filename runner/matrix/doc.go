// Package matrix runs clients against relays: every client with every relay, endpoint, draft and transport that they
// share.
//
// MakePlan makes a Plan of a catalogue: its cells, and why every other combination was left out. Execute runs a plan,
// or a part of it (Plan.Part), and stores each result as it comes, so that a run that was killed can resume. Merge
// joins the parts. A Run has the results; Schema pins its JSON form (run.json). Judge says whether a run passes, given
// the failures that are known.
//
// A cell is one client against one endpoint of one relay, with one draft and one transport. Its Label is the draft that
// was negotiated according to the client's report, for each role; without a report the Label is marked as predicted.
//
// Clients run in this process, as programs or as containers. Relays are reached by URL, or started in this process, as
// programs or as containers. What needs a QUIC library comes from the caller, in Options.
//
// # Commands
//
// A client that is a program or a container gets its cell in the environment: RELAY_URL (whose scheme says the
// transport), TESTCASE, MOQT_DRAFT, DRAFT, TLS_DISABLE_VERIFY, COMPAT, QLOGDIR. A relay gets MOQT_ROLE, MOQT_PORT,
// MOQT_CERT, MOQT_KEY, MOQT_MLOG_DIR. For programs that want arguments, the words of a command and the values of its
// own environment may have placeholders:
//
//	clients  {relay} {case} {draft} ("draft-18") {number} ("18") {transport} {qlog} {tls-disable-verify} (or nothing)
//	relays   {port} {cert} {key} {mlog}
//
// In both, {self} is this program, and {NAME} in capitals is the environment variable of that name, which must be set.
//
// A word whose placeholders are all empty is left out, together with the flag before it: ["-t", "{case}"].
//
// A client is run once for its standard set, or, when the plan names cases, once for each case. What fails is repeated
// once, to tell flaky from failed; a repetition never makes a pass.
package matrix
