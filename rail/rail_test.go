package rail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/rail"
	"github.com/furrowcredit/furrow/sim/bank"
	"github.com/furrowcredit/furrow/store"
	paystore "github.com/furrowcredit/furrow/store/pay"
	"github.com/furrowcredit/furrow/store/storetest"
)

var key = rail.Key{ID: "k1", Secret: []byte(strings.Repeat("s", 32))}

func noon() time.Time { return time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC) }

// reach serves a bank and returns it with a rail to it.
func reach(tb testing.TB, timeout time.Duration, wrap func(http.Handler) http.Handler) (*bank.Server, *rail.HTTP) {
	tb.Helper()
	s := &bank.Server{Bank: bank.New(noon), Key: key}
	var h http.Handler = s
	if wrap != nil {
		h = wrap(s)
	}
	web := httptest.NewServer(h)
	tb.Cleanup(web.Close)
	r, err := rail.New(rail.Config{URL: web.URL, Key: key, Timeout: timeout, Now: noon})
	if err != nil {
		tb.Fatal(err)
	}
	return s, r
}

func order(id string, a money.Fen) pay.Order {
	return pay.Order{ID: id, Tenant: "bank", Direction: pay.Out, Amount: a, PartyID: "p", PartyName: "惠农农资", Account: "6222", Bank: "县联社", Purpose: "loan"}
}

