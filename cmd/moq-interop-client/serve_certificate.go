package main

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/moqinterop/moq-interop-client/moqt/transport/endpoint"
	"github.com/moqinterop/moq-interop-client/runner"
)

// certificatePair says in which files a certificate and its key are.
type certificatePair struct{ cert, key setting }

// certificates are the settings that name the pair.
func (c *serveCmd) certificates(sys *system) certificatePair {
	return certificatePair{sys.choose(c.Cert, "--cert", "", "MOQT_CERT"), sys.choose(c.Key, "--key", "", "MOQT_KEY")}
}

// given reports whether there are any: otherwise the relay makes its own certificate.
func (p certificatePair) given() bool { return p.cert.text != "" || p.key.text != "" }

// config is the TLS configuration with the pair; nil when there is none.
func (p certificatePair) config() (*tls.Config, error) {
	if !p.given() {
		return nil, nil
	}
	cert, err := p.read()
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}, nil
}

// read reads the pair.
func (p certificatePair) read() (tls.Certificate, error) {
	cert, key, none := p.cert, p.key, tls.Certificate{}
	switch {
	case key.text == "":
		return none, key.fail(fmt.Errorf("missing, with the certificate %s", cert.text))
	case cert.text == "":
		return none, cert.fail(fmt.Errorf("missing, with the key %s", key.text))
	}
	chain, err := os.ReadFile(cert.text)
	if err != nil {
		return none, cert.fail(unreadable(err, cert.text))
	}
	private, err := os.ReadFile(key.text)
	if err != nil {
		return none, key.fail(unreadable(err, key.text))
	}
	for _, file := range []struct {
		setting
		contents []byte
	}{{cert, chain}, {key, private}} {
		if block, _ := pem.Decode(file.contents); block == nil {
			return none, file.fail(fmt.Errorf("%s holds nothing in PEM", file.text))
		}
	}
	pair, err := tls.X509KeyPair(chain, private)
	if err != nil { // of either, or of both together
		return none, usage("%s %s and %s %s: %w", cert.from, cert.text, key.from, key.text, err)
	}
	return pair, nil
}

// unreadable says why a file that is there may not be read, and what helps. Mounted into a container it keeps its owner
// and its mode, and the container's user is another one than who made it.
func unreadable(err error, path string) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	mode := ""
	if info, e := os.Stat(path); e == nil {
		mode = fmt.Sprintf("the file has mode %04o, and ", info.Mode().Perm())
	}
	return fmt.Errorf("%w: %sthis process runs as user %d, as the user of a container does whoever owns what is "+
		"mounted; make it readable (chmod 0644), give it to that user (chown %[3]d), or run as its owner "+
		"(docker run --user)", err, mode, os.Getuid())
}

// hangups are the SIGHUPs that come until stop is called, with which operators ask for the certificate to be read
// again.
func hangups() (came <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// reread has the relay show the certificate that the files hold now. A bad one changes nothing.
func (c *serveCmd) reread(sys *system, p certificatePair, relay *runner.Relay) {
	if !p.given() {
		c.notice(sys, "SIGHUP: there is no --cert to read again; the self-signed certificate stays",
			"no certificate to read again")
		return
	}
	cert, err := p.read()
	if now := time.Now(); err == nil && cert.Leaf.NotAfter.Before(now) {
		err = p.cert.fail(fmt.Errorf("%s has ended on %s", p.cert.text, cert.Leaf.NotAfter.Format(time.DateTime)))
	}
	if err == nil {
		err = relay.SetCertificate(cert)
	}
	if err != nil {
		c.notice(sys, fmt.Sprintf("SIGHUP: the certificate stays as it is: %v", err), "certificate not read again",
			"error", err)
		return
	}
	c.sayCertificate(sys, "certificate read again", cert)
}

// sayCertificate tells the hash of a certificate, which browsers can pin, and until when it is valid.
func (c *serveCmd) sayCertificate(sys *system, what string, cert tls.Certificate) {
	hash, until := fmt.Sprintf("%x", endpoint.CertificateHash(cert)), cert.Leaf.NotAfter.UTC()
	c.notice(sys, fmt.Sprintf("%s, SHA-256 %s, until %s", what, hash, until.Format(time.DateTime)), what,
		"sha256", hash, "until", until)
}
