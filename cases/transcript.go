package cases

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A transcript keeps the first and the last lines of a case, and counts those between. A line is cut at maxLine bytes.
const (
	firstLines = 100
	lastLines  = 100
	maxLine    = 400
)

// transcript is the decoded messages of all sessions of a case, in order of time. Safe for concurrent use.
type transcript struct {
	start time.Time

	mu    sync.Mutex
	first []string
	last  []string // a ring once it is full; next is its oldest line
	next  int
	lost  int
}

// add appends a line.
func (t *transcript) add(at time.Time, role, text string) {
	line := fmt.Sprintf("+%dms %s %s", at.Sub(t.start).Milliseconds(), role, text)
	if len(line) > maxLine {
		line = line[:maxLine] + " …"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.first) < firstLines:
		t.first = append(t.first, line)
	case len(t.last) < lastLines:
		t.last = append(t.last, line)
	default:
		t.last[t.next] = line
		t.next = (t.next + 1) % lastLines
		t.lost++
	}
}

// lines gives the lines that were kept.
func (t *transcript) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(t.first)
	if t.lost > 0 {
		all = append(all, fmt.Sprintf("… %d lines left out …", t.lost))
	}
	return append(append(all, t.last[t.next:]...), t.last[:t.next]...)
}

// sessionLog is one session's part of the transcript, and what is needed to say what a silent peer did last. Safe for
// concurrent use.
type sessionLog struct {
	e    *Env
	role string

	mu                 sync.Mutex
	sent, received     string // the last message that wants an answer, and the last that came; by name
	sentAt, receivedAt time.Time
	receivedBehind     int64           // how many objects the case had seen when that came
	reset              string          // the last RESET_STREAM on a data stream
	done               string          // the last PUBLISH_DONE that says anything but TRACK_ENDED
	behind             string          // how the peer first gave up a subscriber of ours
	headless           int             // data streams that ended before their header was whole
	maxRequestID       uint64          // the peer's, 14-16
	objects            int             // subgroup streams and datagrams that came
	fins               map[uint64]bool // of requests whose stream the peer has ended with FIN, by id
	traffic            *traffic
}

// event is moqt.Config.Trace.
func (l *sessionLog) event(ev moqt.Event) {
	l.e.transcript.add(ev.Time, l.role, l.e.hide(EventText(ev)))
	l.mu.Lock()
	defer l.mu.Unlock()
	what := eventName(ev)
	l.count(ev)
	if l.behind == "" {
		l.behind = behindText(ev)
	}
	if ev.Type == moqt.EventReset && !ev.Sent && ev.Stream == wire.UniStream {
		l.reset = describeEvent(ev)
		if ev.Subgroup == nil {
			l.headless++
		}
	}
	if ev.Type == moqt.EventFin && !ev.Sent && ev.Stream == wire.RequestStream {
		if l.fins == nil {
			l.fins = map[uint64]bool{}
		}
		l.fins[ev.RequestID] = true
	}
	if !ev.Sent && (ev.Type == moqt.EventSubgroup || ev.Type == moqt.EventDatagram) {
		l.objects++
	}
	switch {
	case what == "", ev.Sent && !wantsAnswer(ev.Message):
	case ev.Sent:
		l.sent, l.sentAt = what, ev.Time
		if l.e.cfg.NoRequestLimit && ev.Type == moqt.EventMessage && ev.Draft <= wire.Draft16 &&
			ev.Message.Kind().Opens() && ev.RequestID >= l.maxRequestID {
			l.e.tolerate(NoRequestLimit, fmt.Sprintf("%s with request id %d, MAX_REQUEST_ID is %d", what, ev.RequestID,
				l.maxRequestID))
		}
	default:
		l.received, l.receivedAt, l.receivedBehind = what, ev.Time, l.e.arrivals.Load()
		switch m := ev.Message.(type) {
		case *wire.PublishDone:
			code := wire.PublishDoneCode(m.StatusCode)
			if name, _ := code.Meaning(ev.Draft); name != wire.NameTrackEnded {
				l.done = what + " with " + code.In(ev.Draft)
			}
		case *wire.MaxRequestID:
			l.maxRequestID = m.MaxRequestID
		case *wire.Setup:
			if p, ok := m.Options.Get(wire.OptionMaxRequestID); ok {
				l.maxRequestID = p.Uint
			}
		}
	}
}

// count informs the clock of requests, and the traffic of what the peer's streams carry.
func (l *sessionLog) count(ev moqt.Event) {
	switch {
	case ev.Sent && wantsAnswer(ev.Message) && ev.Message.Kind() != wire.KindSetup: // which has its own time
		l.e.clock.step()
	case ev.Sent || l.traffic == nil:
	case ev.Type == moqt.EventSubgroup && ev.Subgroup != nil:
		l.traffic.header(ev.StreamID, ev.Subgroup.GroupID, ev.Subgroup.SubgroupID)
	case ev.Type == moqt.EventFetch:
		l.traffic.fetch(ev.StreamID)
	case ev.Type == moqt.EventMessage:
		l.traffic.message(ev.StreamID)
	}
}

// objectsBefore is how many objects the case had seen, of all its sessions, when the last message came on this one. The
// reader of messages counts, since a case that waits may be woken long after.
func (s *Session) objectsBefore() int64 {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.receivedBehind
}

// DataSeen is how many subgroup streams and datagrams have come on the session, of any track, wanted or not.
func (s *Session) DataSeen() int {
	l := s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.objects
}

// ended reports whether the peer has ended the stream of a request with FIN.
func (l *sessionLog) ended(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fins[id]
}

// headlessStreams is how many data streams the peer reset before their header could be read. Nobody can know what they
// were for.
func (l *sessionLog) headlessStreams() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.headless
}

