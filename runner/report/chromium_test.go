package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moqinterop/moq-interop-client/runner/matrix"
)

// browser drives a headless Chromium with the DevTools protocol over a pipe. It is for one goroutine.
type browser struct {
	t       *testing.T
	send    *os.File
	recv    *bufio.Reader
	session string
	id      int
	// said are the messages of the console and the exceptions so far.
	said []string
}

func findChromium() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// startChromium opens a page; its end is that of the test.
func startChromium(t *testing.T, url string) *browser {
	t.Helper()
	path := findChromium()
	if path == "" {
		t.Skip("no Chromium on this machine (CHROMIUM names one)")
	}
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	profile, err := os.MkdirTemp("", "report-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--user-data-dir="+profile, "--window-size=1300,900", "--remote-debugging-pipe",
		"about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, send: ourOut, recv: bufio.NewReader(ourIn)}
	kill := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	t.Cleanup(func() {
		b.id++
		b.write(map[string]any{"id": b.id, "method": "Browser.close"})
		_, _ = io.Copy(io.Discard, b.recv) // until it has closed its end
		_ = cmd.Wait()                     // how a browser ends decides nothing
		kill.Stop()
		ourOut.Close()
		ourIn.Close()
		for range 10 { // its last processes may still be writing there
			if os.RemoveAll(profile) == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.call("Runtime.enable", nil, nil)
	b.call("Log.enable", nil, nil)
	b.call("Page.enable", nil, nil)
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	b.until(`document.readyState === "complete" && document.documentElement.classList.contains("js")`)
	return b
}

func (b *browser) write(v any) {
	text, err := json.Marshal(v)
	if err == nil {
		_, err = b.send.Write(append(text, 0))
	}
	if err != nil && !errors.Is(err, os.ErrClosed) {
		b.t.Logf("to the browser: %v", err)
	}
}

// call waits for the answer to a command.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.id++
	if params == nil {
		params = struct{}{}
	}
	msg := map[string]any{"id": b.id, "method": method, "params": params}
	if b.session != "" {
		msg["sessionId"] = b.session
	}
	b.write(msg)
	for {
		text, err := b.recv.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: the browser is gone: %v", method, err)
		}
		var got struct {
			ID     int
			Method string
			Params json.RawMessage
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &got); err != nil {
			b.t.Fatal(err)
		}
		switch {
		case got.Method == "Runtime.exceptionThrown", got.Method == "Runtime.consoleAPICalled",
			got.Method == "Log.entryAdded":
			b.said = append(b.said, got.Method+" "+string(got.Params))
		case got.ID == b.id && got.Error != nil:
			b.t.Fatalf("%s: %s", method, got.Error.Message)
		case got.ID == b.id:
			if result != nil {
				if err := json.Unmarshal(got.Result, result); err != nil {
					b.t.Fatal(err)
				}
			}
			return
		}
	}
}

// eval gives the value of an expression, as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true},
		&got)
	if got.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, got.ExceptionDetails.Exception.Description)
	}
	return fmt.Sprint(got.Result.Value)
}

// until waits until an expression is true.
func (b *browser) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if b.eval("!!("+expression+")") == "true" {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("never: %s\nat %s\nthe dialog: %s\n%s", expression,
				b.eval(`[location.hash, ...[...document.querySelectorAll("input:checked")].map((e) => e.id),
					JSON.stringify(history.state), document.activeElement.outerHTML.slice(0, 200)].join(" ")`),
				b.eval(`document.getElementById("cell")?.innerText`), strings.Join(b.said, "\n"))
		}
	}
}

func (b *browser) key(key string) {
	b.t.Helper()
	code := map[string]int{"Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Home": 36}[key]
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
	if key == "Enter" {
		event["text"] = "\r"
	}
	b.call("Input.dispatchKeyEvent", event, nil)
	event["type"] = "keyUp"
	b.call("Input.dispatchKeyEvent", event, nil)
}

// wentBack waits until the address has no cell any more: going back moves the page to where it was before, which would
// move what is to be clicked away from the mouse.
func (b *browser) wentBack() {
	b.t.Helper()
	b.until(`!location.hash.startsWith("#cell/")`)
	b.eval(`window.drawn = false; requestAnimationFrame(() => requestAnimationFrame(() => { window.drawn = true; }))`)
	b.until(`window.drawn`)
}

