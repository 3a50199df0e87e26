// Package search asks STAC APIs for scenes and keeps what it finds as a static
// catalogue (docs/formats/stac.md) whose files GDAL reads where they lie, over HTTP
// or from S3.
package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo/scene/stac"
)

// What can be wrong with a search.
var (
	ErrQuery = fault.New(fault.Invalid, "scene.query", "the search cannot be asked: {why}")
	ErrAPI   = fault.New(fault.Unavailable, "scene.api", "the STAC API does not answer as it should: {why}")
)

// Query says which scenes are looked for.
type Query struct {
	Collections []string
	Bbox        [4]float64 // west, south, east, north in degrees
	From, To    time.Time  // both included; zero leaves the side open
	Max         int        // items at most; 0 means all
}

// Check finds queries that no API can answer.
func (q Query) Check() error {
	b := q.Bbox
	for _, v := range b {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return ErrQuery.With("why", "the box must be four numbers")
		}
	}
	switch {
	case len(q.Collections) == 0:
		return ErrQuery.With("why", "name at least one collection")
	case b[0] >= b[2] || b[1] >= b[3] || b[0] < -180 || b[2] > 180 || b[1] < -90 || b[3] > 90:
		return ErrQuery.With("why", "the box must be west,south,east,north in degrees, west below east and south below north")
	case !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From):
		return ErrQuery.With("why", "the last day lies before the first")
	case q.Max < 0:
		return ErrQuery.With("why", "the greatest number of items must not be negative")
	}
	return nil
}

// datetime is the interval in the words of the API; "" when it is open.
func (q Query) datetime() string {
	side := func(t time.Time) string {
		if t.IsZero() {
			return ".."
		}
		return t.UTC().Format(time.RFC3339)
	}
	if q.From.IsZero() && q.To.IsZero() {
		return ""
	}
	return side(q.From) + "/" + side(q.To)
}

// Client asks one API. It is safe for concurrent use.
type Client struct {
	API    string // root, with or without /search
	HTTP   *http.Client
	Page   int // items a page
	Tries  int // of one request, when the API is busy or out of reach
	Wait   func(ctx context.Context, d time.Duration) error
	Jitter func() float64 // 0..1
}

// The bounds of waiting between tries, of an answer, and of paging.
const (
	firstWait = 500 * time.Millisecond
	maxWait   = 30 * time.Second
	maxAnswer = 64 << 20
	maxPages  = 10000
)

// Sleep waits, unless ctx ends before.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// request is one page to ask for.
type request struct {
	method, url string
	body        map[string]json.RawMessage
}

func (r request) key() (string, error) {
	b, err := json.Marshal(r.body) // the keys of a map come sorted
	return r.method + " " + r.url + " " + string(b), err
}

// Items asks for all pages and returns the items in the API's order, each once. It
// asks by POST, and by GET where the API does not know that.
func (c *Client) Items(ctx context.Context, q Query) ([]stac.Item, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	post, get, err := c.first(q)
	if err != nil {
		return nil, err
	}
	var out []stac.Item
	seen, asked := map[string]bool{}, map[string]bool{}
	next := &post
	for page := 0; next != nil; page++ {
		key, err := next.key()
		if err != nil {
			return nil, err
		}
		if asked[key] || page >= maxPages {
			return nil, ErrAPI.At("%s", next.url).With("why", "its pages lead in a circle")
		}
		asked[key] = true
		body, err := c.ask(ctx, *next)
		var refused *statusError
		if page == 0 && errors.As(err, &refused) && refused.noPost() {
			next = &get
			body, err = c.ask(ctx, get)
		}
		if err != nil {
			return nil, err
		}
		items, links, err := parsePage(body)
		if err != nil {
			return nil, ErrAPI.At("%s", next.url).With("why", err.Error())
		}
		for _, it := range items {
			id := it.Collection + "/" + it.ID
			if seen[id] {
				continue
			}
			seen[id] = true
			if out = append(out, it); len(out) == q.Max {
				return out, nil
			}
		}
		if next, err = follow(*next, links); err != nil {
			return nil, ErrAPI.At("%s", c.API).With("why", err.Error())
		}
	}
	return out, nil
}

