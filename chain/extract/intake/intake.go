// Package intake takes a file of a bank through all that document extraction does: its
// text is read, the facts in it are found, their firms are looked up among those of the
// tenant, and what came of it is kept for a person or stands by itself.
package intake

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/document"
	"github.com/furrowcredit/furrow/chain/party"
)

// Reader takes the text out of a file; document.Reader is one.
type Reader interface {
	Read(ctx context.Context, name string, body []byte) (extract.Document, document.Report, error)
}

// Firms are the firms of tenants; a chain.Store is one.
type Firms interface {
	party.Registry
	Firms(ctx context.Context, tenant string, f chain.PartyFilter) ([]chain.Party, error)
}

// Config of a service.
type Config struct {
	Reader    Reader
	Extractor extract.Extractor
	Firms     Firms
	Store     extract.Store
	Now       func() time.Time
}

// Service takes documents. It is safe for concurrent use; files are read one at a time,
// for the programs that read scans take all of a machine.
type Service struct {
	Config
	Counters Counters

	reading chan struct{}
}

// New returns a service.
func New(cfg Config) *Service {
	return &Service{Config: cfg, reading: make(chan struct{}, 1)}
}

// Counters count what came of documents since the start.
type Counters struct {
	Documents atomic.Int64 // taken
	Refused   atomic.Int64 // that could not be read or extracted
	Empty     atomic.Int64 // taken, without a fact
	Fallbacks atomic.Int64 // that another extractor than the one asked for read
	Found     atomic.Int64 // facts, before any was dropped
	Accepted  atomic.Int64 // facts that stand by themselves
	Waiting   atomic.Int64 // facts that wait for a person

	mu      sync.Mutex
	dropped map[string]int64
}

// Dropped is how many facts were not kept, by reason.
func (c *Counters) Dropped() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.dropped)
}

// Taken is what came of a document.
type Taken struct {
	Document string          `json:"document"`
	SHA256   string          `json:"sha256"`
	Kind     string          `json:"kind"` // pdf, scan, image, docx, xlsx, text
	Notes    []string        `json:"notes,omitempty"`
	Outcome  extract.Outcome `json:"outcome"`
	Accepted int             `json:"accepted"` // stand by themselves
	Waiting  int             `json:"waiting"`  // for a person
	Known    int             `json:"known"`    // were in the books already and are left as they are
	Claims   []extract.Claim `json:"claims"`
}

// Take reads a file of a tenant and keeps what it says. subject is the firm that the
// document calls the company, "" when nobody knows. Nothing is kept after an error.
func (s *Service) Take(ctx context.Context, tenant, name, subject string, body []byte) (Taken, error) {
	r, err := s.take(ctx, tenant, name, subject, body)
	if err != nil {
		s.Counters.Refused.Add(1)
		return Taken{}, err
	}
	s.count(r)
	return r, nil
}

func (s *Service) take(ctx context.Context, tenant, name, subject string, body []byte) (Taken, error) {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return Taken{}, ctx.Err()
	}
	d, read, err := s.Reader.Read(ctx, name, body)
	if err != nil {
		return Taken{}, err
	}
	d.Subject = subject
	facts, outcome, err := s.Extractor.Extract(ctx, d)
	if err != nil {
		return Taken{}, err
	}
	claims, err := extract.Claims(ctx, &resolver{firms: s.Firms}, tenant, d, facts, &outcome, s.Now().UTC())
	if err != nil {
		return Taken{}, err
	}
	added, err := s.Store.SaveClaims(ctx, claims)
	if err != nil {
		return Taken{}, err
	}
	r := Taken{
		Document: d.Name, SHA256: d.SHA256, Kind: read.Kind, Notes: read.Notes, Outcome: outcome, Known: len(claims) - added, Claims: claims,
	}
	for _, c := range claims {
		if c.State == extract.Accepted {
			r.Accepted++
		} else {
			r.Waiting++
		}
	}
	return r, nil
}

func (s *Service) count(r Taken) {
	c := &s.Counters
	c.Documents.Add(1)
	c.Found.Add(int64(r.Outcome.Found))
	if r.Outcome.Kept == 0 {
		c.Empty.Add(1)
	}
	if r.Outcome.Fallback != "" {
		c.Fallbacks.Add(1)
	}
	if r.Known == 0 { // of a document that was here before, nobody knows which are new
		c.Accepted.Add(int64(r.Accepted))
		c.Waiting.Add(int64(r.Waiting))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped == nil {
		c.dropped = map[string]int64{}
	}
	for reason, n := range r.Outcome.Dropped {
		c.dropped[reason] += int64(n)
	}
}
