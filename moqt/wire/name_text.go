package wire

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// NameText renders a namespace and a track name for logs, files and URLs: letters, digits and _ as they are, any other
// byte as a period and two hex digits, a hyphen between fields, and two before the track name (draft-16 §1.5,
// draft-22 §8.8). ParseNameText reads it back.
func NameText(ns TrackNamespace, track string) string {
	return NamespaceText(ns) + "--" + nameText(track)
}

// NamespaceText is NameText without the track name.
func NamespaceText(ns TrackNamespace) string {
	fields := make([]string, 0, len(ns))
	for _, f := range ns {
		fields = append(fields, nameText(f))
	}
	return strings.Join(fields, "-")
}

func nameText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if literal(s[i]) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, ".%02x", s[i])
		}
	}
	return b.String()
}

// literal tells the bytes that stand for themselves.
func literal(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// ParseNameText reads what NameText has written. It takes no other text: the error says what is wrong, and where.
func ParseNameText(text string) (ns TrackNamespace, track string, err error) {
	before, after, found := strings.Cut(text, "--")
	if !found {
		return nil, "", fmt.Errorf("name %q: want -- between the namespace and the track name", text)
	}
	if ns, err = ParseNamespaceText(before); err == nil {
		track, err = parseNamePart(after)
	}
	if err != nil {
		return nil, "", fmt.Errorf("name %q: %w", text, err)
	}
	return ns, track, nil
}

// ParseNamespaceText reads what NamespaceText has written. The empty text is the namespace without fields.
func ParseNamespaceText(text string) (TrackNamespace, error) {
	if text == "" {
		return TrackNamespace{}, nil
	}
	var ns TrackNamespace
	for part := range strings.SplitSeq(text, "-") {
		field, err := parseNamePart(part)
		if err != nil {
			return nil, err
		}
		if field == "" {
			return nil, fmt.Errorf("namespace %q has an empty field", text)
		}
		ns = append(ns, field)
	}
	return ns, nil
}

// parseNamePart reads a field or a track name.
func parseNamePart(text string) (string, error) {
	var out []byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case literal(c):
			out = append(out, c)
		case c != '.':
			return "", fmt.Errorf("%q: the byte %q must be written as .%02x", text, c, c)
		case i+2 >= len(text):
			return "", fmt.Errorf("%q: want two hex digits behind the period", text)
		default:
			b, err := hex.DecodeString(text[i+1 : i+3])
			switch {
			case err != nil || strings.ToLower(text[i+1:i+3]) != text[i+1:i+3]:
				return "", fmt.Errorf("%q: %q is not a period and two lower case hex digits", text, text[i:i+3])
			case literal(b[0]):
				return "", fmt.Errorf("%q: %s must be written as %c", text, text[i:i+3], b[0])
			}
			out = append(out, b[0])
			i += 2
		}
	}
	return string(out), nil
}