// first makes the first request of both kinds.
func (c *Client) first(q Query) (post, get request, err error) {
	u, err := url.Parse(c.API)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return post, get, ErrQuery.With("why", fmt.Sprintf("%q is not the address of an API", c.API))
	}
	if u.Path = strings.TrimSuffix(u.Path, "/"); !strings.HasSuffix(u.Path, "/search") {
		u.Path += "/search"
	}
	limit := c.Page
	if q.Max > 0 && q.Max < limit {
		limit = q.Max
	}
	fields := map[string]any{"collections": q.Collections, "bbox": q.Bbox, "limit": limit}
	values := u.Query()
	values.Set("collections", strings.Join(q.Collections, ","))
	values.Set("bbox", fmt.Sprintf("%v,%v,%v,%v", q.Bbox[0], q.Bbox[1], q.Bbox[2], q.Bbox[3]))
	values.Set("limit", strconv.Itoa(limit))
	if d := q.datetime(); d != "" {
		fields["datetime"] = d
		values.Set("datetime", d)
	}
	post = request{http.MethodPost, u.String(), map[string]json.RawMessage{}}
	for k, v := range fields {
		if post.body[k], err = json.Marshal(v); err != nil {
			return post, get, err
		}
	}
	u.RawQuery = values.Encode()
	return post, request{method: http.MethodGet, url: u.String()}, nil
}

// parsePage reads one answer of the API.
func parsePage(body []byte) ([]stac.Item, []stac.Link, error) {
	var page struct {
		Type     string      `json:"type"`
		Features []stac.Item `json:"features"`
		Links    []stac.Link `json:"links"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, nil, err
	}
	if page.Type != "FeatureCollection" {
		return nil, nil, errors.New("the answer is not a FeatureCollection")
	}
	return page.Features, page.Links, nil
}

// follow makes the request of the next page; nil when there is none.
func follow(last request, links []stac.Link) (*request, error) {
	for _, l := range links {
		if l.Rel != "next" {
			continue
		}
		base, err := url.Parse(last.url)
		if err != nil {
			return nil, err
		}
		to, err := base.Parse(l.Href)
		if err != nil || to.Scheme != "http" && to.Scheme != "https" {
			return nil, fmt.Errorf("its next page has the address %q", l.Href)
		}
		next := request{method: http.MethodGet, url: to.String()}
		if strings.EqualFold(l.Method, http.MethodPost) {
			next.method, next.body = http.MethodPost, map[string]json.RawMessage{}
			if l.Merge {
				for k, v := range last.body {
					next.body[k] = v
				}
			}
			if len(l.Body) > 0 {
				if err := json.Unmarshal(l.Body, &next.body); err != nil {
					return nil, fmt.Errorf("the body of its next page: %w", err)
				}
			}
		}
		return &next, nil
	}
	return nil, nil
}

// statusError is an answer that is no success.
type statusError struct {
	code  int
	text  string
	after time.Duration // what the API asks to wait
}

func (e *statusError) Error() string { return fmt.Sprintf("it answers %d: %s", e.code, e.text) }

// noPost says whether the API may know the search by GET only.
func (e *statusError) noPost() bool {
	return e.code == http.StatusMethodNotAllowed || e.code == http.StatusNotFound || e.code == http.StatusNotImplemented
}

// busy says whether the same request may succeed later.
func (e *statusError) busy() bool {
	return e.code == http.StatusTooManyRequests || e.code == http.StatusRequestTimeout ||
		e.code >= 500 && e.code != http.StatusNotImplemented
}

// ask sends a request and tries again while the API is busy or out of reach, each
// time after about twice the wait, or what the API asks for.
func (c *Client) ask(ctx context.Context, r request) ([]byte, error) {
	wait := firstWait
	for try := 1; ; try++ {
		body, err := c.send(ctx, r)
		if err == nil {
			return body, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var status *statusError
		if errors.As(err, &status) && !status.busy() || try >= c.Tries {
			return nil, ErrAPI.At("%s", r.url).With("why", err.Error()).Because(err)
		}
		d := time.Duration(float64(wait) * (0.5 + 0.5*c.Jitter()))
		if status != nil && status.after > d {
			d = min(status.after, maxWait)
		}
		if err := c.Wait(ctx, d); err != nil {
			return nil, err
		}
		wait = min(2*wait, maxWait)
	}
}

func (c *Client) send(ctx context.Context, r request) ([]byte, error) {
	var in io.Reader
	if r.method == http.MethodPost {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/geo+json, application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("its answer is longer than %d MiB", maxAnswer>>20)
	}
	if res.StatusCode != http.StatusOK {
		e := &statusError{code: res.StatusCode, text: strings.TrimSpace(string(body[:min(len(body), 200)]))}
		if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
			e.after = time.Duration(min(s, int(maxWait/time.Second))) * time.Second
		}
		return nil, e
	}
	return body, nil
}
