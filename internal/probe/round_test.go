package probe

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/moqt/wire"
	"github.com/moqinterop/moq-interop-client/relays"
)

// faked is a prober whose attempts are made by f.
func faked(t *testing.T, o Options, f func(ctx context.Context, j job) (Attempt, shown)) *prober {
	t.Helper()
	p, err := newProber(o.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	p.one = func(ctx context.Context, j job) (Attempt, shown) {
		a, s := f(ctx, j)
		a.Transport, a.Draft = j.transport, relays.Draft(j.offer[0].String())
		return a, s
	}
	return p
}

func okAttempt(context.Context, job) (Attempt, shown) {
	time.Sleep(3 * time.Millisecond)
	return Attempt{Status: OK, ALPN: "h3", Duration: Milliseconds(3 * time.Millisecond)}, shown{}
}

func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, "status.json")
		ctx, cancel := context.WithCancel(t.Context())
		var starts []time.Duration
		begin := time.Now()
		o := Options{Targets: []Target{target(t, "https://127.0.0.1:1")}, Interval: time.Minute,
			Output: output(t, file)}
		o.OnReport = func(r *Report) {
			starts = append(starts, r.Started.Sub(begin))
			if len(starts) > 1 { // the round before is in the file, whole
				var form struct{ Started time.Time }
				b, err := os.ReadFile(file)
				if err = errors.Join(err, json.Unmarshal(b, &form)); err != nil ||
					form.Started.Sub(begin) != starts[len(starts)-2] {
					t.Errorf("%v: %s", err, b)
				}
			}
		}
		rounds := 0
		p := faked(t, o, func(ctx context.Context, j job) (Attempt, shown) {
			if j.offer[0] == wire.Draft14 {
				rounds++
				switch rounds {
				case 2:
					time.Sleep(90 * time.Second) // longer than the interval
				case 4:
					cancel()
					return Attempt{Status: Cancelled, Message: "over"}, shown{}
				}
			}
			return okAttempt(ctx, j)
		})
		r, err := p.run(ctx)
		if err != nil || !r.Complete || rounds != 4 {
			t.Fatalf("%v %+v after %d rounds", err, r, rounds)
		}
		if late := 150 * time.Second; len(starts) != 3 || starts[0] != 0 || starts[1] != time.Minute ||
			starts[2] < late || starts[2] > late+time.Second {
			t.Errorf("rounds began at %v", starts)
		}
		b, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(b, checked(t, r)) {
			t.Errorf("the file holds the last whole round: %v %s", err, b)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v %v", entries, err)
		}
	})
}

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file, link := filepath.Join(dir, "status.json"), filepath.Join(dir, "link")
		if err := errors.Join(os.WriteFile(file, []byte("old"), 0o644), os.Symlink("status.json", link)); err != nil {
			t.Fatal(err)
		}
		p := faked(t, Options{Targets: []Target{target(t, "moqt://127.0.0.1:1")}, Interval: time.Minute, Once: true,
			Output: output(t, link)}, okAttempt)
		begin := time.Now()
		if r, err := p.run(t.Context()); err != nil || !r.Answered || time.Since(begin) > time.Second {
			t.Fatalf("%v %+v", err, r)
		}
		if b, err := os.ReadFile(file); err != nil || valid(t, b) != nil {
			t.Errorf("behind the link: %v %s", err, b)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link is still one: %v %v", info, err)
		}
	})
}

func TestFileGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, repeat := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "d")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			warnings := 0
			o := Options{Targets: []Target{target(t, "moqt://127.0.0.1:1")}, Output: output(t, filepath.Join(dir, "f")),
				Once: !repeat, Interval: time.Minute}
			o.OnReport = func(*Report) { os.RemoveAll(dir) }
			o.Warn = func(err error) {
				if warnings++; warnings == 2 {
					cancel()
				}
			}
			r, err := faked(t, o, okAttempt).run(ctx)
			cancel()
			if r == nil || (err == nil) != repeat || repeat && warnings != 2 {
				t.Errorf("repeat %v: %v, %d warnings, %+v", repeat, err, warnings, r)
			}
		}
	})
}

// TestBounds: no more at a time than allowed, in all and at one address; and all relays at once.
func TestBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Parallel: 40}
		for _, u := range []string{"https://127.0.0.1:1/a", "https://127.0.0.1:1/b", "https://127.0.0.1:2",
			"https://127.0.0.1:3", "https://127.0.0.1:4", "https://127.0.0.1:5", "https://127.0.0.1:6"} {
			o.Targets = append(o.Targets, target(t, u))
		}
		var all, most, atOne, mostAtOne atomic.Int32
		raise := func(n, most *atomic.Int32) {
			if x := n.Add(1); x > most.Load() {
				most.Store(x) // one goroutine of the bubble after the other is close enough: the bound is what counts
			}
		}
		p := faked(t, o, func(ctx context.Context, j job) (Attempt, shown) {
			one := j.target.URL.Port == "1"
			raise(&all, &most)
			if one {
				raise(&atOne, &mostAtOne)
			}
			time.Sleep(time.Second)
			all.Add(-1)
			if one {
				atOne.Add(-1)
			}
			return Attempt{Status: OK, ALPN: "h3"}, shown{}
		})
		r := p.round(t.Context())
		if most.Load() > 40 || mostAtOne.Load() > perAddress || most.Load() < 30 || r.Summary[OK] != 63 {
			t.Errorf("%d at a time, %d at one address: %v", most.Load(), mostAtOne.Load(), r.Summary)
		}
		if d := time.Duration(r.Duration); d > 4*time.Second {
			t.Errorf("it took %s", d)
		}
	})
}

