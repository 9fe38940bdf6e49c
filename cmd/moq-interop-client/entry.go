package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/moqinterop/moq-interop-client/runner"
)

// Where the public interop runner mounts what a relay needs, unless variables say otherwise.
const (
	mountedCert = "/certs/cert.pem"
	mountedKey  = "/certs/priv.key"
	mountedMlog = "/mlog"
)

// enter gives the arguments of the role that MOQT_ROLE names, so that one container image is client or relay. A command
// that is named, and the wish for help or the version, go before the role.
func enter(args []string, sys *system) ([]string, error) {
	if len(args) > 0 && (!strings.HasPrefix(args[0], "-") || slices.Contains([]string{"-h", "--help", "--version"},
		args[0])) {
		return args, nil
	}
	switch role := sys.getenv("MOQT_ROLE"); role {
	case "", "client":
		return args, nil
	case "relay":
		sys.getenv = mounted(sys.getenv, sys.say, found)
		return append([]string{"serve"}, args...), nil
	default:
		return nil, &exit{runner.ExitUnsupported, fmt.Errorf("MOQT_ROLE: %q is neither client nor relay", role)}
	}
}

// found reports whether there is a file, or a folder that can be written to.
func found(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return err == nil
	}
	f, err := os.CreateTemp(path, ".try-*")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

// mounted gives the environment of a relay in a container: the certificate that is mounted, unless variables name
// another, and the folder for mlog files if it can be written to (a mount may belong to another user). With neither
// certificate nor key the relay makes its own; with one of the two it says that the other is missing.
func mounted(getenv func(string) string, say func(string, ...any), found func(string) bool) func(string) string {
	defaults := make(map[string]string)
	if getenv("MOQT_CERT") != "" || getenv("MOQT_KEY") != "" || found(mountedCert) || found(mountedKey) {
		defaults["MOQT_CERT"], defaults["MOQT_KEY"] = mountedCert, mountedKey
	} else {
		say("no %s: making a self-signed certificate", mountedCert)
	}
	if found(mountedMlog) {
		defaults["MOQT_MLOG_DIR"] = mountedMlog
	}
	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return defaults[name]
	}
}
