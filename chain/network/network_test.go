package network_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/catalog"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/industry"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/money"
)

// books are firms and links in memory that tell their changes.
type books struct {
	chain.Store
	mu       sync.Mutex
	firms    map[string]chain.Party
	links    map[[2]string]chain.Link
	changed  map[[2]string]int64
	docs     map[string][]chain.Document
	revision int64
	reads    int // of all links
}

func newBooks() *books {
	return &books{firms: map[string]chain.Party{}, links: map[[2]string]chain.Link{}, changed: map[[2]string]int64{}, docs: map[string][]chain.Document{}}
}

func (b *books) firm(id string, change ...func(*chain.Party)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	p := chain.Party{ID: id, Name: "firm " + id}
	for _, c := range change {
		c(&p)
	}
	b.firms[id] = p
}

func anchor(p *chain.Party) { p.AnchorOf = true }

// trade sets the link of two firms; invoices 0 is one that a list names.
func (b *books) trade(seller, buyer string, invoices int, amount money.Fen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range []string{seller, buyer} {
		if _, ok := b.firms[id]; !ok {
			b.firms[id] = chain.Party{ID: id, Name: "firm " + id}
		}
	}
	b.revision++
	l := chain.Link{SellerID: seller, BuyerID: buyer, Invoices: invoices, Orders: invoices, Payments: invoices, Invoiced: amount}
	if invoices > 0 {
		l.FirstDate, l.LastDate = "2026-01-15", "2026-06-10"
	}
	b.links[[2]string{seller, buyer}] = l
	b.changed[[2]string{seller, buyer}] = b.revision
}

func (b *books) drop(seller, buyer string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.revision++
	delete(b.links, [2]string{seller, buyer})
	b.changed[[2]string{seller, buyer}] = b.revision
}

func (b *books) Firm(_ context.Context, _, id string) (chain.Party, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.firms[id]
	if !ok {
		return p, chain.ErrFirmNotFound
	}
	return p, nil
}

func (b *books) FirmsByID(ctx context.Context, tenant string, ids []string) ([]chain.Party, error) {
	var out []chain.Party
	for _, id := range ids {
		if p, err := b.Firm(ctx, tenant, id); err == nil {
			out = append(out, p)
		}
	}
	return out, nil
}

func (b *books) Firms(_ context.Context, _ string, f chain.PartyFilter) ([]chain.Party, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []chain.Party
	for _, p := range b.firms {
		if p.AnchorOf && p.ID > f.After {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(x, y chain.Party) int { return cmpString(x.ID, y.ID) })
	return out[:min(len(out), f.Limit)], nil
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (b *books) Revision(context.Context, string) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.revision, nil
}

func (b *books) AllLinks(_ context.Context, _ string, f func(chain.Link) error) error {
	b.mu.Lock()
	b.reads++
	var out []chain.Link
	for _, l := range b.links {
		out = append(out, l)
	}
	b.mu.Unlock()
	slices.SortFunc(out, func(x, y chain.Link) int { return cmpString(x.SellerID+x.BuyerID, y.SellerID+y.BuyerID) })
	for _, l := range out {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}

func (b *books) Links(_ context.Context, _, id string) ([]chain.Link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []chain.Link
	for _, l := range b.links {
		if l.SellerID == id || l.BuyerID == id {
			out = append(out, l)
		}
	}
	return out, nil
}

func (b *books) ChangedLinks(_ context.Context, _ string, since int64, f func(chain.Link) error) (int64, error) {
	b.mu.Lock()
	var out []chain.Link
	now := b.revision
	for p, at := range b.changed {
		if at > since {
			l, ok := b.links[p]
			if !ok {
				l = chain.Link{SellerID: p[0], BuyerID: p[1]}
			}
			out = append(out, l)
		}
	}
	b.mu.Unlock()
	for _, l := range out {
		if err := f(l); err != nil {
			return 0, err
		}
	}
	return now, nil
}

func (b *books) Documents(_ context.Context, _, id string, _ chain.DocKind) ([]chain.Document, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.docs[id], nil
}

// whole hides that the books tell their changes.
type whole struct{ chain.Store }

func clock() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) }

