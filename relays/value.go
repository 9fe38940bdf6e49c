package relays

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Name names an implementation: letters, digits, and . _ + - inside, at most 100 of them.
type Name string

// Draft is a draft as catalogues write it: "draft-18". Drafts that this program does not speak, because they are too
// old, may stand in a catalogue: it says what an implementation claims. Those newer than wire.Newest are taken for
// slips.
type Draft string

// Wire is the draft as the codec knows it; ok is false when the codec does not speak it.
func (d Draft) Wire() (w wire.Draft, ok bool) {
	w, err := wire.ParseDraft(string(d))
	return w, err == nil
}

// Number is "18" for "draft-18".
func (d Draft) Number() string { return strings.TrimPrefix(string(d), "draft-") }

// Spoken are the drafts among those given that the codec speaks, newest first, each once.
func Spoken(drafts []Draft) []wire.Draft {
	var out []wire.Draft
	for _, w := range wire.Drafts() {
		if slices.ContainsFunc(drafts, func(d Draft) bool { x, ok := d.Wire(); return ok && x == w }) {
			out = append(out, w)
		}
	}
	return out
}

// Role is what an implementation can be.
type Role string

// The roles, in the order in which they are shown.
const (
	RoleRelay      Role = "relay"
	RoleClient     Role = "client"
	RolePublisher  Role = "publisher"
	RoleSubscriber Role = "subscriber"
)

// Browser is a browser that can be a client.
type Browser string

// The browsers that this program drives.
const (
	Chromium Browser = "chromium"
	Firefox  Browser = "firefox"
)

// Status says whether an endpoint is worth trying.
type Status string

// The statuses of the public registry.
const (
	// Active runs, Inactive is not available at present; nobody knows about Untested.
	Active   Status = "active"
	Inactive Status = "inactive"
	Untested Status = "untested"
)

// Announcement is a message by which a publisher makes itself known to a relay.
type Announcement string

// The announcements.
const (
	ByPublish          Announcement = "publish"
	ByPublishNamespace Announcement = "publish-namespace"
)

// Tolerance is a name for --compat: lower-case letters, digits and -. Which names there are is not checked here: codec
// and cases know.
type Tolerance string

// Image names a container image.
type Image string

// URL is a relay's URL, or "embedded" for the reference relay, with faults as "embedded?fault=NAME".
type URL string

// Embedded reports whether the URL stands for the reference relay.
func (u URL) Embedded() bool {
	base, _, _ := strings.Cut(string(u), "?")
	return base == "embedded"
}

// Parse takes the URL apart; the embedded relay has no parts.
func (u URL) Parse() (transport.URL, error) {
	if !u.Embedded() {
		return transport.ParseURL(string(u))
	}
	_, query, _ := strings.Cut(string(u), "?")
	values, err := url.ParseQuery(query)
	for key := range values {
		if key != "fault" && key != "quirk" {
			err = fmt.Errorf("unknown option %q", key)
		}
	}
	if err != nil {
		return transport.URL{}, fmt.Errorf("relay %q: want embedded or embedded?fault=NAME: %w", string(u), err)
	}
	return transport.URL{}, nil
}

var (
	nameForm      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
	draftForm     = regexp.MustCompile(`^draft-[0-9]{1,3}$`)
	imageForm     = regexp.MustCompile(`^\S+$`)
	toleranceForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// check says what was expected of a value that is not what its type allows.
func check(v any) error {
	switch v := v.(type) {
	case Name:
		if !nameForm.MatchString(string(v)) {
			return errors.New("want a name of letters, digits and . _ + -")
		}
	case Draft:
		if n, err := strconv.Atoi(v.Number()); err != nil || !draftForm.MatchString(string(v)) || n > int(wire.Newest) {
			return fmt.Errorf("unknown draft: want draft-NN, not beyond %s", wire.Newest)
		}
	case draftNumber:
		if v < 0 || v > draftNumber(wire.Newest) {
			return fmt.Errorf("unknown draft: want a number, not beyond %d", wire.Newest)
		}
	case Role:
		return oneOf("role", v, RoleRelay, RoleClient, RolePublisher, RoleSubscriber)
	case Browser:
		return oneOf("browser", v, Chromium, Firefox)
	case Status:
		return oneOf("status", v, Active, Inactive, Untested)
	case Announcement:
		return oneOf("announcement", v, ByPublish, ByPublishNamespace)
	case transport.Choice:
		return oneOf("transport", v, transport.OnlyQUIC, transport.OnlyWebTransport, transport.Auto)
	case publishMode:
		return oneOf("mode", v, modePublish, modePublishNamespace, modeBoth)
	case Tolerance:
		if !toleranceForm.MatchString(string(v)) {
			return errors.New("want a tolerance's name of lower-case letters, digits and -")
		}
	case Image:
		if !imageForm.MatchString(string(v)) {
			return errors.New("want the name of an image")
		}
	case URL:
		if _, err := v.Parse(); err != nil {
			return fmt.Errorf("bad URL (%w)", err)
		}
	}
	return checkSetting(v)
}

func oneOf[T ~string](what string, v T, known ...T) error {
	if slices.Contains(known, v) {
		return nil
	}
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = string(k)
	}
	return fmt.Errorf("unknown %s: want %s", what, strings.Join(names, ", "))
}
