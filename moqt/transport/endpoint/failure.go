package endpoint

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// The CRYPTO_ERRORs (RFC 9001 §4.8) that are told apart: TLS alerts no_application_protocol, unsupported_extension.
const (
	cryptoErrors          = 0x100
	alertUnsupportedExt   = cryptoErrors + 110
	alertNoApplicationPro = cryptoErrors + 120
)

// applicationClose is the type of the CONNECTION_CLOSE frame that carries an application's code (RFC 9000 §19.19).
const applicationClose = 0x1d

// handshakeError says in which layer a handshake failed, what was expected and what came.
func (d *dialer) handshakeError(err error, a *attempt, addr *net.UDPAddr, waited time.Duration) *transport.DialError {
	var (
		qerr     *quic.TransportError
		app      *quic.ApplicationError
		versions *quic.VersionNegotiationError
		cert     *tls.CertificateVerificationError
		timeout  net.Error
	)
	fail := func(layer transport.Layer, format string, args ...any) *transport.DialError {
		return &transport.DialError{Layer: layer, Reason: fmt.Sprintf(format, args...), Err: err}
	}
	offer := strings.Join(d.offer, ", ")
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(transport.LayerUDP, "nothing listens on UDP %s: the host answers that the port is unreachable",
			addr)
	case errors.As(err, &cert):
		return fail(transport.LayerTLS,
			"the certificate of %s is not trusted: %v; to accept any certificate give --tls-disable-verify "+
				"(TLS_DISABLE_VERIFY=1)", d.opts.URL.Authority, cert.Err)
	case errors.As(err, &versions):
		return fail(transport.LayerUDP, "%s speaks no common QUIC version: %v", addr, versions)
	case errors.As(err, &qerr):
		return d.transportError(qerr, fail, addr, offer)
	case errors.As(err, &app):
		return fail(transport.LayerTLS, "%s closed the connection during the handshake: %v", addr, app)
	case errors.Is(err, context.Canceled):
		return fail(transport.LayerUDP, "given up after %s: %v", waited.Round(time.Millisecond), err)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		waited := waited.Round(time.Millisecond)
		if n := a.socket.received.Load(); n > 0 {
			return fail(transport.LayerTLS,
				"%s sent %d datagrams, but the TLS handshake did not complete within %s; the ALPNs offered were %s "+
					"(some servers fall silent when they know none of them)", addr, n, waited, offer)
		}
		return fail(transport.LayerUDP,
			"no answer from %s within %s: nothing listens there, something on the way drops UDP or packets of this "+
				"size (%d bytes; 1200 is the least that QUIC allows), or the server ignores the ALPNs offered (%s)",
			addr, waited, or(d.opts.QUIC.PacketSize, packetSize), offer)
	}
	return fail(transport.LayerUDP, "the handshake with %s failed: %v", addr, err)
}

func (d *dialer) transportError(qerr *quic.TransportError,
	fail func(transport.Layer, string, ...any) *transport.DialError, addr *net.UDPAddr, offer string,
) *transport.DialError {
	code := uint64(qerr.ErrorCode)
	switch {
	case code == alertNoApplicationPro && qerr.Remote:
		return fail(transport.LayerALPN, "the QUIC server at %s knows none of the ALPNs offered (%s): it closed with "+
			"CRYPTO_ERROR 0x%x, no_application_protocol%s", addr, offer, code, d.otherTransport())
	case code == alertNoApplicationPro:
		return fail(transport.LayerALPN, "the QUIC server at %s selected no ALPN; offered were %s%s", addr, offer,
			d.otherTransport())
	case code == alertUnsupportedExt && !qerr.Remote && strings.Contains(qerr.Error(), "ALPN"):
		return fail(transport.LayerALPN, "the QUIC server at %s selected an ALPN that was not offered; offered were %s",
			addr, offer)
	case qerr.ErrorCode == quic.ConnectionRefused:
		return fail(transport.LayerTLS, "the QUIC server at %s refuses connections (CONNECTION_REFUSED)", addr)
	case qerr.Remote:
		return fail(transport.LayerTLS, "%s ended the handshake with %v", addr, qerr)
	case qerr.ErrorCode == quic.FrameEncodingError && qerr.FrameType == applicationClose:
		return fail(transport.LayerTLS, "%s closed the connection before the handshake was over, in a way that tells "+
			"nothing of the cause: with an application's CONNECTION_CLOSE (0x1d) in an Initial or Handshake packet, "+
			"where only CONNECTION_CLOSE of type 0x1c may stand (RFC 9000 §12.5); the ALPNs offered were %s", addr,
			offer)
	}
	return fail(transport.LayerTLS, "the handshake with %s failed: %v", addr, qerr)
}

// otherTransport says what a relay behind a moqt:// URL may speak instead of raw QUIC, when the URL's scheme alone kept
// it from being asked.
func (d *dialer) otherTransport() string {
	late := func(x wire.Draft) bool { return x >= firstWithWebTransportInURI }
	if d.opts.Transport != transport.Scheme || d.opts.URL.Scheme != "moqt" ||
		!slices.ContainsFunc(orAll(d.opts.Drafts), late) {
		return ""
	}
	return "; the relay may speak WebTransport alone: give its URL as https://, or --transport auto"
}
