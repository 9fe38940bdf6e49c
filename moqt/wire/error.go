package wire

import (
	"fmt"
	"io"

	"github.com/moqinterop/moq-interop-client/moqt/rules"
)

// Error is a breach of the draft found while decoding, or a value that cannot be encoded.
type Error struct {
	// Draft and Message say what was being read: "SUBSCRIBE", "SUBGROUP_HEADER", "OBJECT", "parameter".
	Draft   Draft
	Message string
	// Field is the draft's name of the field in snake_case, with a path for nested ones: "parameters[1].value".
	Field string
	// Offset is in bytes from the start of the input handed to the decoder. Without a Field, 0 is no place: the breach
	// is not in the bytes.
	Offset int
	// Code is the session error that the draft names for the breach (0x3 PROTOCOL_VIOLATION where it names none).
	Code SessionError
	// Rule is the rule that was broken; may be empty.
	Rule rules.ID
	// Reason says what was expected and what came.
	Reason string
	// WouldPass are the tolerances that would have let the input pass, where there are any that were not asked for.
	WouldPass Tolerance
	// Deviation is the place of what WouldPass lets pass, if Field is a later one: there the strict reading, which had
	// taken it for something else, could not go on. Else it is empty.
	Deviation string
	// Err is ErrTruncated when the input ended too early (of Decode ErrIncomplete), ErrUnknownType, or nil.
	Err error
}

// ErrTruncated is the cause of an Error when the input ended inside a value. For a stream it means "read more".
var ErrTruncated = fmt.Errorf("truncated: %w", io.ErrUnexpectedEOF)

// ErrIncomplete is the cause of an Error of Decode and LineDecoder when the input ended inside a message, header or
// object: that is no breach, for a capture may end anywhere. It wraps ErrTruncated.
var ErrIncomplete = fmt.Errorf("incomplete: %w", ErrTruncated)

// ErrUnknownType is the cause of an Error for a message, stream or datagram type that the draft does not define.
var ErrUnknownType = fmt.Errorf("unknown type")

// Error is "wire: SUBSCRIBE (draft-17): track_name at byte 9: truncated", and says which tolerances would have let it
// pass.
func (e *Error) Error() string {
	s := fmt.Sprintf("wire: %s (%s): ", e.Message, e.Draft)
	switch {
	case e.Field != "":
		s += fmt.Sprintf("%s at byte %d: ", e.Field, e.Offset)
	case e.Offset > 0:
		s += fmt.Sprintf("at byte %d: ", e.Offset)
	}
	s += e.Reason
	if section := e.Section(); section != "" {
		s += fmt.Sprintf(" (%s %s)", e.Draft, section)
	}
	if e.Deviation != "" {
		s += "; the deviation is in " + e.Deviation
	}
	if e.WouldPass != 0 {
		s += "; would pass with --compat " + e.WouldPass.String()
	}
	return s
}

// Section is where the draft has the rule, e.g. "§2.4.1"; may be empty.
func (e *Error) Section() string { return rules.Section(e.Draft, e.Rule) }

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }
