// Package stream has what packages moqt and track both stand on: pooled buffers for streams, the core of the readers
// and writers of data streams, and a bounded queue between goroutines. It knows no session.
package stream
