package freeport

import (
	"errors"
	"net"
	"os/exec"
	"runtime"
	"sync"
	"testing"
)

func TestUDP(t *testing.T) {
	port, err := UDP()
	if err != nil || port < lowest {
		t.Fatalf("%d, %v", port, err)
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	given, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	if first := given.LocalAddr().(*net.UDPAddr).Port; port >= dynamic && port >= first {
		t.Errorf("%d is a port that the system gives by itself, as %d", port, first)
	}
}

func TestBegin(t *testing.T) {
	for _, test := range []struct {
		text string
		err  error
		want int
	}{
		{text: "32768\t60999\n", want: 32768},
		{text: "49152 65535", want: 49152},
		{text: "1024\t65535\n", want: dynamic},
		{text: "nothing", want: dynamic},
		{err: errors.New("no such file"), want: dynamic},
	} {
		if got := begin([]byte(test.text), test.err); got != test.want {
			t.Errorf("%q, %v: %d, want %d", test.text, test.err, got, test.want)
		}
	}
}

func TestNoneFree(t *testing.T) {
	c, err := net.ListenUDP("udp", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if port, err := within(c.LocalAddr().(*net.UDPAddr).Port, 1); err == nil {
		t.Errorf("%d is free, and taken", port)
	}
}

// A program that starts at the same moment must not keep a port that was only looked at.
func TestWhileProgramsStart(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("here it may, for a moment: see Check")
	}
	sh, err := exec.LookPath("true")
	if err != nil {
		t.Skip(err)
	}
	_ = exec.Command(sh).Run() // the first one also forks to see what the system can do, and takes no lock for that
	stop := make(chan struct{})
	var starting sync.WaitGroup
	for range 4 {
		starting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command(sh).Run()
				}
			}
		})
	}
	defer starting.Wait()
	defer close(stop)
	for i := range 300 {
		port, err := UDP()
		if err == nil {
			err = Check(port)
		}
		if err != nil {
			t.Fatalf("port %d, the %dth: %v", port, i, err)
		}
	}
}
