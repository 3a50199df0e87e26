package endpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/endpoint"
	"github.com/furrowcredit/furrow/chain/extract/rule"
)

const (
	secret = "sk-not-for-logs"
	text   = "甲禾粮油有限公司向乙丰面业有限公司采购小麦。"
)

var doc = extract.Document{Name: "a.txt", Text: text}

// request is what the server was asked.
type request struct {
	Model          string
	Messages       []struct{ Role, Content string }
	Temperature    *float64
	Seed           int
	ResponseFormat struct {
		Type       string
		JSONSchema struct {
			Strict bool
			Schema map[string]any
		} `json:"json_schema"`
	} `json:"response_format"`
}

// asks tells whether a relation was asked for.
func (r request) asks(relation extract.Relation) bool {
	return strings.Contains(r.Messages[0].Content, "- "+string(relation)+"：")
}

// model is a server that behaves as its test wants.
type model struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	waits    []time.Duration
}

func serve(t *testing.T, answer func(n int, r request, w http.ResponseWriter)) *model {
	t.Helper()
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/v1/chat/completions" || r.Header.Get("Authorization") != "Bearer "+secret {
			t.Error(err, r.URL.Path, r.Header)
		}
		var req request
		if err := json.Unmarshal(body, &req); err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		m.requests = append(m.requests, req)
		n := len(m.requests)
		m.mu.Unlock()
		answer(n, req, w)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *model) client(t *testing.T, change func(*endpoint.Config)) *endpoint.Client {
	t.Helper()
	cfg := endpoint.Config{
		URL: m.URL + "/v1", Model: "m", Key: secret, Fallback: rule.New(), Timeout: 10 * time.Second,
		Now: func() time.Time { return time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC) },
		Wait: func(_ context.Context, d time.Duration) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.waits = append(m.waits, d)
			return nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := endpoint.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (m *model) asked() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.requests)
}

func say(w http.ResponseWriter, content string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": map[string]any{"content": content}, "finish_reason": "stop"}},
		"usage":   map[string]any{"prompt_tokens": 1000, "completion_tokens": 10},
	})
}

const (
	nothing = `{"facts":[]}`
	good    = `{"facts":[{"head":"乙丰面业有限公司","relation":"supply","tail":"甲禾粮油有限公司","quote":"甲禾粮油有限公司向乙丰面业有限公司采购小麦","planned":false,"amount_yuan":null,"date":null,"share_percent":null,"product":"小麦"}]}`
)

// honest finds the supply when it is asked for.
func honest(_ int, r request, w http.ResponseWriter) {
	if r.asks(extract.Supply) {
		say(w, good)
		return
	}
	say(w, nothing)
}

func TestFactsAreFound(t *testing.T) {
	t.Parallel()
	m := serve(t, honest)
	facts, o, err := m.client(t, nil).Extract(t.Context(), doc)
	if err != nil || len(facts) != 1 || o.Fallback != "" || o.Kept != 1 {
		t.Fatal(facts, o, err)
	}
	f := facts[0]
	if f.Head != "乙丰面业有限公司" || f.Relation != extract.Supply || f.Extractor != endpoint.Name || f.Start != 0 || text[:f.End] != f.Quote || f.Confidence >= extract.AcceptFrom {
		t.Errorf("%+v", f)
	}
	for _, r := range m.requests {
		if r.Temperature == nil || *r.Temperature != 0 || r.Seed == 0 || r.ResponseFormat.Type != "json_schema" || !r.ResponseFormat.JSONSchema.Strict {
			t.Errorf("%+v", r)
		}
	}
	if len(m.requests) != 3 {
		t.Errorf("%d requests for 6 relations, two by two", len(m.requests))
	}
}

