package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Field is one named value of a message or header, as `decode` prints it and as transcripts show it.
// Value is a string (decimal integer, text or hex), a bool, a Fields (an object), or a []any of those (a list).
type Field struct {
	Name  string
	Value any
}

// Fields is an ordered list of named values; it marshals to a JSON object in that order.
type Fields []Field

// Get finds a value by name.
func (f Fields) Get(name string) (any, bool) {
	for _, x := range f {
		if x.Name == name {
			return x.Value, true
		}
	}
	return nil, false
}

// MarshalJSON keeps the order of the fields.
func (f Fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{x.Name, x.Value} {
			enc, err := marshalPlain(part)
			if err != nil {
				return nil, err
			}
			b.Write(enc)
			if j == 0 {
				b.WriteByte(':')
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// marshalPlain is json.Marshal without the escaping of <, > and &.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// UnmarshalJSON keeps the order of the fields.
func (f *Fields) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	*f = Fields{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		v, err := unmarshalValue(raw)
		if err != nil {
			return err
		}
		*f = append(*f, Field{Name: key.(string), Value: v})
	}
	return nil
}

func unmarshalValue(raw json.RawMessage) (any, error) {
	switch raw[0] {
	case '{':
		var f Fields
		err := json.Unmarshal(raw, &f)
		return f, err
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		out := make([]any, len(list))
		for i, r := range list {
			v, err := unmarshalValue(r)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	}
	if raw[0] == 't' || raw[0] == 'f' {
		return raw[0] == 't', nil
	}
	return string(raw), nil // a bare number is taken as its own text
}

// uintValue is how every integer is shown: a decimal string, because JSON numbers lose digits past 2^53.
func uintValue(v uint64) string { return strconv.FormatUint(v, 10) }

// typeValue is how type codes of parameters, options and properties are shown.
func typeValue(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }

// textValue shows text as a string, and as {"hex": …} when it is not UTF-8.
func textValue(s string) any {
	if utf8.ValidString(s) {
		return s
	}
	return Fields{{"hex", hex.EncodeToString([]byte(s))}}
}
