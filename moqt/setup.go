package moqt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// ownSetup is the setup message of this end, without the version that a server of 14 selects.
func (s *Session) ownSetup() *wire.Setup {
	m := &wire.Setup{Sender: s.side}
	info := s.conn.Info()
	add := func(p wire.Property) { m.Options = append(m.Options, p) }
	if s.side == wire.ClientSide {
		if s.draft == wire.Draft14 {
			m.Versions = []uint64{wire.Draft14.Version()}
		}
		if info.Kind != transport.WebTransport && (s.cfg.Path != "" || s.cfg.Authority != "") {
			add(wire.Property{Type: wire.OptionPath, Bytes: []byte(s.cfg.Path)})
			if s.cfg.Authority != "" {
				add(wire.Property{Type: wire.OptionAuthority, Bytes: []byte(s.cfg.Authority)})
			}
		}
	}
	if s.draft <= wire.Draft16 {
		limit := s.cfg.MaxRequestID
		if limit == 0 {
			limit = DefaultMaxRequestID
		}
		add(wire.Property{Type: wire.OptionMaxRequestID, Uint: limit})
	}
	if n := s.cfg.MaxAuthTokenCacheSize; n > 0 {
		add(wire.Property{Type: wire.OptionMaxAuthTokenCacheSize, Uint: n})
	}
	if s.cfg.Implementation != "" {
		// 14 gives the option AUTHORITY's code; the later one is unknown there and does no harm.
		add(wire.Property{Type: wire.OptionImplementation, Bytes: []byte(s.cfg.Implementation)})
	}
	m.Options = slices.DeleteFunc(m.Options, func(p wire.Property) bool {
		_, replaced := s.cfg.SetupOptions.Get(p.Type)
		return replaced
	})
	m.Options = append(m.Options, s.cfg.SetupOptions...)
	slices.SortStableFunc(m.Options, func(a, b wire.Property) int {
		switch {
		case a.Type < b.Type:
			return -1
		case a.Type > b.Type:
			return 1
		}
		return 0
	})
	return m
}

// limitsOf takes over what our own options promise.
func (s *Session) limitsOf(own wire.Properties) {
	option := func(t uint64) uint64 {
		p, _ := own.Get(t)
		return p.Uint
	}
	if s.draft <= wire.Draft16 {
		s.ids.grant(option(wire.OptionMaxRequestID))
	}
	s.tokens.limit = option(wire.OptionMaxAuthTokenCacheSize)
	if s.draft >= wire.Draft19 {
		s.setup.ownUpdates = option(wire.OptionMaxRequestUpdates)
	}
}

// openControl opens our side of the control channel where it is ours to open, and sends SETUP on it.
func (s *Session) openControl(ctx context.Context) error {
	switch {
	case s.draft >= wire.Draft17:
		stream, err := s.conn.OpenUniStream(ctx)
		if err != nil {
			return s.notOpened(true, err)
		}
		s.control = newMessageWriter(s, stream, wire.ControlStream)
	case s.side == wire.ClientSide:
		stream, err := s.conn.OpenStream(ctx)
		if err != nil {
			return s.notOpened(false, err)
		}
		s.control = newMessageWriter(s, stream, wire.ControlStream)
		s.setup.controlSeen = true
		s.Go(func() { s.readControl(stream, &messageReader{in: stream, draft: s.draft}) })
	default:
		return nil // a server up to 16 answers on the client's stream
	}
	return s.control.write(ctx, s.setup.own, 0)
}

