package capture

import (
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// watcher looks for rules that the messages of a connection break between them; what one message breaks by itself, the
// codec finds. A nil one looks for nothing.
type watcher struct {
	d     *decoder
	setup [2]bool               // of client and server
	owner map[aliasKey]*request // whose alias it is
}

// breach names a rule; none where the draft does not have it.
func (w *watcher) breach(id rules.ID, format string, a ...any) []Breach {
	r, ok := rules.Find(id)
	section := rules.Section(w.d.draft, id)
	if !ok || section == "" {
		return nil
	}
	return []Breach{{Rule: id, Section: fmt.Sprintf("%s %s", w.d.draft, section), Says: r.Says,
		Found: fmt.Sprintf(format, a...)}}
}

// codec is the rule that an error of the codec names.
func (w *watcher) codec(e *wire.Error) []Breach {
	if w == nil || e.Rule == "" {
		return nil
	}
	return w.breach(e.Rule, "%s", e.Reason)
}

func side(server bool) (name string, index int) {
	if server {
		return "server", 1
	}
	return "client", 0
}

// told looks at a message, before what it tells is kept.
func (w *watcher) told(s *stream, m wire.Message) (all []Breach) {
	name, i := side(s.key.server)
	if _, ok := m.(*wire.Setup); ok {
		if w.setup[i] {
			all = w.breach(rules.Setup, "a second SETUP of the %s", name)
		}
		w.setup[i] = true
		return all
	}
	if s.on == "control" && !w.setup[i] {
		all = append(all, w.breach(rules.Setup, "%s before the SETUP of the %s", wire.NameOf(w.d.draft, m), name)...)
	}
	if id, ok := opens(m); ok {
		all = append(all, w.id(s, id, m)...)
	}
	switch x := m.(type) {
	case *wire.RequestOK:
		all = append(all, w.answer(s, x.RequestID, m)...)
	case *wire.RequestError:
		all = append(all, w.answer(s, x.RequestID, m)...)
	case *wire.FetchOK:
		all = append(all, w.answer(s, x.RequestID, m)...)
	case *wire.SubscribeOK:
		r := w.answered(s, x.RequestID)
		all = append(all, w.answer(s, x.RequestID, m)...)
		all = append(all, w.alias(aliasKey{s.key.server, x.TrackAlias}, r, rules.TrackAliasDuplicate)...)
	case *wire.Publish:
		r := &request{kind: m.Kind(), track: wire.NameText(x.TrackNamespace, x.TrackName)}
		all = append(all, w.alias(aliasKey{s.key.server, x.TrackAlias}, r, rules.PublishAliasDuplicate)...)
	}
	return all
}

// opens is the Request ID of a message that has one of its own.
func opens(m wire.Message) (id uint64, ok bool) {
	switch x := m.(type) {
	case *wire.Subscribe:
		return x.RequestID, true
	case *wire.TrackStatus:
		return x.RequestID, true
	case *wire.Publish:
		return x.RequestID, true
	case *wire.Fetch:
		return x.RequestID, true
	case *wire.PublishNamespace:
		return x.RequestID, true
	case *wire.SubscribeNamespace:
		return x.RequestID, true
	case *wire.SubscribeTracks:
		return x.RequestID, true
	}
	return 0, false
}

// id looks at a new Request ID: the client's are even, the server's odd, and none comes twice.
func (w *watcher) id(s *stream, id uint64, m wire.Message) []Breach {
	name, i := side(s.key.server)
	what := wire.NameOf(w.d.draft, m)
	if id%2 != uint64(i) {
		return w.breach(rules.RequestIDParity, "%s of the %s has the Request ID %d", what, name, id)
	}
	if w.d.requests[id] != nil {
		return w.breach(rules.RequestIDParity, "%s has the Request ID %d, which was used before", what, id)
	}
	return nil
}

// answered is the request that a response on a stream answers; nil where it answers an update, or where it is not
// known.
func (w *watcher) answered(s *stream, id uint64) *request {
	var r *request
	if w.d.draft <= wire.Draft16 {
		r = w.d.requests[id]
	} else if other := w.d.streams[streamKey{s.key.id, !s.key.server}]; other != nil {
		r = other.request
		if other.updates {
			return nil
		}
	}
	if r == nil || r.kind == wire.KindRequestUpdate || r.server == s.key.server {
		return nil
	}
	return r
}

// answer looks at a response: one for each request.
func (w *watcher) answer(s *stream, id uint64, m wire.Message) []Breach {
	r := w.answered(s, id)
	if r == nil {
		return nil
	}
	if r.answered {
		return w.breach(rules.SecondAnswer, "%s is a second answer to %s", wire.NameOf(w.d.draft, m), r.kind)
	}
	r.answered = true
	return nil
}

// owns keeps whose alias it is.
func (w *watcher) owns(key aliasKey, r *request) {
	if w == nil {
		return
	}
	if w.owner == nil {
		w.owner = make(map[aliasKey]*request)
	}
	w.owner[key] = r
}

// alias looks at a Track Alias that a publisher binds: one that is in use stands for one track.
func (w *watcher) alias(key aliasKey, r *request, rule rules.ID) []Breach {
	if r == nil {
		return nil
	}
	before := w.owner[key]
	w.owns(key, r)
	if before != nil && !before.over && before.track != r.track {
		return w.breach(rule, "the alias %d stands for %s already", key.alias, before.track)
	}
	return nil
}
