// Package stream is what lies below sessions and tracks: pooled buffers for streams, the core of the readers and
// writers of data streams, and a bounded line between goroutines. It knows no session.
package stream
