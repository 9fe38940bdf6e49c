package matrix

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WriteJSON writes the plan for ReadPlan, a line for each cell.
func (p *Plan) WriteJSON(w io.Writer) error {
	return writeRows(w, p)
}

// ReadPlan reads a plan and refuses one that does not hold together: a cell without its client or endpoint, cells out
// of order, a whole plan that is not the one its ID says.
func ReadPlan(r io.Reader) (*Plan, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	p := &Plan{}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("plan: something follows it")
	}
	return p, p.Validate()
}

// LoadPlan reads the plan in the folder of a run, or from a file.
func LoadPlan(path string) (*Plan, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if info.IsDir() {
		path = filepath.Join(path, planFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := ReadPlan(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// Validate gives the first thing that is wrong with a plan.
func (p *Plan) Validate() error {
	if p.Format != Format {
		return fmt.Errorf("plan: format %d, want %d", p.Format, Format)
	}
	clients, endpoints := make(map[string]bool), make(map[[2]string]bool)
	for _, c := range p.Clients {
		clients[c.Name] = true
	}
	for _, e := range p.Endpoints {
		endpoints[[2]string{e.Relay, e.Name}] = true
	}
	for i, c := range p.Cells {
		switch {
		case c.ID != cellID(c):
			return fmt.Errorf("plan: cell %q is %s", c.ID, cellID(c))
		case i > 0 && p.Cells[i-1].ID >= c.ID:
			return fmt.Errorf("plan: cell %s does not come after %s", c.ID, p.Cells[i-1].ID)
		case !clients[c.Client]:
			return fmt.Errorf("plan: cell %s: no client %q", c.ID, c.Client)
		case !endpoints[[2]string{c.Relay, c.Endpoint}]:
			return fmt.Errorf("plan: cell %s: no endpoint %q of %q", c.ID, c.Endpoint, c.Relay)
		}
		for _, part := range strings.Split(c.ID, "/") {
			if part == "" || strings.Trim(part, ".") == "" || strings.ContainsAny(part, `\:`) ||
				strings.ContainsRune(part, 0) {
				return fmt.Errorf("plan: cell %s: %q cannot be part of a path", c.ID, part)
			}
		}
	}
	if p.Shard != nil {
		if s := *p.Shard; s.Index < 1 || s.Index > s.Of {
			return fmt.Errorf("plan: shard %d/%d", s.Index, s.Of)
		}
		return nil
	}
	if p.Total != len(p.Cells) {
		return fmt.Errorf("plan: %d cells, want %d", len(p.Cells), p.Total)
	}
	if got := p.ref().digest(p.Cells); p.ID != got {
		return fmt.Errorf("plan: its ID is %s, its content is that of %s: it was changed", p.ID, got)
	}
	return nil
}

// ParseShard reads "i/n", i from 1.
func ParseShard(text string) (Shard, error) {
	i, n, ok := strings.Cut(text, "/")
	index, err1 := strconv.Atoi(i)
	of, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || index < 1 || index > of {
		return Shard{}, fmt.Errorf("shard %q: want i/n with i from 1 to n", text)
	}
	return Shard{Index: index, Of: of}, nil
}

// RunID makes a name for a run that begins now: its time, and which shard it is. It sorts as time does and is fit for a
// folder.
func RunID(now time.Time, s *Shard) string {
	id := now.UTC().Format("2006-01-02T150405Z")
	if s != nil {
		id += fmt.Sprintf("-%d-of-%d", s.Index, s.Of)
	}
	return id
}

// Part gives the part of a whole plan that a shard runs, the same everywhere: cells are dealt out in turn, in the order
// of a digest of their IDs, so that parts are alike in size and in what they hold. Only the first part says what was
// left out.
func (p *Plan) Part(s Shard) (*Plan, error) {
	if p.Shard != nil {
		return nil, fmt.Errorf("shard %d/%d of a plan that is itself shard %d/%d", s.Index, s.Of, p.Shard.Index,
			p.Shard.Of)
	}
	if s.Index < 1 || s.Index > s.Of {
		return nil, fmt.Errorf("shard %d/%d: want 1 to %d", s.Index, s.Of, s.Of)
	}
	part := *p
	part.Shard = &s
	dealt := make([]dealing, len(p.Cells))
	for i := range p.Cells {
		dealt[i] = dealing{sha256.Sum256([]byte(p.Cells[i].ID)), i}
	}
	slices.SortFunc(dealt, func(a, b dealing) int { return bytes.Compare(a.key[:], b.key[:]) })
	part.Cells = make([]Cell, 0, len(p.Cells)/s.Of+1)
	for i := s.Index - 1; i < len(dealt); i += s.Of {
		part.Cells = append(part.Cells, p.Cells[dealt[i].cell])
	}
	slices.SortFunc(part.Cells, func(a, b Cell) int { return strings.Compare(a.ID, b.ID) })
	if s.Index > 1 {
		part.LeftOut = []LeftOut{}
	}
	return &part, nil
}

// dealing is a cell's place in the order in which parts get theirs.
type dealing struct {
	key  [sha256.Size]byte
	cell int
}

// find gives a client and an endpoint of the plan.
func (p *Plan) find(c Cell) (client Client, e Endpoint) {
	if i := slices.IndexFunc(p.Clients, func(x Client) bool { return x.Name == c.Client }); i >= 0 {
		client = p.Clients[i]
	}
	if i := slices.IndexFunc(p.Endpoints, func(x Endpoint) bool {
		return x.Relay == c.Relay &&
			x.Name == c.Endpoint
	}); i >= 0 {
		e = p.Endpoints[i]
	}
	return client, e
}