func industries(t testing.TB) *industry.Catalogue {
	t.Helper()
	fsys, err := catalog.Open("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := industry.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// works is an anchor with suppliers in two tiers, a dealer, a circle and a self link.
func works() *books {
	b := newBooks()
	b.firm("anchor", anchor)
	b.trade("castings", "anchor", 12, 60_000_00)
	b.trade("bolts", "anchor", 2, 40_000_00)
	b.trade("listed", "anchor", 0, 0)
	b.trade("wire", "bolts", 12, 30_000_00)
	b.trade("wire", "castings", 6, 10_000_00)
	b.trade("wire", "elsewhere", 6, 10_000_00)
	b.trade("castings", "wire", 1, 1_000_00) // a circle
	b.trade("bolts", "bolts", 1, 99_000_00)  // with itself
	b.trade("anchor", "dealer", 12, 200_000_00)
	return b
}

func ids(p network.SMEPage) []string {
	var out []string
	for _, f := range p.Firms {
		out = append(out, fmt.Sprintf("%d %s", f.Tier, f.FirmID))
	}
	return out
}

func TestSuppliersByTier(t *testing.T) {
	t.Parallel()
	b := works()
	b.docs["castings"] = []chain.Document{{Kind: chain.Invoice, SellerID: "castings", BuyerID: "anchor", Goods: "*金属制品*球墨铸铁件", Amount: 60_000_00}}
	n := network.New(b, network.Options{Now: clock, Industries: industries(t)})
	page, err := n.Suppliers(t.Context(), "t", "anchor", network.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1 castings", "1 bolts", "1 listed", "2 wire"}, ids(page)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{3, 1}, page.Tiers); d != "" {
		t.Error(d)
	}
	castings, bolts, listed, wire := page.Firms[0], page.Firms[1], page.Firms[2], page.Firms[3]
	if l := castings.Links[0]; l.FirmID != "anchor" || l.OfBuyer != 0.6 || l.OfSeller != 0.984 || l.Months != 6 || l.Documents != 36 || castings.Months != 6 {
		t.Errorf("%+v", l)
	}
	if len(castings.Mounts) == 0 || castings.Mounts[0].Node != "machinery.casting.iron" {
		t.Errorf("%+v", castings.Mounts)
	}
	if listed.Confidence != 0.2 || !slices.Equal(listed.Reasons, []string{"named_only"}) {
		t.Errorf("%+v", listed)
	}
	if !(wire.Confidence < castings.Confidence) || !(listed.Confidence < bolts.Confidence) {
		t.Errorf("wire %v castings %v bolts %v listed %v", wire.Confidence, castings.Confidence, bolts.Confidence, listed.Confidence)
	}
	if len(wire.Links) != 2 || wire.Amount != 40_000_00 || wire.Links[0].OfSeller+wire.Links[1].OfSeller != 0.8 {
		t.Errorf("%+v", wire.Links)
	}
	for name, c := range map[string]struct {
		f    network.Filter
		want []string
	}{
		"one tier":    {network.Filter{Hops: 1}, []string{"1 castings", "1 bolts", "1 listed"}},
		"least trade": {network.Filter{MinAmount: 50_000_00}, []string{"1 castings"}},
		"a node":      {network.Filter{Node: "machinery.casting.iron"}, []string{"1 castings"}},
		"a direction": {network.Filter{Node: "machinery"}, []string{"1 castings"}},
		"another":     {network.Filter{Node: "textile.cotton"}, nil},
	} {
		page, err := n.Suppliers(t.Context(), "t", "anchor", c.f)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, ids(page)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	dealers, err := n.Dealers(t.Context(), "t", "anchor", network.Filter{})
	if err != nil || !slices.Equal(ids(dealers), []string{"1 dealer"}) {
		t.Error(ids(dealers), err)
	}
	for _, after := range []string{"x", "1.2", "9.1.a", "0.1.a", "1.x.a"} {
		if _, err := n.Suppliers(t.Context(), "t", "anchor", network.Filter{After: after}); err == nil {
			t.Errorf("%q", after)
		}
	}
	if _, err := n.Suppliers(t.Context(), "t", "anchor", network.Filter{Node: "nonsense"}); err == nil {
		t.Error("a node that is not there")
	}
	if _, err := n.Suppliers(t.Context(), "t", "nobody", network.Filter{}); err == nil {
		t.Error("a firm that is not there")
	}
}

func TestPlacePathsRingAnchors(t *testing.T) {
	t.Parallel()
	n := network.New(works(), network.Options{Now: clock})
	p, err := n.Place(t.Context(), "t", "wire")
	if err != nil || len(p.Anchors) != 1 {
		t.Fatal(p, err)
	}
	a := p.Anchors[0]
	if a.AnchorID != "anchor" || a.Role != "supplier" || a.Tier != 2 || len(a.Way.Hops) != 2 || a.Way.Hops[0].SellerID != "wire" || a.Way.Hops[1].BuyerID != "anchor" {
		t.Errorf("%+v", a)
	}
	if p, err = n.Place(t.Context(), "t", "dealer"); err != nil || len(p.Anchors) != 1 || p.Anchors[0].Role != "dealer" || p.Anchors[0].Way.Hops[0].SellerID != "anchor" {
		t.Errorf("%+v %v", p, err)
	}
	ways, err := n.Paths(t.Context(), "t", "wire", "dealer", 3, 10)
	if err != nil || len(ways) != 2 || len(ways[0].Hops) != 3 || ways[0].Hops[2].BuyerID != "dealer" {
		t.Errorf("%+v %v", ways, err)
	}
	ring, err := n.Ring(t.Context(), "t", "wire")
	slices.Sort(ring)
	if err != nil || !slices.Equal(ring, []string{"castings", "wire"}) {
		t.Error(ring, err)
	}
	if ring, err = n.Ring(t.Context(), "t", "bolts"); err != nil || len(ring) != 0 {
		t.Error("trade with itself is no circle", ring, err)
	}
	reach, err := n.Anchors(t.Context(), "t", "wire")
	want := []chain.AnchorReach{{AnchorID: "anchor", Name: "firm anchor", Tier: 2, Buyers: []string{"bolts", "castings"}}}
	if d := cmp.Diff(want, reach); d != "" || err != nil {
		t.Error(d, err)
	}
	around, err := n.Neighbourhood(t.Context(), "t", "bolts", 1)
	if err != nil || len(around.Nodes) != 3 || len(around.Links) != 3 || around.Nodes[0].ID != "bolts" || around.Nodes[0].Tier != 1 || around.Links[0].Invoiced < around.Links[1].Invoiced {
		t.Errorf("%+v %v", around, err)
	}
}

// TestHub: ten thousand suppliers are paged without a gap or a repetition, and a
// picture around the hub is bounded.
func TestHub(t *testing.T) {
	t.Parallel()
	b := newBooks()
	b.firm("hub", anchor)
	for i := range 10_000 {
		b.trade(fmt.Sprintf("s%05d", i), "hub", i%3, money.Fen(i%7)*100)
	}
	n := network.New(b, network.Options{Now: clock})
	seen := map[string]bool{}
	f := network.Filter{Limit: 200}
	for pages := 0; ; pages++ {
		page, err := n.Suppliers(t.Context(), "t", "hub", f)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range page.Firms {
			if seen[s.FirmID] || i > 0 && s.Amount > page.Firms[i-1].Amount {
				t.Fatal("out of order", s.FirmID)
			}
			seen[s.FirmID] = true
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	if len(seen) != 10_000 {
		t.Errorf("%d firms", len(seen))
	}
	around, err := n.Neighbourhood(t.Context(), "t", "hub", 2)
	if err != nil || !around.Cut || len(around.Nodes) != 200 || len(around.Links) != 199 {
		t.Errorf("%d nodes, %d links, %v", len(around.Nodes), len(around.Links), err)
	}
}

// TestBooksMove: the graph follows the books link by link, keeps a supplier that a
// list names, and forgets a link that is undone; a file is read again after a start.
func TestBooksMove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := works()
	n := network.New(b, network.Options{Now: clock, Dir: dir})
	tier := func(n *network.Network, id string) int {
		p, err := n.Neighbourhood(t.Context(), "t", id, 1)
		if err != nil {
			t.Fatal(err)
		}
		return p.Nodes[0].Tier
	}
	if tier(n, "wire") != 2 {
		t.Error("wire is two hops away")
	}
	b.trade("ore", "wire", 1, 5_00)
	b.trade("named", "anchor", 0, 0)
	b.drop("bolts", "anchor")
	if tier(n, "ore") != 3 || tier(n, "named") != 1 || tier(n, "bolts") != -1 {
		t.Error(tier(n, "ore"), tier(n, "named"), tier(n, "bolts"))
	}
	b.firm("bolts", anchor)
	if tier(n, "bolts") != 0 || tier(n, "wire") != 1 {
		t.Error("a firm that became an anchor")
	}
	if b.reads != 1 {
		t.Errorf("all links were read %d times", b.reads)
	}
	again := network.New(b, network.Options{Now: clock, Dir: dir})
	if tier(again, "ore") != 2 || b.reads != 1 {
		t.Errorf("after a start: tier %d, all links read %d times", tier(again, "ore"), b.reads)
	}
	files, err := filepath.Glob(dir + "/*.graph")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	mended := network.New(b, network.Options{Now: clock, Dir: dir})
	if tier(mended, "ore") != 2 || b.reads != 2 {
		t.Errorf("a damaged file: all links read %d times", b.reads)
	}
	plain := network.New(whole{b}, network.Options{Now: clock})
	if tier(plain, "ore") != 2 {
		t.Error("books that do not tell their changes")
	}
}

func TestMergedFirm(t *testing.T) {
	t.Parallel()
	b := works()
	b.firm("bolts2", func(p *chain.Party) { p.MergedInto = "bolts" })
	n := network.New(b, network.Options{Now: clock})
	p, err := n.Place(t.Context(), "t", "bolts2")
	if err != nil || p.FirmID != "bolts" || len(p.Anchors) != 1 {
		t.Errorf("%+v %v", p, err)
	}
}

// TestFollowing: after any changes the graph that follows answers as one built anew.
func TestFollowing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		b := newBooks()
		b.firm("f0", anchor)
		n := network.New(b, network.Options{Now: clock})
		name := func() string { return fmt.Sprintf("f%d", rapid.IntRange(0, 6).Draw(r, "firm")) }
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			if s, y := name(), name(); rapid.Bool().Draw(r, "add") {
				b.trade(s, y, rapid.IntRange(0, 3).Draw(r, "invoices"), money.Fen(rapid.IntRange(0, 5).Draw(r, "amount")))
			} else {
				b.drop(s, y)
			}
			if rapid.Bool().Draw(r, "look") {
				if _, err := n.Suppliers(t.Context(), "t", "f0", network.Filter{}); err != nil {
					r.Fatal(err)
				}
			}
		}
		got, err := n.Suppliers(t.Context(), "t", "f0", network.Filter{})
		if err != nil {
			r.Fatal(err)
		}
		want, err := network.New(b, network.Options{Now: clock}).Suppliers(t.Context(), "t", "f0", network.Filter{})
		if err != nil {
			r.Fatal(err)
		}
		if d := cmp.Diff(ids(want), ids(got)); d != "" {
			r.Fatal(d)
		}
	})
}

