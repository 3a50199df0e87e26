package server_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gorilla/websocket"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/view"
)

func TestSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.post("", "/session", map[string]string{"login": "Wang ", "password": password})
	signed := decode[struct {
		Token string
		User  access.User
	}](h, r)
	cookie := r.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "furrow_session="+signed.Token+";") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		t.Errorf("cookie %s", cookie)
	}
	if signed.User.Login != "wang" || strings.Contains(string(r.body), "argon2") {
		t.Errorf("%s", r.body)
	}
	with := map[string]string{"Cookie": "furrow_session=" + signed.Token}
	me := h.do(call{Method: "GET", Path: "/api/v1/session", Header: with})
	if got := decode[struct{ User access.User }](h, me); got.User.ID != h.users["wang"].ID {
		t.Errorf("%s", me.body)
	}
	out := h.do(call{Method: "DELETE", Path: "/api/v1/session", Header: with})
	if out.status != http.StatusNoContent || !strings.Contains(out.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out: %d %v", out.status, out.header)
	}
	if r := h.do(call{Method: "GET", Path: "/api/v1/session", Header: with}); r.status != 401 {
		t.Errorf("after signing out: %d", r.status)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, header := range map[string]map[string]string{
		"by origin":    {"Origin": "https://evil.example"},
		"by fetch":     {"Sec-Fetch-Site": "cross-site"},
		"by same site": {"Sec-Fetch-Site": "same-site"},
	} {
		header["Authorization"] = "Bearer " + h.tokens["wang"]
		r := h.do(call{Method: "POST", Path: "/api/v1/farmer/plots", Body: map[string]any{"name": "x", "polygon": square(115, 37, 0.003)}, Header: header})
		if p := r.problem(t); r.status != 403 || p.Code != "request.cross_origin" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	r := h.do(call{Method: "POST", Path: "/api/v1/session", Body: map[string]string{"login": "wang", "password": password}, Header: map[string]string{"Origin": h.url, "Sec-Fetch-Site": "same-origin"}})
	if r.status != 200 {
		t.Errorf("the own site: %d %s", r.status, r.body)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.get("wang", "/farmer/home")
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
		"Cache-Control":           "no-store",
		"Content-Type":            "application/json",
	} {
		if got := r.header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	policy := r.header.Get("Content-Security-Policy")
	if strings.Contains(policy, "http") || strings.Contains(policy, "*") || !strings.Contains(policy, "worker-src 'self' blob:") {
		t.Errorf("policy %s", policy)
	}
	// Lists are never null.
	if strings.Contains(string(r.body), "null") {
		t.Errorf("%s", r.body)
	}
}

func TestNowhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, tt := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/api/v1/nothing", 404, "request.not_found"},
		{"GET", "/api/nothing", 404, "request.not_found"},
		{"PUT", "/api/v1/farmer/plots", 405, "request.method"},
		{"GET", "/nothing", 404, "request.not_found"},
		{"GET", "/officer/", 503, "face.absent"},
	} {
		r := h.do(call{Method: tt.method, Path: tt.path})
		if p := r.problem(t); r.status != tt.status || p.Code != tt.code {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, r.status, r.body)
		}
	}
	if r := h.do(call{Method: "PUT", Path: "/api/v1/session"}); r.header.Get("Allow") != "GET, POST, DELETE" {
		t.Errorf("Allow: %s", r.header.Get("Allow"))
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	plain := h.get("officer", "/officer/scenes")
	packed := h.do(call{Method: "GET", Path: "/api/v1/officer/scenes", Login: "officer", Header: map[string]string{"Accept-Encoding": "gzip"}})
	if packed.header.Get("Content-Encoding") != "gzip" || !strings.Contains(packed.header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("%v", packed.header)
	}
	z := must(gzip.NewReader(strings.NewReader(string(packed.body))))(t)
	if b := must(io.ReadAll(z))(t); string(b) != string(plain.body) {
		t.Errorf("got %s, want %s", b, plain.body)
	}
	if r := h.do(call{Method: "DELETE", Path: "/api/v1/session", Login: "li.na", Header: map[string]string{"Accept-Encoding": "gzip"}}); r.header.Get("Content-Encoding") != "" || len(r.body) != 0 {
		t.Errorf("an empty answer is packed: %v %q", r.header, r.body)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if r := h.do(call{Method: "GET", Path: path}); r.status != 200 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	h.get("officer", "/officer/home")
	h.get("wang", "/officer/home")
	m := string(h.do(call{Method: "GET", Path: "/metrics"}).body)
	for _, want := range []string{
		`furrow_http_request_seconds_count{operation="officer-home",status="200"} 1`,
		`furrow_http_request_seconds_count{operation="officer-home",status="403"} 1`,
	} {
		if !strings.Contains(m, want) {
			t.Errorf("no %s in\n%s", want, m)
		}
	}
	s := must(server.New(server.Deps{Ready: func(context.Context) error { return errors.New("database is down") }}))(t)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "database is down") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRequestLog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.get("wang", "/farmer/home")
	for line := range strings.Lines(h.logged()) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l["request_id"] != r.header.Get("X-Request-Id") {
			continue
		}
		if l["msg"] != "request" || l["path"] != "/api/v1/farmer/home" || l["status"] != 200.0 || l["user"] != h.users["wang"].ID || l["tenant"] != "bank" || l["ms"] == nil {
			t.Errorf("%s", line)
		}
		return
	}
	t.Error("no line for the request")
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	s := must(server.New(server.Deps{Faces: fstest.MapFS{}}))(t) // without a gate: signing in panics
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/v1/session", strings.NewReader(`{"login":"a","password":"b"}`))
	r.Header.Set("Content-Type", "application/json")
	s.Handler().ServeHTTP(w, r)
	if w.Code != 500 || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), `"code":"internal"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestFaces(t *testing.T) {
	t.Parallel()
	s := must(server.New(server.Deps{Faces: fstest.MapFS{
		"officer/index.html":         {Data: []byte("<html>officer</html>")},
		"officer/assets/app-1a2b.js": {Data: []byte("let a = 1")},
		"farmer/index.html":          {Data: []byte("<html>farmer</html>")},
		"farmer/sw.js":               {Data: []byte("self")},
		"farmer/app.webmanifest":     {Data: []byte("{}")},
	}}))(t)
	for _, tt := range []struct {
		method, path, agent string
		status              int
		kind, cache, body   string
	}{
		{"GET", "/officer/", "", 200, "text/html; charset=utf-8", "no-cache", "officer"},
		{"GET", "/officer/plots/0190-7e", "", 200, "text/html; charset=utf-8", "no-cache", "officer"},
		{"GET", "/officer/assets/app-1a2b.js", "", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "let"},
		{"GET", "/officer/assets/gone.js", "", 404, "", "", ""},
		{"GET", "/officer/../../etc/passwd.txt", "", 307, "", "", ""},
		{"GET", "/farmer/sw.js", "", 200, "text/javascript; charset=utf-8", "no-cache", "self"},
		{"GET", "/farmer/app.webmanifest", "", 200, "application/manifest+json", "no-cache", "{}"},
		{"HEAD", "/farmer/", "", 200, "text/html; charset=utf-8", "no-cache", ""},
		{"POST", "/farmer/", "", 405, "", "", ""},
		{"GET", "/anchor/", "", 503, "application/problem+json", "", "face.absent"},
		{"GET", "/", "", 303, "", "", ""},
		{"GET", "/", "Mozilla/5.0 (Linux; Android 14) Mobile", 303, "", "", ""},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(tt.method, tt.path, nil)
		r.Header.Set("User-Agent", tt.agent)
		s.Handler().ServeHTTP(w, r)
		if w.Code != tt.status || (tt.kind != "" && w.Header().Get("Content-Type") != tt.kind) || (tt.cache != "" && w.Header().Get("Cache-Control") != tt.cache) || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s %s: %d %v %s", tt.method, tt.path, w.Code, w.Header(), w.Body)
		}
		if tt.path == "/" {
			want := "/officer/"
			if tt.agent != "" {
				want = "/farmer/"
			}
			if got := w.Header().Get("Location"); got != want {
				t.Errorf("root with %q goes to %s", tt.agent, got)
			}
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/officer/", nil)
	s.Handler().ServeHTTP(w, r)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	s.Handler().ServeHTTP(again, r)
	if again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("unchanged page: %d %q", again.Code, again.Body)
	}
}

func TestRootGoesToTheOwnFace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for login, want := range map[string]string{"wang": "/farmer/", "foodco": "/anchor/", "officer": "/officer/", "auditor": "/officer/"} {
		r := h.do(call{Method: "GET", Path: "/", Header: map[string]string{"Cookie": "furrow_session=" + h.tokens[login]}})
		if r.status != 303 || r.header.Get("Location") != want {
			t.Errorf("%s: %d %s", login, r.status, r.header.Get("Location"))
		}
	}
}

// The WebSocket opens with a session only, and brings the alert that the desk raises.
func TestLive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	url := "ws" + strings.TrimPrefix(h.url, "http") + "/api/v1/live"
	dial := func(header http.Header) (*websocket.Conn, int) {
		conn, res, err := websocket.DefaultDialer.Dial(url, header)
		if res == nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return conn, res.StatusCode
	}
	cookie := "furrow_session=" + h.tokens["officer"]
	if _, status := dial(nil); status != 401 {
		t.Errorf("without a session: %d", status)
	}
	if _, status := dial(http.Header{"Cookie": {cookie}, "Origin": {"http://evil.example"}}); status != 403 {
		t.Errorf("from another site: %d", status)
	}
	conn, status := dial(http.Header{"Cookie": {cookie}})
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("got %d", status)
	}
	defer conn.Close()
	// An answer to an order says that the client is in the hub.
	if err := conn.WriteJSON(map[string]any{"subscribe": map[string]string{"herd": ""}}); err != nil {
		t.Fatal(err)
	}
	var m struct {
		Type  string
		Alert watch.Alert
	}
	if err := conn.ReadJSON(&m); err != nil || m.Type != "subscribed" {
		t.Fatalf("%+v %v", m, err)
	}
	plot := h.plot("wang", 115.7)
	a := watch.Alert{Tenant: "bank", Kind: "flood", Severity: "critical", SubjectKind: "plot", SubjectID: plot.ID, Label: "north"}
	if err := h.desk.Raise(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := conn.ReadJSON(&m); err != nil || m.Type != "alert" || m.Alert.SubjectID != plot.ID {
		t.Errorf("%+v %v", m, err)
	}
}

func TestSceneOfTheMap(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	got := decode[struct {
		Item view.Scene
		BBox [4]float64
	}](h, h.get("wang", "/farmer/scene"))
	if got.Item.ID != "clear" || got.BBox != [4]float64{115, 37, 116, 38} {
		t.Errorf("got %+v", got)
	}
}

// What a bank tells reaches the room of the rail as the bytes that were signed: this house
// has no bank over HTTP and says so, instead of refusing the body.
func TestRailCallbackBody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.post("", "/rail/callback", map[string]string{"order_id": "x"},
		"Furrow-Key", "k", "Furrow-Time", "1", "Furrow-Nonce", "0123456789abcdef", "Furrow-Signature", "x")
	if r.status != 503 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
