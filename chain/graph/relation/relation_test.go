package relation_test

import (
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/graph/relation"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

func file(t testing.TB, name, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const mixed = "\ufeffNote,Seller,Buyer,Amount,Date,Kind\n" +
	"x,farm,mill,\"1,200.50\",2026-03-01,order\n" + // a link
	"x,farm,mill,99.5,2026/01/31,invoices\n" + // more of it
	"x,mill,farm,-10,2026-04-01,\n" + // the other way, a refund
	"x,farm,farm,1,,\n" +
	"x,,mill,1,,\n" +
	"x,farm,,1,,\n" +
	"x,farm,mill,many,,\n" +
	"x,farm,mill,1,2026-02-30,\n" +
	"x,farm,mill,1,,barter\n" +
	"x,农场,面粉厂\n" + // a short row with what it needs
	"x,农场,面粉厂,,,\n" // says the same

func TestEveryRowIsAccountedFor(t *testing.T) {
	t.Parallel()
	s, report, err := relation.Read(t.Context(), relation.Columns{}, file(t, "trade.csv", mixed))
	if err != nil {
		t.Fatal(err)
	}
	want := relation.Report{
		Files: []string{"trade.csv"}, Rows: 11, Links: 3, Summed: 1, Duplicates: 1, Firms: 4,
		Refused: map[relation.Reason]int{"self_loop": 1, "no_seller": 1, "no_buyer": 1, "amount": 1, "date": 1, "kind": 1},
		Repeats: []relation.Repeat{{From: "农场", To: "面粉厂", Rows: 1}},
	}
	lines := map[relation.Reason]int{}
	for _, r := range report.Refusals {
		lines[r.Reason] = r.Line
	}
	if d := cmp.Diff(map[relation.Reason]int{"self_loop": 5, "no_seller": 6, "no_buyer": 7, "amount": 8, "date": 9, "kind": 10}, lines); d != "" {
		t.Error(d)
	}
	report.Refusals = nil
	if d := cmp.Diff(want, report); d != "" {
		t.Error(d)
	}
	if err := report.Sound(); err != nil {
		t.Error(err)
	}
	farm, _ := s.Find("farm")
	mill, _ := s.Find("mill")
	got, _ := s.Trade(farm, mill)
	if d := cmp.Diff(graph.Trade{Kinds: graph.Orders | graph.Invoices, Count: 2, Amount: 130_000, First: graph.Day("2026-01-31"), Last: graph.Day("2026-03-01")}, got); d != "" {
		t.Error(d)
	}
}

func TestFilesThatCannotBeReadWholeGiveNothing(t *testing.T) {
	t.Parallel()
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(strings.Repeat("seller,buyer\na,b\n", 1000)))
	_ = z.Close()
	for name, path := range map[string]string{
		"absent": filepath.Join(t.TempDir(), "absent.csv"), "empty": file(t, "e.csv", ""), "header": file(t, "h.csv", "a,b\n1,2\n"),
		"mixed": file(t, "m.csv", "seller,buyer\n青穗,禾丰\n\xc7\xe0\xcb\xeb,b\n"), "neither": file(t, "x.csv", "seller,buyer\n\xff,b\n"), "cut": file(t, "c.csv.gz", packed.String()[:packed.Len()/2]),
	} {
		if _, _, err := relation.Read(t.Context(), relation.Columns{}, path); !errors.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, _, err := relation.Read(t.Context(), relation.Columns{}, file(t, "g.csv", "seller,buyer\n\xc7\xe0\xcb\xeb,\xba\xcc\xb7\xe1\n")); err != nil || s.ID(0) != "青穗" {
		t.Error("GBK", err)
	}
	if s, _, err := relation.Read(t.Context(), relation.Columns{}, file(t, "w.csv.gz", packed.String())); err != nil || s.Size() != 2 {
		t.Error(err) // the header again and again is a pair of firms as well
	}
}

// TestReferenceSupply reads the derived supply of listed firms; every pair of it is in
// the graph, once.
func TestReferenceSupply(t *testing.T) {
	t.Parallel()
	path := filepath.Join(realdata.Dir(t, "chain"), "ckg_implied_supply.csv")
	s, report, err := relation.Read(t.Context(), relation.Columns{From: "supplier_code", To: "buyer_code"}, path)
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pairs, rows, self := map[[2]string]bool{}, 0, 0
	for line := range strings.Lines(string(body)) {
		if rows++; rows == 1 {
			continue
		}
		f := strings.Split(line, ",")
		if f[0] == f[1] {
			self++
			continue
		}
		pairs[[2]string{f[0], f[1]}] = true
	}
	if report.Rows != rows-1 || report.Links != len(pairs) || report.Refused[relation.SelfLoop] != self || report.Sound() != nil {
		t.Fatalf("%+v, want %d rows, %d pairs, %d self-loops", report, rows-1, len(pairs), self)
	}
	for p := range pairs {
		from, _ := s.Find(p[0])
		to, _ := s.Find(p[1])
		if _, ok := s.Trade(from, to); !ok {
			t.Fatalf("%v is missing", p)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(mixed)
	f.Add("seller,buyer\n\"a,b\nc,d\n")
	f.Fuzz(func(t *testing.T, body string) {
		s, report, err := relation.Read(t.Context(), relation.Columns{}, file(t, "f.csv", body))
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if report.Sound() != nil || s.Size() != report.Links || s.Len() != report.Firms {
			t.Fatalf("%+v: %d links, %d firms", report, s.Size(), s.Len())
		}
	})
}
