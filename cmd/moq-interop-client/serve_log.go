package main

import (
	"io"
	"log/slog"
)

// serveLog is what the relay says on stderr, and how.
type serveLog struct {
	Log     string `enum:"text,json" default:"text" placeholder:"FORM" help:"Form of a line on stderr: text or json."`
	Quiet   bool   `short:"q" xor:"quiet,verbose" help:"Log only what should not happen."`
	Verbose bool   `short:"v" xor:"quiet,verbose" help:"Log too how each request ended, and what could not be sent."`
}

// level is the least that is logged.
func (l *serveLog) level() slog.Level {
	switch {
	case l.Quiet:
		return slog.LevelWarn
	case l.Verbose:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// handler writes lines from a level on.
func (l *serveLog) handler(w io.Writer, least slog.Level) slog.Handler {
	o := &slog.HandlerOptions{Level: least}
	if l.Log == "json" {
		return slog.NewJSONHandler(w, o)
	}
	return slog.NewTextHandler(w, o)
}

// notice says what every user must know, also with -q: line for people, the message and its values in JSON.
func (l *serveLog) notice(sys *system, line, message string, args ...any) {
	if l.Log == "json" {
		slog.New(l.handler(sys.stderr, slog.LevelInfo)).Info(message, args...)
		return
	}
	sys.say("%s", line)
}
