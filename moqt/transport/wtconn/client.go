package wtconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/transport/internal/quicbase"
)

// ClientOptions shape Client.
type ClientOptions struct {
	// Authority and Path are the request's; an empty path is "/".
	Authority, Path string
	// UserAgent is the request's User-Agent; empty sends none.
	UserAgent string
	// Protocols is offered in WT-Available-Protocols, in order; no header is sent when it is empty.
	Protocols []string
	// NoProtocol accepts an answer that names no protocol.
	NoProtocol bool
	// Info is completed with what the connection knows.
	Info transport.Info
	// OnEnd, which may be nil, is called once after the connection has ended; CloseWithError waits for it.
	OnEnd func()
	// Panicked, which may be nil, is told of a panic in a goroutine of the connection, which then ends with
	// H3_INTERNAL_ERROR.
	Panicked func(value any, stack []byte)
}

// Client makes a WebTransport session on a QUIC connection whose ALPN is h3 and which nobody else uses. It takes the
// connection over, and closes it when it fails. Errors are *transport.DialError of layer http3 or webtransport.
func Client(ctx context.Context, q *quic.Conn, opts ClientOptions) (*Conn, error) {
	h3 := &http3.Transport{AdditionalSettings: announced(), MaxResponseHeaderBytes: maxHeader, DisableCompression: true}
	c := newConn(q, opts.OnEnd, opts.Panicked)
	raw := h3.NewRawClientConn(q)
	c.start(raw.HandleUnidirectionalStream, raw.HandleBidirectionalStream)
	stream, info, err := c.request(ctx, raw, opts)
	if err != nil {
		c.abandon(http3.ErrCodeRequestCanceled, "")
		return nil, err
	}
	c.establish(stream, info)
	return c, nil
}

// request sends the extended CONNECT and judges the answer.
func (c *Conn) request(ctx context.Context, raw *http3.RawClientConn, opts ClientOptions) (
	*http3.RequestStream, transport.Info, error) {
	info := opts.Info
	select {
	case <-c.settled:
	case <-c.base.Context().Done():
		return nil, info, c.dialError(transport.LayerHTTP3, "the connection ended before the server's SETTINGS",
			context.Cause(c.base.Context()))
	case <-ctx.Done():
		return nil, info, c.dialError(transport.LayerHTTP3,
			"QUIC and TLS are up (ALPN h3), but the server sent no SETTINGS", ctx.Err())
	}
	seen := "the server's HTTP/3 SETTINGS are: " + c.settings.String()
	info.Notes = append(slices.Clone(info.Notes), seen)
	if !c.settings.webTransport() && !c.settings.on(settingExtendedConnect) {
		return nil, info, &transport.DialError{Layer: transport.LayerWebTransport,
			Reason: "the server speaks HTTP/3 without extended CONNECT and without WebTransport; " + seen}
	}
	protocol := c.settings.protocol()
	info.Notes = append(info.Notes, fmt.Sprintf("sent the request with :protocol = %s", protocol))

	req, err := newRequest(protocol, opts)
	if err != nil {
		return nil, info, c.dialError(transport.LayerWebTransport, "the request cannot be made", err)
	}
	stream, err := raw.OpenRequestStream(ctx)
	if err != nil {
		return nil, info, c.dialError(transport.LayerHTTP3, "no stream for the request", c.base.Err(err))
	}
	stop := context.AfterFunc(ctx, func() {
		stream.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
		stream.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
	})
	defer stop()
	rsp, err := exchange(stream, req)
	offer := offerText(opts.Protocols)
	if err != nil {
		return nil, info, c.noAnswer(ctx, fmt.Sprintf("the request with :protocol = %s and %s", protocol, offer), err)
	}
	info.Authority, info.Path = opts.Authority, req.URL.RequestURI()
	info.OfferedProtocols = slices.Clone(opts.Protocols)
	if err := c.judge(rsp, offer); err != nil {
		return nil, info, err
	}
	values := rsp.Header[headerProtocol]
	if len(values) == 0 {
		info.Notes = append(info.Notes, "the answer names no protocol (no WT-Protocol)")
		if !opts.NoProtocol {
			return nil, info, &transport.DialError{Layer: transport.LayerWebTransport, HTTPStatus: rsp.StatusCode,
				Reason: fmt.Sprintf("no common draft: the server answered 200 without WT-Protocol, which means "+
					"draft 14; %s and not draft 14", offer)}
		}
	} else if info.Protocol = parseProtocol(values); !slices.Contains(opts.Protocols, info.Protocol) {
		return nil, info, &transport.DialError{Layer: transport.LayerWebTransport, HTTPStatus: rsp.StatusCode,
			Reason: fmt.Sprintf("no common draft: the server selected %q, which was not offered; %s", info.Protocol,
				offer)}
	}
	return stream, info, nil
}

