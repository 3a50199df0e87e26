package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/document"
	"github.com/furrowcredit/furrow/chain/extract/endpoint"
	"github.com/furrowcredit/furrow/chain/extract/intake"
	"github.com/furrowcredit/furrow/chain/extract/rule"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/store/firm"
)

// LLM is a language model behind an OpenAI-compatible address that reads documents; the
// rules read them where none is named, and when it fails.
type LLM struct{ URL, Model, Key string }

// extractor finds the facts in documents.
func (c Config) extractor() (extract.Extractor, error) {
	if c.LLM.URL == "" {
		return rule.New(), nil
	}
	return endpoint.New(endpoint.Config{
		URL: c.LLM.URL, Model: c.LLM.Model, Key: c.LLM.Key, Cache: filepath.Join(c.Data, "llm"), Fallback: rule.New(), Now: c.Now,
	})
}

// openIntake returns what takes documents, with its counters in /metrics.
func (a *App) openIntake(s *firm.Store, r *prometheus.Registry) (*intake.Service, error) {
	e, err := a.cfg.extractor()
	if err != nil {
		return nil, err
	}
	in := intake.New(intake.Config{Reader: document.Reader{}, Extractor: e, Firms: s, Store: s, Now: a.cfg.Now})
	c := &in.Counters
	expose(r, []counter{
		{"furrow_documents_total", "Documents whose facts were taken.", c.Documents.Load},
		{"furrow_documents_refused_total", "Documents that could not be read.", c.Refused.Load},
		{"furrow_documents_empty_total", "Documents without a fact.", c.Empty.Load},
		{"furrow_documents_fallback_total", "Documents that the rules read because the language model failed.", c.Fallbacks.Load},
		{"furrow_facts_found_total", "Facts found, before any was dropped.", c.Found.Load},
		{"furrow_facts_accepted_total", "Facts that stand by themselves.", c.Accepted.Load},
		{"furrow_facts_waiting_total", "Facts that wait for a person.", c.Waiting.Load},
	})
	r.MustRegister(droppedFacts{c})
	return in, nil
}

// droppedFacts counts the facts that were not kept by their reason.
type droppedFacts struct{ *intake.Counters }

var dropped = prometheus.NewDesc("furrow_facts_dropped_total", "Facts that were not kept, by reason.", []string{"reason"}, nil)

// Describe implements prometheus.Collector.
func (droppedFacts) Describe(ch chan<- *prometheus.Desc) { ch <- dropped }

// Collect implements prometheus.Collector.
func (d droppedFacts) Collect(ch chan<- prometheus.Metric) {
	for reason, n := range d.Dropped() {
		ch <- prometheus.MustNewConstMetric(dropped, prometheus.CounterValue, float64(n), reason)
	}
}

// uploads has the firms that a file brought compared with those that were there.
type uploads struct {
	*upload.Service
	a *App
}

// Commit implements anchor.Uploads. The file is in the books when it returns, so that the
// comparison, which comes again with every scan, does not keep it from being so.
func (u uploads) Commit(ctx context.Context, who upload.Who, id string, skipBad bool) (chain.Upload, error) {
	up, err := u.Service.Commit(ctx, who, id, skipBad)
	if err == nil {
		if e := u.a.runner.Twins(ctx, who.Tenant); e != nil {
			u.a.cfg.Log.WarnContext(ctx, "firms are not compared now", "error", e)
		}
	}
	return up, err
}

var errTools = fault.New(fault.Unavailable, "app.document_tools", "missing: {tools}")

// lookDocuments says whether this machine can read scans and PDF.
func lookDocuments(ctx context.Context) (string, error) {
	missing := document.Reader{}.Check(ctx)
	if len(missing) == 0 {
		return "PDF, scans and images can be read", nil
	}
	names := make([]string, len(missing))
	for i, m := range missing {
		names[i] = fmt.Sprintf("%s (%s)", m.Tool, m.Package)
	}
	return "", errTools.With("tools", strings.Join(names, ", "))
}

// lookLLM says who finds the facts in documents; the model is not asked.
func lookLLM(cfg Config) (string, error) {
	if _, err := cfg.extractor(); err != nil {
		return "", err
	}
	if cfg.LLM.URL == "" {
		return "none: rules find the facts in documents", nil
	}
	return cfg.LLM.Model + " at " + cfg.LLM.URL + ", with the rules when it fails", nil
}
