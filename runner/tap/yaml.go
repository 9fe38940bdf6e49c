package tap

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The library's encoder leaves some strings plain that are not plain scalars (tabs, control characters, "? x"), and
// spreads others over several lines. So the block is written here: a string is plain when it cannot be anything else,
// and otherwise double-quoted on one line, which no marker, line break or control character can leave.

// maxDepth bounds the nesting that is written and read.
const maxDepth = 64

// plain matches strings that are plain scalars in every YAML version unless reserved.
var plain = regexp.MustCompile(`^[A-Za-z_](?:[A-Za-z0-9_./() +-]*[A-Za-z0-9_)])?$`)

// reserved are the words that some YAML version reads as null, a boolean or a number.
var reserved = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"}

// writeMap appends one "key: value" for each item, indented by indent spaces.
func writeMap(b *bytes.Buffer, m yaml.MapSlice, indent, depth int) {
	for _, item := range m {
		b.WriteString(strings.Repeat(" ", indent))
		if key, ok := item.Key.(string); ok {
			b.Write(appendString(nil, key))
		} else {
			b.Write(appendString(nil, fmt.Sprint(item.Key)))
		}
		b.WriteByte(':')
		writeValue(b, item.Value, indent, depth+1)
	}
}

// writeValue appends the value of a key or of a list item, and the line's end.
func writeValue(b *bytes.Buffer, v any, indent, depth int) {
	v = simplify(v)
	if depth > maxDepth {
		v = fmt.Sprintf("nested deeper than %d", maxDepth)
	}
	switch v := v.(type) {
	case yaml.MapSlice:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteByte('\n')
		writeMap(b, v, indent+2, depth)
	case []any:
		if len(v) == 0 {
			b.WriteString(" []\n")
			return
		}
		b.WriteByte('\n')
		for _, item := range v {
			b.WriteString(strings.Repeat(" ", indent+2) + "-")
			writeItem(b, item, indent+2, depth+1)
		}
	case string:
		b.WriteByte(' ')
		b.Write(appendString(nil, v))
		b.WriteByte('\n')
	default: // nil, a boolean or a number: simplify leaves nothing else
		fmt.Fprintf(b, " %s\n", scalar(v))
	}
}

// writeItem appends what follows the "-" of a list item. A mapping begins on the same line.
func writeItem(b *bytes.Buffer, v any, indent, depth int) {
	v = simplify(v)
	if text, ok := v.(string); ok && depth <= maxDepth {
		b.WriteByte(' ')
		b.Write(hideKey(appendString(nil, text)))
		b.WriteByte('\n')
		return
	}
	m, ok := v.(yaml.MapSlice)
	if !ok || len(m) == 0 || depth > maxDepth {
		writeValue(b, v, indent, depth)
		return
	}
	var inner bytes.Buffer
	writeMap(&inner, m, indent+2, depth)
	b.WriteByte(' ')
	b.Write(inner.Bytes()[indent+2:])
}

// keyLike matches an item that TAP::Parser takes for the first key of a mapping, also within quotes: there it ends the
// whole document.
var keyLike = regexp.MustCompile(`^(\S+\s*?):(?:\s|$)`)

// hideKey writes the colons of such an item as escapes: behind one that is hidden, another may still be such a colon.
// What is plain has none.
func hideKey(item []byte) []byte {
	for m := keyLike.FindSubmatchIndex(item); m != nil; m = keyLike.FindSubmatchIndex(item) {
		colon := m[3]
		item = slices.Concat(item[:colon], []byte(`\x3a`), item[colon+1:])
	}
	return item
}

// simplify reduces v to nil, bool, int64, uint64, float64, string, []any or yaml.MapSlice. Bytes become hex, errors and
// Stringers their text, other maps sorted mappings, and what YAML has no form for becomes the text that fmt prints.
func simplify(v any) any {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Invalid:
		return nil
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		if rv.IsNil() && rv.Kind() != reflect.Slice && rv.Kind() != reflect.Map {
			return nil
		}
	}
	switch v := v.(type) {
	case yaml.MapSlice:
		return v
	case []byte:
		return hex.EncodeToString(v)
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	}
	switch rv.Kind() {
	case reflect.Bool:
		return rv.Bool()
	case reflect.String:
		return rv.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return rv.Uint()
	case reflect.Float32, reflect.Float64:
		return rv.Float()
	case reflect.Pointer:
		return simplify(rv.Elem().Interface())
	case reflect.Slice, reflect.Array:
		list := make([]any, rv.Len())
		for i := range list {
			list[i] = rv.Index(i).Interface()
		}
		return list
	case reflect.Map:
		m := make(yaml.MapSlice, 0, rv.Len())
		for it := rv.MapRange(); it.Next(); {
			m = append(m, yaml.MapItem{Key: fmt.Sprint(it.Key().Interface()), Value: it.Value().Interface()})
		}
		slices.SortFunc(m, func(a, b yaml.MapItem) int { return strings.Compare(a.Key.(string), b.Key.(string)) })
		return m
	}
	return fmt.Sprintf("%+v", v)
}

