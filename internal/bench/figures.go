package bench

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// spreads gathers times of which there are few.
type spreads struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

func newSpreads() *spreads { return &spreads{h: newHistogram()} }

// add takes nanoseconds.
func (s *spreads) add(ns int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.h.RecordValue(min(max(ns, 0), longestLatency)) // it fits
}

func (s *spreads) result() (*Spread, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return logged(s.h)
}

// mark is where counters stood at the end of an interval.
type mark struct {
	at             time.Time
	sent, received uint64
	bytes          uint64
	cpu            time.Duration
}

// begin begins the window.
func (r *running) begin() {
	r.start = time.Now()
	window := r.start.UTC()
	r.result.Window = &window
	r.cpu = processorTime()
	if r.PID != 0 {
		r.pidCPU, r.pidMemory, _ = pidUsage(r.PID) // it was there before; at the end its loss is told
	}
	_, _ = r.lat.lap(r.start, r.start, nil) // what came before
	r.mark = mark{at: r.start, cpu: r.cpu}
}

// lap ends an interval.
func (r *running) lap() {
	now := mark{at: time.Now(), cpu: processorTime()}
	if r.sender != nil {
		now.sent = r.sender.sent.Load()
	}
	r.mu.Lock()
	now.received, now.bytes = r.gone.received, r.gone.bytes
	for _, recv := range r.receivers {
		now.received += recv.objects.Load()
		now.bytes += recv.bytes.Load()
	}
	subscribers := len(r.receivers)
	r.mu.Unlock()
	seconds := now.at.Sub(r.mark.at).Seconds()
	const short = 0.001
	if seconds < short && now.received == r.mark.received && now.sent == r.mark.sent {
		return
	}
	i := Interval{AtS: now.at.Sub(r.start).Seconds(), Seconds: seconds, Sent: now.sent - r.mark.sent,
		Objects: now.received - r.mark.received, Subscribers: subscribers, CPUS: (now.cpu - r.mark.cpu).Seconds()}
	var err error
	if i.Latency, err = r.lat.lap(r.mark.at, now.at, r.Log); err != nil {
		r.stop(fmt.Errorf("write a histogram: %w", err))
	}
	seconds = max(seconds, short)
	i.ObjectsPerS = float64(i.Objects) / seconds
	i.GoodputMbps = float64(now.bytes-r.mark.bytes) * 8 / 1e6 / seconds
	resident, _ := residentMemory()
	i.MemoryMiB = mib(resident)
	if r.PID != 0 {
		if _, memory, err := pidUsage(r.PID); err == nil {
			r.pidMemory = max(r.pidMemory, memory)
		}
	}
	r.mark = now
	r.result.Intervals = append(r.result.Intervals, i)
	if r.Live != nil && i.Seconds >= r.Interval.Seconds()/2 { // the rate of what is left at the end says nothing
		r.Live(i)
	}
}

// forget drops a receiver that has ended, and keeps what it has got. The caller holds mu.
func (r *running) forget(recv *receiver) {
	r.gone.received += recv.objects.Load()
	r.gone.bytes += recv.bytes.Load()
	r.receivers = slices.DeleteFunc(r.receivers, func(x *receiver) bool { return x == recv })
}

// usage reads what the window has cost.
func (r *running) usage() {
	_, peak := residentMemory()
	r.result.CPU = &CPU{ProcessS: (processorTime() - r.cpu).Seconds()}
	r.result.Memory = &Memory{ProcessMiB: mib(peak)}
	own, size := r.result.CPU.ProcessS, r.result.Memory.ProcessMiB
	switch {
	case r.Bench == "pub", r.apart != nil:
		r.result.CPU.PublisherS, r.result.Memory.PublisherMiB = &own, &size
	case r.Bench == "sub":
		r.result.CPU.SubscriberS, r.result.Memory.SubscriberMiB = &own, &size
	}
	if r.PID == 0 {
		return
	}
	cpu, memory, err := pidUsage(r.PID)
	if err != nil {
		r.note("%v", err)
		return
	}
	seconds, most := (cpu - r.pidCPU).Seconds(), mib(max(memory, r.pidMemory))
	r.result.CPU.RelayS, r.result.Memory.RelayMiB = &seconds, &most
}

func (r *running) note(format string, args ...any) {
	r.result.Notes = append(r.result.Notes, fmt.Sprintf(format, args...))
}

