package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// download gets a page and stores it: download FILE URL
// With ! in front of it nobody may answer.
func download(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: download FILE URL")
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(args[1])
	if (err != nil) != neg {
		ts.Fatalf("%s: error %v", args[1], err)
	}
	if neg {
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", args[1], answer.Status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o644))
}

// records wants a JSON object in every line of a file, or of stdout or stderr, with time, level and msg: records FILE
func records(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: records FILE")
	}
	for _, line := range lines(ts.ReadFile(args[0])) {
		var record struct {
			Time       time.Time
			Level, Msg string
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Time.IsZero() || record.Level == "" ||
			record.Msg == "" {
			ts.Fatalf("no record (%v): %s", err, line)
		}
	}
}
