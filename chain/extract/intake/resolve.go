package intake

import (
	"context"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/party"
)

// mostFirms is how many firms of a tenant a name that is no firm's own is compared with.
// A tenant of more knows the firms by their exact names only.
const mostFirms = 50_000

// resolver finds the firms of one document. Whoever is called exactly so, was, or is for
// short, is known; else the name is read as a noisy writing of the firms there are.
type resolver struct {
	firms Firms

	read    bool
	all     []chain.Party
	matcher *party.Matcher // nil when the tenant has too many firms
}

// Resolve implements extract.Resolver.
func (r *resolver) Resolve(ctx context.Context, tenant, name string) (extract.Match, error) {
	key := party.Normalise(name)
	if key == "" {
		return extract.Match{Status: extract.New}, nil
	}
	found, err := r.firms.FirmsByName(ctx, tenant, []string{key})
	if err != nil {
		return extract.Match{}, err
	}
	if same := called(found[key], key); len(same) > 0 {
		p, ok := one(same)
		if !ok {
			return extract.Match{Status: extract.Ambiguous}, nil
		}
		return extract.Match{Status: extract.Known, FirmID: p.ID, Score: 1}, nil
	}
	if err := r.index(ctx, tenant); err != nil || r.matcher == nil {
		return extract.Match{Status: extract.New}, err
	}
	m := r.matcher.Match(name)
	switch {
	case m.Accepted:
		return extract.Match{Status: extract.Known, FirmID: r.all[m.Best].ID, Score: m.Score}, nil
	case m.Reason == "tie" || m.Reason == "unsure":
		return extract.Match{Status: extract.Ambiguous, Score: m.Score}, nil
	}
	return extract.Match{Status: extract.New}, nil
}

// called leaves those whose name it is today, if it is anybody's.
func called(firms []chain.Party, key string) []chain.Party {
	var today []chain.Party
	for _, p := range firms {
		if party.Normalise(p.Name) == key {
			today = append(today, p)
		}
	}
	if len(today) > 0 {
		return today
	}
	return firms
}

// one returns the firm that all count for, or the first of those that do.
func one(firms []chain.Party) (chain.Party, bool) {
	p := firms[0]
	for _, q := range firms[1:] {
		if q.Survivor() != p.Survivor() {
			return p, false
		}
		if q.MergedInto == "" {
			p = q
		}
	}
	return p, true
}

// index reads the firms of the tenant when the first name needs them.
func (r *resolver) index(ctx context.Context, tenant string) error {
	if r.read {
		return nil
	}
	r.read = true
	var entries []party.Entry
	for after := ""; ; {
		page, err := r.firms.Firms(ctx, tenant, chain.PartyFilter{After: after, Limit: 1000})
		if err != nil {
			return err
		}
		for _, p := range page {
			after = p.ID
			if p.MergedInto != "" {
				continue
			}
			r.all = append(r.all, p)
			entries = append(entries, party.EntryOf(p))
		}
		if len(r.all) > mostFirms {
			r.all = nil
			return nil
		}
		if len(page) < 1000 {
			break
		}
	}
	r.matcher = party.NewIndex(entries).Matcher()
	return nil
}