func TestManyTenantsAtOnce(t *testing.T) {
	t.Parallel()
	b := works()
	n := network.New(b, network.Options{Now: clock, Dir: t.TempDir(), Tenants: 2})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 20 {
				if i == 0 {
					b.trade(fmt.Sprintf("n%d", j), "anchor", 1, 1)
				}
				page, err := n.Suppliers(t.Context(), fmt.Sprintf("tenant/%d", i%4), "anchor", network.Filter{})
				if err != nil || len(page.Firms) < 4 {
					t.Error(len(page.Firms), err)
				}
			}
		}()
	}
	wg.Wait()
}

func FuzzAfter(f *testing.F) {
	f.Add("1.100.s1")
	f.Add("..")
	n := network.New(works(), network.Options{Now: clock})
	f.Fuzz(func(t *testing.T, after string) {
		if page, err := n.Suppliers(t.Context(), "t", "anchor", network.Filter{After: after}); err == nil && len(page.Firms) > 4 {
			t.Error(page)
		}
	})
}

// county is 100,000 firms and 500,000 links with a few large buyers.
func county() *books {
	r := rand.New(rand.NewPCG(1, 2))
	b := newBooks()
	for i := range 100_000 {
		id := fmt.Sprintf("f%06d", i)
		b.firms[id] = chain.Party{ID: id, Name: id, AnchorOf: i < 50}
	}
	for range 500_000 {
		u := r.Float64()
		buyer, seller := int(1e5*u*u*u), r.IntN(1e5)
		p := [2]string{fmt.Sprintf("f%06d", seller), fmt.Sprintf("f%06d", buyer)}
		b.links[p] = chain.Link{SellerID: p[0], BuyerID: p[1], Invoices: 1 + r.IntN(9), Invoiced: money.Fen(r.IntN(1e7)), FirstDate: "2026-01-02", LastDate: "2026-05-03"}
	}
	b.revision = 1
	return b
}

