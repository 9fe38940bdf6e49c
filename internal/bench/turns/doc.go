// Package turns runs benches one after the other, in turns, so that what a machine does beside them weighs on all
// alike: this program's and another's (compare), or one load on several relays.
package turns