// complete makes the figures of what was counted, when everything has ended.
func (r *running) complete() (err error) {
	r.result.DurationS = r.Duration.Seconds()
	total := int64(-1)
	if r.sender != nil {
		r.completeSent()
		total = int64(r.result.Sent.Objects)
	}
	if len(r.receivers) == 0 {
		return nil
	}
	r.completeReceived(total)
	if r.joins != nil {
		if r.result.Join, err = r.joins.result(); err != nil {
			return err
		}
	}
	return r.completeLatency()
}

func (r *running) completeSent() {
	s := r.sender
	sent := &Sent{Objects: s.sent.Load(), Bytes: s.bytes.Load(), Due: s.due}
	for _, recv := range r.receivers { // of the object whose write was cut a subscriber may have everything
		if s.stuck && recv.account.top == sent.Objects+1 {
			sent.Objects++
			break
		}
	}
	if sent.Due > sent.Objects {
		sent.Shortfall = sent.Due - sent.Objects
	}
	seconds := max(r.Duration, s.ended.Sub(r.start)).Seconds()
	sent.ObjectsPerS = float64(sent.Objects) / seconds
	sent.Mbps = float64(sent.Bytes) * 8 / 1e6 / seconds
	if s.stuck {
		r.note("the relay took nothing for %s at the end: the last write was cut", grace)
	}
	r.result.Sent = sent
}

func (r *running) completeReceived(total int64) {
	sum := &Received{}
	last, ended := r.start, 0
	for _, recv := range r.receivers {
		recv.result(sum, total)
		if at := recv.lastAt.Load(); at > 0 {
			if t := r.clock.base.Add(time.Duration(at - r.clock.at)); t.After(last) {
				last = t
			}
		}
		if recv.err != nil {
			if ended == 0 {
				r.note("a subscription ended before its time: %v", recv.err)
			}
			ended++
		}
		if recv.foreign && recv.report.MissingGroups > 0 {
			r.note("%d whole groups are missing, of unknown size", recv.report.MissingGroups)
		}
	}
	if ended > 1 {
		r.note("%d subscriptions ended before their time", ended)
	}
	sum.SecondsS = max(r.Duration, last.Sub(r.start)).Seconds()
	if r.Bench == "sub" {
		sum.SecondsS = last.Sub(r.start).Seconds()
	}
	if sum.SecondsS > 0 {
		sum.ObjectsPerS = float64(sum.Objects) / sum.SecondsS
		sum.GoodputMbps = float64(sum.Bytes) * 8 / 1e6 / sum.SecondsS
	}
	r.result.Received = sum
}

// completeLatency says where the latencies are from, or why there are none.
func (r *running) completeLatency() error {
	recv := r.receivers[0]
	why := "no object that tells its time has come"
	switch {
	case recv.foreign && recv.from == NoTimestamps:
		why = "the objects have no timestamps"
	case recv.foreign && recv.untimed > 0:
		why = "the publisher's clock is not ours: --clock-error says how near it is"
	case r.noExchange != nil:
		why = fmt.Sprintf("the publisher's clock is not ours, and it does not tell its time: %v", r.noExchange)
	case recv.untimed > 0:
		why = "the publisher's clock is not ours, and nothing came once it was known"
	}
	if err := r.latency(why); err != nil || r.result.Latency == nil {
		return err
	}
	l := r.result.Latency
	if recv.foreign {
		l.From = string(recv.from)
	}
	if o := recv.other.Load(); o != nil {
		apart := float64(o.ns) / 1e6
		l.Offset, l.Exchanges, l.ClockError = &apart, r.exchanges, float64(r.clockError(o))/1e6
		l.Clock = "two clocks, compared through the relay"
		if recv.untimed > 0 {
			r.note("%d objects came before the clocks were compared: they count, but have no latency", recv.untimed)
		}
	}
	if r.ClockError > 0 && (recv.foreign || recv.elsewhere.Load()) {
		l.Clock, l.ClockError = "two clocks, as near as --clock-error says", float64(r.ClockError)/1e6
	}
	return nil
}

// latency makes the figures of the latencies; why is to be said if there are none.
func (r *running) latency(why string) (err error) {
	l, err := r.lat.result()
	switch {
	case err != nil:
		return err
	case l == nil:
		r.result.NoLatency = why
		return nil
	}
	l.From, l.Clock, l.ClockError = "payload", "one clock on one host", float64(r.clock.resolution())/1e6
	if r.lat.early > 0 {
		r.note("%d objects came before they were sent, by these clocks; they count as 0", r.lat.early)
	}
	r.result.Latency = l
	return nil
}
