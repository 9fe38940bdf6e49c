package moqt

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ruleTest is a breach that a peer commits, and the code that the drafts name for it.
type ruleTest struct {
	name        string
	first, last wire.Draft
	// from limits which side breaks the rule; NoSide is both.
	from wire.Side
	cfg  Config
	act  func(p *rawPeer)
	code wire.SessionError
	says string // part of the reason, %s is the draft
}

func runRules(t *testing.T, tests []ruleTest, prepare func(t *testing.T, d wire.Draft, from wire.Side,
	r ruleTest) *rawPeer) {
	for _, r := range tests {
		for d := max(r.first, wire.Oldest); d <= wire.Newest && (r.last == 0 || d <= r.last); d++ {
			for _, from := range []wire.Side{wire.ClientSide, wire.ServerSide} {
				if r.from != wire.NoSide && r.from != from {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", r.name, d, from), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := prepare(t, d, from, r)
						r.act(p)
						e := p.closed(r.code)
						if e.Reason == "" {
							t.Error("closed without a reason")
						}
						if says := strings.ReplaceAll(r.says, "%s", d.String()); !strings.Contains(e.Reason, says) {
							t.Errorf("%q, want %q", e.Reason, says)
						}
					})
				})
			}
		}
	}
}

// subscribed makes the peer send a SUBSCRIBE that the session accepts.
func (p *rawPeer) subscribed(m *wire.Subscribe, ok *wire.SubscribeOK) (*Publication, transport.Stream) {
	p.t.Helper()
	stream := p.request(m)
	r, err := p.session.AcceptRequest(p.ctx)
	noError(p.t, err)
	pub, err := r.AcceptSubscribe(p.ctx, ok)
	noError(p.t, err)
	settle()
	return pub, stream
}

// largest is a SUBSCRIBE_OK with LARGEST_OBJECT.
func largest(group, object uint64) *wire.SubscribeOK {
	ok := &wire.SubscribeOK{}
	ok.Parameters.SetLargest(wire.Location{Group: group, Object: object})
	return ok
}

// filtered is a parameter list with a location filter.
func filtered(f wire.LocationFilter) (ps wire.Parameters) {
	ps.SetFilter(f)
	return ps
}

// uint1 is a parameter list with one integer.
func uint1(t wire.ParameterType, v uint64) (ps wire.Parameters) {
	ps.SetUint(t, v)
	return ps
}

// tokens is a parameter list of tokens.
func tokens(ts ...wire.Token) (ps wire.Parameters) {
	for _, t := range ts {
		ps.Add(wire.Parameter{Type: wire.ParamAuthorizationToken, Token: t})
	}
	return ps
}

func (p *rawPeer) subscribe(i uint64, ps wire.Parameters) *wire.Subscribe {
	return &wire.Subscribe{RequestID: p.id(i), TrackNamespace: testNS, TrackName: fmt.Sprint("track", i),
		Parameters: ps}
}

// update is an update of the peer's with its i-th id, of request existing.
func (p *rawPeer) update(i, existing uint64, ps wire.Parameters) *wire.RequestUpdate {
	if _, ok := ps.Filter(); !ok && p.draft == wire.Draft14 {
		ps = ps.Clone()
		ps.SetFilter(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 9, StartObject: 9})
	}
	return &wire.RequestUpdate{RequestID: p.id(i), ExistingRequestID: existing, Parameters: ps}
}

