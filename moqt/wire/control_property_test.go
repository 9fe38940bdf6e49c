package wire

import (
	"encoding/json"
	"errors"
	"flag"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// generator draws valid values for one draft.
type generator struct {
	t *rapid.T
	d Draft
}

func (g generator) uint(label string) uint64 {
	edges := []uint64{0, 1, 63, 64, 127, 128, 16383, 16384, 1 << 21, 1 << 28, 1<<30 - 1, 1 << 30, 1 << 35, 1 << 42,
		1 << 49, 1 << 56, g.d.MaxVarint()}
	if rapid.Bool().Draw(g.t, label+" edge") {
		v := rapid.SampledFrom(edges).Draw(g.t, label)
		return min(v, g.d.MaxVarint())
	}
	return rapid.Uint64Max(g.d.MaxVarint()).Draw(g.t, label)
}

func (g generator) text(label string) string {
	return string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(g.t, label))
}

func (g generator) namespace(label string, min int) TrackNamespace {
	n := TrackNamespace{}
	for range rapid.IntRange(min, 5).Draw(g.t, label+" fields") {
		n = append(n, "f"+g.text(label))
	}
	return n
}

func (g generator) location(label string) Location {
	return Location{g.uint(label + " group"), g.uint(label + " object")}
}

func (g generator) token() Token {
	t := Token{AliasType: AliasType(rapid.Uint64Max(3).Draw(g.t, "alias type"))}
	if t.AliasType != TokenUseValue {
		t.Alias = g.uint("alias")
	}
	if t.AliasType == TokenRegister || t.AliasType == TokenUseValue {
		t.Type, t.Value = g.uint("token type"), []byte(g.text("token"))
	}
	return t
}

func (g generator) filter() LocationFilter {
	forms := []FilterForm{FilterRelative, FilterNextObject, FilterAbsoluteStart, FilterGroupEnd}
	if g.d >= Draft20 {
		forms = append(forms, FilterNone, FilterRange)
	}
	f := LocationFilter{Form: rapid.SampledFrom(forms).Draw(g.t, "form")}
	switch f.Form {
	case FilterRelative:
		if g.d >= Draft20 {
			f.StartGroup = g.uint("relative")
		}
	case FilterAbsoluteStart, FilterGroupEnd, FilterRange:
		f.StartGroup, f.StartObject = g.uint("start group"), g.uint("start object")
		if f.Form == FilterAbsoluteStart && f.StartGroup == 0 && f.StartObject == 0 {
			f.StartObject = 1 // 20-21 cannot say {0,0} without an end
		}
		if f.Form != FilterAbsoluteStart {
			f.EndGroup = f.StartGroup + rapid.Uint64Max(g.d.MaxVarint()-f.StartGroup).Draw(g.t, "delta")
		}
		if f.Form == FilterRange {
			f.EndObject = g.uint("end object")
		}
	}
	return f
}

func (g generator) ranges(t ParameterType) RangeFilter {
	f := RangeFilter{SetID: rapid.Byte().Draw(g.t, "set")}
	if t.hasPropertyType() {
		f.PropertyType = g.uint("property") &^ 1
	}
	var at uint64
	for range rapid.IntRange(1, 4).Draw(g.t, "ranges") {
		r := Range{Start: at + rapid.Uint64Max(9).Draw(g.t, "start")}
		r.End = r.Start + rapid.Uint64Max(9).Draw(g.t, "end")
		at = r.End
		f.Ranges = append(f.Ranges, r)
	}
	if last := &f.Ranges[len(f.Ranges)-1]; rapid.Bool().Draw(g.t, "open") {
		last.Open, last.End = true, 0
	}
	return f
}

// parameters draws a subset of what may stand in the place, in wire order.
func (g generator) parameters(where place) Parameters {
	var ps Parameters
	for _, r := range parameterRows {
		if r.first > g.d || g.d > r.last || r.where&where == 0 || !rapid.Bool().Draw(g.t, r.name) {
			continue
		}
		p := Parameter{Type: r.t}
		switch r.enc {
		case encVarint, encUint8:
			p.Uint = g.uint(r.name)
			if r.enc == encUint8 {
				p.Uint = uint64(uint8(p.Uint))
			}
			if r.max > 0 {
				p.Uint = r.min + p.Uint%(r.max-r.min+1)
			}
			p.Uint = max(p.Uint, r.min)
		case encLocation:
			p.Location = g.location(r.name)
		case encToken:
			p.Token = g.token()
		case encFilter:
			p.Filter = g.filter()
		case encRanges:
			p.Ranges = g.ranges(r.t)
		case encNamespace:
			p.Namespace = g.namespace(r.name, 0)
		case encInner:
			p.Inner = g.parameters(inFP)
		}
		ps.Add(p)
	}
	return ps
}

