// Package endpoint finds facts by asking a language model behind an OpenAI-compatible
// /v1/chat/completions. It believes nothing that the document does not bear out, keeps
// to a budget, remembers answers, and leaves the work to another extractor when the model
// fails. It logs nothing: neither the key nor the document leaves it but to the model.
package endpoint

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// Name and Version are what the facts of this package carry. Version counts prompts and
// schemas: answers of another one are not taken from the cache.
const (
	Name    = "endpoint"
	Version = "1"
)

// What can be wrong; each is the reason of a fallback by its last word.
var (
	ErrConfig      = fault.New(fault.Invalid, "endpoint.config", "the language model needs an http or https address and a model name: {why}")
	ErrBudget      = fault.New(fault.TooMany, "endpoint.budget", "today's budget for the language model is used up; it goes on tomorrow")
	ErrTimeout     = fault.New(fault.Unavailable, "endpoint.timeout", "the language model did not answer in time")
	ErrUnavailable = fault.New(fault.Unavailable, "endpoint.unavailable", "the language model does not answer (status {status})")
	ErrBusy        = fault.New(fault.Unavailable, "endpoint.busy", "the language model is busy; try again later")
	ErrRefused     = fault.New(fault.Invalid, "endpoint.refused", "the language model refused the request (status {status}); check its address, name and key")
	ErrAnswer      = fault.New(fault.Invalid, "endpoint.answer", "the language model did not answer in the form asked for, twice")
)

// Config of a client. Zero values have the defaults named.
type Config struct {
	URL   string // up to and with /v1
	Model string
	Key   string // sent as a bearer token; "" sends none
	// Timeout of one request; 0 means a minute.
	Timeout time.Duration
	// Tries of a request that meets a busy or broken server; 0 means 4.
	Tries int
	// Cache is a folder for answers and for what was spent; "" keeps neither.
	Cache  string
	Budget Budget
	// Fallback does the work when the model does not; nil makes that an error.
	Fallback extract.Extractor
	// Now and Wait are the clock; nil means the real one.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
	HTTP *http.Client // nil means one of its own; redirects are never followed
}

// Budget bounds what a day (of UTC) may cost; 0 is no bound.
type Budget struct {
	Tokens int64
	Fen    money.Fen
	// Prices of a million tokens.
	FenIn, FenOut money.Fen
}

// Sizes of what is asked at once.
const (
	chunkRunes   = 3000
	overlapRunes = 300
	maxChunks    = 64
	perRequest   = 2 // relations: models mix them up when asked for many
	maxAnswer    = 2048
	maxBody      = 4 << 20
	seed         = 20240601
)

// maxConfidence is what a fact of a model alone is worth: its own estimate of being right
// is no measure, so a person looks at it.
const maxConfidence = 0.75

// Client implements extract.Extractor. It is safe for use by several goroutines.
type Client struct {
	cfg    Config
	target string
	http   *http.Client
	spent  *ledger
	loose  atomic.Bool // the server does not know json_schema
}

var _ extract.Extractor = (*Client)(nil)

// New returns a client; ErrConfig when the address or the model is missing.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return nil, ErrConfig.With("why", "the address is not one")
	case cfg.Model == "":
		return nil, ErrConfig.With("why", "no model is named")
	}
	cfg.Timeout, cfg.Tries = cmp.Or(cfg.Timeout, time.Minute), cmp.Or(cfg.Tries, 4)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Wait == nil {
		cfg.Wait = wait
	}
	client := http.Client{}
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key goes nowhere else
	return &Client{
		cfg: cfg, target: strings.TrimRight(cfg.URL, "/") + "/chat/completions", http: &client,
		spent: &ledger{budget: cfg.Budget, dir: cfg.Cache, now: cfg.Now},
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Extract implements extract.Extractor. When the model fails, the facts it found so far
// stay and the fallback reads the whole document; the reason is in the outcome. Without a
// fallback it returns one of the errors above.
func (c *Client) Extract(ctx context.Context, d extract.Document) ([]extract.Fact, extract.Outcome, error) {
	var o extract.Outcome
	if strings.TrimSpace(d.Text) == "" {
		o.Close(0, "no_text")
		return nil, o, nil
	}
	found, err := c.ask(ctx, d, &o)
	if err != nil {
		if ctx.Err() != nil || c.cfg.Fallback == nil {
			return nil, o, err
		}
		facts, part, ferr := c.cfg.Fallback.Extract(ctx, d)
		if ferr != nil {
			return nil, o, ferr
		}
		for reason, n := range part.Dropped {
			for range n {
				o.Found++
				o.Drop(reason)
			}
		}
		found = append(found, facts...)
		o.Fallback = reasonOf(err)
	}
	facts := extract.Verify(d, found, &o)
	o.Close(len(facts), "no_relation")
	return facts, o, nil
}

// reasonOf is the last word of the code of an error.
func reasonOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Code[strings.LastIndexByte(f.Code, '.')+1:]
	}
	return "failed"
}

// ask goes through the document part by part and through the relations few by few.
func (c *Client) ask(ctx context.Context, d extract.Document, o *extract.Outcome) ([]extract.Fact, error) {
	var found []extract.Fact
	parts := chunks(d.Text)
	if len(parts) > maxChunks {
		parts = parts[:maxChunks]
		o.Notes = append(o.Notes, "only the first parts of the document were read")
	}
	all := extract.Relations()
	for _, part := range parts {
		for from := 0; from < len(all); from += perRequest {
			answer, err := c.answer(ctx, d, part, all[from:min(from+perRequest, len(all))])
			if err != nil {
				return found, err
			}
			for _, a := range answer.Facts {
				found = append(found, a.fact())
			}
		}
	}
	return found, nil
}

// chunks parts a text at line or sentence ends, each part beginning a little before the
// end of the one before.
func chunks(text string) []string {
	var out []string
	for {
		end := offset(text, chunkRunes)
		if end == len(text) {
			return append(out, text)
		}
		cut := end
		if i := strings.LastIndexAny(text[:end], "\n。；"); i > end/2 {
			_, size := utf8.DecodeRuneInString(text[i:])
			cut = i + size
		}
		out = append(out, text[:cut])
		back := offset(text, max(1, utf8.RuneCountInString(text[:cut])-overlapRunes))
		text = text[back:]
	}
}

// offset is the number of bytes of the first n characters.
func offset(text string, n int) int {
	at := 0
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// fact makes a fact of an answer; its place in the text is found by extract.Verify.
func (a answerFact) fact() extract.Fact {
	f := extract.Fact{
		Head: a.Head, Relation: extract.Relation(a.Relation), Tail: a.Tail, Quote: a.Quote, Start: -1,
		Confidence: maxConfidence, Planned: a.Planned, Extractor: Name, Version: Version,
		Qualifiers: extract.Qualifiers{Date: deref(a.Date), Product: deref(a.Product)},
	}
	if a.AmountYuan != nil && *a.AmountYuan > 0 && *a.AmountYuan < 1e15 {
		f.Qualifiers.Amount, f.Qualifiers.Currency = money.Fen(math.Round(*a.AmountYuan*100)), "CNY"
	}
	if a.SharePercent != nil && *a.SharePercent > 0 && *a.SharePercent <= 100 {
		f.Qualifiers.Share = *a.SharePercent / 100
	}
	if f.Planned {
		f.Confidence /= 2
	}
	return f
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
