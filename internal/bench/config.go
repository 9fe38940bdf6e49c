package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Config says what to measure.
type Config struct {
	// Bench is loopback, relay, fanout, pub or sub.
	Bench string
	// URL is the relay's, as it is dialled; Relay what to call it. Loopback needs none.
	URL, Relay string
	// Options are those of every session.
	Options moq.Options
	// Token, if not empty, goes with every request.
	Token string

	Namespace moq.Namespace
	Track     string
	// Direct offers the track with PUBLISH. Otherwise its namespace is announced.
	Direct bool
	Load   Load

	// Duration is the measured window. For sub 0 is until the track ends.
	Duration time.Duration
	// Warmup is how long objects flow before, once every subscriber has got the first.
	Warmup time.Duration
	// Interval is how often Live is called, and of which length the result's intervals are.
	Interval time.Duration
	// Wait is how long pub waits for a subscriber, sub for the track, and others for the first object.
	Wait time.Duration
	// StartAt, if set, is when the window begins, at several machines alike.
	StartAt time.Time
	// ClockError, if not 0, says how near to ours the clocks of publishers on other hosts, or of other makes, are.
	ClockError time.Duration
	// PID, if not 0, is the relay's process, whose processor time and memory are told.
	PID int

	// Subscriber, if set, is the subscriber of loopback in a process of its own: it runs the bench sub at the URL until
	// the track ends.
	Subscriber func(ctx context.Context, url string) (*Result, error)
	// Log, if set, gets the histogram of each interval's latencies.
	Log *hdrhistogram.HistogramLogWriter

	// Live, if set, gets each interval, but for a short one at the end.
	Live func(Interval)
	// Say gets what people want to know, a line at a time.
	Say func(format string, args ...any)
}

// Bounds of what can be asked for.
const (
	MaxObjectSize  = 256 << 20
	MaxSubscribers = 100_000
	maxStreams     = 4096
	maxRate        = 1e8
	MaxDuration    = 30 * 24 * time.Hour
)

// Prepare fills in what follows from the rest, such as the rate of a video, and says what cannot be.
func (l *Load) Prepare() error {
	if l.Video != "" {
		v, err := parseVideo(l.Video, l.GOP)
		if err != nil {
			return err
		}
		l.ObjectBytes, l.ObjectsPerGroup, l.RatePerS = v.mean(), uint64(len(v.frames)), v.rate
		l.GOP = cmp.Or(l.GOP, "ip")
	}
	switch {
	case l.ObjectBytes < MinObjectSize:
		return fmt.Errorf("object size %d: an object of a bench has at least %d bytes, for its number and its time",
			l.ObjectBytes, MinObjectSize)
	case l.ObjectBytes > MaxObjectSize:
		return fmt.Errorf("object size %d: at most %d bytes", l.ObjectBytes, MaxObjectSize)
	case l.ObjectsPerGroup < 1:
		return errors.New("objects per group: at least 1")
	case l.Streams < 1 || l.Streams > maxStreams:
		return fmt.Errorf("streams %d: from 1 to %d", l.Streams, maxStreams)
	case l.Streams > l.ObjectsPerGroup:
		return fmt.Errorf("streams %d: a group has only %d objects", l.Streams, l.ObjectsPerGroup)
	case !(l.RatePerS >= 0) || math.IsInf(l.RatePerS, 0) || l.RatePerS > maxRate:
		return fmt.Errorf("rate %v: from 0 (unpaced) to %.0f objects a second", l.RatePerS, maxRate)
	case l.Subscribers < 1 || l.Subscribers > MaxSubscribers:
		return fmt.Errorf("subscribers %d: from 1 to %d", l.Subscribers, MaxSubscribers)
	case l.Datagrams && l.Streams > 1:
		return errors.New("streams: datagrams have none")
	case l.Datagrams && l.Video != "":
		return errors.New("video: its pictures are too large for datagrams")
	case !slices.Contains([]Timestamps{NoTimestamps, LOCTimestamps, FrindellTimestamps, BothTimestamps},
		Timestamps(l.Timestamps)):
		return fmt.Errorf("timestamps %q: want loc, frindell or both", l.Timestamps)
	}
	return nil
}

// parameters are those of every request.
func (c *Config) parameters() (ps wire.Parameters) {
	if c.Token != "" {
		ps.Add(wire.Parameter{Type: wire.ParamAuthorizationToken,
			Token: wire.Token{AliasType: wire.TokenUseValue, Value: []byte(c.Token)}})
	}
	return ps
}

func (c *Config) say(format string, args ...any) {
	if c.Say != nil {
		c.Say(format, args...)
	}
}
