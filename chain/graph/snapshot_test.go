package graph_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "graph")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	x := graph.NewIndex()
	farm, mill := x.Add("farm"), x.Add("mill")
	g := graph.BuildLinks(x.Len(), []graph.Link{{From: farm, To: mill, Trade: graph.Trade{Kinds: graph.Invoices, Count: 3, Amount: 1_200_000}}})
	path := filepath.Join(dir, "trade.graph")
	if err := (&graph.Snapshot{Graph: g, Index: x, Revision: 7}).Write(path); err != nil {
		return
	}

	s, err := graph.Open(path)
	if err != nil {
		return
	}
	defer s.Close()
	v, _ := s.Find("mill")
	for i, from := range s.In(v) {
		fmt.Println(s.ID(from), s.InTrade(v, i).Amount, s.Revision)
	}
	// Output: farm 1200000 7
}

// ExampleView_Apply lays a change over a snapshot: its readers see the old trade,
// those of the new view the new one.
func ExampleView_Apply() {
	x := graph.NewIndex()
	g := graph.BuildLinks(2, []graph.Link{{From: x.Add("farm"), To: x.Add("mill")}})
	old := graph.NewView(&graph.Snapshot{Graph: g, Index: x, Revision: 1})
	now := old.Apply([]graph.Change{
		{From: "mill", To: "bakery", Trade: graph.Trade{Kinds: graph.Orders, Count: 1}},
		{From: "farm", To: "mill", Removed: true},
	}, 2)
	fmt.Println(old.Len(), old.Size(), now.Len(), now.Size(), now.ID(2))
	// Output: 2 1 3 1 bakery
}

// books are links by the ids of their firms: what a view must agree with.
type books map[[2]string]graph.Trade

func drawTrade(t *rapid.T) graph.Trade {
	return graph.Trade{
		Kinds: rapid.Uint8Range(0, 63).Draw(t, "kinds"), Count: rapid.Uint32Range(0, 9).Draw(t, "count"),
		Amount: rapid.Int64Range(-1e6, 1e12).Draw(t, "amount"),
		First:  rapid.Int32Range(1, 9000).Draw(t, "first"), Last: rapid.Int32Range(9000, 20000).Draw(t, "last"),
	}
}

func drawBooks(t *rapid.T) (books, *graph.Snapshot) {
	b, x := books{}, graph.NewIndex()
	var links []graph.Link
	for range rapid.IntRange(0, 20).Draw(t, "links") {
		from, to := drawFirm(t), drawFirm(t)
		if _, there := b[[2]string{from, to}]; there {
			continue
		}
		trade := drawTrade(t)
		b[[2]string{from, to}] = trade
		links = append(links, graph.Link{From: x.Add(from), To: x.Add(to), Trade: trade})
	}
	return b, &graph.Snapshot{Graph: graph.BuildLinks(x.Len(), links), Index: x, Revision: 3}
}

func drawFirm(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"甲", "乙", "", "\x01", "018f3c5e-0000-7000-8000-000000000001", "018f3c5e-0000-7000-8000-000000000002", "018F3C5E-0000-7000-8000-000000000002", "z",
	}).Draw(t, "firm")
}

type reader interface {
	Len() int
	Size() int
	Out(uint32) []uint32
	In(uint32) []uint32
	OutTrade(uint32, int) graph.Trade
	InTrade(uint32, int) graph.Trade
	Trade(uint32, uint32) (graph.Trade, bool)
	ID(uint32) string
	Find(string) (uint32, bool)
}

// agree compares a graph, read in both directions, with the books.
func agree(t rapid.TB, g reader, want books) {
	t.Helper()
	out, in := books{}, books{}
	for v := range uint32(g.Len()) {
		if id, ok := g.Find(g.ID(v)); !ok || id != v {
			t.Fatalf("node %d is %q, which is node %d", v, g.ID(v), id)
		}
		for _, row := range [][]uint32{g.Out(v), g.In(v)} {
			if !slices.IsSorted(row) {
				t.Fatalf("neighbours %v", row)
			}
		}
		for i, w := range g.Out(v) {
			out[[2]string{g.ID(v), g.ID(w)}] = g.OutTrade(v, i)
			if trade, ok := g.Trade(v, w); !ok || trade != g.OutTrade(v, i) {
				t.Fatalf("%d to %d: %v", v, w, trade)
			}
		}
		for i, w := range g.In(v) {
			in[[2]string{g.ID(w), g.ID(v)}] = g.InTrade(v, i)
		}
	}
	if d := cmp.Diff(want, out) + cmp.Diff(want, in); d != "" || g.Size() != len(want) {
		t.Fatalf("%d edges\n%s", g.Size(), d)
	}
}

func TestSnapshotIsReadBackWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		want, s := drawBooks(t)
		agree(t, s, want)
		path := filepath.Join(dir, "g")
		if err := s.Write(path); err != nil {
			t.Fatal(err)
		}
		got, err := graph.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, got, want)
		if got.Revision != 3 || got.Len() != s.Len() {
			t.Fatalf("revision %d, %d nodes", got.Revision, got.Len())
		}
		if err := got.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v left beside the file: %v", left, err)
	}
}

