package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/relays/reference"
)

// serveLimits bound what the relay holds. Zero is the default, which is why no flag takes it.
type serveLimits struct {
	MaxConnections   count `placeholder:"N" help:"QUIC connections at a time. Default ${max_connections}."`
	MaxSessions      count `placeholder:"N" help:"Sessions at a time. Default ${max_sessions}."`
	MaxPerAddress    count `placeholder:"N" help:"Sessions of one IP address. Default: any number."`
	MaxLobby         count `placeholder:"N" help:"Connections without SETUP or token. Default ${max_lobby}."`
	MaxSubscriptions count `placeholder:"N" help:"Subscriptions and fetches a session. Default ${max_subscriptions}."`
	MaxNamespaces    count `placeholder:"N" help:"Namespaces and tracks a session. Default ${max_namespaces}."`
	MemoryBytes      size  `placeholder:"SIZE" help:"All that clients make it hold. Default ${memory_bytes}."`
	SessionBytes     size  `placeholder:"SIZE" help:"What one session makes it hold. Default ${session_bytes}."`
	CacheBytes       size  `placeholder:"SIZE" help:"Objects kept for fetches. Default ${cache_bytes}."`
	WaitingBytes     size  `placeholder:"SIZE" help:"Others, kept for slow subscribers. Default ${waiting_bytes}."`
	MaxObjectBytes   size  `placeholder:"SIZE" help:"Longest payload; a longer object is refused. Default: any."`
	SubscriberBytes  size  `placeholder:"SIZE" help:"How far a stream's readers may lag. Default ${subscriber_bytes}."`
	Stall            delay `placeholder:"TIME" help:"Longest stop inside an object. Default ${stall}."`
	Forget           delay `placeholder:"TIME" help:"How long a track outlives its last publisher. Default ${forget}."`
}

// apply sets what was given.
func (l *serveLimits) apply(o *reference.Options, listen *endpoint.ListenOptions) {
	listen.MaxConnections = int(l.MaxConnections)
	o.Limits.Sessions, o.Limits.Subscriptions, o.Limits.Namespaces = int(l.MaxSessions), int(l.MaxSubscriptions),
		int(l.MaxNamespaces)
	o.Limits.CacheBytes, o.Limits.WaitingBytes = int64(l.CacheBytes), int64(l.WaitingBytes)
	o.Limits.SubscriberBytes, o.Limits.ObjectBytes = int64(l.SubscriberBytes), int64(l.MaxObjectBytes)
	o.Limits.PerAddress, o.Limits.Lobby = int(l.MaxPerAddress), int(l.MaxLobby)
	o.Limits.MemoryBytes = int64(l.MemoryBytes)
	o.Limits.Session.HeldBytes, o.Limits.Session.Stall = int64(l.SessionBytes), time.Duration(l.Stall)
	o.Limits.Forget = time.Duration(l.Forget)
}

// garbage is by how many percent what is held may grow before the collector runs, where GOGC does not say so. Nearly
// all that a relay holds are payloads, which the collector does not look into: it is cheap to run often, and with Go's
// 100 the process would take twice what the cache has.
const garbage = 15

// frugal has the collector run often.
func frugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

// limitDefaults are what the help texts say, as the relay has them.
func limitDefaults() kong.Vars {
	d := reference.DefaultLimits()
	return kong.Vars{
		"max_connections": strconv.Itoa(endpoint.DefaultMaxConnections), "max_sessions": strconv.Itoa(d.Sessions),
		"max_subscriptions": strconv.Itoa(d.Subscriptions), "max_namespaces": strconv.Itoa(d.Namespaces),
		"max_lobby": strconv.Itoa(d.Lobby), "memory_bytes": size(d.MemoryBytes).String(),
		"session_bytes": size(d.Session.HeldBytes).String(), "stall": d.Session.Stall.String(),
		"cache_bytes": size(d.CacheBytes).String(), "subscriber_bytes": size(d.SubscriberBytes).String(),
		"waiting_bytes": size(d.WaitingBytes).String(), "forget": d.Forget.String(),
		"idle": endpoint.DefaultIdleTimeout.String(), "keep_alive": endpoint.DefaultKeepAlive.String(),
		"mlog_files": strconv.Itoa(defaultMLOGFiles), "mlog_bytes": defaultMLOGBytes.String(),
	}
}

// count is a number of things, at least one.
type count int

// UnmarshalText reads a count.
func (c *count) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil || n == 0 {
		return fmt.Errorf("%q is not a whole number from 1 to %d", text, math.MaxInt32)
	}
	*c = count(n)
	return nil
}

// delay is a time to wait, above 0.
type delay time.Duration

// UnmarshalText reads a duration: "10s".
func (d *delay) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is not a duration above 0, as 500ms, 10s or 1m30s", text)
	}
	*d = delay(v)
	return nil
}

// size is a number of bytes, at least one.
type size int64

// units of a size, largest first.
var units = []struct {
	name  string
	shift uint
}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}

// UnmarshalText reads a size: "65536", "64KiB".
func (s *size) UnmarshalText(text []byte) error {
	digits, shift := string(text), uint(0)
	for _, u := range units {
		if rest, found := strings.CutSuffix(digits, u.name); found {
			digits, shift = rest, u.shift
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || n == 0 || n > math.MaxInt64>>shift {
		return fmt.Errorf("%q is not a number of bytes above 0, with or without KiB, MiB or GiB", text)
	}
	*s = size(n << shift)
	return nil
}

// String is the size in the largest unit that divides it.
func (s size) String() string {
	for _, u := range units {
		if s != 0 && s%(1<<u.shift) == 0 {
			return fmt.Sprintf("%d %s", s>>u.shift, u.name)
		}
	}
	return fmt.Sprintf("%d bytes", int64(s))
}
