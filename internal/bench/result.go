package bench

import (
	_ "embed"
	"time"
)

// ResultVersion is that of the JSON form. It changes when a field changes its meaning or goes.
const ResultVersion = 1

// Schema is the JSON Schema of a Result, as --json prints it.
//
//go:embed result.schema.json
var Schema []byte

// Result is what a bench found. Units are in the names; a figure that is not known is left out, never 0.
type Result struct {
	Version int       `json:"version"`
	Bench   string    `json:"bench"`           // loopback, relay, pub, sub, fanout, adaptive or load
	Label   string    `json:"label,omitempty"` // what to call it beside others, such as the relay's name
	Started time.Time `json:"started"`
	Command []string  `json:"command,omitempty"`
	Machine Machine   `json:"machine"`

	Relay     string `json:"relay,omitempty"`          // its URL, as given
	Peer      string `json:"implementation,omitempty"` // as the peer calls itself in SETUP
	Draft     string `json:"draft,omitempty"`          // "draft-22", as negotiated
	Transport string `json:"transport,omitempty"`      // quic, or webtransport and its form
	Load      Load   `json:"load"`

	WarmupS   float64 `json:"warmup_s"`   // before the first measured object
	DurationS float64 `json:"duration_s"` // the measured window
	// Window is when it began.
	Window *time.Time `json:"window_started,omitempty"`
	DrainS float64    `json:"drain_s,omitempty"` // what was on its way was waited for so long

	Sent      *Sent     `json:"sent,omitempty"`
	Received  *Received `json:"received,omitempty"`
	Latency   *Latency  `json:"latency_ms,omitempty"`
	NoLatency string    `json:"no_latency,omitempty"` // why there is none
	Join      *Spread   `json:"join_ms,omitempty"`    // from SUBSCRIBE to the first object
	CPU       *CPU      `json:"cpu,omitempty"`
	Memory    *Memory   `json:"memory,omitempty"`

	Intervals []Interval `json:"intervals,omitempty"`
	Steps     []Step     `json:"steps,omitempty"`     // of adaptive
	Sustained *Step      `json:"sustained,omitempty"` // the highest step that held
	Limit     string     `json:"limit,omitempty"`     // what ended the ramp
	Shard     *Shard     `json:"shard,omitempty"`
	Notes     []string   `json:"notes,omitempty"` // what a reader of the figures must know
}

// Machine is where a bench ran. Results of different hosts are told apart by Host.
type Machine struct {
	Host    string `json:"host"` // changes with the boot: what has the same has one clock
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPUs    int    `json:"cpus"`
	Model   string `json:"cpu_model,omitempty"`
	Kernel  string `json:"kernel,omitempty"`
	Go      string `json:"go"`
	QUIC    string `json:"quic_go,omitempty"`
	Program string `json:"program"`
}

// Load is what was asked for.
type Load struct {
	ObjectBytes     int     `json:"object_bytes"` // the mean, where they differ
	ObjectsPerGroup uint64  `json:"objects_per_group"`
	Streams         uint64  `json:"streams"` // subgroups of a group
	RatePerS        float64 `json:"rate_objects_per_s"`
	Datagrams       bool    `json:"datagrams,omitempty"`
	Video           string  `json:"video,omitempty"`
	GOP             string  `json:"gop,omitempty"`
	Timestamps      string  `json:"timestamps,omitempty"`
	Tracks          int     `json:"tracks"`
	Subscribers     int     `json:"subscribers"` // of each track
	Processes       int     `json:"processes"`
	Scenario        string  `json:"scenario,omitempty"`
	Seed            uint64  `json:"seed,omitempty"`
}

// Sent is the publishers' side of the measured window.
type Sent struct {
	Objects     uint64  `json:"objects"`
	Bytes       uint64  `json:"bytes"`
	ObjectsPerS float64 `json:"objects_per_s"`
	Mbps        float64 `json:"mbps"`
	// Due is what a paced publisher was to send, Shortfall what of it could not be sent, for the relay did not take it.
	Due       uint64 `json:"due_objects,omitempty"`
	Shortfall uint64 `json:"shortfall_objects"`
}

