// Package app is the wiring: the one place that knows every room. main and the
// tests start the same App.
package app

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/iot/count"
)

// Config is everything that differs between a laptop and a bank.
type Config struct {
	Data    string // folder for SQLite files, scenes and certificates
	Addr    string // HTTP, "127.0.0.1:8080"
	MQTT    string // the embedded broker's address; "" for none
	MQTTTLS TLS    // of the embedded broker; zero for plain TCP
	DB      string // "sqlite:FILE" or "postgres://..."; "" means sqlite in Data
	Influx  Influx // zero means the embedded telemetry file in Data
	Broker  Broker // zero means the embedded broker only
	Scenes  string // folder of the static STAC catalogue; "" means Data/catalogue
	Catalog string // folder whose files replace the embedded catalogue; "" for none
	// CropModel is a file of furrow crop train that names the crops where it covers a
	// plot; "" leaves them to calendar and curve.
	CropModel string
	// LLM reads documents; zero means rules.
	LLM    LLM
	Tenant string // the bank
	// InvoiceSalt is the secret of the funders that compare, by fingerprints, which
	// invoices they were promised, at least fraud.MinSalt bytes; "" compares with nobody.
	// This house publishes as Tenant.
	InvoiceSalt string
	// ContractKey is the Ed25519 key with which the house signs contracts, PKCS #8 in PEM;
	// "" keeps one in Data/contract.key. Processes that serve one database share it.
	ContractKey string
	// MosquittoConf is the configuration of the external broker, for the doctor; ""
	// looks at this machine's when the broker is here.
	MosquittoConf string
	// Work says whether this process works background jobs.
	Work bool
	// Serve says whether this process answers HTTP and takes readings.
	Serve bool
	// Operator is the login of the first person of an empty house, OperatorPassword
	// its password; with "" nobody is created.
	Operator, OperatorPassword string
	// Rail moves the money; nil refuses every drawdown with a clear message.
	Rail pay.Rail
	// RailHTTP is a bank that is reached by HTTP, in place of Rail; zero means none.
	RailHTTP Rail
	// Secure marks cookies for HTTPS only.
	Secure bool
	// SpoolMax bounds what is kept in Data while the telemetry store is down, in
	// bytes; 0 means 2 GiB.
	SpoolMax int64
	// Keep is how long readings are kept, KeepRefused how long messages in quarantine are
	// and KeepCounts how long counts of heads are; 0 means for ever.
	Keep, KeepRefused, KeepCounts time.Duration

	Now func() time.Time
	Log *slog.Logger
}

// Influx is an InfluxDB that keeps the telemetry.
type Influx struct{ URL, Token, Org, Bucket string }

// Broker is an external MQTT broker.
type Broker struct {
	URL, ClientID, Username, Password, Share string
	Formats                                  []string // of payloads; none means Furrow JSON and CBOR, and counts
	TLS                                      TLS      // CA of the broker, and the certificate that the house shows it
	DebugLog                                 string   // file of Mosquitto's, followed for what it refuses to devices; "" for none
}

// TLS names PEM files.
type TLS struct{ Cert, Key, CA string }

// Server is the configuration of a listener; nil without a certificate. With a CA,
// clients may show a certificate of it.
func (t TLS) Server() (*tls.Config, error) {
	c, err := t.load()
	if c == nil || err != nil {
		return nil, err
	}
	if len(c.Certificates) == 0 {
		return nil, ErrTLS.With("file", t.CA).Because(errNoCert)
	}
	if c.ClientCAs = c.RootCAs; c.ClientCAs != nil {
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return c, nil
}

// load reads the files; nil when none is named. ErrTLS.
func (t TLS) load() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil //nolint:nilnil // no configuration is an answer
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.Cert != "" || t.Key != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, ErrTLS.With("file", t.Cert+", "+t.Key).Because(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, ErrTLS.With("file", t.CA).Because(err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, ErrTLS.With("file", t.CA).Because(errNoPEM)
		}
	}
	return c, nil
}

