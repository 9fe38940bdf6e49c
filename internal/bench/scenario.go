package bench

import (
	"embed"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed scenarios/*.yaml
var scenarios embed.FS

// Scenario is a load of many tracks, and an audience that comes and goes.
type Scenario struct {
	Name        string  `yaml:"-"`
	Description string  `yaml:"description"`
	Seed        uint64  `yaml:"seed"`       // of everything that is left to chance
	Duration    float64 `yaml:"duration"`   // in seconds
	Namespaces  int     `yaml:"namespaces"` // how many there are, each with all tracks

	Tracks   []ScenarioTrack    `yaml:"tracks"`
	Audience []ScenarioAudience `yaml:"audience"`
}

// ScenarioTrack is a track of every namespace. What is left out has the default of the flag of the same name.
type ScenarioTrack struct {
	Name      string  `yaml:"name"`
	Size      int     `yaml:"size"`
	Group     uint64  `yaml:"group"`
	Streams   uint64  `yaml:"streams"`
	Rate      float64 `yaml:"rate"`
	Datagrams bool    `yaml:"datagrams"`
	Video     string  `yaml:"video"`
	GOP       string  `yaml:"gop"`

	load Load
}

// ScenarioAudience are subscribers of one kind. Each comes, subscribes to tracks of a namespace that is chosen by
// chance, stays, leaves, is away, and comes again.
type ScenarioAudience struct {
	Subscribers int       `yaml:"subscribers"`
	Tracks      []string  `yaml:"tracks"` // all of them; default every track
	Arrive      float64   `yaml:"arrive"` // in seconds: they come for the first time spread over it
	Stay        []float64 `yaml:"stay"`   // from and to, in seconds; left out they stay to the end
	Away        []float64 `yaml:"away"`   // from and to, in seconds; left out they do not come again
}

// ScenarioNames are the scenarios that are built in.
func ScenarioNames() (names []string) {
	entries, _ := fs.ReadDir(scenarios, "scenarios") // it is there
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// LoadScenario reads a scenario that is built in, or a file. The error names the line.
func LoadScenario(name string) (*Scenario, error) {
	var b []byte
	var err error
	if slices.Contains(ScenarioNames(), name) {
		b, err = scenarios.ReadFile("scenarios/" + name + ".yaml")
	} else {
		b, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("scenario: %w; built in are %s", err, strings.Join(ScenarioNames(), ", "))
	}
	s := &Scenario{Name: name, Namespaces: 1}
	if err := yaml.UnmarshalWithOptions(b, s, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("scenario %s: %s", name, firstLine(yaml.FormatError(err, false, false)))
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	return s, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// mostTracks bounds the tracks of a scenario.
const mostTracks = 10_000

func (s *Scenario) check() error {
	switch {
	case !(s.Duration > 0) || s.Duration > MaxDuration.Seconds():
		return fmt.Errorf("duration %v: want seconds above 0", s.Duration)
	case s.Namespaces < 1 || s.Namespaces > mostTracks:
		return fmt.Errorf("namespaces %d: want 1 to %d", s.Namespaces, mostTracks)
	case len(s.Tracks) == 0 || len(s.Tracks)*s.Namespaces > mostTracks:
		return fmt.Errorf("%d tracks in %d namespaces: want 1 to %d in all", len(s.Tracks), s.Namespaces, mostTracks)
	case len(s.Audience) == 0:
		return fmt.Errorf("there is no audience")
	}
	var names []string
	for i := range s.Tracks {
		t := &s.Tracks[i]
		if t.Name == "" || slices.Contains(names, t.Name) {
			return fmt.Errorf("tracks[%d]: %q is no name, or that of another track", i, t.Name)
		}
		names = append(names, t.Name)
		if err := t.prepare(); err != nil {
			return fmt.Errorf("track %s: %w", t.Name, err)
		}
	}
	for i := range s.Audience {
		a := &s.Audience[i]
		if len(a.Tracks) == 0 {
			a.Tracks = names
		}
		if err := a.check(names); err != nil {
			return fmt.Errorf("audience[%d]: %w", i, err)
		}
	}
	return nil
}

// prepare makes the load of a track.
func (t *ScenarioTrack) prepare() error {
	t.load = Load{ObjectBytes: t.Size, ObjectsPerGroup: t.Group, Streams: max(t.Streams, 1), RatePerS: t.Rate,
		Datagrams: t.Datagrams, Video: t.Video, GOP: t.GOP, Tracks: 1, Subscribers: 1, Processes: 1}
	if t.Video == "" {
		if t.Rate == 0 {
			return fmt.Errorf("rate 0: a track of a scenario is paced")
		}
		if t.Group == 0 {
			t.load.ObjectsPerGroup = max(t.load.Streams, uint64(math.Ceil(t.Rate)))
		}
	}
	return t.load.Prepare()
}

func (a *ScenarioAudience) check(tracks []string) error {
	if a.Subscribers < 1 || a.Subscribers > MaxSubscribers {
		return fmt.Errorf("subscribers %d: want 1 to %d", a.Subscribers, MaxSubscribers)
	}
	for _, name := range a.Tracks {
		if !slices.Contains(tracks, name) {
			return fmt.Errorf("there is no track %q", name)
		}
	}
	if !(a.Arrive >= 0) || math.IsInf(a.Arrive, 0) {
		return fmt.Errorf("arrive %v: want seconds from 0", a.Arrive)
	}
	for what, span := range map[string][]float64{"stay": a.Stay, "away": a.Away} {
		if len(span) != 0 && (len(span) != 2 || !(span[0] >= 0) || !(span[1] >= span[0]) || math.IsInf(span[1], 0)) {
			return fmt.Errorf("%s %v: want two numbers of seconds, the lower one first", what, span)
		}
	}
	if len(a.Stay) == 2 && a.Stay[1] == 0 {
		return fmt.Errorf("stay %v: nobody would see anything", a.Stay)
	}
	return nil
}
