package matrix

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/relays"
)

// anyDraft stands for the draft in the ID of a cell whose client offers all its drafts.
const anyDraft = "any"

// cellID makes a cell's ID.
func cellID(c Cell) string {
	return strings.Join([]string{c.Client, c.Relay, c.Endpoint, cmp.Or(c.Draft, anyDraft), c.Transport}, "/")
}

// urlKey names an endpoint by its URL, readably; what the name cannot show is in a digest behind it.
func urlKey(url relays.URL) string {
	u, err := url.Parse()
	if url.Embedded() || err != nil {
		return slug(string(url))
	}
	text := u.Scheme + "-" + u.Host + "-" + u.Port
	if p := u.Path; p != "" {
		text += "-" + strings.TrimPrefix(p, "/")
		if !plainPath.MatchString(p) {
			out, _ := readable(text)
			return out + "-" + short(string(url))
		}
	}
	return slug(text)
}

// plainPath is a path that urlKey shows as it is.
var plainPath = regexp.MustCompile(`^/[a-z0-9._]+$`)

// commandKey names a program, containerKey an image.
func commandKey(command []string, env map[string]string, url string) string {
	base := "command"
	if len(command) > 0 {
		base = path.Base(strings.ReplaceAll(command[0], `\`, "/"))
	}
	return slug(strings.Trim(base, "{}")) + "-" +
		short(append(append(slices.Clone(command), url), sortedEnv(env)...)...)
}

func containerKey(image string, env map[string]string, url string) string {
	base, _, _ := strings.Cut(path.Base(image), ":")
	base, _, _ = strings.Cut(base, "@")
	return slug(base) + "-" + short(append([]string{image, url}, sortedEnv(env)...)...)
}

// slug makes a text fit for a path on every system. When that loses something, a digest is added.
func slug(text string) string {
	out, lost := readable(text)
	if lost {
		out = strings.TrimLeft(out+"-"+short(text), "-")
	}
	return out
}

// readable replaces what is not fit for a path, and says whether something is lost.
func readable(text string) (out string, lost bool) {
	out = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		lost = true
		return '-'
	}, strings.ToLower(text))
	trimmed := strings.Trim(out, ".-")
	trimmed = trimmed[:min(len(trimmed), 80)]
	return trimmed, lost || trimmed != out
}

// short is the beginning of a digest of texts.
func short(texts ...string) string {
	b, _ := json.Marshal(texts) // strings always marshal
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:3])
}

// Ref gives the plan's reference, as a run of it has it.
func (p *Plan) Ref() PlanRef { return p.ref() }

// Only gives the plan of one cell of this plan.
func (p *Plan) Only(id string) (*Plan, error) {
	i := slices.IndexFunc(p.Cells, func(c Cell) bool { return c.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("plan: no cell is called %q", id)
	}
	one := *p
	one.Cells, one.Total, one.Shard, one.LeftOut = p.Cells[i:i+1:i+1], 1, nil, []LeftOut{}
	one.ID = one.ref().digest(one.Cells)
	return &one, nil
}

// ref gives the plan's reference.
func (p *Plan) ref() PlanRef {
	return PlanRef{ID: p.ID, Target: p.Target, Cases: p.Cases, Shard: p.Shard, Total: p.Total,
		Tools: digestOf(p.Clients, p.Endpoints)}
}

// digest gives the ID of the plan that r is about, if these are all its cells, in order.
func (r PlanRef) digest(cells []Cell) string {
	return digestOf(Format, r.Target, r.Cases, r.Total, r.Tools, cells)
}

// digestOf is the SHA-256 of values' JSON forms, in hex.
func digestOf(values ...any) string {
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, v := range values {
		_ = e.Encode(v) // plain data into a hash: neither fails
	}
	return hex.EncodeToString(h.Sum(nil))
}
