package wire

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestRequestErrorCodes(t *testing.T) {
	for _, tt := range []struct {
		d       Draft
		answers Kind
		name    ErrorName
		code    RequestErrorCode
		own     string
	}{
		{14, KindSubscribe, NameDoesNotExist, 0x4, "TRACK_DOES_NOT_EXIST"},
		{14, KindTrackStatus, NameDoesNotExist, 0x4, "TRACK_DOES_NOT_EXIST"},
		{14, KindFetch, NameDoesNotExist, 0x4, "TRACK_DOES_NOT_EXIST"},
		{14, KindSubscribeNamespace, NameDoesNotExist, 0x4, "NAMESPACE_PREFIX_UNKNOWN"},
		{14, KindPublish, NameUninterested, 0x4, "UNINTERESTED"},
		{14, KindPublishNamespace, NameUninterested, 0x4, "UNINTERESTED"},
		{14, KindPublishNamespaceCancel, NameUninterested, 0x4, "UNINTERESTED"},
		{14, KindFetch, NameInvalidRange, 0x5, "INVALID_RANGE"},
		{14, KindSubscribeNamespace, NamePrefixOverlap, 0x5, "NAMESPACE_PREFIX_OVERLAP"},
		{14, KindFetch, NameInvalidJoiningRequestID, 0x7, "INVALID_JOINING_REQUEST_ID"},
		{14, KindFetch, NameMalformedTrack, 0x9, "MALFORMED_TRACK"},
		{14, KindSubscribe, NameMalformedAuthToken, 0x10, "MALFORMED_AUTH_TOKEN"},
		{15, KindSubscribe, NameMalformedAuthToken, 0x4, "MALFORMED_AUTH_TOKEN"},
		{15, KindSubscribe, NameDoesNotExist, 0x10, "DOES_NOT_EXIST"},
		{15, KindFetch, NameUnknownStatusInRange, 0x33, "UNKNOWN_STATUS_IN_RANGE"},
		{18, KindPublish, NameUnsupportedExtension, 0x33, "UNSUPPORTED_EXTENSION"},
		{19, KindFetch, NameInvalidJoiningRequestID, 0x32, "INVALID_JOINING_REQUEST_ID"},
		{22, KindNone, NameInvalidFilter, 0x36, "INVALID_FILTER"},
	} {
		code, ok := RequestErrorFor(tt.d, tt.answers, tt.name)
		if !ok || code != tt.code {
			t.Errorf("%s: %s answering %s = %#x, %v; want %#x", tt.d, tt.name, tt.answers, uint64(code), ok,
				uint64(tt.code))
		}
		if name := tt.code.Name(tt.d, tt.answers); name != tt.own {
			t.Errorf("%s: %#x answering %s is %q, want %q", tt.d, uint64(tt.code), tt.answers, name, tt.own)
		}
		if means, ok := tt.code.Meaning(tt.d, tt.answers); !ok || means != tt.name {
			t.Errorf("%s: %#x answering %s means %s, want %s", tt.d, uint64(tt.code), tt.answers, means, tt.name)
		}
	}
	for _, tt := range []struct {
		d       Draft
		answers Kind
		name    ErrorName
	}{
		{14, KindPublish, NameMalformedAuthToken},
		{14, KindPublish, NameDoesNotExist},
		{15, KindFetch, NameNoObjects},
		{16, KindSubscribe, NameGoingAway},
		{19, KindSubscribe, NameDuplicateSubscription},
		{20, KindFetch, NameInvalidJoiningRequestID},
	} {
		if code, ok := RequestErrorFor(tt.d, tt.answers, tt.name); ok {
			t.Errorf("%s: %s answering %s = %#x, want none", tt.d, tt.name, tt.answers, uint64(code))
		}
	}
	if name := RequestErrorCode(4).Name(Draft14, KindNone); name != "" {
		t.Errorf("0x4 in 14 without the request is %q, want no name", name)
	}
}

func TestDoneAndResetCodes(t *testing.T) {
	for _, tt := range []struct {
		d    Draft
		name ErrorName
		done int // -1: none
		rst  int
	}{
		{14, NameMalformedTrack, 0x7, -1},
		{15, NameMalformedTrack, 0x7, -1},
		{16, NameMalformedTrack, 0x12, 0x12},
		{17, NameExpired, 0x5, -1},
		{18, NameExpired, 0x6, -1},
		{17, NameTooFarBehind, 0x6, 0x5},
		{18, NameTooFarBehind, 0x5, 0x5},
		{14, NameUpdateFailed, -1, -1},
		{19, NameSubscriptionEnded, 0x3, -1},
		{20, NameSubscriptionEnded, -1, -1},
		{17, NameGoingAway, 0x4, -1},
		{18, NameGoingAway, 0x4, 0x4},
		{17, NameUnknownObjectStatus, -1, 0x4},
		{18, NameUnknownObjectStatus, -1, 0x6},
		{22, NameCancelled, -1, 0x1},
	} {
		done, ok := PublishDoneFor(tt.d, tt.name)
		if ok != (tt.done >= 0) || ok && int(done) != tt.done {
			t.Errorf("%s: PUBLISH_DONE %s = %#x, %v; want %#x", tt.d, tt.name, uint64(done), ok, tt.done)
		}
		if m, _ := done.Meaning(tt.d); ok && m != tt.name {
			t.Errorf("%s: PUBLISH_DONE %#x means %s, want %s", tt.d, uint64(done), m, tt.name)
		}
		rst, ok := ResetFor(tt.d, tt.name)
		if ok != (tt.rst >= 0) || ok && int(rst) != tt.rst {
			t.Errorf("%s: reset %s = %#x, %v; want %#x", tt.d, tt.name, uint64(rst), ok, tt.rst)
		}
		if m, _ := rst.Meaning(tt.d); ok && m != tt.name {
			t.Errorf("%s: reset %#x means %s, want %s", tt.d, uint64(rst), m, tt.name)
		}
	}
}