// click clicks the middle of what a selector finds, as a person does.
func (b *browser) click(selector string) {
	b.t.Helper()
	var at struct{ X, Y float64 }
	text := b.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q);
		e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect();
		return JSON.stringify({X: r.x + r.width / 2, Y: r.y + r.height / 2}); })()`, selector))
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		b.t.Fatal(err)
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left",
			"clickCount": 1}, nil)
	}
}

// says checks what the open cell shows.
func (b *browser) says(want ...string) {
	b.t.Helper()
	for _, w := range want {
		b.until(
			fmt.Sprintf(
				`document.getElementById("cell").open && document.getElementById("cell").innerText.includes(%q)`, w))
	}
}

// writePage writes a page with files to click through, and gives its address.
func writePage(t *testing.T) string {
	root := t.TempDir()
	run := hand(2)
	files := filepath.Join(root, "run")
	write(t, files, "cells/x.tap", "TAP version 14\n# <script>hacked=1</script>\n1..1\n")
	write(t, files, "cells/x.txt", "client -> SETUP\n")
	for i := range run.Cells {
		c := &run.Cells[i]
		c.Files = matrix.Files{TAP: "cells/x.tap", Transcript: "cells/x.txt"}
		for j := range c.Cases {
			c.Cases[j].Received += evil
		}
	}
	dir := filepath.Join(root, "a report")
	if err := Write(dir, run, Options{Files: files, History: []*matrix.Run{hand(1)}}); err != nil {
		t.Fatal(err)
	}
	return "file://" + strings.ReplaceAll(filepath.ToSlash(dir), " ", "%20") + "/" + HTMLFile
}

func TestClickThroughThePage(t *testing.T) {
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("MOQ_BROWSER=1 starts Chromium")
	}
	b := startChromium(t, writePage(t))
	visible := `[...document.querySelectorAll(".mx")].filter((e) => e.offsetParent).map((e) =>
		e.innerText.split("\n")[0].split("\t")[0].replace(/\s*\d+\/\d+.*/, "")).join(", ")`

	if got := b.eval(visible); got != "All drafts · all transports" {
		t.Errorf("at first: %s", got)
	}
	b.click("label[for=d1]")
	if got := b.eval(visible); got != "draft-18 · QUIC, draft-18 · WebTransport" {
		t.Errorf("draft-18: %s", got)
	}
	b.click("label[for=t2]")
	if got := b.eval(visible); got != "draft-18 · WebTransport" {
		t.Errorf("draft-18, WebTransport: %s", got)
	}
	b.click("label[for=t1]")

	// A click opens a cell; what is in it is text, whatever it holds.
	b.click(".d1.t1 tbody tr:nth-child(2) td:nth-child(3)")
	b.says("builtin → moqtail", "fail in data", "draft-18 (negotiated)", "1 of 2 cases pass", "REQUEST_OK within 2 s",
		"issue 12 of the relay", "<img src=x onerror=hacked=1>",
		"moq-interop-client -r moqt://127.0.0.1:4443 --draft draft-18 --transport quic", "This cell over the runs",
		"draft-18 §9.2")
	if got := b.eval("location.hash"); got != "#cell/builtin/moqtail/local/draft-18/quic"+
		"?draft=draft-18&transport=quic" {
		t.Errorf("the address is %s", got)
	}
	b.eval(`[...document.querySelectorAll("#cell summary")].find((s) => s.textContent === "TAP").click()`)
	b.says("TAP version 14", "# <script>hacked=1</script>")
	b.eval(`[...document.querySelectorAll("#cell summary")].find((s) => s.textContent === "Transcript").click()`)
	b.says("client -> SETUP")

	// Another draft of the same client and relay is a button away.
	b.click(`.pips button[aria-label^="draft-16"]`)
	b.says("udp: nobody answers", "fail in udp")
	b.key("Escape")
	b.until(`!document.getElementById("cell").open && location.hash === "#?draft=draft-18&transport=quic"`)

	// Back closes a cell, as a phone does it, and Forward opens it again.
	b.click(".d1.t1 tbody tr:nth-child(2) td:nth-child(3)")
	b.says("builtin → moqtail")
	b.eval("history.back()")
	b.until(`!document.getElementById("cell").open && location.hash === "#?draft=draft-18&transport=quic"`)
	b.eval("history.forward()")
	b.until(`document.getElementById("cell").open`)
	b.eval("history.back()")
	b.until(`!document.getElementById("cell").open`)

	// Filters hide what is not asked for, stand in the address, and come from there.
	b.eval(`{ const s = document.querySelector("select[aria-label=relay]"); s.value = "moqtail";
		s.dispatchEvent(new Event("change")); }`)
	const headings = `[...document.querySelectorAll(".d1.t1 thead th")].filter((e) => e.offsetParent).length`
	b.until(headings + ` === 3 && location.hash.includes("relay=moqtail")`)
	b.until(`[...document.querySelectorAll("#failures tbody tr")].every((r) =>
		r.hidden === !r.dataset.relay.includes("moqtail"))`)
	b.eval(`location.hash = "#?draft=draft-18&transport=quic&sort=failures.1.down"`)
	b.until(`document.querySelector("#failures th[aria-sort=descending]") !== null`)
	const sorted = `[...document.querySelectorAll("#failures tbody tr")].map((r) => r.cells[1].textContent)`
	b.until(sorted + `.join() === ` + sorted + `.sort((a, b) => b.localeCompare(a, undefined, {numeric: true})).join()`)
	b.eval(`location.hash = "#?draft=draft-18&transport=quic"`)
	b.until(`!document.querySelector("th[aria-sort]")`)

	// Keys do the same: the matrix is one stop, arrows move, Enter opens.
	b.eval(`document.querySelector(".d1.t1 td[tabindex='0']").focus()`)
	b.key("ArrowRight")
	b.key("ArrowDown")
	b.key("Home")
	label := b.eval(`document.activeElement.getAttribute("aria-label")`)
	if label != "builtin → embedded · draft-18 · quic: fail in req, 0 of 1 cases pass" {
		t.Errorf("the focus is on %q", label)
	}
	if got := b.eval(`document.getElementById("said").textContent`); !strings.HasPrefix(got, "builtin → embedded") {
		t.Errorf("the line below says %q", got)
	}
	b.key("Enter")
	b.says("builtin → embedded", "no answer about ffeeddccbbaa99887766554433221100")
	b.key("Escape")
	b.until(`!document.getElementById("cell").open && document.activeElement.tagName === "TD"`)
	b.wentBack()

	// In the matrix of all drafts the worst cell opens; links lead to cells, also to stale ones.
	b.click("label[for=d0]")
	b.click("label[for=t0]")
	b.click(".d0.t0 tbody tr:nth-child(1) td:nth-child(3)")
	b.says("aiomoqt → moqtail", "stale: pass in nightly-11-20")
	b.key("Escape")
	b.until(`!document.getElementById("cell").open`)
	b.eval(`document.querySelector("a[href*='embedded'][href*='draft-16']").click()`)
	b.says("The client's report contradicts the draft: publisher: draft-18")

	// A link that is followed at once, before the page hears that the cell was closed, opens its cell all the same.
	b.eval(`{ const d = document.getElementById("cell");
		d.close();
		location.hash = "#cell/builtin/embedded/local/draft-18/quic";
		d.dispatchEvent(new Event("close")); }`)
	b.says("builtin → embedded", "no answer about ffeeddccbbaa99887766554433221100")
	b.eval(`location.hash = "#cell/no/body/is/here/quic"`)
	b.says("No details", "no such cell: no/body/is/here/quic")

	if got := b.eval("typeof hacked"); got != "undefined" {
		t.Error("text of a run was run")
	}
	for _, s := range b.said {
		t.Errorf("the browser complains: %s", s)
	}

	// The page runs nothing that it did not bring.
	b.eval(`{ const s = document.createElement("script");
		s.textContent = "window.hacked = 1";
		document.body.append(s);
		document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked = 1'>"); }`)
	b.until(`document.images.length === 1 && document.images[0].complete`)
	if got := b.eval("typeof hacked"); got != "undefined" || len(b.said) == 0 {
		t.Errorf("a script that was put in ran: %s %v", got, b.said)
	}
}
