package tools

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"unicode/utf8"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// Format says how objects are shown.
type Format string

// The formats: a payload and a line's end, payloads alone, a hex dump under a line about the object, an object of JSON
// a line, and nothing.
const (
	FormatLine Format = "line"
	FormatRaw  Format = "raw"
	FormatHex  Format = "hex"
	FormatJSON Format = "json"
	FormatNone Format = "none"
)

// Sink is where objects go. Safe for concurrent use.
type Sink struct {
	// Out gets the objects in Format; Dir, if not empty, a file for each instead: NAME/GROUP-OBJECT.
	Out    io.Writer
	Format Format
	Dir    string

	mu sync.Mutex
}

// shown is an object as JSON.
type shown struct {
	Track    string `json:"track"`
	Group    uint64 `json:"group"`
	Subgroup uint64 `json:"subgroup"`
	Object   uint64 `json:"object"`
	Priority uint8  `json:"priority"`
	Status   string `json:"status,omitempty"` // of an object that is none
	Datagram bool   `json:"datagram,omitempty"`
	Size     int    `json:"size"`
	// Payload is the payload where it is UTF-8; PayloadHex is it otherwise.
	Payload    *string `json:"payload,omitempty"`
	PayloadHex string  `json:"payload_hex,omitempty"`

	Properties []shownProperty `json:"properties,omitempty"`
}

type shownProperty struct {
	Type  string  `json:"type"`
	Value *uint64 `json:"value,omitempty"`
	Hex   string  `json:"hex,omitempty"`
}

// Write takes an object.
func (s *Sink) Write(name Name, o *moq.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	normal := o.Status == wire.StatusNormal
	switch {
	case s.Dir != "":
		if !normal {
			return nil
		}
		dir := filepath.Join(s.Dir, name.String())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d-%d", o.GroupID, o.ObjectID)), o.Payload, 0o644)
	case s.Format == FormatJSON:
		b, err := json.Marshal(show(name, o))
		if err != nil {
			return err
		}
		_, err = s.Out.Write(append(b, '\n'))
		return err
	case s.Format == FormatHex:
		_, err := fmt.Fprintf(s.Out, "%s %s\n%s", name, o, hex.Dump(o.Payload))
		return err
	case s.Format == FormatNone || !normal:
		return nil
	}
	b := o.Payload
	if s.Format == FormatLine {
		b = append(b[:len(b):len(b)], '\n')
	}
	_, err := s.Out.Write(b)
	return err
}

func show(name Name, o *moq.Object) shown {
	v := shown{Track: name.String(), Group: o.GroupID, Subgroup: o.SubgroupID, Object: o.ObjectID, Priority: o.Priority,
		Datagram: o.Datagram, Size: len(o.Payload)}
	switch {
	case o.Status != wire.StatusNormal:
		v.Status = o.Status.String()
	case utf8.Valid(o.Payload):
		text := string(o.Payload)
		v.Payload = &text
	default:
		v.PayloadHex = hex.EncodeToString(o.Payload)
	}
	props, err := o.DecodeProperties()
	if err != nil {
		return v // without properties, or with such as cannot be read
	}
	for _, p := range props {
		x := shownProperty{Type: fmt.Sprintf("0x%x", p.Type)}
		if p.Type%2 == 0 {
			x.Value = &p.Uint
		} else {
			x.Hex = hex.EncodeToString(p.Bytes)
		}
		v.Properties = append(v.Properties, x)
	}
	return v
}
