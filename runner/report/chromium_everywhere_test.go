package report

import (
	"os"
	"strings"
	"testing"
)

// TestPageEverywhere: on a phone nothing sticks out, in the dark the page is dark, and without scripts it is all there
// but the details; so are the pages of the rules.
func TestPageEverywhere(t *testing.T) {
	if os.Getenv("MOQ_BROWSER") == "" {
		t.Skip("MOQ_BROWSER=1 starts Chromium")
	}
	page := writePage(t)
	b := startChromium(t, page)

	// A client is filtered by its place in the list, in the failures too.
	b.eval(`location.hash = "#?client=builtin"`)
	b.until(`location.hash.includes("client=builtin") &&
		[...document.querySelectorAll("#failures tbody tr")].some((r) => !r.hidden) &&
		[...document.querySelectorAll("#failures tbody tr")].every((r) =>
			r.hidden === !r.cells[4].textContent.includes("builtin"))`)
	b.eval(`location.hash = "#?"`)

	links := b.eval(`[...document.querySelectorAll("a[href^='rules/']")].map((a) => a.href)
		.filter((h, i, all) => all.indexOf(h) === i).join(" ")`)
	pages := append([]string{page}, strings.Split(links, " ")...)
	if len(pages) < 3 {
		t.Fatalf("pages: %v", pages)
	}
	open := func(url string) {
		b.call("Page.navigate", map[string]any{"url": url}, nil)
		b.until(`document.readyState === "complete" && location.href.split("#")[0] === "` + url + `"`)
	}
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 360, "height": 740, "deviceScaleFactor": 3,
		"mobile": true}, nil)
	for _, url := range pages {
		open(url)
		if got := b.eval(`document.documentElement.scrollWidth`); got != "360" {
			t.Errorf("%s is %s wide on a phone of 360", url, got)
		}
	}
	const light = `(() => { const [r, g, b] = getComputedStyle(document.querySelector("main, body").closest("body"))
		.backgroundColor.match(/[\d.]+/g).map(Number); return (r + g + b) / 3 > 128; })()`
	for scheme, want := range map[string]string{"light": "true", "dark": "false"} {
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
			{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		for _, url := range pages {
			open(url)
			if got := b.eval(light); got != want {
				t.Errorf("%s is light in %s: %s", url, scheme, got)
			}
		}
	}
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	open(page)
	const shown = `[...document.querySelectorAll(".mx")].filter((e) => e.offsetParent).length`
	if b.eval(`document.documentElement.classList.contains("js")`) != "false" || b.eval(shown) != "1" ||
		b.eval(`document.querySelector("noscript").innerText.includes("need JavaScript")`) != "true" {
		t.Errorf("without scripts: %s matrices", b.eval(shown))
	}
	b.click("label[for=d1]")
	b.until(shown + " === 2")
	for _, s := range b.said {
		t.Errorf("the browser complains: %s", s)
	}
}
