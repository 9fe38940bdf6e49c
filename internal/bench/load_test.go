package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/moq"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
)

// A ramp that everything holds ends at its end, one that nothing holds says so.
func TestAdaptive(t *testing.T) {
	t.Parallel()
	c := config("", wire.Draft22, transport.OnlyQUIC, Load{})
	r, err := Adaptive(t.Context(), c, Ramp{From: 1, To: 3, P90: time.Minute, Loss: 1, Shortfall: 1})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	if len(r.Steps) != 3 || r.Sustained == nil || r.Sustained.Mbps < 2.99 || r.Limit != "the end of the ramp" {
		t.Errorf("%+v, %s", r.Steps, r.Limit)
	}
	r, err = Adaptive(t.Context(), c, Ramp{From: 1, To: 3, Loss: 1, Shortfall: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sustained != nil || len(r.Steps) != 1+narrow || !strings.Contains(r.Limit, "p90 of") {
		t.Errorf("%+v, %s", r.Steps, r.Limit)
	}
	c = config("", wire.Draft16, transport.OnlyWebTransport, Load{RatePerS: 100})
	through(t, &c)
	r, err = Adaptive(t.Context(), c, Ramp{Subscribers: true, From: 1, To: 3, P90: time.Minute, Loss: 1, Shortfall: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sustained == nil || r.Sustained.Subscribers != 3 || r.Received.Subscribers != 3 {
		t.Errorf("%+v", r.Steps)
	}
}

const scenarioText = `
seed: 7
duration: 3
namespaces: 2
tracks:
  - {name: chat, size: 100, rate: 200}
  - {name: pings, size: 64, rate: 100, datagrams: true}
audience:
  - {subscribers: 4, stay: [0.1, 0.4], away: [0, 0.1]}
  - {subscribers: 1, tracks: [chat]}
`

// An audience comes and goes, and the sums hold.
func TestScenario(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(name, []byte(scenarioText), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := LoadScenario(name)
	if err != nil {
		t.Fatal(err)
	}
	c := config("", wire.Draft22, transport.OnlyQUIC, Load{})
	c.Duration = 0
	through(t, &c)
	r, err := RunScenario(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := valid(t, r); err != nil {
		t.Error(err)
	}
	v := r.Received
	if v.Objects+v.Lost != v.Expected || v.Objects == 0 || v.Corrupt != 0 || r.Latency == nil || r.Join == nil {
		t.Errorf("%+v", v)
	}
	// At the least, some of the four who go come back: on a busy machine it takes them long.
	if v.Subscribers < 6 || r.Sent.Due != 3*2*(200+100) || r.Sent.Objects+r.Sent.Shortfall != r.Sent.Due {
		t.Errorf("%d subscriptions, %+v", v.Subscribers, r.Sent)
	}
}

// What is on its way when somebody leaves is not lost: every tenth object comes 100 ms behind those that follow it.
func TestScenarioLeavingLosesNothing(t *testing.T) {
	t.Parallel()
	s := &Scenario{Name: "s", Namespaces: 1, Duration: 1, Tracks: []ScenarioTrack{{Name: "chat", Size: 100, Rate: 200}},
		Audience: []ScenarioAudience{{Subscribers: 8, Stay: []float64{0.3, 0.5}, Away: []float64{0, 0.1}}}}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	c := config("", wire.Draft22, transport.OnlyQUIC, Load{})
	through(t, &c, "delay-tenth")
	c.Duration = time.Second
	r, err := RunScenario(t.Context(), c, s)
	for try := 0; try < 5 && err == nil && r.Received.Objects == 0; try++ { // the machine had no time for us
		r, err = RunScenario(t.Context(), c, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Received; v.Lost != 0 || v.Objects == 0 || v.Objects != v.Expected {
		t.Errorf("%+v", v)
	}
}

// A scenario tells what is lost in the middle all the same.
func TestScenarioLoss(t *testing.T) {
	t.Parallel()
	s := &Scenario{Name: "s", Namespaces: 1, Duration: 1, Tracks: []ScenarioTrack{{Name: "chat", Size: 100, Rate: 200}},
		Audience: []ScenarioAudience{{Subscribers: 2}}}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	c := config("", wire.Draft22, transport.OnlyQUIC, Load{})
	through(t, &c, "drop-tenth")
	c.Duration = 500 * time.Millisecond
	r, err := RunScenario(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Received; v.Lost < v.Expected/20 || v.Objects+v.Lost != v.Expected {
		t.Errorf("%+v", v)
	}
}

// An object from before the subscription that a slow stream brings later is not expected, nor what is between.
func TestJoinedBetweenStreams(t *testing.T) {
	r := newReceiver(newClock(), newLatencies(), true, smallWindow)
	r.joined, r.hasJoined = wire.Location{Group: 1, Object: 1}, true
	r.measuredAt.Store(1)
	for _, number := range []uint64{48, 49, 52, 53} { // 50 and 51 were with the relay before, 48 and 49 were not
		o := &moq.Object{GroupID: number / 50, ObjectID: number % 50}
		r.takeMeasured(o, header{phase: phaseMeasured, number: number}, 100)
	}
	if lost, _ := r.account.result(); lost != 0 || r.account.expected() != 2 || r.objects.Load() != 2 {
		t.Errorf("%d lost of %d, %d have come", lost, r.account.expected(), r.objects.Load())
	}
}

func TestScenariosOfTheRepository(t *testing.T) {
	names := ScenarioNames()
	if strings.Join(names, " ") != "churn-storm datagram-mix default rich-matrix viewers" {
		t.Error(names)
	}
	for _, name := range names {
		if s, err := LoadScenario(name); err != nil || s.Description == "" {
			t.Error(name, err)
		}
	}
}

// A scenario that cannot be is one line that says where.
func TestBadScenarios(t *testing.T) {
	for want, replace := range map[string][2]string{
		"[6:":                    {"{name: chat,", "{title: chat,"},
		"track chat: rate 0":     {"rate: 200", "rate: 0"},
		"track chat: object siz": {"size: 100", "size: 0"},
		"no track \"chit\"":      {"[chat]", "[chit]"},
		"stay [0.4 0.1]":         {"[0.1, 0.4]", "[0.4, 0.1]"},
		"duration -1":            {"duration: 3", "duration: -1"},
		"\"chat\" is no name":    {"name: pings", "name: chat"},
		"subscribers 0":          {"subscribers: 4", "subscribers: 0"},
		"namespaces 0":           {"namespaces: 2", "namespaces: 0"},
	} {
		name := filepath.Join(t.TempDir(), "s.yaml")
		text := strings.Replace(scenarioText, replace[0], replace[1], 1)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadScenario(name)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v; want %q", err, want)
		}
	}
	if _, err := LoadScenario("nothing"); err == nil || !strings.Contains(err.Error(), "viewers") {
		t.Error(err)
	}
}
