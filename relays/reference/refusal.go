package reference

import (
	"context"
	"errors"
	"fmt"

	"github.com/moqinterop/moq-interop-client/moqt"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// refusal is why a request is refused.
type refusal struct {
	code   moqt.RejectCode
	reason string
}

func (e *refusal) Error() string { return e.reason }

func refuse(code moqt.RejectCode, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// asRefusal turns the failure of an upstream request into the refusal of the downstream one.
func asRefusal(err error) *refusal {
	var own *refusal
	var refused *moqt.RequestError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &refused):
		code := moqt.RejectCode(moqt.RejectInternalError)
		if meaning, ok := wire.RequestErrorCode(refused.Code).Meaning(refused.Draft, refused.Kind); ok {
			if c, ok := rejects[meaning]; ok {
				code = c
			}
		}
		return &refusal{code, refused.Reason}
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(moqt.RejectTimeout, "the publisher has not answered")
	}
	var cancelled *moqt.CancelError
	if errors.As(err, &cancelled) {
		return refuse(moqt.RejectInternalError, "the publisher cancelled the request")
	}
	return refuse(moqt.RejectInternalError, "the publisher's session failed")
}

// rejects are the refusals of publishers that the relay passes on to subscribers.
var rejects = map[wire.ErrorName]moqt.RejectCode{
	wire.NameUnauthorized:         moqt.RejectUnauthorized,
	wire.NameTimeout:              moqt.RejectTimeout,
	wire.NameNotSupported:         moqt.RejectNotSupported,
	wire.NameGoingAway:            moqt.RejectGoingAway,
	wire.NameExcessiveLoad:        moqt.RejectExcessiveLoad,
	wire.NameDoesNotExist:         moqt.RejectDoesNotExist,
	wire.NameInvalidRange:         moqt.RejectInvalidRange,
	wire.NameMalformedTrack:       moqt.RejectMalformedTrack,
	wire.NameNoObjects:            moqt.RejectNoObjects,
	wire.NameUnknownStatusInRange: moqt.RejectUnknownStatusInRange,
	wire.NameUninterested:         moqt.RejectDoesNotExist,
	wire.NameUnsupportedExtension: moqt.RejectUnsupportedExtension,
}
