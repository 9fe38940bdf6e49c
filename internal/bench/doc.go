// Package bench measures relays: it publishes tracks whose objects tell their number and the time, reads them behind
// the relay, and says what came, how fast, how late and what it cost. Every figure is counted where it arises; nothing
// is sampled without the result saying so.
package bench