// TestViewEqualsRebuild lays random changes over a snapshot, twice, and compares with
// the changed books, before and after a merge; the older views stay as they were.
func TestViewEqualsRebuild(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want, s := drawBooks(t)
		view := graph.NewView(s)
		first, firstWant := view, want
		for round := range 2 {
			next := books{}
			for k, v := range want {
				next[k] = v
			}
			var changes []graph.Change
			for range rapid.IntRange(0, 12).Draw(t, "changes") {
				c := graph.Change{From: drawFirm(t), To: drawFirm(t), Trade: drawTrade(t), Removed: rapid.Bool().Draw(t, "removed")}
				changes = append(changes, c)
			}
			for _, c := range changes {
				if c.Removed {
					delete(next, [2]string{c.From, c.To})
				} else {
					next[[2]string{c.From, c.To}] = c.Trade
				}
			}
			old, before := view, want
			view, want = view.Apply(changes, int64(4+round)), next
			agree(t, view, want)
			agree(t, old, before)
		}
		agree(t, first, firstWant)
		merged := view.Merge()
		agree(t, merged, want)
		if merged.Revision != 5 {
			t.Fatalf("revision %d", merged.Revision)
		}
		for v := range uint32(view.Len()) {
			if merged.ID(v) != view.ID(v) {
				t.Fatalf("node %d was %q and is %q", v, view.ID(v), merged.ID(v))
			}
		}
	})
}

func TestReadersNeedNoLockWhileOneWrites(t *testing.T) {
	t.Parallel()
	x := graph.NewIndex()
	root := x.Add("root")
	var live atomic.Pointer[graph.View]
	live.Store(graph.NewView(&graph.Snapshot{Graph: graph.BuildLinks(1, nil), Index: x}))
	stop := make(chan struct{})
	wrong := make(chan string, 8)
	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				v := live.Load()
				if n := len(v.Out(root)); n != int(v.Revision()) || v.Reach(root, 1, graph.Downstream) != n {
					select {
					case wrong <- fmt.Sprintf("%d neighbours at revision %d", n, v.Revision()):
					default:
					}
				}
			}
		}()
	}
	for i := range int64(200) {
		live.Store(live.Load().Apply([]graph.Change{{From: "root", To: fmt.Sprint("firm ", i)}}, i+1))
	}
	close(stop)
	for range 4 {
		<-done
	}
	select {
	case w := <-wrong:
		t.Error(w)
	default:
	}
}

func TestOpenRefusesWhatIsNotAWholeGraph(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "g")
	x := graph.NewIndex()
	var links []graph.Link
	for i := range uint32(300) {
		x.Add(ident.New())
		links = append(links, graph.Link{From: i, To: (i * 7) % 300})
	}
	if err := (&graph.Snapshot{Graph: graph.BuildLinks(300, links), Index: x}).Write(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := func(name string, body []byte, want error) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, body, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := graph.Open(p); !errors.Is(err, want) || !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad("empty", nil, graph.ErrForeign)
	bad("foreign", []byte("seller,buyer\na,b\n"), graph.ErrForeign)
	bad("newer", append(append(slices.Clone(whole[:8]), 9), whole[9:]...), graph.ErrVersion)
	for _, n := range []int{20, 511, 512, 5000, len(whole) - 64, len(whole) - 1} {
		bad("cut", whole[:n], graph.ErrDamaged)
	}
	bad("longer", append(slices.Clone(whole), make([]byte, 64)...), graph.ErrDamaged)
	r := rand.New(rand.NewPCG(1, 2))
	used := whole[512:]
	for range 50 {
		at := r.IntN(len(used))
		if used[at] == 0 {
			continue // it may be what fills a line
		}
		b := slices.Clone(whole)
		b[512+at] ^= 1 << r.IntN(8)
		bad("flipped", b, graph.ErrDamaged)
	}
	if _, err := graph.Open(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzOpen hands damaged and made-up files to Open, with their sums mended so that the
// rules behind the sums are tried as well: what opens can be read without a panic.
func FuzzOpen(f *testing.F) {
	x := graph.NewIndex()
	g := graph.BuildLinks(3, []graph.Link{{From: x.Add("a"), To: x.Add("b")}, {From: 1, To: x.Add(ident.New())}})
	path := filepath.Join(f.TempDir(), "g")
	if err := (&graph.Snapshot{Graph: g, Index: x}).Write(path); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, uint32(0), byte(0))
	f.Add(whole, uint32(512+4), byte(255))
	f.Add(whole[:700], uint32(16), byte(1))
	f.Fuzz(func(t *testing.T, body []byte, at uint32, flip byte) {
		if len(body) > 0 {
			body = slices.Clone(body)
			body[int(at)%len(body)] ^= flip
			graph.Mend(body)
		}
		p := filepath.Join(t.TempDir(), "g")
		if err := os.WriteFile(p, body, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := graph.Open(p)
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		defer s.Close()
		for v := range uint32(s.Len()) {
			s.Find(s.ID(v))
			for i, w := range s.Out(v) {
				s.OutTrade(v, i)
				s.Trade(v, w)
			}
			for i := range s.In(v) {
				s.InTrade(v, i)
			}
		}
		s.Find("no such firm")
	})
}
