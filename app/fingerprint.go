package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
)

// Fingerprints is how a bank compares the invoices it was promised with what other
// funders were, in a database that is there already.
type Fingerprints struct {
	DSN       string
	Tenant    string
	Salt      []byte // the members' secret
	Publisher string // this bank's name among them
}

// Export returns the fingerprints of the invoices that a funder was promised, each
// once, and how many of those could not be given one. It returns fraud.ErrSalt.
func (f Fingerprints) Export(ctx context.Context, now time.Time) (out []chain.Fingerprint, without int, err error) {
	err = f.with(ctx, func(s *firm.Store) error {
		docs, code, err := f.promised(ctx, s)
		if err != nil {
			return err
		}
		for _, d := range docs {
			hash := fraud.Fingerprint(f.Salt, d, code(d.SellerID))
			if hash == "" {
				without++
				continue
			}
			out = append(out, chain.Fingerprint{Hash: hash, Publisher: f.Publisher, Published: now.UTC().Truncate(24 * time.Hour)})
		}
		slices.SortFunc(out, func(a, b chain.Fingerprint) int { return cmp.Compare(a.Hash, b.Hash) })
		out = slices.Compact(out)
		return nil
	})
	return out, without, err
}

// Import keeps what others published and returns how many are new.
func (f Fingerprints) Import(ctx context.Context, list []chain.Fingerprint) (added int, err error) {
	err = withDB(ctx, f.DSN, func(db *store.DB) error {
		added, err = firm.New(db).SaveFingerprints(ctx, f.Tenant, list)
		return err
	})
	return added, err
}

// Check finds the promised invoices that another funder published. It returns
// fraud.ErrSalt.
func (f Fingerprints) Check(ctx context.Context) (found []chain.Finding, err error) {
	err = f.with(ctx, func(s *firm.Store) error {
		docs, code, err := f.promised(ctx, s)
		if err != nil {
			return err
		}
		var hashes []string
		for _, d := range docs {
			if h := fraud.Fingerprint(f.Salt, d, code(d.SellerID)); h != "" {
				hashes = append(hashes, h)
			}
		}
		published, err := s.Fingerprints(ctx, f.Tenant, hashes)
		found = fraud.Elsewhere(docs, f.Salt, f.Publisher, code, published)
		return err
	})
	return found, err
}

func (f Fingerprints) with(ctx context.Context, use func(*firm.Store) error) error {
	if len(f.Salt) < fraud.MinSalt {
		return fraud.ErrSalt.With("bytes", len(f.Salt))
	}
	return withDB(ctx, f.DSN, func(db *store.DB) error { return use(firm.New(db)) })
}

// promised returns the invoices that a funder was promised, with the credit codes of
// their sellers.
func (f Fingerprints) promised(ctx context.Context, s *firm.Store) ([]chain.Document, func(string) string, error) {
	var docs []chain.Document
	codes := map[string]string{}
	err := s.AllDocuments(ctx, f.Tenant, chain.Invoice, func(d chain.Document) error {
		if d.Funder != "" && d.Amount > 0 {
			docs = append(docs, d)
			codes[d.SellerID] = ""
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	ids := make([]string, 0, len(codes))
	for id := range codes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	firms, err := s.FirmsByID(ctx, f.Tenant, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range firms {
		codes[p.ID] = p.USCC
	}
	return docs, func(id string) string { return codes[id] }, nil
}
