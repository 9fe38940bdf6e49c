package wire

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vector is one entry of the public wire vectors beside the project.
type vector struct {
	ID        string          `json:"id"`
	Hex       string          `json:"hex"`
	Canonical *bool           `json:"canonical"`
	Decoded   json.RawMessage `json:"decoded"`
	Error     string          `json:"error"`
}

// wrongVectors are known to disagree with the text; each must go on failing, with the reason why the text is right.
var wrongVectors = map[string]string{
	"14/publish-namespace-ok/basic":        "body ends in a parameter count that draft-14 §9.24 does not have",
	"14/subscribe-namespace-ok/basic":      "body ends in a parameter count that draft-14 §9.29 does not have",
	"14/client-setup/no-versions-error":    "an empty version list is a matter of the server's answer, not of decoding",
	"14/subscribe-ok/no-content":           "Group Order 0 in SUBSCRIBE_OK is a protocol error (draft-14 §9.8)",
	"16/fetch/with-params":                 "second parameter type written absolute, draft-16 §1.4.2 says delta",
	"16/publish-ok/with-params":            "second parameter type written absolute, draft-16 §1.4.2 says delta",
	"16/subscribe/unknown-extension-param": "an unknown message parameter closes the session (draft-16 §9.2)",
}

func TestControlVectors(t *testing.T) {
	for _, d := range []Draft{Draft14, Draft16} {
		dir := filepath.Join("..", "..", "..", "shared", "data", "vectors", fmt.Sprintf("draft%d", d), "codec",
			"messages")
		files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		if len(files) == 0 {
			t.Skipf("no vectors at %s: they lie beside the project, not in it", dir)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var set struct{ Vectors []vector }
			if err := json.Unmarshal(raw, &set); err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".json")
			for _, v := range set.Vectors {
				id := fmt.Sprintf("%d/%s/%s", d, name, v.ID)
				t.Run(id, func(t *testing.T) {
					err := checkControlVector(d, name, v)
					if reason, wrong := wrongVectors[id]; wrong {
						if err == nil {
							t.Errorf("passes, but the text is against it: %s", reason)
						}
						return
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

func checkControlVector(d Draft, file string, v vector) error {
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		return err
	}
	stream := ControlStream
	if d == Draft16 && (file == "subscribe-namespace" || file == "namespace" || file == "namespace-done") {
		stream = RequestStream
	}
	m, n, err := ParseMessage(b, d, stream, Options{})
	if v.Error != "" {
		if err == nil {
			return fmt.Errorf("decodes, want an error (%s)", v.Error)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if n != len(b) {
		return fmt.Errorf("took %d of %d bytes", n, len(b))
	}
	_, _, fields, err := Describe(d, m, stream)
	if err != nil {
		return err
	}
	var want map[string]any
	if err := json.Unmarshal(v.Decoded, &want); err != nil {
		return err
	}
	if err := matchVector(fields, want); err != nil {
		return err
	}
	back, err := AppendMessage(nil, d, m, stream)
	if err != nil {
		return err
	}
	if canonical := v.Canonical == nil || *v.Canonical; canonical && hex.EncodeToString(back) != v.Hex {
		return fmt.Errorf("encodes back to %x, want %s", back, v.Hex)
	}
	return nil
}

// vectorNames maps the vectors' names of fields to the drafts'.
var vectorNames = map[string]string{
	"reason_phrase": "error_reason", "namespace_prefix": "track_namespace_prefix",
	"namespace_suffix": "track_namespace_suffix",
	"versions":         "supported_versions", "request_id": "maximum_request_id",
}

// matchVector compares every value that the vector states with the description.
func matchVector(got Fields, want map[string]any) error {
	for name, w := range want {
		switch name {
		case "parameters", "track_extensions":
			if name == "parameters" {
				if _, ok := got.Get("parameters"); !ok {
					name = "setup_parameters"
				}
			}
			g, _ := got.Get(name)
			list, _ := g.([]any)
			if err := matchParameters(list, w.(map[string]any)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		case "start_group", "start_object", "end_object", "end_group":
			// Locations are nested here; the vectors flatten them. end_group stands alone where it is a field of its
			// own.
			part := name[strings.IndexByte(name, '_')+1:]
			if loc, ok := got.Get(strings.TrimSuffix(name, part) + "location"); ok {
				g, _ := loc.(Fields).Get(part)
				if g != w {
					return fmt.Errorf("%s: got %v, want %v", name, g, w)
				}
				continue
			}
		}
		if alias, ok := vectorNames[name]; ok {
			if _, has := got.Get(name); !has {
				name = alias
			}
		}
		if g, ok := got.Get(name); !ok || !sameValue(g, w) {
			return fmt.Errorf("%s: got %v, want %v", name, g, w)
		}
	}
	return nil
}

func matchParameters(got []any, want map[string]any) error {
	count := 0
	for name, w := range want {
		if name == "unknown" {
			for _, u := range w.([]any) {
				count++
				entry := u.(map[string]any)
				if !hasParameter(got, "type", entry["id"], "hex", entry["raw_hex"]) {
					return fmt.Errorf("no unknown %v", entry)
				}
			}
			continue
		}
		count++
		var found bool
		for _, g := range got {
			p := g.(Fields)
			if n, _ := p.Get("name"); strings.EqualFold(fmt.Sprint(n), name) {
				found = true
				v, ok := p.Get("value")
				if m, structured := w.(map[string]any); structured {
					if err := matchVector(p, m); err != nil {
						return err
					}
				} else if !ok || !sameValue(v, w) {
					return fmt.Errorf("%s: got %v, want %v", name, v, w)
				}
			}
		}
		if !found {
			return fmt.Errorf("no %s in %v", name, got)
		}
	}
	if count != len(got) {
		return fmt.Errorf("got %d parameters, want %d", len(got), count)
	}
	return nil
}

func hasParameter(list []any, pairs ...any) bool {
	for _, g := range list {
		ok := true
		for i := 0; i < len(pairs); i += 2 {
			v, _ := g.(Fields).Get(pairs[i].(string))
			ok = ok && v == pairs[i+1]
		}
		if ok {
			return true
		}
	}
	return false
}

// sameValue compares a described value with one from JSON.
func sameValue(g, w any) bool {
	if f, ok := g.(Fields); ok {
		m, ok := w.(map[string]any)
		return ok && len(m) == len(f) && matchVector(f, m) == nil
	}
	return fmt.Sprint(g) == fmt.Sprint(w)
}
