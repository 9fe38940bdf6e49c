package reference

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The faults of setup and of whole requests. Without a fault these functions do nothing.

var errFault = errors.New("fault")

// spoilSetup is the faults that replace the setup. It returns when the connection has ended.
func (r *Relay) spoilSetup(ctx context.Context, conn transport.Conn) (spoilt bool, err error) {
	if !r.faults[setupSilence] && !r.faults[setupGarbage] && !r.faults[setupWrongVersion] {
		return false, nil
	}
	stop := onDone(ctx, func() { conn.CloseWithError(uint64(wire.NoError), "the relay is shutting down") })
	defer stop()
	d, _ := transport.NegotiatedDraft(conn.Info())
	switch {
	case r.faults[setupGarbage]:
		err = answerSetup(ctx, conn, d, []byte("garbage that is no setup message"))
	case r.faults[setupWrongVersion] && d == wire.Draft14:
		setup, encodeErr := wire.AppendMessage(nil, d, &wire.Setup{Sender: wire.ServerSide,
			SelectedVersion: wire.Draft14.Version() - 1}, wire.ControlStream)
		if err = encodeErr; err == nil {
			err = answerSetup(ctx, conn, d, setup)
		}
	case r.faults[setupWrongVersion]:
		err = conn.CloseWithError(uint64(wire.VersionNegotiation), "fault")
	}
	<-conn.Context().Done()
	if err != nil {
		return true, err
	}
	return true, errFault
}

// answerSetup sends bytes where the client expects a setup message: up to 16 on its control stream, after that on one
// of our own.
func answerSetup(ctx context.Context, conn transport.Conn, d wire.Draft, b []byte) error {
	if d >= wire.Draft17 {
		s, err := conn.OpenUniStream(ctx)
		if err == nil {
			_, err = s.Write(b)
		}
		return err
	}
	s, err := conn.AcceptStream(ctx)
	if err != nil {
		return err
	}
	if _, err := io.ReadAtLeast(s, make([]byte, 1024), 1); err != nil {
		return err
	}
	_, err = s.Write(b)
	return err
}

// spoilSession is the faults that begin with the session.
func (p *peer) spoilSession() {
	f := &p.relay.faults
	switch {
	case f[dieAfterSetup]:
		p.session.Conn().CloseWithError(uint64(wire.InternalError), "fault")
	case f[closeError]:
		p.tasks.Go(func() {
			select {
			case <-time.After(50 * time.Millisecond):
				p.session.Abort(wire.InternalError, "fault")
			case <-p.ctx.Done():
			}
		})
	case f[goawayCloses], f[goawayIsViolation]:
		code := wire.NoError
		if f[goawayIsViolation] {
			code = wire.ProtocolViolation
		}
		p.tasks.Go(func() {
			select {
			case <-p.session.PeerGoaway():
				p.session.Abort(code, "fault")
			case <-p.ctx.Done():
			}
		})
	}
}

// miscoder is a connection that closes with the same code for every breach.
type miscoder struct{ transport.Conn }

// CloseWithError implements transport.Conn.
func (c miscoder) CloseWithError(code uint64, reason string) error {
	if code != uint64(wire.NoError) {
		code = uint64(wire.InternalError)
	}
	return c.Conn.CloseWithError(code, reason)
}

// spoilRequest is the faults that replace serving a request.
func (p *peer) spoilRequest(req *moqt.Request) bool {
	f := &p.relay.faults
	for is, code := range map[fault]moqt.RejectCode{
		refuseNotSupported: moqt.RejectNotSupported, refuseUnauthorized: moqt.RejectUnauthorized,
	} {
		if f[is] {
			req.Reject(req.Context(), code, "fault")
			return true
		}
	}
	silent := false
	switch req.Kind() {
	case wire.KindSubscribe:
		silent = f[subscribeSilent]
	case wire.KindPublish:
		silent = f[publishSilent]
		if f[publishReject] {
			req.Reject(req.Context(), moqt.RejectUninterested, "fault")
			return true
		}
	case wire.KindFetch:
		silent = f[fetchSilent]
		if f[fetchError] {
			req.Reject(req.Context(), moqt.RejectInternalError, "fault")
			return true
		}
	}
	if m, ok := req.Message().(*wire.PublishNamespace); ok && f[tokenAliasLost] {
		for _, t := range m.Parameters.Tokens() {
			if t.AliasType == wire.TokenRegister {
				p.session.ExpireAuthToken(t.Alias)
			}
		}
	}
	if f[goawaySilent] {
		select {
		case <-p.session.PeerGoaway():
			silent = true
		default:
		}
	}
	switch {
	case f[dieOnRequest]:
		p.session.Conn().CloseWithError(uint64(wire.InternalError), "fault")
		return true
	case silent:
		<-req.Context().Done()
	}
	return silent
}

// spoilRefusal changes the reason for a refusal.
func (r *Relay) spoilRefusal(no *refusal) *refusal {
	if r.faults[invalidRangeWrong] && no.code == moqt.RejectInvalidRange || r.faults[joinUnknownWrong] &&
		no.code == moqt.RejectInvalidJoiningRequestID {
		return refuse(moqt.RejectDoesNotExist, "fault")
	}
	return no
}

// spoilBehindRefusal is the fault that sends an object though the SUBSCRIBE was refused.
func (p *peer) spoilBehindRefusal(req *moqt.Request) {
	if !p.relay.faults[objectsAfterError] || req.Kind() != wire.KindSubscribe {
		return
	}
	s, err := p.session.Conn().OpenUniStream(p.ctx)
	if err != nil {
		return
	}
	_, _ = s.Write([]byte{0x10, 1, 0, 128, 0, 1, 'x'})
	_ = s.Close()
}

// spoilRefused is the fault at a publisher's refusal.
func (p *peer) spoilRefused(err error) {
	var no *moqt.RequestError
	if !p.relay.faults[unknownCodeCloses] || !errors.As(err, &no) {
		return
	}
	if _, known := wire.RequestErrorCode(no.Code).Meaning(no.Draft, no.Kind); !known {
		p.session.Abort(wire.ProtocolViolation, "fault")
	}
}

// spoilFetched is the faults after a cancelled fetch.
func (p *peer) spoilFetched(end error) {
	var cancelled *moqt.CancelError
	var stopped *transport.StreamError
	if p.relay.faults[fetchCancelCloses] && (errors.As(end, &cancelled) || errors.As(end, &stopped)) {
		p.session.Abort(wire.ProtocolViolation, "fault")
	}
}

// spoilSubscribe is the faults that replace asking publishers.
func (p *peer) spoilSubscribe(ctx context.Context, t *track, req *moqt.Request) (spoilt bool, err error) {
	r := p.relay
	t.mu.Lock()
	live := len(t.upstreams) > 0
	t.mu.Unlock()
	announced := live || len(r.publishers(t.namespace)) > 0
	switch {
	case r.faults[routeNowhere] && announced:
		return true, refuse(moqt.RejectDoesNotExist, "fault")
	case r.faults[subscribeAcceptsEverything] && !announced, r.faults[okWithoutPublisher] && announced:
		pub, err := req.AcceptSubscribe(ctx, &wire.SubscribeOK{})
		if err == nil {
			<-pub.Context().Done()
		}
		return true, err
	}
	return false, nil
}

// spoilSubscribeOK changes a SUBSCRIBE_OK.
func (r *Relay) spoilSubscribeOK(ok *wire.SubscribeOK) {
	if r.faults[largestMissing] {
		ok.Parameters.Delete(wire.ParamLargestObject)
	}
}
