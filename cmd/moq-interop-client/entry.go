package main

import (
	"errors"
	"fmt"
	"io/fs"
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
		sys.getenv = mounted(sys.getenv, sys.say, func(path string) bool {
			return found(path) && (path != mountedMlog || isMount(path))
		})
		return append([]string{"serve"}, args...), nil
	default:
		return nil, &exit{runner.ExitUnsupported, fmt.Errorf("MOQT_ROLE: %q is neither client nor relay", role)}
	}
}

// found reports whether there is a file, or a folder that can be written to. What is in a folder that may not be looked
// into counts: who mounted it wants it used, and has to know.
func found(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return errors.Is(err, fs.ErrPermission)
	}
	if !info.IsDir() {
		return true
	}
	f, err := os.CreateTemp(path, ".try-*")
	if err != nil {
		return false
	}
	f.Close()
	return os.Remove(f.Name()) == nil
}

// isMount reports whether something is mounted on a folder. The image has one for mlog files, so that a volume mounted
// there can be written to; without a volume nobody would find what is written there, and nobody would clear it away.
// Systems other than Linux do not tell: there the folder counts.
func isMount(path string) bool {
	list, err := os.ReadFile("/proc/self/mountinfo")
	return err != nil || hasMount(string(list), path)
}

// hasMount looks for a mount point in the list of them, as proc_pid_mountinfo(5) has it.
func hasMount(list, path string) bool {
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == path {
			return true
		}
	}
	return false
}

// mounted gives the environment of a relay in a container: the certificate that is mounted, unless variables name
// another, and the folder for mlog files if one is mounted that can be written to (it may belong to another user). With
// neither certificate nor key the relay makes its own; with one of the two it says that the other is missing.
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