// fixed draws what 14 has as fields; it is never absent there.
func (g generator) fixed(ps *Parameters, types ...ParameterType) {
	if g.d != Draft14 {
		return
	}
	for _, t := range types {
		switch t {
		case ParamSubscriberPriority:
			ps.SetUint(t, uint64(rapid.Byte().Draw(g.t, "priority")))
		case ParamGroupOrder:
			ps.SetUint(t, rapid.Uint64Range(1, 2).Draw(g.t, "order"))
		case ParamForward:
			ps.SetUint(t, rapid.Uint64Max(1).Draw(g.t, "forward"))
		case ParamLocationFilter:
			ps.SetFilter(g.filter())
		case ParamExpires:
			ps.SetUint(t, 1+rapid.Uint64Max(1e6).Draw(g.t, "expires"))
		case ParamLargestObject:
			if rapid.Bool().Draw(g.t, "content exists") {
				ps.SetLargest(g.location("largest"))
			}
		}
	}
}

func (g generator) properties() Properties {
	if g.d <= Draft15 {
		return nil
	}
	var p Properties
	if rapid.Bool().Draw(g.t, "property 4") {
		p = append(p, Property{Type: PropMaxCacheDuration, Uint: g.uint("cache")})
	}
	if rapid.Bool().Draw(g.t, "property 3801") {
		p = append(p, Property{Type: 0x3801, Bytes: []byte(g.text("property"))})
	}
	return p
}

