// Package apptest starts the whole house for a test, as main does, and knocks at its
// doors: HTTP as a signed-in person, MQTT as a device.
package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/iot/series/influx"
)

// Operator and Password are of the first person of a house; everybody whom the tests
// register has the same password.
const (
	Operator = "operator"
	Password = "harvest-2026"
)

// Start runs the house of cfg until the test ends, on free ports unless cfg names
// them; before are called between its making and its start. A house that does not
// stop cleanly fails the test.
func Start(t testing.TB, cfg app.Config, before ...func(*app.App)) *app.App {
	t.Helper()
	cfg.Serve, cfg.Work = true, true
	cfg.Operator, cfg.OperatorPassword = Operator, Password
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	a, err := app.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range before {
		f(a)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error("the house did not stop cleanly:", err)
		}
		if err := a.Close(); err != nil {
			t.Error("the house did not close cleanly:", err)
		}
	})
	return a
}

// Influx makes a fresh database on the InfluxDB of FURROW_TEST_INFLUX; without one
// the test is skipped, and fails under CI=true.
func Influx(t testing.TB) app.Influx {
	t.Helper()
	cfg := app.Influx{URL: server(t, "FURROW_TEST_INFLUX"), Bucket: "t" + strings.ReplaceAll(ident.New(), "-", "")}
	s := influx.Open(influx.Config{URL: cfg.URL, Bucket: cfg.Bucket})
	defer func() { _ = s.Close() }()
	Poll(t, 30*time.Second, "a database in InfluxDB", func() bool { // it may lose one of several that are made at once
		if err := s.CreateDatabase(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, err := s.Count(context.Background(), "nobody", "")
		return err == nil
	})
	return cfg
}

// Mosquitto is the address of the broker of FURROW_TEST_MOSQUITTO, as Influx.
func Mosquitto(t testing.TB) string {
	t.Helper()
	return server(t, "FURROW_TEST_MOSQUITTO")
}

func server(t testing.TB, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("set " + name)
		}
		t.Skip("needs " + name + " (scripts/services start)")
	}
	return v
}

// Poll asks done a few times a second until it says yes; after limit the test fails.
func Poll(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("no %s after %v", what, limit)
		}
	}
}

// Person is somebody who is signed in.
type Person struct {
	testing.TB
	ID    string
	base  string
	token string
	http  *http.Client
}

// SignIn signs a person in at the house of url.
func SignIn(t testing.TB, url, login string) *Person {
	t.Helper()
	p := &Person{TB: t, base: url + "/api/v1", http: &http.Client{Timeout: time.Minute}}
	t.Cleanup(p.http.CloseIdleConnections)
	var in struct {
		Token string
		User  struct{ ID string }
	}
	p.Post("/session", map[string]string{"login": login, "password": Password}, &in)
	p.token, p.ID = in.Token, in.User.ID
	return p
}

// Token is what opens the person's session, for clients of another kind.
func (p *Person) Token() string { return p.token }

// Get reads path into out, or fails the test.
func (p *Person) Get(path string, out any) {
	p.Helper()
	p.must(p.Send(http.MethodGet, path, "", nil), path, out)
}

// Post sends in as JSON and reads the answer into out, or fails the test; both may be nil.
func (p *Person) Post(path string, in, out any) {
	p.Helper()
	p.must(p.Try(path, in), path, out)
}

// Try is Post whose answer may be a refusal.
func (p *Person) Try(path string, in any, header ...string) Reply {
	p.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			p.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	return p.Send(http.MethodPost, path, "application/json", body, header...)
}

// Upload sends a file with form fields.
func (p *Person) Upload(path string, fields map[string]string, name string, file []byte, header ...string) Reply {
	p.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		_ = w.WriteField(k, v) // a buffer takes everything
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		p.Fatal(err)
	}
	_, _ = part.Write(file)
	_ = w.Close()
	return p.Send(http.MethodPost, path, w.FormDataContentType(), &b, header...)
}

// Send makes a request. header holds names and values by turns; an Idempotency-Key
// is there unless it says another.
func (p *Person) Send(method, path, kind string, body io.Reader, header ...string) Reply {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, body)
	if err != nil {
		p.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	req.Header.Set("Idempotency-Key", ident.New())
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := p.http.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	return Reply{Status: res.StatusCode, Header: res.Header, Body: b}
}

func (p *Person) must(r Reply, path string, out any) {
	p.Helper()
	if r.Status/100 != 2 {
		p.Fatalf("%s: %d %s", path, r.Status, r.Body)
	}
	r.Read(p, out)
}

// Reply is an answer of the house.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Read decodes the body into out, unless that is nil.
func (r Reply) Read(t testing.TB, out any) {
	t.Helper()
	if out == nil {
		return
	}
	if err := json.Unmarshal(r.Body, out); err != nil {
		t.Fatalf("%d %s: %v", r.Status, r.Body, err)
	}
}

// Problem is what the house answers to a request it refuses (RFC 9457).
type Problem struct {
	Status int
	Code   string
	Detail string
	Errors []struct{ Location, Message string }
}

// Text is everything that a reader is told.
func (p Problem) Text() string {
	s := p.Detail
	for _, e := range p.Errors {
		s += fmt.Sprintf("\n%s: %s", e.Location, e.Message)
	}
	return s
}