func BenchmarkSuppliers(b *testing.B) {
	books := county()
	n := network.New(books, network.Options{Now: clock, Dir: b.TempDir()})
	bench := func(name string, f func(i int) error) {
		b.Run(name, func(b *testing.B) {
			if err := f(0); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := f(i % 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	id := func(i int) string { return fmt.Sprintf("f%06d", i) }
	ctx := context.Background()
	bench("tier1", func(i int) error {
		_, err := n.Suppliers(ctx, "t", id(i), network.Filter{Hops: 1})
		return err
	})
	bench("tier2", func(i int) error {
		_, err := n.Suppliers(ctx, "t", id(i), network.Filter{Hops: 2})
		return err
	})
	bench("tier3", func(i int) error {
		_, err := n.Suppliers(ctx, "t", id(i), network.Filter{})
		return err
	})
	bench("place", func(i int) error {
		_, err := n.Place(ctx, "t", id(50_000+i))
		return err
	})
	bench("anchors", func(i int) error {
		_, err := n.Anchors(ctx, "t", id(50_000+i))
		return err
	})
	bench("paths", func(i int) error {
		_, err := n.Paths(ctx, "t", id(50_000+i), id(i), 4, 5)
		return err
	})
	bench("ring", func(i int) error {
		_, err := n.Ring(ctx, "t", id(i+90_000))
		return err
	})
}