func TestOrdersOverHTTP(t *testing.T) {
	t.Parallel()
	s, r := reach(t, time.Second, nil)
	s.Bank.Conduct = bank.Trouble(300 * time.Millisecond)
	ctx := t.Context()
	for _, tt := range []struct {
		amount money.Fen
		want   pay.Outcome
	}{{100, pay.Settled}, {113, pay.Failed}, {114, pay.Settled}, {117, pay.Settled}, {118, pay.Settled}, {116, pay.Unknown}} {
		id := ident.New()
		if got := pay.Do(ctx, r, order(id, tt.amount)); got.Outcome != tt.want {
			t.Errorf("%s: %+v", tt.amount, got)
		}
		for range 3 {
			if got := pay.Settle(ctx, r, order(id, tt.amount)); tt.want == pay.Unknown && got.Outcome == pay.Failed {
				t.Errorf("%s guessed: %+v", tt.amount, got)
			}
		}
	}
	// The transport may send again by itself what was not answered on a used connection: the
	// number makes that harmless.
	if got := pay.Settle(ctx, r, order("dropped", 115)); got.Outcome == pay.Unknown {
		got = pay.Settle(ctx, r, order("dropped", 115))
		if got.Outcome != pay.Settled {
			t.Errorf("%+v", got)
		}
	}
	if out, _ := s.Bank.Moved(); out != 100+114+115+116+117+118 {
		t.Errorf("moved %s", out)
	}
	if _, err := r.Query(ctx, "nobody's"); !errors.Is(err, pay.ErrUnseen) {
		t.Error(err)
	}
	if _, err := r.Send(ctx, order("x", 100)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Send(ctx, order("x", 200)); !errors.Is(err, pay.ErrRail) {
		t.Errorf("a number with other content: %v", err)
	}
	if _, err := r.Send(ctx, order("zero", 0)); !errors.Is(err, pay.ErrRail) {
		t.Errorf("an amount of zero: %v", err)
	}
	file, err := r.Statement(ctx, money.DateOf(noon()))
	if err != nil {
		t.Fatal(err)
	}
	lines, errs := pay.ParseStatement("s.csv", file, money.DateOf(noon()))
	if errs != nil || len(lines) != 7 {
		t.Errorf("%d lines %v", len(lines), errs)
	}
}

func TestNoAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	body := func(w http.ResponseWriter, r *http.Request, signed rail.Key, text string) {
		b := []byte(text)
		signed.SignAnswer(w.Header(), http.StatusOK, b, r.Header.Get(rail.NonceHeader), noon())
		_, _ = w.Write(b)
	}
	const good = `{"order_id":"x","outcome":"settled","amount":100,"currency":"CNY"}`
	for name, h := range map[string]http.HandlerFunc{
		"not signed": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, good) },
		"another secret": func(w http.ResponseWriter, r *http.Request) {
			body(w, r, rail.Key{ID: "k1", Secret: []byte("guess")}, good)
		},
		"another order":  func(w http.ResponseWriter, r *http.Request) { body(w, r, key, strings.Replace(good, `"x"`, `"y"`, 1)) },
		"another amount": func(w http.ResponseWriter, r *http.Request) { body(w, r, key, strings.Replace(good, "100", "101", 1)) },
		"dollars":        func(w http.ResponseWriter, r *http.Request) { body(w, r, key, strings.Replace(good, "CNY", "USD", 1)) },
		"no such outcome": func(w http.ResponseWriter, r *http.Request) {
			body(w, r, key, strings.Replace(good, "settled", "fine", 1))
		},
		"no JSON":  func(w http.ResponseWriter, r *http.Request) { body(w, r, key, "<html>") },
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		},
		"too long": func(w http.ResponseWriter, r *http.Request) { body(w, r, key, strings.Repeat(" ", 70_000)) },
		"an old signature": func(w http.ResponseWriter, r *http.Request) {
			key.SignAnswer(w.Header(), http.StatusOK, []byte(good), r.Header.Get(rail.NonceHeader), noon().Add(-time.Hour))
			_, _ = io.WriteString(w, good)
		},
		"the answer to another request": func(w http.ResponseWriter, _ *http.Request) {
			key.SignAnswer(w.Header(), http.StatusOK, []byte(good), "another-nonce-of-16", noon())
			_, _ = io.WriteString(w, good)
		},
	} {
		web := httptest.NewServer(h)
		r, err := rail.New(rail.Config{URL: web.URL, Key: key, Timeout: time.Second, Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Send(t.Context(), order("x", 100)); !errors.Is(err, pay.ErrRail) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if got := pay.Do(t.Context(), r, order("x", 100)); got.Outcome != pay.Unknown && name != "another amount" {
			t.Errorf("%s: %+v", name, got)
		}
		web.Close()
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for url, fine := range map[string]bool{
		"https://bank.example/furrow/": true, "http://127.0.0.1:9/x": true, "http://bank.example": false,
		"bank.example": false, "": false, "https://u:p@bank.example": false, "https://bank.example?x=1": false,
	} {
		if _, err := rail.New(rail.Config{URL: url, Key: key, Now: noon}); (err == nil) != fine {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := rail.New(rail.Config{URL: "https://bank.example", Key: rail.Key{ID: "k", Secret: []byte("short")}, Now: noon}); !errors.Is(err, rail.ErrConfig) {
		t.Error(err)
	}
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, s := t.Context(), paystore.New(db)
		server, r := reach(t, 100*time.Millisecond, nil)
		server.Bank.Conduct = func(pay.Order) bank.Conduct {
			return bank.Conduct{Delay: 200 * time.Millisecond, Hold: 1, Twice: true, Contradict: true}
		}
		told := 0
		box := &pay.Outbox{Store: s, Rail: r, Now: noon}
		box.OnFinal(func(context.Context, pay.Instruction) error { told++; return nil })
		c := &rail.Callback{Key: key, Once: s.Once, Order: s.Order, Receive: box.Receive, Now: noon}
		var last *http.Request
		var lastBody []byte
		house := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			last = r.Clone(context.Background())
			lastBody, _ = io.ReadAll(r.Body)
			if err := c.Take(r.Context(), r.Header, lastBody); err != nil {
				w.WriteHeader(http.StatusConflict)
			}
		}))
		defer house.Close()
		server.Callback = house.URL
		id := ident.New()
		if got, err := box.Send(ctx, order(id, 100)); err != nil || got.Outcome != pay.Unknown {
			t.Fatalf("%+v %v", got, err)
		}
		if status, err := server.Tell(ctx, id); err != nil || status != http.StatusOK {
			t.Fatalf("%d %v", status, err)
		}
		i, _, err := box.Find(ctx, "bank", id)
		if err != nil || i.Outcome != pay.Settled || !i.Disputed || told != 1 {
			t.Errorf("%+v %v, told %d times", i, err, told)
		}
		if err := c.Take(ctx, last.Header, lastBody); !errors.Is(err, pay.ErrReplayed) {
			t.Errorf("the same message again: %v", err)
		}
		sign := func(body string, k rail.Key, at time.Time) http.Header {
			h := http.Header{}
			k.Sign(h, http.MethodPost, rail.CallbackPath, []byte(body), ident.New(), at)
			return h
		}
		good := `{"order_id":"` + id + `","outcome":"settled","amount":100,"currency":"CNY"}`
		for name, tt := range map[string]struct {
			h    http.Header
			body string
			want error
		}{
			"another secret": {sign(good, rail.Key{ID: "k1", Secret: []byte("guess")}, noon()), good, rail.ErrSignature},
			"another key":    {sign(good, rail.Key{ID: "k2", Secret: key.Secret}, noon()), good, rail.ErrSignature},
			"changed":        {sign(good, key, noon()), good + " ", rail.ErrSignature},
			"old":            {sign(good, key, noon().Add(-6*time.Minute)), good, rail.ErrSignature},
			"not ours":       {sign(strings.Replace(good, id, "x", 1), key, noon()), strings.Replace(good, id, "x", 1), pay.ErrNotFound},
			"another amount": {sign(strings.Replace(good, ":100,", ":1,", 1), key, noon()), strings.Replace(good, ":100,", ":1,", 1), rail.ErrCallback},
			"dollars":        {sign(strings.Replace(good, "CNY", "USD", 1), key, noon()), strings.Replace(good, "CNY", "USD", 1), rail.ErrCallback},
			"no receipt":     {sign("[]", key, noon()), "[]", rail.ErrCallback},
			"no signature":   {http.Header{}, good, rail.ErrSignature},
		} {
			if err := c.Take(ctx, tt.h, []byte(tt.body)); !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A bank answers nobody whose request is not signed.
func TestBankChecksSignatures(t *testing.T) {
	t.Parallel()
	server, _ := reach(t, time.Second, nil)
	web := httptest.NewServer(server)
	defer web.Close()
	res, err := http.Post(web.URL+"/v1/orders", "application/json", bytes.NewReader([]byte(`{}`)))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("%d", res.StatusCode)
	}
}
