package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/rules"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

func TestClassify(t *testing.T) {
	type verdict struct{ layer, message, expected, received string }
	_, _, parse := wire.ParseMessage([]byte{0x03, 0x00, 0x02, 0x00, 0x00}, wire.Draft18, wire.RequestStream,
		wire.Options{})
	if parse == nil {
		t.Fatal("a SUBSCRIBE of two bytes was accepted")
	}
	object := &wire.Error{Draft: wire.Draft18, Message: "OBJECT", Field: "object_status", Code: wire.ProtocolViolation,
		Rule: rules.StatusUnknown, Reason: "0x7 is not defined"}
	for _, test := range []struct {
		name string
		err  error
		want verdict
	}{
		{"dial", fmt.Errorf("wrapped: %w", &transport.DialError{Layer: transport.LayerTLS,
			Reason: "the certificate is not trusted; --tls-disable-verify accepts any"}),
			verdict{"tls", "the certificate is not trusted; --tls-disable-verify accepts any", "a connection",
				"the certificate is not trusted; --tls-disable-verify accepts any"}},
		{"refused", &moqt.RequestError{Side: wire.ServerSide, Kind: wire.KindSubscribe, Code: 0x10, Reason: "who?",
			Draft: wire.Draft18},
			verdict{"request", "", "an answer", `REQUEST_ERROR 0x10 DOES_NOT_EXIST "who?"`}},
		{"refused in 14", &moqt.RequestError{Side: wire.ServerSide, Kind: wire.KindFetch, Code: 0x6,
			Draft: wire.Draft14},
			verdict{"request", "", "an answer", "FETCH_ERROR 0x6 NO_OBJECTS"}},
		{"refused with a foreign code", &moqt.RequestError{Side: wire.ServerSide, Kind: wire.KindSubscribe, Code: 404,
			Draft: wire.Draft16},
			verdict{"request", "", "an answer", "REQUEST_ERROR 0x194 (unknown in draft-16)"}},
		{"no request id", &moqt.NoRequestIDError{Max: 0, Next: 0, Err: context.DeadlineExceeded},
			verdict{"request", "no request id granted; would pass with --compat no-request-limit",
				"MAX_REQUEST_ID above 0", "MAX_REQUEST_ID 0 and no more"}},
		{"peer closed", &moqt.SessionError{Side: wire.ServerSide, Code: wire.Unauthorized, Reason: "go away",
			Draft: wire.Draft18,
			Err:   &transport.CloseError{Remote: true, Code: 2, Reason: "go away"}},
			verdict{"request", "", "an answer", `connection closed by the peer with 0x2 UNAUTHORIZED "go away"`}},
		{"peer broke a rule", &moqt.SessionError{Side: wire.ClientSide, Local: true, Code: wire.ProtocolViolation,
			Draft: wire.Draft18, Err: object},
			verdict{"data", "", "an answer", "a breach of the draft: " + object.Error() +
				"; closed with 0x3 PROTOCOL_VIOLATION"}},
		{"peer sent what cannot be read", &moqt.SessionError{Side: wire.ClientSide, Local: true,
			Code: wire.ProtocolViolation, Draft: wire.Draft18, Err: parse},
			verdict{"request", "", "an answer", "a breach of the draft: " + parse.Error() +
				"; closed with 0x3 PROTOCOL_VIOLATION"}},
		{"connection timed out", &moqt.SessionError{Draft: wire.Draft18, Err: &transport.CloseError{Transport: true,
			Timeout: true, Reason: "no recent network activity"}},
			verdict{"udp", "", "an answer", "silence until the connection timed out: no recent network activity"}},
		{"peer is gone", &moqt.SessionError{Draft: wire.Draft18, Err: &transport.CloseError{Transport: true, Gone: true,
			Reason: "port unreachable"}},
			verdict{"udp", "", "an answer", "the loss of the connection: port unreachable"}},
		{"connection died", &moqt.SessionError{Draft: wire.Draft18, Err: &transport.CloseError{Remote: true,
			Transport: true, Code: 0xc, Reason: "bye"}},
			verdict{"request", "", "an answer", `connection closed by the peer with QUIC code 0xc "bye"`}},
		{"cancelled", &moqt.CancelError{Side: wire.ServerSide, Kind: wire.KindPublishNamespace, How: "RESET_STREAM",
			Code: 1, Name: "CANCELLED", HasCode: true},
			verdict{"request", "", "an answer", "PUBLISH_NAMESPACE cancelled by the server with RESET_STREAM " +
				"CANCELLED (0x1)"}},
		{"stream reset", &transport.StreamError{StreamID: 7, Remote: true, Code: 0x6},
			verdict{"request", "", "an answer", "RESET_STREAM of the peer on stream 7 with 0x6 UNKNOWN_OBJECT_STATUS"}},
		{"end", io.EOF, verdict{"request", "", "an answer", "the end of the stream"}},
		{"limit", errLimit, verdict{"request", "", "an answer", "nothing, and a reason"}},
		{"other", errors.New("odd"), verdict{"request", "", "an answer", "odd"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := classify(test.err, wire.Draft18, transport.LayerRequest, "an answer",
				func() string { return "nothing, and a reason" })
			if test.want.message == "" {
				test.want.message = "expected " + test.want.expected + ", received " + test.want.received
			}
			got := verdict{string(o.layer), o.message, o.expected, o.received}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(verdict{})); diff != "" || o.status != Fail {
				t.Errorf("%s (-want +got):\n%s", o.status, diff)
			}
		})
	}
}

func TestClosedByUs(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{&moqt.SessionError{Side: wire.ClientSide, Local: true, Code: wire.NoError}, true},
		{&moqt.SessionError{Side: wire.ClientSide, Local: true, Code: wire.ProtocolViolation}, false},
		{&moqt.SessionError{Side: wire.ServerSide, Code: wire.NoError}, false},
		{&transport.CloseError{}, true},
		{&transport.CloseError{Remote: true}, false},
		{net.ErrClosed, false},
		{nil, false},
	} {
		if got := closedByUs(test.err); got != test.want {
			t.Errorf("closedByUs(%v) = %v", test.err, got)
		}
	}
}
