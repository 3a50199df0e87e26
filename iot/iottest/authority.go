package iottest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority signs certificates of servers on loopback and of devices.
type Authority struct {
	Pool *x509.CertPool // holds its own certificate
	own  tls.Certificate
}

// NewAuthority returns an authority that nobody else knows.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{Pool: x509.NewCertPool()}
	a.own = a.issue(tb, "authority", true)
	a.Pool.AddCert(a.own.Leaf)
	return a
}

// Issue returns a certificate in the name, for an hour.
func (a *Authority) Issue(tb testing.TB, name string) tls.Certificate {
	tb.Helper()
	return a.issue(tb, name, false)
}

func (a *Authority) issue(tb testing.TB, name string, ca bool) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: ca, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	parent, signer := cert, any(key)
	if ca {
		cert.KeyUsage = x509.KeyUsageCertSign
	} else {
		parent, signer = a.own.Leaf, a.own.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	if err != nil {
		tb.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// PEM returns a certificate and its key as files have them; of the authority itself
// its certificate alone.
func (a *Authority) PEM(tb testing.TB, c *tls.Certificate) (cert, key []byte) {
	tb.Helper()
	if c == nil {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.own.Certificate[0]}), nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