// readControl reads the peer's direction of the control channel to its end.
func (s *Session) readControl(stream transport.ReceiveStream, in *messageReader) {
	defer s.watches.watch(in, func(why error) {
		s.end(s.local(wire.ControlMessageTimeout, why.Error(), nil))
	})()
	for {
		frame, err := in.frame()
		if err != nil {
			s.controlEnded(stream, err)
			return
		}
		m, err := s.decode(frame, wire.ControlStream, stream.StreamID(), nil)
		if err == nil {
			err = s.controlMessage(stream, m)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// controlMessage takes a message of the control channel: the setup message first and once (implied by draft-16 §9.3,
// draft-18 §10.3).
func (s *Session) controlMessage(stream transport.ReceiveStream, m wire.Message) error {
	setup, isSetup := m.(*wire.Setup)
	first := s.setup.peer == nil
	name := wire.NameOf(s.draft, m)
	switch {
	case first && !isSetup:
		return s.breach(name, wire.ProtocolViolation, rules.Setup,
			"the first message on the control stream must be a setup message")
	case !first && isSetup:
		return s.breach(name, wire.ProtocolViolation, rules.Setup, "a second setup message")
	case first:
		return s.peerSetup(stream, setup)
	case s.draft >= wire.Draft17:
		return s.peerGoaway(m.(*wire.Goaway))
	}
	return s.routeControl(m)
}

// peerSetup judges and takes over the peer's setup message. A server up to 16 answers it.
func (s *Session) peerSetup(stream transport.ReceiveStream, m *wire.Setup) error {
	if s.draft <= wire.Draft16 && m.Sender != s.peerSide() {
		return s.breach(wire.NameOf(s.draft, m), wire.ProtocolViolation, rules.Setup, "it came from a %s%s",
			s.peerSide(), s.echo(m))
	}
	m.Sender = s.peerSide()
	if err := s.checkSetup(m); err != nil {
		return err
	}
	s.setup.path, s.setup.authority = s.conn.Info().Path, s.conn.Info().Authority
	if s.conn.Info().Kind != transport.WebTransport {
		from := m
		if s.side == wire.ClientSide {
			from = s.setup.own
		}
		path, _ := from.Options.Get(wire.OptionPath)
		authority, _ := from.Options.Get(wire.OptionAuthority)
		s.setup.path, s.setup.authority = string(path.Bytes), string(authority.Bytes)
	}
	option := func(t uint64) uint64 {
		p, _ := m.Options.Get(t)
		return p.Uint
	}
	if s.draft <= wire.Draft16 {
		s.ids.raise(option(wire.OptionMaxRequestID))
	}
	if s.draft >= wire.Draft19 {
		s.setup.peerUpdates = option(wire.OptionMaxRequestUpdates)
	}
	s.setup.peerTokens = option(wire.OptionMaxAuthTokenCacheSize)
	tokens, err := s.setupTokens(m)
	if err != nil {
		return err
	}
	s.setup.tokens = tokens
	if s.cfg.CheckSetup != nil && s.side == wire.ServerSide {
		if err := s.cfg.CheckSetup(s.setup.path, s.setup.authority, m); err != nil {
			var refused *SessionError
			if errors.As(err, &refused) {
				s.end(s.local(refused.Code, refused.Reason, err))
			} else {
				s.end(s.local(wire.InternalError, err.Error(), err))
			}
			return nil
		}
	}
	s.setup.peer = m
	if s.side == wire.ServerSide && s.draft <= wire.Draft16 {
		s.setup.own.SelectedVersion = wire.Draft14.Version() // on the wire in 14 only
		if err := s.control.write(s.ctx, s.setup.own, 0); err != nil {
			return err
		}
	}
	close(s.setup.done)
	return nil
}

// checkSetup judges what the bytes alone do not show: who sent it, and over what (draft-14 §9.3.1, draft-19 §10.3.1).
func (s *Session) checkSetup(m *wire.Setup) error {
	name := wire.NameOf(s.draft, m)
	if s.draft == wire.Draft14 {
		switch {
		case s.side == wire.ServerSide && !slices.Contains(m.Versions, wire.Draft14.Version()):
			return s.breach(name, wire.VersionNegotiation, rules.VersionChoice,
				"the client offers versions %#x, this end speaks %#x", m.Versions, wire.Draft14.Version())
		case s.side == wire.ClientSide && m.SelectedVersion != wire.Draft14.Version():
			return s.breach(name, wire.VersionNegotiation, rules.VersionChoice,
				"the server selected version %#x, which was not offered", m.SelectedVersion)
		}
	}
	_, path := m.Options.Get(wire.OptionPath)
	_, authority := m.Options.Get(wire.OptionAuthority)
	fromServer, overWebTransport := m.Sender == wire.ServerSide, s.conn.Info().Kind == transport.WebTransport
	switch {
	case path && fromServer:
		return s.breach(name, wire.InvalidPath, rules.Path, "PATH from a server%s", s.echo(m))
	case path && overWebTransport:
		return s.breach(name, wire.InvalidPath, rules.Path, "PATH over WebTransport")
	case s.draft == wire.Draft14: // the code is also MOQT_IMPLEMENTATION's there (draft-14 §9.3.2.6)
	case authority && fromServer:
		return s.breach(name, wire.InvalidAuthority, rules.Authority, "AUTHORITY from a server%s", s.echo(m))
	case authority && overWebTransport:
		return s.breach(name, wire.InvalidAuthority, rules.Authority, "AUTHORITY over WebTransport")
	}
	return nil
}

// echo says of a peer's setup message that it is ours, where it is.
func (s *Session) echo(m *wire.Setup) string {
	same := func(a, b wire.Property) bool {
		return a.Type == b.Type && a.Uint == b.Uint && bytes.Equal(a.Bytes, b.Bytes)
	}
	own := s.setup.own
	if len(own.Options) == 0 || !slices.Equal(own.Versions, m.Versions) ||
		!slices.EqualFunc(own.Options, m.Options, same) {
		return ""
	}
	return ": it is this end's own, sent back"
}

// controlGrace is how long a closed control stream waits for the close of the connection: a peer that ends the session
// may close its streams with it, and only a control stream that ends before the session is a breach.
const controlGrace = 100 * time.Millisecond

// controlEnded judges the end of the peer's direction of the control channel (draft-19 §3.3).
func (s *Session) controlEnded(stream transport.ReceiveStream, err error) {
	var reset *transport.StreamError
	how := ""
	switch {
	case errors.As(err, &reset):
		how = "reset"
		s.trace(Event{Type: EventReset, Stream: wire.ControlStream, StreamID: stream.StreamID(), Code: reset.Code})
	case err == io.EOF:
		how = "closed"
		s.trace(Event{Type: EventFin, Stream: wire.ControlStream, StreamID: stream.StreamID()})
	case err == io.ErrUnexpectedEOF:
		how = "closed inside a message"
		s.trace(Event{Type: EventFin, Stream: wire.ControlStream, StreamID: stream.StreamID()})
	default:
		s.fail(err)
		return
	}
	wait := time.NewTimer(controlGrace)
	defer wait.Stop()
	select {
	case <-s.ctx.Done():
	case <-s.conn.Context().Done():
	case <-wait.C:
		s.fail(s.breach("control stream", wire.ProtocolViolation, rules.ControlStream, "the control stream was %s",
			how))
	}
}

// decode reads one whole message and tells Config.Trace. r, where known, is the request that it belongs to by its
// stream.
func (s *Session) decode(frame []byte, kind wire.StreamKind, streamID uint64, r *Request) (wire.Message, error) {
	opt := s.cfg.Decode
	opt.Answers = r.answersIn(frame)
	m, _, err := wire.ParseMessage(frame, s.draft, kind, opt)
	if err == nil && r == nil && s.draft <= wire.Draft16 {
		if about := s.aboutOf(m); about != wire.KindNone {
			opt.Answers = about
			m, _, err = wire.ParseMessage(frame, s.draft, kind, opt)
		}
	}
	if s.traced() {
		e := Event{Type: EventMessage, Stream: kind, StreamID: streamID, Message: m, Raw: frame,
			Bytes: len(frame), Err: err}
		e.MessageType, _ = wire.Varint(frame, s.draft)
		if err == nil {
			e.RequestID = requestIDOf(m, r)
		} else {
			e.Message = nil
		}
		s.trace(e)
	}
	return m, err
}

// PeerSetup is the peer's setup message. Do not change it.
func (s *Session) PeerSetup() *wire.Setup { return s.setup.peer }

// PeerImplementation is the peer's MOQT_IMPLEMENTATION, "" if it named none.
func (s *Session) PeerImplementation() string {
	if p, ok := s.setup.peer.Options.Get(wire.OptionImplementation); ok {
		return string(p.Bytes)
	}
	if s.draft == wire.Draft14 && s.side == wire.ClientSide { // draft-14 §9.3.2.6, read as AUTHORITY from a client
		p, _ := s.setup.peer.Options.Get(wire.OptionAuthority)
		return string(p.Bytes)
	}
	return ""
}

// Path is the path that the client asked for, with its query, from the WebTransport request or from SETUP.
func (s *Session) Path() string { return s.setup.path }

// Authority is the authority that the client asked for.
func (s *Session) Authority() string { return s.setup.authority }

// AuthTokens are the tokens of the peer's setup message; all are USE_VALUE.
func (s *Session) AuthTokens() []wire.Token { return slices.Clone(s.setup.tokens) }

// waitSetup waits for the peer's setup message: requests and data may come before it (draft-16 §3.3). Past
// Limits.PendingStreams, streams are reset, as the text allows.
func (s *Session) waitSetup(stream interface{ Stop(code uint64) }) bool {
	select {
	case <-s.setup.done:
		return true
	default:
	}
	if !s.data.hold() {
		code := ResetExcessiveLoad.Number(s.draft)
		stream.Stop(code)
		if bidi, ok := stream.(transport.Stream); ok {
			bidi.Reset(code)
		}
		s.trace(Event{Type: EventDropped,
			Err: errors.New("a stream before the setup message: too many are held already")})
		return false
	}
	defer s.data.unhold()
	select {
	case <-s.setup.done:
		return true
	case <-s.ctx.Done():
		return false
	}
}