// message draws a message for one row of the table.
func (g generator) message(r *row) Message {
	opens := TrackNamespace(nil)
	minimum := 0
	if g.d <= Draft16 {
		minimum = 1
	}
	opens = g.namespace("namespace", minimum)
	prefix := g.namespace("prefix", min(minimum, 1))
	ps := g.parameters(placeOf(r, nil))
	id := g.uint("request id")
	var required uint64
	if g.d == Draft17 {
		required = rapid.Uint64Max(id/2).Draw(g.t, "required")
	}
	response := uint64(0)
	if g.d <= Draft16 {
		response = id
	}
	switch m := r.message(KindNone).(type) {
	case *Setup:
		if g.d == Draft14 && m.Sender == ClientSide {
			m.Versions = []uint64{g.uint("version")}
		}
		if g.d == Draft14 && m.Sender == ServerSide {
			m.SelectedVersion = g.uint("version")
		}
		if m.Sender != ServerSide {
			m.Options = append(m.Options, Property{Type: OptionPath, Bytes: []byte("/moq?x=1")})
		}
		m.Options = append(m.Options, Property{Type: OptionMaxAuthTokenCacheSize, Uint: g.uint("cache")},
			Property{Type: OptionImplementation, Bytes: []byte(g.text("implementation"))},
			Property{Type: 0x1234, Uint: g.uint("unknown")},
			Property{Type: 0x1235, Bytes: []byte(g.text("unknown"))})
		return m
	case *Goaway:
		m.NewSessionURI = g.text("uri")
		if g.d >= Draft17 {
			m.Timeout = g.uint("timeout")
		}
		if g.d == Draft18 {
			m.RequestID = id
		}
		return m
	case *MaxRequestID:
		m.MaxRequestID = id
		return m
	case *RequestsBlocked:
		m.MaximumRequestID = id
		return m
	case *RequestOK:
		m.RequestID = response
		if g.d == Draft14 {
			if m.Answers == KindPublish {
				m.Parameters = ps
				g.fixed(&m.Parameters, ParamForward, ParamSubscriberPriority, ParamGroupOrder, ParamLocationFilter)
			}
			if m.Answers == KindTrackStatus {
				m.Parameters = ps
				g.fixed(&m.Parameters, ParamExpires, ParamGroupOrder, ParamLargestObject)
			}
			return m
		}
		m.Parameters = ps
		if g.d >= Draft18 {
			m.Properties = g.properties()
		}
		return m
	case *RequestError:
		m.RequestID, m.Code, m.Reason = response, g.uint("code"), g.text("reason")
		if g.d >= Draft16 {
			m.RetryInterval = g.uint("retry")
		}
		if g.d >= Draft18 && (m.Code == codeRedirect || rapid.Bool().Draw(g.t, "redirect")) {
			m.Code, m.Redirect = codeRedirect, &Redirect{g.text("uri"), g.namespace("to", 0), g.text("name")}
		}
		return m
	case *Subscribe:
		g.fixed(&ps, ParamSubscriberPriority, ParamGroupOrder, ParamForward, ParamLocationFilter)
		return &Subscribe{id, required, opens, g.text("name"), ps}
	case *TrackStatus:
		g.fixed(&ps, ParamSubscriberPriority, ParamGroupOrder, ParamForward, ParamLocationFilter)
		return &TrackStatus{id, required, opens, g.text("name"), ps}
	case *SubscribeOK:
		g.fixed(&ps, ParamExpires, ParamGroupOrder, ParamLargestObject)
		return &SubscribeOK{response, g.uint("alias"), ps, g.properties()}
	case *RequestUpdate:
		g.fixed(&ps, ParamSubscriberPriority, ParamForward)
		if g.d == Draft14 {
			f := g.filter()
			if f.Form != FilterGroupEnd || f.EndGroup == 1<<62-1 {
				f = LocationFilter{Form: FilterAbsoluteStart, StartGroup: f.StartGroup, StartObject: f.StartObject}
			}
			ps.SetFilter(f)
		}
		existing := uint64(0)
		if g.d <= Draft16 {
			existing = g.uint("existing")
		}
		return &RequestUpdate{id, required, existing, ps}
	case *Unsubscribe:
		return &Unsubscribe{id}
	case *Publish:
		g.fixed(&ps, ParamGroupOrder, ParamLargestObject, ParamForward)
		return &Publish{id, required, opens, g.text("name"), g.uint("alias"), ps, g.properties()}
	case *PublishDone:
		return &PublishDone{response, g.uint("status"), g.uint("count"), g.text("reason")}
	case *PublishStateNotify:
		return &PublishStateNotify{ps}
	case *Fetch:
		g.fixed(&ps, ParamSubscriberPriority, ParamGroupOrder)
		f := &Fetch{RequestID: id, RequiredRequestIDDelta: required, Parameters: ps}
		if g.d <= Draft19 {
			f.Type = FetchType(rapid.Uint64Range(1, 3).Draw(g.t, "type"))
		}
		if f.Type <= FetchStandalone {
			f.TrackNamespace, f.TrackName = opens, g.text("name")
		}
		if f.Type == FetchStandalone {
			f.Start, f.End = g.location("start"), g.location("end")
		}
		if f.Type > FetchStandalone {
			f.JoiningRequestID, f.JoiningStart = g.uint("joining"), g.uint("start")
		}
		return f
	case *FetchOK:
		g.fixed(&ps, ParamGroupOrder)
		return &FetchOK{response, rapid.Byte().Draw(g.t, "end of track"), g.location("end"), ps, g.properties()}
	case *FetchCancel:
		return &FetchCancel{id}
	case *PublishNamespace:
		return &PublishNamespace{id, required, opens, ps}
	case *PublishNamespaceDone:
		if g.d == Draft16 {
			return &PublishNamespaceDone{RequestID: id}
		}
		return &PublishNamespaceDone{TrackNamespace: opens}
	case *PublishNamespaceCancel:
		if g.d == Draft16 {
			return &PublishNamespaceCancel{RequestID: id, Code: g.uint("code"), Reason: g.text("reason")}
		}
		return &PublishNamespaceCancel{TrackNamespace: opens, Code: g.uint("code"), Reason: g.text("reason")}
	case *SubscribeNamespace:
		m = &SubscribeNamespace{RequestID: id, RequiredRequestIDDelta: required, Prefix: prefix, Parameters: ps}
		if g.d == Draft16 || g.d == Draft17 {
			m.Options = g.uint("options")
		}
		return m
	case *UnsubscribeNamespace:
		if g.d == Draft14 {
			return &UnsubscribeNamespace{Prefix: opens}
		}
		return &UnsubscribeNamespace{RequestID: id}
	case *SubscribeTracks:
		return &SubscribeTracks{id, prefix, ps}
	case *Namespace:
		return &Namespace{prefix}
	case *NamespaceDone:
		return &NamespaceDone{prefix}
	case *PublishSkipped:
		return &PublishSkipped{prefix, g.text("name")}
	}
	g.t.Fatalf("no generator for %s", r.name)
	return nil
}

