package reference

import (
	"errors"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// heedUpdates answers the updates of a request until it ends, and applies them with apply, which may give what to do
// once the answer is sent. Without apply it only accepts them.
func (p *peer) heedUpdates(req *moqt.Request, apply func(wire.Parameters) (accepted func(), err error)) {
	for {
		m, err := req.Next(req.Context())
		if errors.Is(err, io.EOF) { // from 19 on that is no cancellation (draft-19 §3.3.2)
			<-req.Context().Done()
			return
		}
		if err != nil {
			return
		}
		u, ok := m.(*wire.RequestUpdate)
		if !ok {
			continue
		}
		accepted := func() {}
		err = nil
		if apply != nil {
			var then func()
			if then, err = apply(u.Parameters); then != nil {
				accepted = then
			}
		}
		if err != nil {
			no := asRefusal(err)
			req.RejectUpdate(req.Context(), u, no.code, no.reason)
			req.Cancel(moqt.ResetCancelled) // draft-18 §10.9.1
			return
		}
		err = req.AcceptUpdate(req.Context(), u, &wire.RequestOK{})
		accepted()
		if err != nil {
			return
		}
	}
}
