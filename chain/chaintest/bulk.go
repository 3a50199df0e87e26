package chaintest

import (
	"context"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
)

// FirmsByUSCC implements chain.Store.
func (m *Memory) FirmsByUSCC(_ context.Context, tenant string, codes []string) (map[string]chain.Party, error) {
	asked, out := set(codes), map[string]chain.Party{}
	for _, p := range m.firm(func(p chain.Party) bool { return p.Tenant == tenant && p.USCC != "" && asked[p.USCC] }) {
		out[p.USCC] = p
	}
	return out, nil
}

// FirmsByName implements chain.Store.
func (m *Memory) FirmsByName(_ context.Context, tenant string, keys []string) (map[string][]chain.Party, error) {
	asked, out := set(keys), map[string][]chain.Party{}
	for _, p := range m.firm(func(p chain.Party) bool { return p.Tenant == tenant }) {
		for key := range set(slices.Concat([]string{p.Name}, p.FormerNames, p.ShortNames)) {
			if key = party.Normalise(key); key != "" && asked[key] && !slices.ContainsFunc(out[key], func(o chain.Party) bool { return o.ID == p.ID }) {
				out[key] = append(out[key], p)
			}
		}
	}
	return out, nil
}

func set(values []string) map[string]bool {
	out := make(map[string]bool, len(values))
	for _, v := range values {
		out[v] = true
	}
	return out
}
