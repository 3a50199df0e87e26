package party

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// renamed is what it costs a firm that goes by one short name to be meant by another
// that is no piece of it. A round figure: 1 to 3 find as many of the listed firms.
const renamed = 2.0

// MatchAll finds the firms that the names of a list mean, on all cores, like
// Matcher.Match of each; but what the list says of one name helps to tell the others
// apart. A firm that one short name surely means is passed over for another one when
// some other firm fits about as well: beside 云岭茶业, 云岭股份 is the other Yunling. What the
// registry itself says of former and short names is not taken so: a firm may have been
// renamed. Names that are sure without it stay as they are, and the order of the list does not matter.
// It fails only when ctx ends.
func (x *Index) MatchAll(ctx context.Context, names []string) ([]Match, error) {
	out, open, shorts := make([]Match, len(names)), make([]*answer, len(names)), make([]string, len(names))
	const part = 64 // names that a core takes at a time
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			m := x.Matcher()
			for {
				to := int(next.Add(part))
				if to-part >= len(names) || ctx.Err() != nil {
					return ctx.Err()
				}
				for i := to - part; i < min(to, len(names)); i++ {
					a := m.find(names[i])
					shorts[i] = a.brief
					if out[i] = a.judge(x.entries); !out[i].Accepted && a.brief != "" && len(a.candidates) > 1 {
						open[i] = &a
					}
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	called := map[int32][]string{}
	for i, m := range out {
		if m.Accepted {
			call(called, int32(m.Best), shorts[i]) //nolint:gosec // fewer entries than fit
		}
	}
	for i, a := range open {
		if a != nil && a.pass(called) {
			out[i] = a.judge(x.entries)
		}
	}
	return out, nil
}

// call notes that an entry goes by a short name.
func call(called map[int32][]string, entry int32, short string) {
	if short != "" && !slices.Contains(called[entry], short) {
		called[entry] = append(called[entry], short)
	}
}

// pass makes candidates that go by another short name less likely, and says whether it did.
func (a *answer) pass(called map[int32][]string) (changed bool) {
	if a.brief == "" || len(called) == 0 {
		return false
	}
	other := func(name string) bool { return !piece(name, a.brief) && !piece(a.brief, name) }
	for i := range a.candidates {
		c := &a.candidates[i]
		if !c.taken && slices.ContainsFunc(called[c.entry], other) {
			c.cost, c.taken, changed = c.cost+renamed, true, true
		}
	}
	if changed {
		slices.SortFunc(a.candidates, byCost)
	}
	return changed
}

// briefKey returns the key of a short name as exchanges and tables give them, of two to four
// characters, without the marks of its shares; of any other name "".
func briefKey(name string) string {
	w, folded := common(), fold(name)
	if len(folded) > 40 { // four characters with all their marks
		return ""
	}
	bare, _ := unmark(w, folded)
	if key := Normalise(bare); chinese(key, 2) && len([]rune(key)) <= 4 && suffix(w.forms, []rune(key), w.longest.form, 1) == 0 {
		return key
	}
	return ""
}

// piece says that part is made of characters of whole in their order.
func piece(part, whole string) bool {
	left := []rune(part)
	for _, r := range whole {
		if len(left) > 0 && left[0] == r {
			left = left[1:]
		}
	}
	return len(left) == 0
}