func newRequest(protocol string, opts ClientOptions) (*http.Request, error) {
	path := opts.Path
	if !strings.HasPrefix(path, "/") { // absent, or a query alone
		path = "/" + path
	}
	u, err := url.Parse("https://" + opts.Authority + path)
	if err != nil {
		return nil, err
	}
	req := &http.Request{Method: http.MethodConnect, Proto: protocol, URL: u, Host: opts.Authority, Header: http.Header{
		"User-Agent": {opts.UserAgent}, // with "" the HTTP library sends none, and without an entry its own
	}}
	if protocol == protocolOld {
		req.Header[headerDraft02] = []string{"1"}
	}
	if len(opts.Protocols) > 0 {
		value, err := formatProtocols(opts.Protocols)
		if err != nil {
			return nil, err
		}
		req.Header[headerAvailable] = []string{value}
	}
	return req, nil
}

// maxInterim bounds the 1xx answers that are skipped.
const maxInterim = 5

func exchange(stream *http3.RequestStream, req *http.Request) (*http.Response, error) {
	if err := stream.SendRequestHeader(req); err != nil {
		return nil, err
	}
	for range maxInterim {
		rsp, err := stream.ReadResponse()
		if err != nil || rsp.StatusCode >= 200 {
			return rsp, err
		}
	}
	return nil, errors.New("too many 1xx answers")
}

// noAnswer says why no answer to the request can be had, given the HTTP/3 library's error.
func (c *Conn) noAnswer(ctx context.Context, request string, err error) *transport.DialError {
	none := "no answer to " + request
	end := resetOf(err)
	switch {
	case ctx.Err() != nil:
		return c.dialError(transport.LayerWebTransport, none, ctx.Err())
	case end != nil && end.Remote: // the stream, or the whole connection
		reason := none + ": the server ended it with " + end.CodeText()
		if end.Reason != "" {
			reason += ": " + end.Reason
		}
		return &transport.DialError{Layer: transport.LayerWebTransport, Reason: reason, Err: err}
	case errors.Is(err, net.ErrClosed):
		return c.dialError(transport.LayerWebTransport, none, c.base.Err(err))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &transport.DialError{Layer: transport.LayerWebTransport, Err: err,
			Reason: none + ": the server ended the request's stream before a whole one had come"}
	}
	// What came is no response, as the library has found and said.
	why := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "http3: "), "invalid response: ")
	return &transport.DialError{Layer: transport.LayerHTTP3, Err: err,
		Reason: fmt.Sprintf("the answer to %s is no HTTP/3 response: %s", request, why)}
}

// judge refuses every answer but a 200 from a server that announced WebTransport.
func (c *Conn) judge(rsp *http.Response, offer string) error {
	fail := &transport.DialError{Layer: transport.LayerWebTransport, HTTPStatus: rsp.StatusCode}
	answer := fmt.Sprintf("the server answered %d %s, expected 200", rsp.StatusCode, http.StatusText(rsp.StatusCode))
	switch {
	case rsp.StatusCode >= 300 && rsp.StatusCode < 400:
		fail.Reason = fmt.Sprintf("%s: a redirect to %q, and redirects are not followed; give that URL if it is the "+
			"relay's", answer, rsp.Header.Get("Location"))
	case rsp.StatusCode == http.StatusNotFound:
		fail.Reason = answer + ": no WebTransport at this path"
	case rsp.StatusCode == http.StatusNotAcceptable:
		fail.Reason = answer + ": no common draft; " + offer
	case rsp.StatusCode != http.StatusOK:
		fail.Reason = answer + "; " + offer
	case !c.settings.webTransport():
		fail.Reason = "a web server without WebTransport: it answered 200, but its SETTINGS do not announce " +
			"WebTransport: " + c.settings.String()
	default:
		return nil
	}
	if !c.settings.webTransport() && rsp.StatusCode != http.StatusOK {
		fail.Reason += "; its SETTINGS do not announce WebTransport"
	}
	return fail
}

func offerText(protocols []string) string {
	if len(protocols) == 0 {
		return "no protocol was offered (draft 14 has none)"
	}
	return "offered were " + strings.Join(protocols, ", ")
}

// dialError says what came instead of what was expected.
func (c *Conn) dialError(layer transport.Layer, what string, err error) *transport.DialError {
	reason := what
	var ended *transport.CloseError
	switch {
	case errors.As(err, &ended):
		reason += ": " + ended.Error()
	case errors.Is(err, context.DeadlineExceeded):
		reason += " within the time limit"
	case err != nil:
		reason += ": " + err.Error()
	}
	return &transport.DialError{Layer: layer, Reason: reason, Err: err}
}

var _ quicbase.Mapper = mapper{}
