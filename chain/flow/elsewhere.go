package flow

import (
	"context"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/flow/fraud"
)

// Members is the circle of funders that tell each other, by salted hashes, which invoices
// they were promised.
type Members struct {
	Fingerprints chain.FingerprintStore
	Salt         []byte // the members' secret, see fraud.Fingerprint
	Own          string // the publisher that is this house
}

// Join compares promised invoices with those of other funders from now on. It is called
// before the network is used; nil compares with nobody.
func (n *Network) Join(m *Members) { n.members = m }

// elsewhere finds invoices that were promised here and that another funder published. A
// funder that publishes what the books say it was promised tells nothing new.
func (n *Network) elsewhere(ctx context.Context, tenant string, docs []chain.Document) ([]chain.Finding, error) {
	if n.members == nil {
		return nil, nil
	}
	byFunder := map[string][]chain.Document{}
	codes := map[string]string{}
	for _, d := range docs {
		if d.Kind == chain.Invoice && d.Funder != "" && d.Amount > 0 {
			byFunder[d.Funder] = append(byFunder[d.Funder], d)
			codes[d.SellerID] = ""
		}
	}
	if len(byFunder) == 0 {
		return nil, nil
	}
	sellers := make([]string, 0, len(codes))
	for id := range codes {
		sellers = append(sellers, id)
	}
	slices.Sort(sellers)
	firms, err := n.store.FirmsByID(ctx, tenant, sellers)
	if err != nil {
		return nil, err
	}
	for _, f := range firms {
		codes[f.ID] = f.USCC
	}
	code := func(id string) string { return codes[id] }
	funders := make([]string, 0, len(byFunder))
	var hashes []string
	for funder, promised := range byFunder {
		funders = append(funders, funder)
		for _, d := range promised {
			if h := fraud.Fingerprint(n.members.Salt, d, code(d.SellerID)); h != "" {
				hashes = append(hashes, h)
			}
		}
	}
	slices.Sort(hashes)
	published, err := n.members.Fingerprints.Fingerprints(ctx, tenant, slices.Compact(hashes))
	if err != nil || len(published) == 0 {
		return nil, err
	}
	slices.Sort(funders)
	var out []chain.Finding
	for _, funder := range funders {
		others := slices.DeleteFunc(slices.Clone(published), func(p chain.Fingerprint) bool { return p.Publisher == funder })
		out = append(out, fraud.Elsewhere(byFunder[funder], n.members.Salt, n.members.Own, code, others)...)
	}
	return out, nil
}
