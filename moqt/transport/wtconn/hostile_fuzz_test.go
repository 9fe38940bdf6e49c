package wtconn_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
)

// The steps of a peer's script. One byte is the step; the steps that carry bytes have their number in the next byte.
const (
	stepUni          = iota // open a unidirectional stream with bytes
	stepBidi                // and a bidirectional one
	stepEstablish           // make a session as it should be
	stepAsk                 // request, or answer, alone
	stepConnect             // bytes on the stream of the request
	stepWrite               // bytes on the newest unidirectional stream
	stepFin                 // end it
	stepReset               // reset it
	stepDatagram            // a datagram
	stepEndConnect          // end the request's stream
	stepResetConnect        // reset it
	stepUse                 // our side opens and accepts streams, and takes a datagram
	stepWait                // let what was sent arrive
	steps
)

// script joins steps.
func script(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// step is one with bytes.
func step(kind byte, b []byte) []byte { return append([]byte{kind, byte(len(b))}, b...) }

// play plays a peer's script on a connection of our side.
func (v *victim) play(b []byte) {
	take := func() []byte {
		if len(b) == 0 {
			return nil
		}
		n := min(int(b[0]), len(b)-1)
		out := b[1 : 1+n]
		b = b[1+n:]
		return out
	}
	newest := func() *quic.SendStream {
		if len(v.rest) == 0 {
			return nil
		}
		return v.rest[len(v.rest)-1]
	}
	for count := 0; len(b) > 0 && count < 100 && v.peer.Context().Err() == nil; count++ {
		kind := b[0] % steps
		b = b[1:]
		switch kind {
		case stepUni:
			v.open(take()...)
		case stepBidi:
			v.openBidi(take()...)
		case stepEstablish:
			v.establish()
		case stepAsk:
			v.ask()
		case stepConnect:
			if payload := take(); v.first != nil {
				v.first.Write(payload)
			}
		case stepWrite:
			if payload, s := take(), newest(); s != nil {
				s.Write(payload)
			}
		case stepFin:
			if s := newest(); s != nil {
				s.Close()
			}
		case stepReset:
			if s := newest(); s != nil {
				s.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
			}
		case stepDatagram:
			v.peer.SendDatagram(take())
		case stepEndConnect:
			if v.first != nil {
				v.first.Close()
			}
		case stepResetConnect:
			if v.first != nil {
				v.first.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
			}
		case stepUse:
			v.use()
		case stepWait:
			time.Sleep(time.Millisecond)
		}
	}
}

// use does on our side what a session does, if there is one.
func (v *victim) use() {
	if v.first == nil || v.used {
		return
	}
	v.used = true
	go func() {
		conn, err := v.ours()
		if err != nil {
			return
		}
		go func() {
			for {
				if _, err := conn.ReceiveDatagram(v.ctx); err != nil {
					return
				}
			}
		}()
		go func() {
			for {
				s, err := conn.AcceptStream(v.ctx)
				if err != nil {
					return
				}
				s.Read(make([]byte, 1))
				s.Stop(1)
				s.Reset(1)
			}
		}()
		for {
			s, err := conn.AcceptUniStream(v.ctx)
			if err != nil {
				return
			}
			s.Read(make([]byte, 1))
			s.Stop(1)
		}
	}()
}

// FuzzPeer has a peer do anything in HTTP/3 and WebTransport. Our side may refuse it, with a code of HTTP/3's, but it
// may not panic, nor stay when the peer has gone; and others are served as if nothing had been.
func FuzzPeer(f *testing.F) {
	settings, whole := controlStream[1:], step(stepUni, controlStream)
	capsule := frame(0, frame(0x2843, []byte{0, 0, 0, 7}, []byte("why")))
	for _, server := range []bool{true, false} {
		for _, s := range [][]byte{
			script(step(stepUni, []byte{0}), step(stepUni, []byte{0}), step(stepWrite, settings)),
			script(whole, whole),
			script([]byte{stepEstablish, stepUse}, step(stepConnect, capsule)),
			script([]byte{stepEstablish, stepUse}, step(stepConnect, capsule[:5]), []byte{stepWait},
				step(stepConnect, capsule[5:])),
			script([]byte{stepEstablish, stepUse, stepEndConnect}),
			script([]byte{stepEstablish, stepUse, stepResetConnect}),
			script([]byte{stepEstablish, stepUse}, step(stepDatagram, []byte{0, 'x'}), step(stepDatagram, nil)),
			script([]byte{stepEstablish, stepUse}, step(stepUni, []byte{0x40, 0x54, 0, 'x'}),
				step(stepBidi, []byte{0x40, 0x41, 0})),
			script(step(stepUni, []byte{0x40, 0x54, 0, 'x'}), step(stepBidi, []byte{0x40, 0x41, 0}),
				[]byte{stepEstablish, stepUse}),
			script([]byte{stepEstablish}, step(stepUni, []byte{0x40, 0x54, 3}), []byte{stepFin}),
			script(step(stepUni, []byte{0}), step(stepWrite, settings[:3]), []byte{stepFin, stepAsk}),
			script(step(stepUni, []byte{0}), []byte{stepReset}),
			script(whole, step(stepWrite, frame(7, []byte{0})), step(stepWrite, frame(4)), []byte{stepAsk}),
			script(step(stepUni, []byte{2}), step(stepUni, []byte{3}), step(stepUni, []byte{2})),
			script(whole, step(stepBidi, request), step(stepBidi, request), step(stepBidi, request[:9])),
			script(whole, step(stepBidi, frame(0, []byte("x")))),
			script(step(stepUni, frames(0, append([]byte{4}, quicvarint.Append(nil, 1<<62-1)...)))),
			script([]byte{stepEstablish, stepUse}, step(stepConnect, answer), step(stepConnect, []byte{0, 0x80, 1})),
		} {
			f.Add(server, s)
		}
	}
	attacks := map[bool]*attacked{true: newAttacked(f, true), false: newAttacked(f, false)}
	played := 0
	f.Fuzz(func(t *testing.T, server bool, b []byte) {
		a := attacks[server]
		v, end := a.victim(t)
		v.patience = 20 * time.Millisecond
		v.play(b)
		end()
		if played++; played%64 == 0 { // the next one has the session that it asks for
			v, end := a.victim(t)
			v.establish()
			if conn, err := v.ours(); err != nil || conn.Info().Kind != transport.WebTransport {
				t.Errorf("after that nobody is served: %v", err)
			}
			end()
		}
	})
}