func TestBadServers(t *testing.T) {
	t.Parallel()
	always := func(content string) func(int, request, http.ResponseWriter) {
		return func(_ int, _ request, w http.ResponseWriter) { say(w, content) }
	}
	status := func(code int) func(int, request, http.ResponseWriter) {
		return func(_ int, _ request, w http.ResponseWriter) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		answer   func(int, request, http.ResponseWriter)
		fallback string
		asked    int
		dropped  string
	}{
		"no JSON, twice":            {always("好的，以下是结果："), "answer", 2, ""},
		"schema ignored, twice":     {always(`{"relations":[["a","b"]]}`), "answer", 2, ""},
		"a relation of its own":     {always(strings.Replace(good, `"supply"`, `"friend"`, 1)), "answer", 2, ""},
		"no completion at all":      {func(_ int, _ request, w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) }, "answer", 2, ""},
		"nothing said":              {always(""), "answer", 2, ""},
		"broken":                    {status(http.StatusBadGateway), "unavailable", 4, ""},
		"always busy":               {status(http.StatusTooManyRequests), "busy", 4, ""},
		"wrong key":                 {status(http.StatusUnauthorized), "refused", 1, ""},
		"moved":                     {status(http.StatusFound), "refused", 1, ""},
		"refuses every form":        {status(http.StatusBadRequest), "refused", 2, ""},
		"a firm that is not there":  {halluc(`"甲禾粮油有限公司","quote"`, `"丙谷米业有限公司","quote"`), "", 3, "tail"},
		"a quote that is not there": {halluc(`"quote":"甲禾粮油有限公司向`, `"quote":"甲禾粮油有限公司昨日向`), "", 3, "quote"},
		"the model declines": {func(_ int, _ request, w http.ResponseWriter) {
			_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"refusal": "no"}}}})
		}, "refused", 1, ""},
		"cut, twice": {func(_ int, _ request, w http.ResponseWriter) {
			_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": good}, "finish_reason": "length"}}})
		}, "answer", 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := serve(t, c.answer)
			facts, o, err := m.client(t, nil).Extract(t.Context(), doc)
			if err != nil || o.Fallback != c.fallback || m.asked() != c.asked {
				t.Errorf("%v %+v after %d requests, want %q after %d", err, o, m.asked(), c.fallback, c.asked)
			}
			if c.fallback != "" && (len(facts) != 1 || facts[0].Extractor != rule.Name) {
				t.Errorf("the rules did not take over: %+v", facts)
			}
			if c.dropped != "" && (o.Dropped[c.dropped] != 1 || len(facts) != 0 || o.Empty != "all_dropped") {
				t.Errorf("%+v %+v", facts, o)
			}
		})
	}
}

// halluc answers with a fact that the document does not bear out.
func halluc(old, replacement string) func(int, request, http.ResponseWriter) {
	return func(_ int, r request, w http.ResponseWriter) {
		if r.asks(extract.Supply) {
			say(w, strings.Replace(good, old, replacement, 1))
			return
		}
		say(w, nothing)
	}
}

func TestOneRepair(t *testing.T) {
	t.Parallel()
	m := serve(t, func(n int, r request, w http.ResponseWriter) {
		if n == 1 {
			say(w, `{"facts":[{"head":"甲"}]}`)
			return
		}
		honest(n, r, w)
	})
	facts, o, err := m.client(t, nil).Extract(t.Context(), doc)
	if err != nil || len(facts) != 1 || o.Fallback != "" {
		t.Fatal(facts, o, err)
	}
	if second := m.requests[1].Messages; len(second) != 4 || second[2].Role != "assistant" || !strings.Contains(second[3].Content, "facts[0] lacks relation") {
		t.Errorf("%+v", second)
	}
}

func TestServerWithoutSchemas(t *testing.T) {
	t.Parallel()
	m := serve(t, func(n int, r request, w http.ResponseWriter) {
		if r.ResponseFormat.Type == "json_schema" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if r.asks(extract.Supply) {
			say(w, "```json\n"+good+"\n```")
			return
		}
		say(w, nothing)
	})
	facts, o, err := m.client(t, nil).Extract(t.Context(), doc)
	if err != nil || len(facts) != 1 || o.Fallback != "" || m.asked() != 4 {
		t.Error(facts, o, err, m.asked())
	}
}

func TestBusyServerIsWaitedFor(t *testing.T) {
	t.Parallel()
	m := serve(t, func(n int, r request, w http.ResponseWriter) {
		if n <= 2 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		honest(n, r, w)
	})
	facts, o, err := m.client(t, nil).Extract(t.Context(), doc)
	if err != nil || len(facts) != 1 || o.Fallback != "" || !slices.Equal(m.waits, []time.Duration{7 * time.Second, 7 * time.Second}) {
		t.Error(facts, o, err, m.waits)
	}
}