func TestRules(t *testing.T) {
	// a subscription of the session's that the peer has accepted
	established := func(p *rawPeer) (uint64, transport.Stream) {
		p.t.Helper()
		sub, err := p.session.StartSubscribe(p.ctx, subscribeMessage())
		noError(p.t, err)
		_, stream := p.take(wire.KindSubscribe)
		p.send(p.on(stream), &wire.SubscribeOK{RequestID: sub.r.id, TrackAlias: 7})
		settle()
		return sub.r.id, stream
	}
	tests := []ruleTest{
		{name: "16 control stream closed", act: func(p *rawPeer) { p.control.Close() }, code: wire.ProtocolViolation},
		{name: "16 control stream reset", act: func(p *rawPeer) { p.control.Reset(0) }, code: wire.ProtocolViolation},
		{name: "14 unknown message", act: func(p *rawPeer) { p.send(p.control, &wire.Raw{Type: 0x3f00}) },
			code: wire.ProtocolViolation},
		{name: "17 second bidirectional stream", last: 15, act: func(p *rawPeer) {
			s := must[transport.Stream](p.t)(p.conn.OpenStream(p.ctx))
			p.send(s, &wire.Raw{Type: 0x11, Body: []byte{0, 0, 0}})
		}, code: wire.ProtocolViolation},
		{name: "18 stream begins with another message", first: 16, act: func(p *rawPeer) {
			s := must[transport.Stream](p.t)(p.conn.OpenStream(p.ctx))
			p.send(s, &wire.RequestOK{Answers: wire.KindSubscribeNamespace})
		}, code: wire.ProtocolViolation},
		{name: "18 SUBSCRIBE on a stream of its own", first: 16, last: 16, act: func(p *rawPeer) {
			s := must[transport.Stream](p.t)(p.conn.OpenStream(p.ctx))
			p.send(s, p.subscribe(0, nil))
		}, code: wire.ProtocolViolation},
		{name: "second setup message", act: func(p *rawPeer) {
			p.send(p.control, &wire.Setup{Sender: p.side, Versions: []uint64{p.draft.Version()},
				SelectedVersion: p.draft.Version()})
		}, code: wire.ProtocolViolation},
		{name: "second control stream", first: 17, act: func(p *rawPeer) {
			s := must[transport.SendStream](p.t)(p.conn.OpenUniStream(p.ctx))
			p.write(s, p.encode(wire.ControlStream, &wire.Setup{}))
		}, code: wire.ProtocolViolation},
		{name: "request on the control stream", first: 17,
			act: func(p *rawPeer) { p.send(p.control, p.subscribe(0, nil)) }, code: wire.ProtocolViolation},
		{name: "19 unknown unidirectional stream", act: func(p *rawPeer) {
			s := must[transport.SendStream](p.t)(p.conn.OpenUniStream(p.ctx))
			p.write(s, []byte{0x3f, 0, 0, 0})
		}, code: wire.ProtocolViolation},
		{name: "20 unknown datagram", act: func(p *rawPeer) {
			noError(p.t,
				p.conn.SendDatagram([]byte{0x3f, 0, 0, 0, 0}))
		}, code: wire.ProtocolViolation},
		{name: "57 parity", act: func(p *rawPeer) {
			m := p.subscribe(0, nil)
			m.RequestID ^= 1
			p.request(m)
		}, code: wire.InvalidRequestID},
		{name: "57 parity of an update", first: 17, act: func(p *rawPeer) {
			_, s := p.subscribed(p.subscribe(0, nil), nil)
			m := p.update(1, 0, nil)
			m.RequestID ^= 1
			p.send(s, m)
		}, code: wire.InvalidRequestID},
		{name: "58 id skipped", last: 15, act: func(p *rawPeer) { p.request(p.subscribe(1, nil)) },
			code: wire.InvalidRequestID},
		{name: "58 id skipped and never used", first: 16, last: 16, act: func(p *rawPeer) {
			p.request(p.subscribe(1, nil))
			p.open()
			time.Sleep(4 * time.Second)
		}, code: wire.InvalidRequestID},
		{name: "58, 59 id used twice", act: func(p *rawPeer) {
			p.request(p.subscribe(0, nil))
			settle()
			m := p.subscribe(1, nil)
			m.RequestID = p.id(0)
			p.request(m)
		}, code: wire.InvalidRequestID},
		{name: "60 above MAX_REQUEST_ID", last: 16, cfg: Config{MaxRequestID: 4, FixedRequestLimit: true},
			act: func(p *rawPeer) {
				for i := range uint64(3) {
					p.request(p.subscribe(i, nil))
				}
			}, code: wire.TooManyRequests},
		{name: "61 MAX_REQUEST_ID does not grow", last: 16,
			act:  func(p *rawPeer) { p.send(p.control, &wire.MaxRequestID{MaxRequestID: 1000}) },
			code: wire.ProtocolViolation},
		{name: "62 Required Request ID", first: 17, last: 17, act: func(p *rawPeer) {
			s := must[transport.Stream](p.t)(p.conn.OpenStream(p.ctx))
			p.send(s, &wire.Raw{Type: 3, Body: []byte{byte(p.id(0)), 1, 1, 1, 'a', 1, 'b', 0}})
		}, code: wire.InvalidRequiredRequest},
		{name: "63 second subscription", last: 15, act: func(p *rawPeer) {
			m := p.subscribe(0, nil)
			p.request(m)
			again := *m
			again.RequestID = p.id(1)
			p.request(&again)
		}, code: wire.ProtocolViolation},
		{name: "64 alias of two tracks, PUBLISH", act: func(p *rawPeer) {
			p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackName: "a", TrackAlias: 5})
			settle()
			p.request(&wire.Publish{RequestID: p.id(1), TrackNamespace: testNS, TrackName: "b", TrackAlias: 5})
		}, code: wire.DuplicateTrackAlias, says: "wire: PUBLISH (%s): Track Alias 5 of request"},
		{name: "64 alias of two tracks, SUBSCRIBE_OK", act: func(p *rawPeer) {
			established(p)
			r, err := p.session.Start(p.ctx, &wire.Subscribe{TrackNamespace: testNS, TrackName: "other"})
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribe)
			p.send(p.on(s), &wire.SubscribeOK{RequestID: r.id, TrackAlias: 7})
		}, code: wire.DuplicateTrackAlias, says: "wire: SUBSCRIBE_OK (%s): Track Alias 7 of request"},
		{name: "66 joining another filter", last: 16, act: func(p *rawPeer) {
			p.subscribed(p.subscribe(0, filtered(wire.LocationFilter{Form: wire.FilterAbsoluteStart})), largest(1, 1))
			p.request(&wire.Fetch{RequestID: p.id(1), Type: wire.FetchRelativeJoining, JoiningRequestID: p.id(0)})
		}, code: wire.ProtocolViolation},
		{name: "67 joining with Forward State 0", first: 17, last: 17, act: func(p *rawPeer) {
			p.subscribed(p.subscribe(0, uint1(wire.ParamForward, 0)), largest(1, 1))
			p.request(&wire.Fetch{RequestID: p.id(1), Type: wire.FetchRelativeJoining, JoiningRequestID: p.id(0)})
		}, code: wire.ProtocolViolation},
		{name: "68 FETCH_OK ends before the start", act: func(p *rawPeer) {
			f, err := p.session.StartFetch(p.ctx, FetchRequest{TrackNamespace: testNS, TrackName: testName,
				Range: wire.LocationFilter{Form: wire.FilterRange, StartGroup: 5, StartObject: 3, EndGroup: 9,
					EndObject: 1}})
			noError(p.t, err)
			_, s := p.take(wire.KindFetch)
			end := wire.Location{Group: 5, Object: 2}
			if p.draft <= wire.Draft19 {
				end.Object = 3 // as it is on the wire, so in the error
			}
			p.send(p.on(s), &wire.FetchOK{RequestID: f.id, End: end})
		}, code: wire.ProtocolViolation, says: "wire: FETCH_OK (%s): End Location {5,"},
		{name: "70 two OKs", act: func(p *rawPeer) {
			id, s := established(p)
			p.send(p.on(s), &wire.SubscribeOK{RequestID: id, TrackAlias: 7})
		}, code: wire.ProtocolViolation},
		{name: "70 two errors", act: func(p *rawPeer) {
			r, err := p.session.Start(p.ctx, &wire.PublishNamespace{TrackNamespace: testNS})
			noError(p.t, err)
			_, s := p.take(wire.KindPublishNamespace)
			m := &wire.RequestError{Answers: wire.KindPublishNamespace, RequestID: r.id}
			p.send(p.on(s), m)
			settle()
			p.send(p.on(s), m)
		}, code: wire.ProtocolViolation},
		{name: "response of another kind", act: func(p *rawPeer) {
			r, err := p.session.Start(p.ctx, subscribeMessage())
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribe)
			p.send(p.on(s), &wire.FetchOK{RequestID: r.id})
		}, code: wire.ProtocolViolation},
		{name: "response to nothing", last: 16, act: func(p *rawPeer) {
			p.send(p.control, &wire.SubscribeOK{RequestID: p.id(10) ^ 1})
		}, code: wire.InvalidRequestID},
		{name: "PUBLISH_DONE before SUBSCRIBE_OK", act: func(p *rawPeer) {
			r, err := p.session.Start(p.ctx, subscribeMessage())
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribe)
			p.send(p.on(s), &wire.PublishDone{RequestID: r.id})
		}, code: wire.ProtocolViolation},
		{name: "21 NAMESPACE before the response", first: 16, act: func(p *rawPeer) {
			_, err := p.session.Start(p.ctx, &wire.SubscribeNamespace{Prefix: testNS,
				Options: wire.SubscribeNamespaces})
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribeNamespace)
			p.send(s, &wire.Namespace{Suffix: wire.TrackNamespace{"x"}})
		}, code: wire.ProtocolViolation},
		{name: "21 PUBLISH_SKIPPED before the response", first: 18, act: func(p *rawPeer) {
			_, err := p.session.Start(p.ctx, &wire.SubscribeTracks{Prefix: testNS})
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribeTracks)
			p.send(s, &wire.PublishSkipped{Suffix: wire.TrackNamespace{"x"}})
		}, code: wire.ProtocolViolation},
		{name: "76 NAMESPACE_DONE without NAMESPACE", first: 16, act: func(p *rawPeer) {
			r, err := p.session.Start(p.ctx, &wire.SubscribeNamespace{Prefix: testNS,
				Options: wire.SubscribeNamespaces})
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribeNamespace)
			p.send(s, &wire.RequestOK{Answers: wire.KindSubscribeNamespace, RequestID: r.id},
				&wire.Namespace{Suffix: wire.TrackNamespace{"x"}},
				&wire.NamespaceDone{Suffix: wire.TrackNamespace{"x"}},
				&wire.NamespaceDone{Suffix: wire.TrackNamespace{"x"}})
		}, code: wire.ProtocolViolation},
		{name: "71 second GOAWAY", act: func(p *rawPeer) {
			p.send(p.control, p.goaway(), p.goaway())
		}, code: wire.ProtocolViolation},
		{name: "71 second GOAWAY on a request", first: 18, act: func(p *rawPeer) {
			_, s := established(p)
			p.send(s, &wire.Goaway{}, &wire.Goaway{})
		}, code: wire.ProtocolViolation},
		{name: "72 long URI", act: func(p *rawPeer) {
			p.send(p.control, &wire.Raw{Type: 0x10, Body: append(wire.AppendVarint(nil, p.draft, 8193),
				make([]byte, 8195)...)})
		}, code: wire.ProtocolViolation},
		{name: "73 URI from a client", from: wire.ClientSide, act: func(p *rawPeer) {
			m := p.goaway()
			m.NewSessionURI = "https://example.com/"
			p.send(p.control, m)
		}, code: wire.ProtocolViolation},
		{name: "73 URI from a client, on a request", from: wire.ClientSide, first: 18, act: func(p *rawPeer) {
			_, s := established(p)
			p.send(s, &wire.Goaway{NewSessionURI: "https://example.com/"})
		}, code: wire.ProtocolViolation},
		{name: "74 GOAWAY names the sender's own request", first: 18, last: 18, act: func(p *rawPeer) {
			m := p.goaway()
			m.RequestID ^= 1
			p.send(p.control, m)
		}, code: wire.InvalidRequestID},
		{name: "78 Redirect from a client", from: wire.ClientSide, first: 18, act: func(p *rawPeer) {
			_, err := p.session.Start(p.ctx, subscribeMessage())
			noError(p.t, err)
			_, s := p.take(wire.KindSubscribe)
			p.send(s, &wire.RequestError{Answers: wire.KindSubscribe, Code: 0x34,
				Redirect: &wire.Redirect{ConnectURI: "https://example.com/"}})
		}, code: wire.ProtocolViolation},
		{name: "45 alias registered twice", cfg: Config{MaxAuthTokenCacheSize: 100}, act: func(p *rawPeer) {
			register := wire.Token{AliasType: wire.TokenRegister, Alias: 1, Value: []byte("t")}
			p.request(p.subscribe(0, tokens(register)))
			settle()
			p.request(p.subscribe(1, tokens(register)))
		}, code: wire.DuplicateAuthTokenAlias},
		{name: "46 token cache overflow", cfg: Config{MaxAuthTokenCacheSize: 17}, act: func(p *rawPeer) {
			p.request(p.subscribe(0, tokens(wire.Token{AliasType: wire.TokenRegister, Alias: 1, Value: []byte("tt")})))
		}, code: wire.AuthTokenCacheOverflow},
		{name: "32 the same token twice", first: 15, act: func(p *rawPeer) {
			use := wire.Token{AliasType: wire.TokenUseValue, Value: []byte("t")}
			p.request(p.subscribe(0, tokens(use, use)))
		}, code: wire.ProtocolViolation},
		{name: "51 the start goes down", last: 15, act: func(p *rawPeer) {
			p.subscribed(p.subscribe(0, filtered(wire.LocationFilter{Form: wire.FilterNextObject})), largest(4, 2))
			p.send(p.control, p.update(1, p.id(0),
				filtered(wire.LocationFilter{Form: wire.FilterAbsoluteStart, StartGroup: 4, StartObject: 2})))
		}, code: wire.ProtocolViolation},
		{name: "52 the end goes up", last: 14, act: func(p *rawPeer) {
			p.subscribed(p.subscribe(0, filtered(wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1,
				EndGroup: 5})), nil)
			p.send(p.control, p.update(1, p.id(0),
				filtered(wire.LocationFilter{Form: wire.FilterGroupEnd, StartGroup: 1, EndGroup: 6})))
		}, code: wire.ProtocolViolation},
		{name: "53 update of nothing", last: 16, act: func(p *rawPeer) {
			p.send(p.control, p.update(0, p.id(5), nil))
		}, code: wire.ProtocolViolation},
		{name: "54 update with parameters of another kind", first: 16, act: func(p *rawPeer) {
			s := p.request(&wire.PublishNamespace{RequestID: p.id(0), TrackNamespace: testNS})
			settle()
			if p.draft == wire.Draft16 {
				p.send(p.control, p.update(1, p.id(0), uint1(wire.ParamForward, 1)))
				return
			}
			body := wire.AppendVarint(nil, p.draft, p.id(1))
			if p.draft == wire.Draft17 {
				body = append(body, 0)
			}
			p.send(s, &wire.Raw{Type: 2, Body: append(body, 1, 0x10, 1)})
		}, code: wire.ProtocolViolation},
		{name: "55 update of TRACK_STATUS", first: 17, act: func(p *rawPeer) {
			s := p.request(&wire.TrackStatus{RequestID: p.id(0), TrackNamespace: testNS})
			p.send(s, p.update(1, 0, nil))
		}, code: wire.ProtocolViolation},
		{name: "55 update by the publisher", first: 17, act: func(p *rawPeer) {
			_, s := established(p)
			p.send(s, p.update(0, 0, nil))
		}, code: wire.ProtocolViolation},
		{name: "56 too many updates", first: 19,
			cfg: Config{SetupOptions: wire.Properties{{Type: wire.OptionMaxRequestUpdates, Uint: 2}}},
			act: func(p *rawPeer) {
				s := p.request(p.subscribe(0, nil))
				p.send(s, p.update(1, 0, nil), p.update(2, 0, nil), p.update(3, 0, nil))
			}, code: wire.TooManyRequestUpdates},
		{name: "20: 7 PUBLISH_STATE_NOTIFY from the subscriber", first: 20, act: func(p *rawPeer) {
			_, s := p.subscribed(p.subscribe(0, nil), nil)
			p.send(s, &wire.PublishStateNotify{})
		}, code: wire.ProtocolViolation},
		{name: "20: 7 PUBLISH_STATE_NOTIFY on a FETCH", first: 20, act: func(p *rawPeer) {
			s := p.request(&wire.Fetch{RequestID: p.id(0), TrackNamespace: testNS})
			p.send(s, &wire.PublishStateNotify{})
		}, code: wire.ProtocolViolation},
		{name: "20: 13 range filter in the publisher's update", first: 20, act: func(p *rawPeer) {
			s := p.request(&wire.Publish{RequestID: p.id(0), TrackNamespace: testNS, TrackAlias: 3})
			var ps wire.Parameters
			ps.Add(wire.Parameter{Type: wire.ParamSubgroupFilter,
				Ranges: wire.RangeFilter{Ranges: []wire.Range{{Start: 1, End: 2}}}})
			p.send(s, p.update(1, 0, ps))
		}, code: wire.ProtocolViolation},
		{name: "message cut by FIN", first: 17, act: func(p *rawPeer) {
			s := must[transport.Stream](p.t)(p.conn.OpenStream(p.ctx))
			p.write(s, []byte{3, 0, 9, 0})
			s.Close()
		}, code: wire.ProtocolViolation},
	}
	runRules(t, tests, func(t *testing.T, d wire.Draft, from wire.Side, r ruleTest) *rawPeer {
		return newRawPeer(t, d, from, r.cfg)
	})
}