var (
	errNoCert = errors.New("a CA for clients needs the certificate and the key of the broker itself")
	errNoPEM  = errors.New("it has no certificate in PEM")
)

// What can be wrong with the configuration or the machine.
var (
	ErrData       = fault.New(fault.Invalid, "app.data", "the data folder {dir} cannot be written; choose another with --data")
	ErrDisk       = fault.New(fault.Unavailable, "app.disk", "only {mb} MB are free in {dir}; free some space or choose another folder with --data")
	ErrPort       = fault.New(fault.Invalid, "app.port", "{addr} is taken by another program; stop it or choose another address with {flag}")
	ErrAddr       = fault.New(fault.Invalid, "app.addr", "cannot listen on {addr}; give an address of this machine like 127.0.0.1:8080 with {flag}")
	ErrSecret     = fault.New(fault.Invalid, "app.secret", "the file {file} of {name}_FILE cannot be read")
	ErrTLS        = fault.New(fault.Invalid, "app.tls", "{file} cannot be used for TLS: give PEM files of a certificate with its key, and of the CA")
	ErrFormat     = fault.New(fault.Invalid, "app.format", "there is no payload format {format}; use {known}")
	ErrSpooled    = fault.New(fault.Unavailable, "app.spooled", "readings still wait for the telemetry store; delete when it has them")
	ErrKeepCounts = fault.New(fault.Invalid, "app.keep_counts", "counts must be kept for {least} at least, because the house learns from them how much a counter sees; give a longer --keep-counts, or 0 for ever")
	ErrWorker     = fault.New(fault.Invalid, "app.worker", "a worker cannot see the telemetry file of furrow serve: give both --influx, or let serve work by itself")
	ErrNoScenes   = fault.New(fault.Unavailable, "app.no_scenes", "there is no scene catalogue in {dir}; make one with furrow scene index")
)

// Secret reads a secret from the environment variable name, or from the file that
// name_FILE names. "" means that neither is set.
func Secret(name string) (string, error) {
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	file := os.Getenv(name + "_FILE")
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", ErrSecret.With("file", file).With("name", name).Because(err)
	}
	return strings.TrimSpace(string(b)), nil
}

// NewPassword returns 120 random bits as text.
func NewPassword() string {
	b := make([]byte, 15)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// minFree is the space below which the house does not start: a day of telemetry
// and the demo's scenes.
const minFree = 512 << 20

// prepare fills in defaults and makes sure that the data folder can be written.
func (c *Config) prepare() error {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := Writable(c.Data); err != nil {
		return err
	}
	if c.DB == "" {
		c.DB = "sqlite:" + filepath.Join(c.Data, "furrow.db")
	}
	if c.Scenes == "" {
		c.Scenes = filepath.Join(c.Data, "catalogue")
	}
	if c.Tenant == "" {
		c.Tenant = "demo"
	}
	if c.Work && !c.Serve && c.Influx.URL == "" {
		return ErrWorker
	}
	if n := len(c.InvoiceSalt); n > 0 && n < fraud.MinSalt {
		return fraud.ErrSalt.With("bytes", n)
	}
	if least := count.DefaultConfig().Learn; c.KeepCounts != 0 && c.KeepCounts < least {
		return ErrKeepCounts.With("least", least.String())
	}
	if c.SpoolMax == 0 {
		c.SpoolMax = 2 << 30
	}
	return nil
}

// Writable makes dir and says clearly when it cannot be written or is nearly full.
func Writable(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return ErrData.With("dir", dir).Because(err)
	}
	f, err := os.CreateTemp(dir, ".write-*")
	if err != nil {
		return ErrData.With("dir", dir).Because(err)
	}
	_, werr := f.Write(make([]byte, 4096))
	cerr := f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	free, err := freeBytes(dir)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if werr != nil || cerr != nil || free < minFree {
		return ErrDisk.With("mb", free>>20).With("dir", dir)
	}
	return nil
}
