package endpoint

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// Browsers take a pinned certificate only when it is valid for less than 14 days.
const (
	selfSignedBefore = time.Hour // for clocks that differ
	selfSignedLife   = 13 * 24 * time.Hour
)

// SelfSigned makes a certificate for localhost, 127.0.0.1, ::1 and the given names and addresses: ECDSA P-256, not a
// certificate authority, valid for 13 days. It suits clients that do not verify, that have it among their roots, and
// browsers that are given CertificateHash.
func SelfSigned(hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("self-signed certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("self-signed certificate: %w", err)
	}
	start := time.Now().Add(-selfSignedBefore)
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: "localhost"},
		NotBefore:    start,
		NotAfter:     start.Add(selfSignedLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// with IsCA false: rustls refuses a certificate authority as a server's certificate
		BasicConstraintsValid: true,
	}
	for _, host := range append([]string{"localhost", "127.0.0.1", "::1"}, hosts...) {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if !slices.Contains(template.DNSNames, host) {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("self-signed certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("self-signed certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// CertificateHash is the SHA-256 of the leaf certificate, as a browser's serverCertificateHashes wants it; zero without
// a certificate.
func CertificateHash(cert tls.Certificate) (hash [sha256.Size]byte) {
	if len(cert.Certificate) > 0 {
		hash = sha256.Sum256(cert.Certificate[0])
	}
	return hash
}