// fakeCertificate is one that expires after some days of the bubble's clock.
func fakeCertificate(name string, days int) shown {
	return shown{&x509.Certificate{
		Raw: []byte(name), SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		Issuer:   pkix.Name{CommonName: "a CA"},
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().AddDate(0, 0, -30), NotAfter: time.Now().AddDate(0, 0, days).Add(time.Hour),
	}, trusted}
}

func ptr[T any](v T) *T { return &v }

// TestGolden: a round in which everything happens, as lines and as a status file.
func TestGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Version: "v0.5.0", Transport: transport.Auto}
		for _, u := range []string{"moqt://mixed.example:4433", "https://mixed.example:4433/moq",
			"moqt://silent.example", "https://expired.example/", "https://[2001:db8::1]:4433"} {
			o.Targets = append(o.Targets, target(t, u))
		}
		o.Targets[0].Relay, o.Targets[0].Claimed = "mixed", drafts(wire.Draft14, wire.Draft16)
		p := faked(t, o, func(_ context.Context, j job) (a Attempt, s shown) {
			d, web := j.offer[0], j.transport == transport.OnlyWebTransport
			answer := func(implementation string, options ...Option) {
				a = Attempt{Status: OK, ALPN: d.ALPN(), ConnectionID: "0102030405060708",
					Implementation: implementation, Duration: Milliseconds(time.Duration(d-10) * time.Millisecond)}
				if a.Options = options; implementation != "" {
					a.Options = append(a.Options, Option{Type: "0x7", Name: "MOQT_IMPLEMENTATION",
						Text: ptr(implementation)})
				}
			}
			refuse := func(layer transport.Layer, timeout bool, expected, received string) {
				a.fail(layer, timeout, expected, received)
				a.Message = received
			}
			switch host := j.target.URL.Host; {
			case host == "mixed.example" && !web && (d == wire.Draft14 || d == wire.Draft16):
				answer("relay 1.0", Option{Type: "0x2", Name: "MAX_REQUEST_ID", Value: ptr(uint64(100))},
					Option{Type: "0x40b54", Value: ptr(uint64(d))})
				s = fakeCertificate("mixed.example", 20)
			case host == "mixed.example" && !web && d == wire.Draft15:
				refuse(transport.LayerUDP, true, "an answer to the QUIC handshake",
					"no answer from 192.0.2.1:4433 within 8.001s (moqt-15)")
			case host == "mixed.example" && !web:
				refuse(transport.LayerALPN, false, "ALPN "+d.ALPN(), "the server knows none of the ALPNs offered ("+
					d.ALPN()+")")
			case host == "mixed.example" && d < wire.Draft17:
				answer("evil \x1b[2J\nname", Option{Type: "0x9", Hex: ptr("00ff")})
				a.Duration, a.Ended, a.Notes = Milliseconds(400*time.Microsecond), d == wire.Draft16, []string{"a note"}
				s = fakeCertificate("mixed.example", 20)
			case host == "mixed.example":
				refuse(transport.LayerWebTransport, false, "200 with WT-Protocol "+d.ALPN(),
					"the server answered 406 Not Acceptable, expected 200: no common draft; offered were "+d.ALPN())
				a.HTTPStatus = 406
			case host == "silent.example":
				refuse(transport.LayerUDP, true, "an answer to the QUIC handshake",
					"no answer from 192.0.2.2:443 within 8.00"+d.ALPN()[len(d.ALPN())-1:]+"s ("+d.ALPN()+")")
			case host == "expired.example":
				refuse(transport.LayerTLS, false, "a TLS handshake that completes",
					"the certificate of expired.example is not trusted: x509: certificate has expired")
				s = fakeCertificate("expired.example", -2)
				s.verification = notTrusted
			case d == wire.Draft22:
				a.fail(transport.LayerSetup, true, "SETUP from the relay", "nothing (0 bytes) within 8s")
				s = fakeCertificate("other", 1)
			case d == wire.Draft14:
				a = Attempt{Status: Cancelled, Message: "the run ended while SETUP was awaited"}
			default:
				answer("")
				s = fakeCertificate("other", -2)
				s.verification = notChecked
			}
			return a, s
		})
		r := p.round(t.Context())
		var lines bytes.Buffer
		if err := WriteLines(&lines, r); err != nil {
			t.Fatal(err)
		}
		golden(t, "lines.golden", lines.Bytes())
		golden(t, "status.golden.json", checked(t, r))
		if r.Complete || !r.Answered || strings.ContainsAny(lines.String(), "\x1b\r") {
			t.Errorf("%+v", r)
		}
	})
}
