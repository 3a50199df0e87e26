package export_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"go.yaml.in/yaml/v3"

	"github.com/furrowcredit/furrow/chain/graph"
	"github.com/furrowcredit/furrow/chain/graph/export"
	"github.com/furrowcredit/furrow/fault"
)

// trade has ids that a careless writer breaks.
func trade() *graph.Snapshot {
	x := graph.NewIndex()
	names := []string{"农场", `a "quoted", one`, "two\nlines", " edge ", "018f3c5e-0000-7000-8000-000000000001", "'; drop"}
	var links []graph.Link
	for i, n := range names {
		x.Add(n)
		links = append(links, graph.Link{From: uint32(i), To: uint32((i + 1) % len(names)), Trade: graph.Trade{
			Kinds: graph.Orders | graph.Invoices, Count: uint32(i), Amount: int64(i)*1e10 - 5, First: graph.Day("2026-01-31"), Last: graph.Day("2026-05-31"),
		}})
	}
	links = append(links, graph.Link{From: 0, To: 3})
	return &graph.Snapshot{Graph: graph.BuildLinks(x.Len(), links), Index: x}
}

// flat is a link as any of the forms tells it.
type flat struct {
	Seller, Buyer, Kinds string
	Documents, Amount    int64
	First, Last          string
}

func want(s *graph.Snapshot) (firms []string, links []flat) {
	for v := range uint32(s.Len()) {
		firms = append(firms, s.ID(v))
		for i, w := range s.Out(v) {
			t := s.OutTrade(v, i)
			links = append(links, flat{s.ID(v), s.ID(w), export.KindNames(t.Kinds), int64(t.Count), t.Amount, graph.Date(t.First), graph.Date(t.Last)})
		}
	}
	return firms, links
}

func TestParquetIsReadBackWhole(t *testing.T) {
	t.Parallel()
	s := trade()
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := export.Write(t.Context(), s, export.Parquet, dir); err != nil {
		t.Fatal(err)
	}
	firms, err := parquet.ReadFile[export.Firm](filepath.Join(dir, "firms.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	links, err := parquet.ReadFile[export.Link](filepath.Join(dir, "links.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for v, f := range firms {
		ids = append(ids, f.ID)
		if int(f.Suppliers) != len(s.In(uint32(v))) || int(f.Customers) != len(s.Out(uint32(v))) {
			t.Errorf("%+v", f)
		}
	}
	var got []flat
	for _, l := range links {
		got = append(got, flat{l.Seller, l.Buyer, l.Kinds, l.Documents, l.AmountFen, graph.Date(l.First), graph.Date(l.Last)})
	}
	wantFirms, wantLinks := want(s)
	if d := cmp.Diff(wantFirms, ids) + cmp.Diff(wantLinks, got); d != "" {
		t.Error(d)
	}
}

func TestTablesAreReadBackWhole(t *testing.T) {
	t.Parallel()
	s := trade()
	wantFirms, wantLinks := want(s)
	for format, header := range map[export.Format]string{export.Neo4j: ":START_ID(Firm)", export.Nebula: "seller"} {
		dir := filepath.Join(t.TempDir(), "out")
		files, err := export.Write(t.Context(), s, format, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
		var ids []string
		for _, r := range read(t, filepath.Join(dir, "firms.csv"))[1:] {
			ids = append(ids, r[0])
		}
		rows := read(t, filepath.Join(dir, "links.csv"))
		if rows[0][0] != header {
			t.Errorf("header %v", rows[0])
		}
		if d := cmp.Diff(wantFirms, ids); d != "" {
			t.Error(d)
		}
		if len(rows)-1 != len(wantLinks) {
			t.Fatalf("%d links", len(rows)-1)
		}
		for i, r := range rows[1:] {
			w := wantLinks[i]
			if !slices.Equal([]string{r[0], r[1], r[2], r[5], r[6]}, []string{w.Seller, w.Buyer, w.Kinds, w.First, w.Last}) {
				t.Errorf("%v, want %+v", r, w)
			}
		}
	}
}

func read(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestNebulaConfigFitsItsFiles checks that every column named is there, and that the
// longest id fits.
func TestNebulaConfigFitsItsFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := export.Write(t.Context(), trade(), export.Nebula, dir); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join(dir, "importer.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	type column struct {
		Name  string
		Index int
	}
	var config struct {
		Sources []struct {
			Path string
			Tags []struct{ Props []column }
			// The ids of the ends have no name.
			Edges []struct {
				Src, Dst struct{ ID column }
				Props    []column
			}
		}
	}
	if err := yaml.Unmarshal(body, &config); err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Sources {
		header := read(t, filepath.Join(dir, s.Path))[0]
		for _, tag := range s.Tags {
			for _, c := range tag.Props {
				if header[c.Index] != c.Name {
					t.Errorf("%s: column %d is %s", s.Path, c.Index, header[c.Index])
				}
			}
		}
		for _, e := range s.Edges {
			if header[e.Src.ID.Index] != "seller" || header[e.Dst.ID.Index] != "buyer" {
				t.Errorf("%+v", e)
			}
			for _, c := range e.Props {
				if header[c.Index] != c.Name {
					t.Errorf("%s: column %d is %s", s.Path, c.Index, header[c.Index])
				}
			}
		}
	}
	if !strings.Contains(string(body), "FIXED_STRING(36)") {
		t.Error("the longest id has 36 bytes")
	}
}

func TestAFolderThatIsThereIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := export.Write(t.Context(), trade(), export.Parquet, dir); !errors.Is(err, export.ErrThere) || !errors.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if _, err := export.Write(t.Context(), trade(), "xml", filepath.Join(dir, "x")); !errors.Is(err, export.ErrFormat) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}
