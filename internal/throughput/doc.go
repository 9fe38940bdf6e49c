// Package throughput measures what the library costs on top of QUIC: its benchmarks move objects through two sessions
// over loopback, and in turns with that the same bytes through bare quic-go, so that the ratio holds on a busy machine
// too.
//
//	go test ./internal/throughput -run ^$ -bench Loopback -benchtime 15x -count 3
//
// TestRelayTable measures our relay and others, in processes of their own, in turns with a program that only passes on
// bytes (the forwarder).
//
// What it showed, on which machine, is in PERFORMANCE.md.
package throughput
