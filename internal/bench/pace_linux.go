package bench

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// fineTimer is a high-resolution timer of the system. Go's poller waits for it as for a packet, so a goroutine that
// sleeps holds no processor of the runtime; one in a system call would, for up to 10 ms.
type fineTimer struct {
	fd   int
	file *os.File
}

// sleep waits for a time that is not long.
func (t *fineTimer) sleep(d time.Duration) {
	if t.file == nil {
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil {
			time.Sleep(d)
			return
		}
		t.fd, t.file = fd, os.NewFile(uintptr(fd), "timerfd")
	}
	var expired [8]byte
	if err := unix.TimerfdSettime(t.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil); err != nil {
		time.Sleep(d)
		return
	}
	_, _ = t.file.Read(expired[:]) // the pacer looks whether the time has come
}

func (t *fineTimer) close() {
	if t.file != nil {
		t.file.Close()
	}
}
