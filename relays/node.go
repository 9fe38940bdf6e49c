package relays

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// kind is a kind of JSON value, in words for messages.
type kind string

const (
	object  kind = "an object"
	array   kind = "a list"
	text    kind = "a string"
	number  kind = "a number"
	boolean kind = "true or false"
	null    kind = "null"
)

// node is a JSON value that knows where it stands, so that everything said about it can say so too.
type node struct {
	parent *node
	key    string // in an object
	index  int    // in a list
	line   int
	kind   kind
	value  string // of a string; of a number, boolean or null as written
	items  []*node
}

// mostDepth bounds nesting; the formats here need eight levels.
const mostDepth = 32

// parseJSON reads one JSON value. Unlike encoding/json it refuses a key given twice: the first would be lost silently.
func parseJSON(file string, b []byte) (*node, error) {
	p := parser{dec: json.NewDecoder(bytes.NewReader(b)), input: b, line: 1}
	p.dec.UseNumber()
	root, err := p.value(&node{}, 0)
	if err == nil {
		if _, more := p.dec.Token(); more != io.EOF {
			err = errors.New("more behind the end of the JSON value")
			p.locate()
		}
	}
	if err == nil {
		return root, nil
	}
	var found Finding
	if errors.As(err, &found) {
		found.File = file
		return nil, Findings{found}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("unexpected end")
	}
	return nil, Findings{{File: file, Line: p.line, Why: "not JSON: " + err.Error()}}
}

type parser struct {
	dec   *json.Decoder
	input []byte
	at    int // everything before it is counted in line
	line  int
}

// locate moves line to the last token; no token has a line break inside.
func (p *parser) locate() {
	if to := min(int(p.dec.InputOffset()), len(p.input)); to > p.at {
		p.line += bytes.Count(p.input[p.at:to], []byte("\n"))
		p.at = to
	}
}

func (p *parser) token() (json.Token, error) {
	t, err := p.dec.Token()
	p.locate()
	return t, err
}

// value reads what comes next into n, which has its place already.
func (p *parser) value(n *node, depth int) (*node, error) {
	t, err := p.token()
	if err != nil {
		return nil, err
	}
	n.line = p.line
	switch t := t.(type) {
	case string:
		n.kind, n.value = text, t
	case json.Number:
		n.kind, n.value = number, t.String()
	case bool:
		n.kind, n.value = boolean, strconv.FormatBool(t)
	case nil:
		n.kind, n.value = null, "null"
	case json.Delim:
		if depth == mostDepth {
			return nil, fmt.Errorf("nested deeper than %d levels", mostDepth)
		}
		n.kind = array
		if t == '{' {
			n.kind = object
		}
		return n, p.inside(n, depth)
	}
	return n, nil
}

// inside reads an object's or a list's items up to its end.
func (p *parser) inside(n *node, depth int) error {
	seen := map[string]int{}
	for p.dec.More() {
		item := &node{parent: n, index: len(n.items)}
		if n.kind == object {
			t, err := p.token()
			if err != nil {
				return err
			}
			item.key = t.(string)
			if first, twice := seen[item.key]; twice {
				return Finding{Line: p.line, Path: item.path(), Why: fmt.Sprintf("given twice, first on line %d",
					first)}
			}
			seen[item.key] = p.line
		}
		if _, err := p.value(item, depth+1); err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, err := p.token()
	return err
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_$-]+$`)

// path is where the value stands: `relays[2].urls.raw-quic`; odd keys are quoted: `relays["a.b"]`.
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	up := n.parent.path()
	switch {
	case n.parent.kind == array:
		return up + "[" + strconv.Itoa(n.index) + "]"
	case !plainKey.MatchString(n.key):
		return up + "[" + strconv.Quote(n.key) + "]"
	case up == "":
		return n.key
	}
	return up + "." + n.key
}

// get is the object's member of that name, or nil.
func (n *node) get(key string) *node {
	if n.kind == object {
		for _, item := range n.items {
			if item.key == key {
				return item
			}
		}
	}
	return nil
}

// mostText bounds what a finding repeats of the input.
const mostText = 200

// String is the value as compact JSON, cut when it is long.
func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	if b.Len() <= mostText {
		return b.String()
	}
	return strings.ToValidUTF8(b.String()[:mostText], "") + "…"
}

// write stops soon after the limit.
func (n *node) write(b *strings.Builder) {
	if b.Len() > mostText {
		return
	}
	switch n.kind {
	case text:
		b.WriteString(quote(n.value))
	case object, array:
		ends := "[]"
		if n.kind == object {
			ends = "{}"
		}
		b.WriteByte(ends[0])
		for i, item := range n.items {
			if b.Len() > mostText {
				break
			}
			if i > 0 {
				b.WriteByte(',')
			}
			if n.kind == object {
				b.WriteString(quote(item.key) + ":")
			}
			item.write(b)
		}
		b.WriteByte(ends[1])
	default:
		b.WriteString(n.value)
	}
}

// quote is the JSON form of a string, or of its beginning.
func quote(s string) string {
	if len(s) > 2*mostText {
		s = strings.ToValidUTF8(s[:2*mostText], "")
	}
	b, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return strconv.Quote(s)
	}
	return string(b)
}
