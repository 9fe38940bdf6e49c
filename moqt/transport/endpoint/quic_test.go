package endpoint

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestQUICSettings: settings out of range end with a word before anything is sent, those within take effect.
func TestQUICSettings(t *testing.T) {
	for _, c := range []struct {
		settings QUIC
		says     string
	}{
		{QUIC{PacketSize: 1199}, "PacketSize 1199 is not from 1200 to 1452"},
		{QUIC{PacketSize: 1453}, "PacketSize 1453"},
		{QUIC{IdleTimeout: -1}, "IdleTimeout is negative"},
		{QUIC{KeepAlive: -1}, "KeepAlive is negative"},
		{QUIC{Streams: -1}, "Streams is negative"},
	} {
		nobody := urlOf(t, "moqt", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}, "")
		_, err := Dial(t.Context(), DialOptions{URL: nobody, QUIC: c.settings})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Dial with %+v: %v", c.settings, err)
		}
		if l, err := Listen(ListenOptions{Addr: "127.0.0.1:0", QUIC: c.settings}); err == nil {
			l.Close()
			t.Errorf("Listen with %+v: no error", c.settings)
		}
	}
	conf, err := QUIC{IdleTimeout: time.Minute, PacketSize: 1300, StreamWindow: 64 << 20, Streams: 7}.config()
	if err != nil || conf.MaxIdleTimeout != time.Minute || conf.InitialPacketSize != 1300 ||
		conf.MaxStreamReceiveWindow != 64<<20 || conf.MaxIncomingUniStreams != 7 {
		t.Errorf("%+v, %v", conf, err)
	}
}

// TestEnvironmentIsLeftAlone: nothing is set in it.
func TestEnvironmentIsLeftAlone(t *testing.T) {
	before := strings.Join(os.Environ(), "\n")
	connect(t, ListenOptions{}, DialOptions{}, "moqt", "/")
	if after := strings.Join(os.Environ(), "\n"); after != before {
		t.Errorf("the environment was\n%s\nand is\n%s", before, after)
	}
}
