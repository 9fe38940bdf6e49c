package endpoint

import (
	"context"
	"crypto/tls"
	"testing"
	"testing/synctest"
	"time"
)

// shown is the hash of the certificate that a new connection is shown.
func shown(t *testing.T, l *Listener) (hash [32]byte) {
	t.Helper()
	conf := &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		hash = CertificateHash(tls.Certificate{Certificate: [][]byte{s.PeerCertificates[0].Raw}})
		return nil
	}}
	if err := CheckHealth(testContext(t), DialOptions{URL: urlOf(t, "moqt", l.Addr(), ""), TLS: conf}); err != nil {
		t.Fatal(err)
	}
	return hash
}

// A certificate that is set while the listener serves is shown to those who come, and who is there stays.
func TestSetCertificate(t *testing.T) {
	l := listen(t, ListenOptions{})
	ctx := testContext(t)
	c, err := Dial(ctx, DialOptions{URL: urlOf(t, "moqt", l.Addr(), ""), TLS: insecure})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	s, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if shown(t, l) != CertificateHash(l.Certificate()) {
		t.Error("another certificate than the first is shown")
	}
	next, err := SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetCertificate(next); err != nil {
		t.Fatal(err)
	}
	if hash := CertificateHash(next); shown(t, l) != hash || CertificateHash(l.Certificate()) != hash {
		t.Error("another certificate than the new one is shown")
	}
	echo(t, c, s)
	if err := l.SetCertificate(tls.Certificate{}); err == nil {
		t.Error("a certificate without anything is taken")
	}
}

// A certificate of the listener's own making is replaced a day before it ends, again and again.
func TestCertificateIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s served
		first, err := SelfSigned()
		if err != nil {
			t.Fatal(err)
		}
		s.set(first)
		renewals := make(chan tls.Certificate, 8)
		ctx, cancel := context.WithCancel(t.Context())
		go s.keepFresh(ctx, func(c tls.Certificate) { renewals <- c }, func(err error) { t.Error(err) })
		end := first.Leaf.NotAfter
		time.Sleep(time.Until(end) - renewBefore - time.Minute)
		synctest.Wait()
		if len(renewals) > 0 {
			t.Errorf("renewed before its time: %v", (<-renewals).Leaf.NotBefore)
		}
		for range 3 {
			time.Sleep(time.Until(end) - renewBefore + renewEvery + time.Minute)
			synctest.Wait()
			if len(renewals) != 1 || CertificateHash(s.first()) != CertificateHash(<-renewals) {
				t.Fatal("not renewed once, or another certificate is served")
			}
			if end = s.first().Leaf.NotAfter; time.Until(end) < 12*24*time.Hour {
				t.Errorf("the new one ends in %v", time.Until(end))
			}
		}
		cancel()
		synctest.Wait()
	})
}
