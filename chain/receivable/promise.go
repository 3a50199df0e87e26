package receivable

import (
	"context"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
)

// Published finds invoices that other funders published as promised to them.
type Published struct {
	Firms        Firms
	Fingerprints chain.FingerprintStore
	Salt         []byte // the members' secret, see fraud.Fingerprint
	Own          string // the publisher that is this house
}

var _ Promises = Published{}

// Promised implements Promises. Who publishes under the name of the funder is that
// funder.
func (p Published) Promised(ctx context.Context, tenant, funder string, docs []chain.Document) (number, other string, err error) {
	sellers := make([]string, len(docs))
	for i, d := range docs {
		sellers[i] = d.SellerID
	}
	firms, err := p.Firms.FirmsByID(ctx, tenant, unique(sellers))
	if err != nil {
		return "", "", err
	}
	codes := map[string]string{}
	for _, f := range firms {
		codes[f.ID] = f.USCC
	}
	numbers := map[string]string{} // by hash
	var hashes []string
	for _, d := range docs {
		if h := fraud.Fingerprint(p.Salt, d, codes[d.SellerID]); h != "" && numbers[h] == "" {
			numbers[h], hashes = d.Number, append(hashes, h)
		}
	}
	if len(hashes) == 0 {
		return "", "", nil
	}
	list, err := p.Fingerprints.Fingerprints(ctx, tenant, hashes)
	for _, f := range list {
		if f.Publisher != p.Own && f.Publisher != funder {
			return numbers[f.Hash], f.Publisher, nil
		}
	}
	return "", "", err
}
