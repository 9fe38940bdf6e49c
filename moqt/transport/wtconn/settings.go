package wtconn

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// HTTP/3 settings that matter to WebTransport. Its drafts renamed and renumbered theirs again and again; peers announce
// those of the drafts they know.
const (
	settingExtendedConnect = 0x8        // RFC 9220
	settingDatagram        = 0x33       // RFC 9297
	settingWTDraft02       = 0x2b603742 // ENABLE_WEBTRANSPORT, drafts 02 to 06
	settingWTSessions03    = 0x2b603743 // WEBTRANSPORT_MAX_SESSIONS, drafts 03 to 06
	settingWTSessions07    = 0xc671706a // WEBTRANSPORT_MAX_SESSIONS, drafts 07 to 12
	settingWTSessions14    = 0x14e9cd29 // WT_MAX_SESSIONS, drafts 13 and 14
	settingWTEnabled       = 0x2c7cf000 // WT_ENABLED, draft 15 and later
)

// announced is what both our sides announce beside RFC 9220's, which the HTTP/3 library adds on the server side.
// H3_DATAGRAM stands here because we read the datagrams ourselves.
func announced() map[uint64]uint64 {
	return map[uint64]uint64{
		settingDatagram: 1, settingWTDraft02: 1, settingWTSessions03: 1,
		settingWTSessions07: 1, settingWTSessions14: 1, settingWTEnabled: 1,
	}
}

// settings are the peer's.
type settings []setting

type setting struct{ id, value uint64 }

func (s settings) on(id uint64) bool {
	return slices.ContainsFunc(s, func(x setting) bool { return x.id == id && x.value != 0 })
}

// webTransport reports whether any draft's setting announces WebTransport.
func (s settings) webTransport() bool {
	return slices.ContainsFunc([]uint64{settingWTDraft02, settingWTSessions03, settingWTSessions07, settingWTSessions14,
		settingWTEnabled}, s.on)
}

// protocol is what the peer wants for :protocol. The token was renamed together with the setting (draft 15 §9.1).
func (s settings) protocol() string {
	if s.on(settingWTEnabled) {
		return protocolNew
	}
	return protocolOld
}

// String lists them as they came: "0x8=1, 0x33=1".
func (s settings) String() string {
	var parts []string
	for _, x := range s {
		parts = append(parts, fmt.Sprintf("0x%x=%d", x.id, x.value))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// maxSettings bounds the SETTINGS frame in bytes.
const maxSettings = 8 << 10

var errMissingSettings error = &breach{http3.ErrCodeMissingSettings,
	"the first frame of the control stream is not SETTINGS"}

// readSettings reads the first frame of a control stream, whose type has been read (RFC 9114 §6.2.1).
func readSettings(r quicvarint.Reader) (settings, error) {
	kind, length, err := readFrameHeader(r)
	switch {
	case err != nil:
		return nil, err
	case kind != frameSettings:
		return nil, errMissingSettings
	case length > maxSettings:
		return nil, &breach{http3.ErrCodeExcessiveLoad,
			fmt.Sprintf("a SETTINGS frame of %d bytes, at most %d are taken", length, maxSettings)}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	var out settings
	seen := make(map[uint64]bool)
	for len(body) > 0 {
		var x setting
		for _, v := range []*uint64{&x.id, &x.value} {
			value, n, err := quicvarint.Parse(body)
			if err != nil {
				return nil, &breach{http3.ErrCodeFrameError, "a SETTINGS frame that ends inside a setting"}
			}
			*v, body = value, body[n:]
		}
		switch {
		case x.id == 0x0 || 0x2 <= x.id && x.id <= 0x5: // HTTP/2's (RFC 9114 §7.2.4.1)
			return nil, &breach{http3.ErrCodeSettingsError, fmt.Sprintf("the setting 0x%x, which is HTTP/2's", x.id)}
		case seen[x.id]:
			return nil, &breach{http3.ErrCodeSettingsError, fmt.Sprintf("the setting 0x%x twice", x.id)}
		}
		seen[x.id] = true
		out = append(out, x)
	}
	return out, nil
}