// wantsAnswer reports whether the peer must answer a message of ours.
func wantsAnswer(m wire.Message) bool {
	if m == nil {
		return false
	}
	return m.Kind().Opens() || m.Kind() == wire.KindSetup || m.Kind() == wire.KindRequestUpdate
}

// silence says what was last seen of a peer that did not do what the case waited for.
func (l *sessionLog) silence(now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, after := l.sentAt, l.sent
	if after == "" {
		since, after = l.e.start, "the start"
	}
	text := fmt.Sprintf("nothing for %d ms after %s", now.Sub(since).Milliseconds(), after)
	switch {
	case l.received == "":
		text += ", and no message before"
	case l.receivedAt.After(since):
		text = fmt.Sprintf("none for %d ms after %s; the last message from the peer was %s, %d ms ago",
			now.Sub(since).Milliseconds(), after, l.received, now.Sub(l.receivedAt).Milliseconds())
	default:
		text += "; the last message before it was " + l.received
	}
	return text + l.resetText()
}

// stall says how long a peer has been quiet after it had begun to send.
func (l *sessionLog) stall(now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.received == "" {
		return "nothing at all" + l.resetText()
	}
	return fmt.Sprintf("nothing new for %d ms, the last message or stream was %s%s",
		now.Sub(l.receivedAt).Milliseconds(), l.received, l.resetText())
}

// resetText describes a data stream that was reset. The reset may have overtaken the header, which says what the stream
// was for. The caller holds mu.
func (l *sessionLog) resetText() string {
	if l.reset == "" {
		return ""
	}
	return "; " + l.reset + " came"
}

// ends says how subscriptions of the session ended if they did not end well: with a reset, or with PUBLISH_DONE for
// another reason than the end of the track.
func (l *sessionLog) ends() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.resetText()
	if l.done != "" {
		text += "; " + l.done + " came"
	}
	return text
}

// doneText is the last PUBLISH_DONE for another reason than the end of the track.
func (l *sessionLog) doneText() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == "" {
		return ""
	}
	return "; " + l.done + " came"
}

// eventName is the message or header of an event, "" for other events.
func eventName(ev moqt.Event) string {
	switch ev.Type {
	case moqt.EventMessage:
		if ev.Message != nil {
			return wire.NameOf(ev.Draft, ev.Message)
		}
	case moqt.EventSubgroup:
		return "SUBGROUP_HEADER"
	case moqt.EventFetch:
		return "FETCH_HEADER"
	case moqt.EventDatagram:
		return "OBJECT_DATAGRAM"
	}
	return ""
}

// EventText is one line for an event, without the values of tokens: "-> SUBSCRIBE {…}", "<- RESET_STREAM stream 4 0x1
// CANCELLED".
func EventText(ev moqt.Event) string {
	arrow := "<- "
	if ev.Sent {
		arrow = "-> "
	}
	text := arrow + describeEvent(ev)
	if ev.Err != nil {
		text += ": " + ev.Err.Error()
	}
	return text
}

// hidden replaces the value of an authorization token.
const hidden = "(token)"

// withoutTokens gives fields without the values of authorization tokens, whoever sent them.
func withoutTokens(fields wire.Fields) wire.Fields {
	out := slices.Clone(fields)
	for i, f := range out {
		switch v := f.Value.(type) {
		case wire.Fields:
			out[i].Value = withoutTokens(v)
		case []any:
			list := slices.Clone(v)
			for j, x := range list {
				if inner, ok := x.(wire.Fields); ok {
					list[j] = withoutTokens(inner)
				}
			}
			out[i].Value = list
		}
		if f.Name == "token_value" {
			out[i].Value = hidden
		}
	}
	return out
}

func describeEvent(ev moqt.Event) string {
	switch ev.Type {
	case moqt.EventMessage:
		if ev.Message == nil {
			return fmt.Sprintf("message 0x%x (%d bytes)", ev.MessageType, ev.Bytes)
		}
		return messageText(ev.Draft, ev.Message, ev.Stream)
	case moqt.EventSubgroup:
		h := ev.Subgroup
		if h == nil {
			return "SUBGROUP_HEADER"
		}
		return fmt.Sprintf("SUBGROUP_HEADER stream %d track alias %d group %d subgroup %d priority %d", ev.StreamID,
			h.TrackAlias, h.GroupID, h.SubgroupID, h.Priority)
	case moqt.EventFetch:
		return fmt.Sprintf("FETCH_HEADER stream %d request %d", ev.StreamID, ev.RequestID)
	case moqt.EventDatagram:
		return fmt.Sprintf("OBJECT_DATAGRAM track alias %d %s (%d bytes)", ev.TrackAlias, ev.Location, ev.Bytes)
	case moqt.EventFin:
		return fmt.Sprintf("FIN stream %d", ev.StreamID)
	case moqt.EventReset:
		return fmt.Sprintf("RESET_STREAM stream %d %s", ev.StreamID, wire.ResetCode(ev.Code).In(ev.Draft))
	case moqt.EventStop:
		return fmt.Sprintf("STOP_SENDING stream %d %s", ev.StreamID, wire.ResetCode(ev.Code).In(ev.Draft))
	}
	return ev.Type.String()
}

// messageText is a message's name and fields, without the values of tokens.
func messageText(d wire.Draft, m wire.Message, stream wire.StreamKind) string {
	name, _, fields, err := wire.Describe(d, m, stream)
	if err != nil {
		return name
	}
	text, err := withoutTokens(fields).MarshalJSON()
	if err != nil {
		return name
	}
	return fmt.Sprintf("%s %s", name, text)
}