// eachRow runs f for every message of every draft.
func eachRow(t *testing.T, f func(t *testing.T, d Draft, r *row)) {
	for d := Oldest; d <= Newest; d++ {
		for i := range rows {
			if r := &rows[i]; r.first <= d && d <= r.last {
				t.Run(d.String()+"/"+r.name, func(t *testing.T) { f(t, d, r) })
			}
		}
	}
}

// streamOf gives a stream that the message may stand on.
func streamOf(d Draft, r *row) StreamKind {
	if r.mayStand(d, ControlStream) {
		return ControlStream
	}
	return RequestStream
}

// fewerChecks lets a property that runs once per message and draft draw n times each, unless the flag says otherwise.
func fewerChecks(t *testing.T, n string) {
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Value.Set(f.DefValue) })
}

func TestEveryMessageEveryDraft(t *testing.T) {
	fewerChecks(t, "20")
	eachRow(t, func(t *testing.T, d Draft, r *row) {
		stream := streamOf(d, r)
		rapid.Check(t, func(t *rapid.T) {
			m := generator{t, d}.message(r)
			b, err := AppendMessage(nil, d, m, stream)
			if err != nil {
				t.Fatalf("encode %+v: %v", m, err)
			}
			got, n, err := ParseMessage(append(slices.Clone(b), 0xAA), d, stream, Options{})
			if err != nil || n != len(b) {
				t.Fatalf("decode %x: took %d of %d: %v", b, n, len(b), err)
			}
			options := []cmp.Option{cmpopts.EquateEmpty()}
			if d == Draft14 { // its fixed fields come before its parameters; the struct's order is by type
				options = append(options, cmpopts.SortSlices(func(a, b Parameter) bool { return a.Type < b.Type }))
			}
			if diff := cmp.Diff(m, got, options...); diff != "" {
				t.Fatalf("decode(encode(m)) differs:\n%s", diff)
			}
			checkDescription(t, d, got, stream, b)
			cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
			if _, _, err := ParseMessage(b[:cut], d, stream, Options{}); !errors.Is(err, ErrTruncated) {
				t.Fatalf("%d of %d bytes: want ErrTruncated, got %v", cut, len(b), err)
			}
			checkLength(t, d, b, stream)
		})
	})
}

// checkDescription: the description goes through JSON and comes back as the same bytes.
func checkDescription(t *rapid.T, d Draft, m Message, stream StreamKind, want []byte) {
	name, _, fields, err := Describe(d, m, stream)
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	var back Fields
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	m2, err := MessageFromFields(d, name, back, stream)
	if err != nil {
		t.Fatalf("from %s: %v", text, err)
	}
	b, err := AppendMessage(nil, d, m2, stream)
	if err != nil || string(b) != string(want) {
		t.Fatalf("%s encodes as %x, want %x: %v", text, b, want, err)
	}
}

// checkLength: a Message Length one too large, with a byte behind the fields, is refused unless that byte means
// something.
func checkLength(t *rapid.T, d Draft, b []byte, stream StreamKind) {
	code, body, _, _, err := Frame(b, d)
	if err != nil || len(body) == 0 {
		return
	}
	short, err := appendFrame(nil, d, code, body[:len(body)-1])
	if err != nil {
		t.Fatal(err)
	}
	if m, _, err := ParseMessage(short, d, stream, Options{}); err == nil {
		// Only values that run to the end of the body can lose a byte and still be whole.
		again, err := AppendMessage(nil, d, m, stream)
		if err != nil || string(again) != string(short) {
			t.Fatalf("a body cut by a byte decodes and does not encode back: %x, %v", short, err)
		}
	} else if e := (*Error)(nil); !errors.As(err, &e) || errors.Is(err, ErrTruncated) || e.Offset > len(short) {
		t.Fatalf("want a breach with an offset inside the message, got %v", err)
	}
}