func TestCodeTexts(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{ProtocolViolation.In(Draft18), "0x3 PROTOCOL_VIOLATION"},
		{SessionError(7).In(Draft16), "0x7 TOO_MANY_REQUESTS"},
		{SessionError(7).In(Draft17), "0x7 INVALID_REQUIRED_REQUEST_ID"},
		{SessionError(7).In(Draft18), "0x7 (unknown in draft-18)"},
		{VersionNegotiation.In(Draft20), "0x15 (unknown in draft-20)"},
		{SessionError(0x9D).In(Draft17), "0x9d (grease)"},
		{SessionError(0x9D).In(Draft16), "0x9d (unknown in draft-16)"},
		{RequestErrorCode(0x11C).In(Draft18, KindFetch), "0x11c (grease)"},
		{PublishDoneCode(3).In(Draft22), "0x3 (unknown in draft-22)"},
		{ResetCode(1).In(Draft14), "0x1 CANCELLED"},
		{StatusDoesNotExist.String(), "Object Does Not Exist"},
		{ObjectStatus(9).String(), "0x9"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
	for v, want := range map[uint64]bool{0x9C: false, 0x9D: true, 0xBC: false, 0x11C: true, 0x19B: true,
		0x3fffffffffffffde: true} {
		if IsGrease(v) != want {
			t.Errorf("IsGrease(%#x) = %v", v, !want)
		}
	}
}

// TestCodesAgainstTheDrafts reads the registries in the texts of 14 to 19, where they lie beside the project: every row
// both ways.
func TestCodesAgainstTheDrafts(t *testing.T) {
	row := regexp.MustCompile(`^\| *([A-Z_]+) *\| *(0x[0-9A-Fa-f]+) *\|`)
	heading := regexp.MustCompile(`^#+ .*\{#iana-([a-z-]+)\}`)
	registries := map[string]struct {
		table   []codeRow
		answers []Kind
	}{
		"session-termination":       {sessionCodes, []Kind{KindNone}},
		"publish-done":              {doneCodes, []Kind{KindNone}},
		"reset-stream":              {resetCodes, []Kind{KindNone}},
		"request-error":             {requestCodes, []Kind{KindNone, KindSubscribe, KindFetch}},
		"subscribe-error":           {requestCodes, []Kind{KindSubscribe, KindTrackStatus}},
		"publish-error":             {requestCodes, []Kind{KindPublish}},
		"fetch-error":               {requestCodes, []Kind{KindFetch}},
		"announce-error":            {requestCodes, []Kind{KindPublishNamespace, KindPublishNamespaceCancel}},
		"subscribe-namespace-error": {requestCodes, []Kind{KindSubscribeNamespace}},
	}
	for d := Draft14; d <= Draft19; d++ {
		path := filepath.Join("..", "..", "..", "shared", "specs", fmt.Sprintf("draft-%d.md", d))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Skipf("no text at %s: it lies beside the project, not in it", path)
		}
		want := map[string]map[uint64]string{}
		section := ""
		for _, line := range strings.Split(string(text), "\n") {
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "|") {
				continue
			}
			if m := heading.FindStringSubmatch(line); m != nil {
				section = m[1]
			} else if m := row.FindStringSubmatch(line); m != nil {
				if _, known := registries[section]; known {
					code, _ := strconv.ParseUint(m[2], 0, 64)
					if want[section] == nil {
						want[section] = map[uint64]string{}
					}
					want[section][code] = m[1]
				}
			}
		}
		if len(want) < 4 {
			t.Errorf("%s: only %d registries found", d, len(want))
		}
		for section, codes := range want {
			for _, answers := range registries[section].answers {
				for code := range uint64(0x40) {
					if got := nameOf(registries[section].table, d, answers, code); got != codes[code] {
						t.Errorf("%s %s (%s): %#x is %q, the text says %q", d, section, answers, code, got, codes[code])
					}
				}
			}
		}
	}
}

func TestLocationCompare(t *testing.T) {
	sorted := []Location{{0, 0}, {0, 1}, {1, 0}, {1, 1<<64 - 1}, {2, 0}}
	for i, a := range sorted {
		for j, b := range sorted {
			if got, want := a.Compare(b), max(-1, min(1, i-j)); got != want {
				t.Errorf("%v.Compare(%v) = %d, want %d", a, b, got, want)
			}
		}
	}
}
