// Package cases holds the test cases: what is asked of a relay, step by step, and how its answers are judged.
//
// A case is one immutable value in one explicit list. It dials by role, speaks through package moqt, and
// fails with the layer, what was expected and what came. It knows no relay and no QUIC library: Config.Dial
// makes its connections. Verdicts follow the text of the negotiated draft; what the text leaves open is
// noted, never judged.
package cases
