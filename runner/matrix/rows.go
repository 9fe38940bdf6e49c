package matrix

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// writeRows writes the struct that v points to as JSON, with a line for each element of its lists of structs: short for
// a program, readable for a person, and a cell that changed is one line of a difference.
func writeRows(w io.Writer, v any) error {
	b := bufio.NewWriter(w)
	value := reflect.ValueOf(v).Elem()
	between := "{\n  "
	for i := range value.NumField() {
		f := value.Field(i)
		name, options, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		if strings.Contains(options, "omit") && (f.IsZero() || f.Kind() == reflect.Slice && f.Len() == 0) {
			continue
		}
		b.WriteString(between + `"` + name + `": `)
		between = ",\n  "
		if f.Kind() != reflect.Slice || f.Type().Elem().Kind() != reflect.Struct {
			if err := writeCompact(b, f.Interface()); err != nil {
				return err
			}
			continue
		}
		b.WriteByte('[')
		for j := range f.Len() {
			if j > 0 {
				b.WriteByte(',')
			}
			b.WriteString("\n    ")
			if err := writeCompact(b, f.Index(j).Interface()); err != nil {
				return err
			}
		}
		if f.Len() > 0 {
			b.WriteString("\n  ")
		}
		b.WriteByte(']')
	}
	b.WriteString("\n}\n")
	return b.Flush()
}

// writeCompact writes one value without a line break.
func writeCompact(w io.Writer, v any) error {
	line, err := compact(v)
	if err == nil {
		_, err = w.Write(line)
	}
	return err
}

// compact gives a value's JSON form on one line, with < > & as they are.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