func TestSlowServer(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	m := serve(t, func(_ int, _ request, _ http.ResponseWriter) { <-done })
	t.Cleanup(func() { close(done) })
	facts, o, err := m.client(t, func(c *endpoint.Config) { c.Timeout, c.Tries = 20*time.Millisecond, 2 }).Extract(t.Context(), doc)
	if err != nil || o.Fallback != "timeout" || len(facts) != 1 {
		t.Error(facts, o, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := m.client(t, nil).Extract(ctx, doc); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left gets %v", err)
	}
}

func TestAnswersAreRemembered(t *testing.T) {
	t.Parallel()
	m := serve(t, honest)
	dir := t.TempDir()
	cached := func(c *endpoint.Config) { c.Cache = dir }
	first, _, err := m.client(t, cached).Extract(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := m.client(t, cached).Extract(t.Context(), doc)
	if err != nil || len(second) != 1 || second[0] != first[0] || m.asked() != 3 {
		t.Error(second, err, m.asked())
	}
	if _, _, err := m.client(t, func(c *endpoint.Config) { c.Cache, c.Model = dir, "other" }).Extract(t.Context(), doc); err != nil || m.asked() != 6 {
		t.Error("another model took the answers of this one:", err, m.asked())
	}
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(string(raw), secret) {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	m := serve(t, honest)
	dir := t.TempDir()
	tight := func(c *endpoint.Config) { c.Cache, c.Budget = dir, endpoint.Budget{Tokens: 4000} }
	_, o, err := m.client(t, tight).Extract(t.Context(), doc)
	if err != nil || o.Fallback != "budget" || m.asked() == 0 || m.asked() == 3 {
		t.Errorf("%+v %v after %d requests", o, err, m.asked())
	}
	asked := m.asked()
	other := extract.Document{Text: text + "又一篇。"}
	if _, o, err = m.client(t, tight).Extract(t.Context(), other); err != nil || o.Fallback != "budget" || m.asked() > asked+1 {
		t.Errorf("another process does not know what was spent: %+v %v", o, err)
	}
	money := func(c *endpoint.Config) { c.Budget = endpoint.Budget{Fen: 1, FenIn: 100, FenOut: 1_000_000} }
	if _, o, err = m.client(t, money).Extract(t.Context(), doc); err != nil || o.Fallback != "budget" {
		t.Errorf("%+v %v", o, err)
	}
	_, _, err = m.client(t, func(c *endpoint.Config) { money(c); c.Fallback = nil }).Extract(t.Context(), doc)
	if !errors.Is(err, endpoint.ErrBudget) {
		t.Error(err)
	}
}

// TestLongDocuments: a fact in the middle is found once, though two parts show it.
func TestLongDocuments(t *testing.T) {
	t.Parallel()
	m := serve(t, func(n int, r request, w http.ResponseWriter) {
		if strings.Contains(r.Messages[1].Content, text) {
			honest(n, r, w)
			return
		}
		say(w, nothing)
	})
	long := strings.Repeat("今年风调雨顺，秋收在望。", 245) + text + strings.Repeat("来年也要如此。", 500)
	facts, o, err := m.client(t, nil).Extract(t.Context(), extract.Document{Text: long})
	if err != nil || len(facts) != 1 || long[facts[0].Start:facts[0].End] != facts[0].Quote || m.asked() < 9 {
		t.Error(facts, o, err, m.asked())
	}
	for _, r := range m.requests {
		if n := len([]rune(r.Messages[1].Content)); n > 3100 {
			t.Errorf("a part of %d characters", n)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []endpoint.Config{{}, {URL: "ftp://x/v1", Model: "m"}, {URL: "http://x/v1"}} {
		if _, err := endpoint.New(c); !errors.Is(err, endpoint.ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestErrorsTellNoSecrets: neither the key nor the document is in an error.
func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	m := serve(t, func(_ int, _ request, w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) })
	_, _, err := m.client(t, func(c *endpoint.Config) { c.Fallback = nil }).Extract(t.Context(), doc)
	if !errors.Is(err, endpoint.ErrRefused) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "小麦") {
		t.Error(err)
	}
	c, err := endpoint.New(endpoint.Config{URL: "http://127.0.0.1:1/v1?token=" + secret, Model: "m", Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = c.Extract(t.Context(), doc); err == nil || strings.Contains(err.Error(), secret) {
		t.Error(err)
	}
}
