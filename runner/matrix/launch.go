package matrix

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/moqinterop/moq-interop-client/internal/freeport"
	"github.com/moqinterop/moq-interop-client/moqt/transport"
	"github.com/moqinterop/moq-interop-client/relays"
)

// containerPort is where relay images listen.
const containerPort = "4443"

// launching is how a relay is started.
type launching struct {
	argv    []string
	env     environment
	before  [][]string
	port    int // on this host
	address string
	path    string
	network string // of a container, with the address there
	inside  string
	cleanup []func() // in reverse order
}

func (l *launching) clean() {
	for len(l.cleanup) > 0 {
		last := len(l.cleanup) - 1
		l.cleanup[last]()
		l.cleanup = l.cleanup[:last]
	}
}

// prepare says how the relay is started, with a certificate and a place for its logs.
func (h *host) prepare() (_ *launching, err error) {
	l := &launching{}
	defer func() {
		if err != nil {
			l.clean()
		}
	}()
	host, port := "127.0.0.1", ""
	if served := relays.ServedURL(h.e.URL); served != "" {
		u, err := transport.ParseURL(string(served.AtPort("1")))
		if err != nil {
			return nil, err
		}
		host, port, l.path = u.Host, u.Port, u.Path
		if served.AnyPort() {
			port = ""
		}
	}
	cert, key, err := h.certificate(l)
	if err != nil {
		return nil, err
	}
	mlog := ""
	if h.o.QLOG {
		if mlog, err = filepath.Abs(filepath.Join(h.o.Dir, "relays", h.e.Relay, h.e.Name+".mlog")); err != nil {
			return nil, err
		}
		if err := open(mlog); err != nil {
			return nil, err
		}
		l.cleanup = append(l.cleanup, func() { os.Remove(mlog) }) // one that has files stays
	}
	if h.e.Kind == KindContainer {
		err = h.container(l, host, port, cert, key, mlog)
	} else {
		err = h.command(l, host, port, cert, key, mlog)
	}
	return l, err
}

// open makes a folder that anybody may write to: containers run as users of their own.
func open(dir string) error {
	return errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o777))
}

// certificate makes the relay's certificate, in a folder that a container's user may read.
func (h *host) certificate(l *launching) (cert, key string, err error) {
	if h.o.Certificate == nil {
		return "", "", nil
	}
	dir, err := os.MkdirTemp("", "moqt-certs-")
	if err != nil {
		return "", "", err
	}
	l.cleanup = append(l.cleanup, func() { os.RemoveAll(dir) })
	cert, key, err = h.o.Certificate(dir)
	if err != nil {
		return "", "", fmt.Errorf("its certificate: %w", err)
	}
	return cert, key, errors.Join(os.Chmod(dir, 0o755), os.Chmod(cert, 0o644), os.Chmod(key, 0o644))
}

// relayEnv is the environment that the public interop runner gives a relay.
func relayEnv(port, cert, key, mlog string) []string {
	env := []string{"MOQT_ROLE=relay", "MOQT_PORT=" + port}
	for _, pair := range [][2]string{{"MOQT_CERT", cert}, {"MOQT_KEY", key}, {"MOQT_MLOG_DIR", mlog}} {
		if pair[1] != "" {
			env = append(env, pair[0]+"="+pair[1])
		}
	}
	return env
}

// command prepares a program: at the port of its URL, or at a free one.
func (h *host) command(l *launching, host, port, cert, key, mlog string) (err error) {
	if port == "" {
		if l.port, err = freeport.UDP(); err != nil {
			return err
		}
	} else if l.port, err = strconv.Atoi(port); err != nil {
		return err
	}
	port = strconv.Itoa(l.port)
	words := here(h.o, map[string]string{"port": port, "cert": cert, "key": key, "mlog": mlog})
	if l.argv, err = words.expand(h.e.Command); err != nil {
		return err
	}
	l.env.plain = relayEnv(port, cert, key, mlog)
	if err := l.env.own(words, h.e.Env, h.x.secrets.value); err != nil {
		return err
	}
	l.address = net.JoinHostPort(host, port)
	return nil
}

// container prepares a container, in a network of its own where clients in containers find it, with its port on our
// loopback for everybody else.
func (h *host) container(l *launching, host, port, cert, key, mlog string) (err error) {
	if h.o.Engine == "" {
		return errors.New("there is no container engine")
	}
	if h.e.URL == "" {
		host = "relay"
	}
	if port == "" {
		port = containerPort
	}
	if l.port, err = freeport.UDP(); err != nil {
		return err
	}
	name, network := containerName("relay"), containerName("net")
	l.before = [][]string{{h.o.Engine, "network", "create", network}}
	l.network, l.inside = network, net.JoinHostPort(host, port)
	l.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(l.port))
	l.argv = []string{h.o.Engine, "run", "--rm", "--name", name, "--network", network, "--network-alias", host, "-p",
		l.address + ":" + port + "/udp"}
	inCert, inKey, inLog := "", "", ""
	if cert != "" {
		inCert, inKey = "/certs/cert.pem", "/certs/priv.key"
		l.argv = append(l.argv, "-v", cert+":"+inCert+":ro", "-v", key+":"+inKey+":ro")
	}
	if mlog != "" {
		inLog = "/mlog"
		l.argv = append(l.argv, "-v", mlog+":"+inLog)
	}
	words := here(h.o, map[string]string{"port": port, "cert": inCert, "key": inKey, "mlog": inLog})
	l.env.plain = relayEnv(port, inCert, inKey, inLog)
	if err := l.env.own(words, h.e.Env, h.x.secrets.value); err != nil {
		return err
	}
	args, err := words.expand(append([]string{"image"}, h.e.Args...))
	if err != nil {
		return err
	}
	l.argv = slices.Concat(l.argv, l.env.forEngine(), []string{h.e.Image}, args[1:])
	l.env.plain = nil                      // the engine has it among its arguments
	l.cleanup = append(l.cleanup, func() { // the engine says so when there is nothing left
		_ = h.x.engine("rm", "-f", name)
		_ = h.x.engine("network", "rm", network)
	})
	return nil
}
