package deploy

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The action, the README and the help of each command say the same of what runs by default: the transport that the
// URL's scheme stands for, and the standard set.
func TestDefaultsAreTheSame(t *testing.T) {
	text, err := os.ReadFile("../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if d := a.Inputs["transport"].Default; d != "scheme" {
		t.Errorf("the action's transport is %q", d)
	}
	if d := a.Inputs["suite"].Default; d != "standard" {
		t.Errorf("the action's suite is %q", d)
	}
	for _, x := range []struct{ file, says string }{
		{"../README.md", "Without `--transport` the URL's scheme says the transport"},
		{"../README.md", "Without `-t` the standard set runs"},
		{"../cmd/moq-interop-client/test.go", "Default scheme."},
		{"../cmd/moq-interop-client/test.go", `default:"standard"`},
		{"../cmd/moq-interop-client/probe.go", "Default scheme."},
		{"../cmd/moq-interop-client/matrix.go", "Default scheme."},
	} {
		text, err := os.ReadFile(x.file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), x.says) {
			t.Errorf("%s does not say %q", x.file, x.says)
		}
	}
}