// goaway is a valid GOAWAY of the peer's.
func (p *rawPeer) goaway() *wire.Goaway {
	m := &wire.Goaway{}
	if p.side == wire.ClientSide {
		m.RequestID = 1
	}
	return m
}

// TestSetupRules are the rules of the setup messages.
func TestSetupRules(t *testing.T) {
	setup := func(options ...wire.Property) func(p *rawPeer) {
		return func(p *rawPeer) {
			m := &wire.Setup{Sender: p.side, Versions: []uint64{p.draft.Version()}, SelectedVersion: p.draft.Version(),
				Options: options}
			p.send(p.control, m)
		}
	}
	path, authority := wire.Property{Type: wire.OptionPath, Bytes: []byte("/")},
		wire.Property{Type: wire.OptionAuthority, Bytes: []byte("a")}
	token := func(d wire.Draft, kind wire.AliasType) wire.Property {
		b, err := wire.AppendToken(nil, d, wire.Token{AliasType: kind, Alias: 1})
		noError(t, err)
		return wire.Property{Type: wire.OptionAuthorizationToken, Bytes: b}
	}
	refuse := Config{CheckSetup: func(string, string, *wire.Setup) error {
		return &SessionError{Code: wire.InvalidPath, Reason: "not here"}
	}}
	tests := []ruleTest{
		{name: "first message is no setup", act: func(p *rawPeer) { p.send(p.control, p.goaway()) },
			code: wire.ProtocolViolation, last: 16},
		{name: "22 no version in common", from: wire.ClientSide, last: 14, act: func(p *rawPeer) {
			p.send(p.control, &wire.Setup{Sender: p.side, Versions: []uint64{0xff00000d, 0xff00000f}})
		}, code: wire.VersionNegotiation},
		{name: "22 version not offered", from: wire.ServerSide, last: 14, act: func(p *rawPeer) {
			p.send(p.control, &wire.Setup{Sender: p.side, SelectedVersion: 0xff00000d})
		}, code: wire.VersionNegotiation},
		{name: "23 AUTHORITY from a server", from: wire.ServerSide, first: 15, act: setup(authority),
			code: wire.InvalidAuthority},
		{name: "26 PATH from a server", from: wire.ServerSide, act: setup(path), code: wire.InvalidPath},
		{name: "24, 27 refused by the application", from: wire.ClientSide, cfg: refuse, act: setup(),
			code: wire.InvalidPath},
		{name: "29 DELETE in a client's setup", from: wire.ClientSide, first: 15,
			act: func(p *rawPeer) { setup(token(p.draft, wire.TokenDelete))(p) }, code: wire.ProtocolViolation},
		{name: "29 USE_ALIAS in a client's setup", from: wire.ClientSide, first: 15,
			act: func(p *rawPeer) { setup(token(p.draft, wire.TokenUseAlias))(p) }, code: wire.ProtocolViolation},
	}
	runRules(t, tests, func(t *testing.T, d wire.Draft, from wire.Side, r ruleTest) *rawPeer {
		return unsetPeer(t, d, from, r.cfg)
	})
	overWebTransport := []ruleTest{
		{name: "23 AUTHORITY over WebTransport", from: wire.ClientSide, first: 15, act: setup(authority),
			code: wire.InvalidAuthority},
		{name: "26 PATH over WebTransport", from: wire.ClientSide, act: setup(path), code: wire.InvalidPath},
	}
	runRules(t, overWebTransport, func(t *testing.T, d wire.Draft, from wire.Side, r ruleTest) *rawPeer {
		return unsetPeerOver(t, d, from, r.cfg, transport.Info{Kind: transport.WebTransport, ALPN: "h3",
			Protocol: d.WebTransportProtocol()})
	})
}