// scalar formats nil, a boolean or a number.
func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		switch {
		case math.IsNaN(v):
			return ".nan"
		case math.IsInf(v, 1):
			return ".inf"
		case math.IsInf(v, -1):
			return "-.inf"
		}
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.Contains(s, ".") { // 5 and 1e+21 are floats only with a point
			mantissa, exp, found := strings.Cut(s, "e")
			if s = mantissa + ".0"; found {
				s += "e" + exp
			}
		}
		return s
	}
	return fmt.Sprint(v)
}

// appendString appends s as a plain or a double-quoted scalar.
func appendString(b []byte, s string) []byte {
	if plain.MatchString(s) && !slices.Contains(reserved, strings.ToLower(s)) {
		return append(b, s...)
	}
	b = append(b, '"')
	for _, r := range s { // a byte that is not UTF-8 arrives as U+FFFD
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\r':
			b = append(b, `\r`...)
		case unicode.IsPrint(r):
			b = append(b, string(r)...)
		case r <= 0xff:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return append(b, '"')
}

// maxBlock is the most bytes of one YAML block that the library's parser gets: its cost grows faster than its input.
const maxBlock = 64 << 10

// parseYAML reads a block as well as it can. Text that is not YAML is tried again with its values quoted, and then line
// by line; the error says why that was needed.
func parseYAML(raw string, whole bool) (yaml.MapSlice, error) {
	if !whole {
		return flatYAML(raw), errors.New("YAML too long, only its own keys were read")
	}
	m, err := decodeYAML(raw)
	if err == nil {
		return m, nil
	}
	if m, again := decodeYAML(quoteValues(raw)); again == nil {
		return m, fmt.Errorf("not valid YAML, read with its values quoted: %w", err)
	}
	return flatYAML(raw), fmt.Errorf("not valid YAML, read line by line: %w", err)
}

// decodeYAML parses one mapping. Aliases are refused, since a few lines of them make gigabytes, and so is deep nesting,
// since the parser is recursive.
func decodeYAML(raw string) (m yaml.MapSlice, err error) {
	defer func() { // the library has panicked on odd input; that must not end a run
		if r := recover(); r != nil {
			m, err = nil, errors.New("the YAML parser failed")
		}
	}()
	if strings.TrimSpace(raw) == "" {
		return nil, nil
	}
	if deep(raw) {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	file, err := parser.ParseBytes([]byte(raw), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, errors.New("not one document")
	}
	body := file.Docs[0].Body
	if len(ast.Filter(ast.AliasType, body)) > 0 {
		return nil, errors.New("aliases are not read")
	}
	var v any
	d := yaml.NewDecoder(bytes.NewReader(nil), yaml.UseOrderedMap(), yaml.AllowDuplicateMapKey())
	if err := d.DecodeFromNode(body, &v); err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	m, ok := v.(yaml.MapSlice)
	if !ok {
		return nil, errors.New("not a mapping")
	}
	return m, nil
}

// deep estimates, generously, whether raw nests too deeply to hand it to the parser.
func deep(raw string) bool {
	depth := 0
	for i := range len(raw) {
		switch raw[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		}
		if depth > maxDepth {
			return true
		}
	}
	return strings.Contains(raw, strings.Repeat("- ", maxDepth)) ||
		strings.Contains(raw, strings.Repeat("? ", maxDepth))
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return first
}

var (
	keyValue = regexp.MustCompile(`^(\s*(?:- )?[A-Za-z_][\w.-]*):(?:[ \t]+(\S.*))?$`)
	safe     = regexp.MustCompile(`^(?:[|>][-+0-9]*|".*"|'.*'|\[.*\]|\{.*\}|[-+.\w]+)$`)
)

// quoteValues quotes the values that may be the reason why raw is not YAML.
func quoteValues(raw string) string {
	lines := strings.Split(raw, "\n")
	for i, line := range lines {
		if m := keyValue.FindStringSubmatch(line); m != nil && m[2] != "" && !safe.MatchString(m[2]) {
			lines[i] = m[1] + ": " + string(appendString(nil, strings.TrimSpace(m[2])))
		}
	}
	return strings.Join(lines, "\n")
}

// flatYAML reads "key: value" lines that are not indented. Other lines continue the value before them. Decimal integers
// become uint64 or int64, as the library has them; the rest is strings.
func flatYAML(raw string) yaml.MapSlice {
	var out yaml.MapSlice
	var more []string
	end := func() {
		if len(out) == 0 {
			return
		}
		last := &out[len(out)-1]
		text := strings.TrimRight(strings.Join(more, "\n"), " \t\n")
		last.Value = text
		if n, err := strconv.ParseUint(text, 10, 64); err == nil {
			last.Value = n
		} else if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			last.Value = n
		} else if q := len(text); q >= 2 && (text[0] == '"' || text[0] == '\'') && text[q-1] == text[0] {
			last.Value = text[1 : q-1]
		}
	}
	for line := range strings.SplitSeq(raw, "\n") {
		if m := keyValue.FindStringSubmatch(line); m != nil && m[1][0] != ' ' && m[1][0] != '\t' && m[1][0] != '-' {
			end()
			out, more = append(out, yaml.MapItem{Key: m[1]}), []string{m[2]}
		} else if len(out) > 0 && !strings.HasPrefix(line, "---") {
			more = append(more, line)
		}
	}
	end()
	return out
}
