package reference

import (
	"bytes"
	"fmt"
)

// A metric is one number as Prometheus sees it.
type metric struct {
	name, kind, help string
	value            uint64
}

// metrics are the counters as they are now. A gauge that is being counted down and up may be below 0 for a moment; it
// is 0 then.
func (c *Counters) metrics() []metric {
	gauge := func(name, help string, v int64) metric { return metric{name, "gauge", help, uint64(max(0, v))} }
	count := func(name, help string, v uint64) metric { return metric{name + "_total", "counter", help, v} }
	return []metric{
		gauge("sessions", "Sessions that there are, those being set up among them.", c.Sessions.Load()),
		gauge("subscriptions", "Subscriptions of all sessions.", c.Subscriptions.Load()),
		gauge("tracks", "Tracks that are in use or have objects in the cache.", c.Tracks.Load()),
		gauge("cache_bytes", "Bytes of the objects in the cache.", c.CacheBytes.Load()),
		count("requests", "Requests that came.", c.Requests.Load()),
		count("requests_refused", "Requests that were refused.", c.Refused.Load()),
		count("objects_in", "Objects that came from publishers.", c.ObjectsIn.Load()),
		count("objects_duplicate", "Objects that came from publishers and were there already.", c.Duplicates.Load()),
		count("objects_out", "Objects that went to subscribers.", c.ObjectsOut.Load()),
		count("objects_fetched", "Objects that went to those who fetch.", c.FetchedOut.Load()),
		count("payload_bytes_in", "Bytes of payloads that came from publishers.", c.BytesIn.Load()),
		count("payload_bytes_out", "Bytes of payloads that went to subscribers.", c.BytesOut.Load()),
		count("objects_evicted", "Objects that left the cache for want of room.", c.Evicted.Load()),
		count("streams_too_far_behind", "Subgroup streams reset or never opened because a subscriber was too slow.",
			c.TooFarBehind.Load()),
		count("delivery_timeouts", "Subgroup streams reset and datagrams dropped for a delivery timeout.",
			c.TimedOut.Load()),
		count("datagrams_dropped", "Datagrams that could not be sent.", c.DatagramsDropped.Load()),
		count("objects_unencodable", "Objects that a subscriber's draft cannot express.", c.Unencodable.Load()),
		count("upstream_subscribes", "SUBSCRIBE requests made to publishers.", c.UpstreamSubscribes.Load()),
		count("upstream_fetches", "FETCH requests made to publishers.", c.UpstreamFetches.Load()),
	}
}

// AppendPrometheus appends the counters in the text format that Prometheus reads (version 0.0.4), each with HELP and
// TYPE and with a name that begins with moqt_relay_.
func (c *Counters) AppendPrometheus(b []byte) []byte {
	out := bytes.NewBuffer(b)
	for _, m := range c.metrics() {
		fmt.Fprintf(out, "# HELP moqt_relay_%[1]s %[2]s\n# TYPE moqt_relay_%[1]s %[3]s\nmoqt_relay_%[1]s %[4]d\n",
			m.name, m.help, m.kind, m.value)
	}
	return out.Bytes()
}