// Received is the subscribers' side, summed over all. Expected is Objects and Lost, exactly.
type Received struct {
	Subscribers int     `json:"subscribers"`
	Expected    uint64  `json:"expected_objects"`
	Objects     uint64  `json:"objects"` // each once
	Bytes       uint64  `json:"bytes"`
	Lost        uint64  `json:"lost_objects"`
	Gaps        uint64  `json:"gaps"` // runs of lost objects
	LongestGap  uint64  `json:"longest_gap_objects"`
	Duplicates  uint64  `json:"duplicate_objects"`
	Reordered   uint64  `json:"reordered_objects"` // came behind a later object of their subgroup
	Corrupt     uint64  `json:"corrupt_objects"`   // are not what was sent
	Resets      uint64  `json:"stream_resets"`
	Dropped     uint64  `json:"dropped_datagrams"` // by this end, for lack of room
	ObjectsPerS float64 `json:"objects_per_s"`
	GoodputMbps float64 `json:"goodput_mbps"`
	// SecondsS is what the rates are of: from the start of the window to its end or the last object, what is later.
	SecondsS float64 `json:"seconds_s"`
}

// Latency is how long objects took, from the time at which they were to be sent to the end of their payload at the
// subscriber.
type Latency struct {
	Spread
	Jitter float64 `json:"jitter"` // the mean difference of an object's latency and the one before (RFC 3550 §6.4.1)
	// From is where the time is from: payload, loc or frindell. Clock says whose clocks, ClockError by how much a
	// latency may be wrong for them.
	From       string  `json:"from"`
	Clock      string  `json:"clock"`
	ClockError float64 `json:"clock_error"`
	// Offset is how far the subscriber's clock is ahead of that of a publisher on another host, as so many Exchanges
	// with it have shown. Each counts from the boot of its host.
	Offset    *float64 `json:"clock_offset,omitempty"`
	Exchanges int      `json:"clock_exchanges,omitempty"`
}

// Spread is how values of milliseconds are spread.
type Spread struct {
	Samples uint64  `json:"samples"`
	Min     float64 `json:"min"`
	Mean    float64 `json:"mean"`
	P50     float64 `json:"p50"`
	P90     float64 `json:"p90"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p99.9"`
	Max     float64 `json:"max"`
	// Log is the whole histogram in nanoseconds, in HdrHistogram's compressed form V2 and Base64. An interval has none.
	Log string `json:"hdr_histogram_ns,omitempty"`
}

// CPU is processor time in seconds, user and system, within the measured window and its drain. Process is that of this
// process, with whatever else runs in it; the sides are known where they have a process of their own.
type CPU struct {
	ProcessS    float64  `json:"process_s"`
	PublisherS  *float64 `json:"publisher_s,omitempty"`
	SubscriberS *float64 `json:"subscriber_s,omitempty"`
	RelayS      *float64 `json:"relay_s,omitempty"` // of --pid
}

// Memory is resident memory in MiB.
type Memory struct {
	ProcessMiB    float64  `json:"process_peak_mib"`
	PublisherMiB  *float64 `json:"publisher_peak_mib,omitempty"`
	SubscriberMiB *float64 `json:"subscriber_peak_mib,omitempty"`
	RelayMiB      *float64 `json:"relay_peak_mib,omitempty"` // of --pid, the most that was seen at an interval's end
}

// Interval is a part of the window.
type Interval struct {
	AtS         float64 `json:"at_s"` // its end
	Seconds     float64 `json:"seconds_s"`
	Sent        uint64  `json:"sent_objects"`
	Objects     uint64  `json:"received_objects"`
	ObjectsPerS float64 `json:"objects_per_s"`
	GoodputMbps float64 `json:"goodput_mbps"`
	Subscribers int     `json:"subscribers,omitempty"`
	Latency     *Spread `json:"latency_ms,omitempty"`
	CPUS        float64 `json:"process_cpu_s"`
	MemoryMiB   float64 `json:"process_mib,omitempty"`
}

// Step is a step of a ramp.
type Step struct {
	RatePerS    float64 `json:"rate_objects_per_s,omitempty"`
	Mbps        float64 `json:"mbps,omitempty"` // that was asked for
	Subscribers int     `json:"subscribers"`
	GoodputMbps float64 `json:"goodput_mbps"` // of all subscribers
	P90         float64 `json:"latency_p90_ms"`
	LossShare   float64 `json:"loss_share"`
	ShortShare  float64 `json:"shortfall_share"`
	Held        bool    `json:"held"`
	Why         string  `json:"why,omitempty"` // it did not
}

// Shard is a part of a bench that runs on several machines.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}
