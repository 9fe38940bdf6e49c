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

// metrics are the current values of the counters. A gauge may fall below 0 for a moment while it is being counted; it
// then shows 0.
func (c *Counters) metrics() []metric {
	gauge := func(name, help string, v int64) metric { return metric{name, "gauge", help, uint64(max(0, v))} }
	count := func(name, help string, v uint64) metric { return metric{name + "_total", "counter", help, v} }
	return []metric{
		gauge("sessions", "Sessions, including those being set up.", c.Sessions.Load()),
		gauge("sessions_lobby", "Sessions without SETUP, or without a valid token where one is required.",
			c.Lobby.Load()),
		gauge("subscriptions", "Subscriptions of all sessions.", c.Subscriptions.Load()),
		gauge("tracks", "Tracks that are in use or have objects in the cache.", c.Tracks.Load()),
		gauge("cache_bytes", "Bytes of the objects in the cache.", c.CacheBytes.Load()),
		gauge("waiting_bytes", "Bytes of objects that left the cache and wait for subscribers.", c.WaitingBytes.Load()),
		count("requests", "Requests from clients.", c.Requests.Load()),
		count("requests_refused", "Requests that were refused.", c.Refused.Load()),
		count("objects_in", "Objects from publishers.", c.ObjectsIn.Load()),
		count("objects_duplicate", "Objects from publishers that the relay had already.", c.Duplicates.Load()),
		count("objects_out", "Objects sent to subscribers.", c.ObjectsOut.Load()),
		count("objects_fetched", "Objects sent in answer to FETCH and fills.", c.FetchedOut.Load()),
		count("payload_bytes_in", "Payload bytes from publishers.", c.BytesIn.Load()),
		count("payload_bytes_out", "Payload bytes sent to subscribers.", c.BytesOut.Load()),
		count("objects_evicted", "Objects that left the cache because it was full.", c.Evicted.Load()),
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
