package party

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/furrowcredit/furrow/chain"
)

// EntryOf is a firm as an entry of a registry.
func EntryOf(p chain.Party) Entry {
	return Entry{Name: p.Name, Others: slices.Concat(p.FormerNames, p.ShortNames)}
}

// Bounds of a search for twins: a registry of more firms is searched through the newest
// of them.
const (
	twinFirms  = 50_000 // that are looked among
	twinAsked  = 10_000 // that are looked for, the newest
	twinUnsure = 0.3    // from here on a likeness counts when something else agrees
)

// Twins finds firms of a tenant that may be one and keeps them for a person.
type Twins struct {
	Firms interface {
		Firms(ctx context.Context, tenant string, f chain.PartyFilter) ([]chain.Party, error)
	}
	Merges Merges
	Now    func() time.Time
}

// Suggest looks for the twins of the newest firms of a tenant and returns how many pairs
// it suggests. What a person decided is not suggested again.
func (t Twins) Suggest(ctx context.Context, tenant string) (int, error) {
	var firms []chain.Party
	for after := ""; ; {
		page, err := t.Firms.Firms(ctx, tenant, chain.PartyFilter{After: after, Limit: 1000})
		if err != nil {
			return 0, err
		}
		for _, p := range page {
			after = p.ID
			if p.MergedInto == "" {
				firms = append(firms, p)
			}
		}
		if over := len(firms) - twinFirms; over > 0 {
			firms = slices.Delete(firms, 0, over)
		}
		if len(page) < 1000 {
			break
		}
	}
	pairs, err := FindTwins(ctx, firms, twinAsked, t.Now().UTC())
	if err != nil {
		return 0, err
	}
	return len(pairs), t.Merges.Suggest(ctx, tenant, pairs)
}

// FindTwins compares the last newest of firms with all of them and returns those that may
// be one, surest first: their names are likely to mean one firm, or are less like and
// something else agrees. Two firms with sound credit codes that differ are two. It fails
// only when ctx ends.
func FindTwins(ctx context.Context, firms []chain.Party, newest int, now time.Time) ([]Pair, error) {
	entries := make([]Entry, len(firms))
	for i, p := range firms {
		entries[i] = EntryOf(p)
	}
	m := NewIndex(entries).Matcher()
	best := map[[2]int]Pair{}
	for i := max(0, len(firms)-newest); i < len(firms); i++ {
		if i%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for _, name := range append([]string{entries[i].Name}, entries[i].Others...) {
			found := m.other(name, int32(i)) //nolint:gosec // fewer firms than fit
			if found.Best < 0 {
				continue
			}
			p, ok := twin(firms[i], firms[found.Best], found)
			at := [2]int{min(i, found.Best), max(i, found.Best)}
			if ok && p.Score > best[at].Score {
				p.FoundAt = now
				best[at] = p
			}
		}
	}
	out := make([]Pair, 0, len(best))
	for _, p := range best {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.FirmID, b.FirmID), cmp.Compare(a.OtherID, b.OtherID))
	})
	return out, nil
}

// other finds the firm beside entry own that a name means.
func (m *Matcher) other(name string, own int32) Match {
	m.except = own
	defer func() { m.except = nobody }()
	return m.Match(name)
}

// twin says whether a likeness of names is worth a person's look.
func twin(a, b chain.Party, m Match) (Pair, bool) {
	if a.USCC != "" && b.USCC != "" && a.USCC != b.USCC && Check(a.USCC).Status != Bad && Check(b.USCC).Status != Bad {
		return Pair{}, false
	}
	score := m.Score
	reasons := map[string]string{"name": "like"}
	if Normalise(a.Name) == Normalise(b.Name) {
		reasons["name"] = "same"
		score = max(score, Threshold)
	}
	agree := 0
	for _, f := range []struct{ name, a, b string }{
		{"uscc", Clean(a.USCC), Clean(b.USCC)}, {"legal_rep", Normalise(a.LegalRep), Normalise(b.LegalRep)}, {"phone", Clean(a.Phone), Clean(b.Phone)},
		{"address", Normalise(a.Address), Normalise(b.Address)}, {"controller", Normalise(a.Controller), Normalise(b.Controller)},
	} {
		switch {
		case f.a == "" || f.b == "":
		case f.a == f.b:
			reasons[f.name] = "same"
			agree++
		default:
			reasons[f.name] = "differs"
		}
	}
	reasons["likeness"] = strconv.FormatFloat(score, 'f', 2, 64)
	return Pair{Tenant: a.Tenant, FirmID: a.ID, OtherID: b.ID, Score: score, Reasons: reasons}, score >= Threshold || score >= twinUnsure && agree > 0
}
