//go:build linux

package matrix

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// canSeePorts says that udpBound knows which ports are bound.
const canSeePorts = true

// udpBound reports whether a UDP socket of this host is bound to the port. It looks, and binds nothing itself: that
// would be in the way of the relay that is just starting.
func udpBound(port int) (bool, error) {
	for _, name := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 2 {
				continue
			}
			_, hex, _ := strings.Cut(fields[1], ":")
			if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
				f.Close()
				return true, nil
			}
		}
		f.Close()
		if err := lines.Err(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// endWithUs asks the program to end when this one is killed: a relay that stays would hold its port against the run
// that is resumed.
func endWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
