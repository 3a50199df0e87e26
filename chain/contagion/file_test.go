package contagion_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/internal/realdata"
)

// The published index of a small network, firm by firm, from the published files.
func TestIndexOfThePublishedNetwork(t *testing.T) {
	t.Parallel()
	dir := realdata.Dir(t, "chain", "esri")
	f, err := os.Open(filepath.Join(dir, "test_list.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reg, links, err := contagion.ReadLinks(contagion.Source{Name: "links", R: f}, nil, contagion.NewInputs(contagion.Useful))
	if err != nil {
		t.Fatal(err)
	}
	net, err := contagion.NewNetwork(reg.Firms, links)
	if err != nil {
		t.Fatal(err)
	}
	index, converged, err := net.Each(t.Context(), contagion.Params{}, nil)
	if err != nil || converged != 13 || net.Len() != 13 {
		t.Fatal(err, converged, net.Len())
	}
	want := readIndex(t, filepath.Join(dir, "test_esri.csv"))
	for i, got := range index {
		id := net.Firm(uint32(i)).ID
		if w, ok := want[id]; !ok || math.Abs(got-w) > 1e-12 {
			t.Errorf("%s: %.15f, want %.15f", id, got, w)
		}
	}
}

func readIndex(t *testing.T, path string) map[string]float64 {
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
	out := map[string]float64{}
	for _, r := range rows[1:] {
		if out[r[0]], err = strconv.ParseFloat(r[1], 64); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// readAll reads firms (when given) and links as the command does.
func readAll(firms, links, inputs string) (*contagion.Network, error) {
	rule := contagion.NewInputs(contagion.Useful)
	var err error
	if inputs != "" {
		if rule, err = contagion.ReadInputs(strings.NewReader(inputs), "inputs.csv", contagion.Useful); err != nil {
			return nil, err
		}
	}
	var reg *contagion.Register
	if firms != "" {
		if reg, err = contagion.ReadFirms(contagion.Source{Name: "firms.csv", R: strings.NewReader(firms)}); err != nil {
			return nil, err
		}
	}
	reg, list, err := contagion.ReadLinks(contagion.Source{Name: "links.csv", R: strings.NewReader(links)}, reg, rule)
	if err != nil {
		return nil, err
	}
	return contagion.NewNetwork(reg.Firms, list)
}

// What is wrong with a file is said with file, line and column.
func TestBadFilesSayWhere(t *testing.T) {
	t.Parallel()
	const good = "supplier,buyer,amount\nA,B,1\n"
	for _, c := range []struct {
		name, firms, links, inputs, place string
		want                              error
	}{
		{"empty", "", "", "", "links.csv", contagion.ErrFile},
		{"quote in the head", "", "supplier,\"buyer\"s,amount\nA,B,1\n", "", "links.csv:1:", contagion.ErrFile},
		{"no column", "", "supplier,amount\nA,1\n", "", "links.csv:1", contagion.ErrColumn},
		{"negative", "", "supplier,buyer,amount\nA,B,1\nA,C,-2\n", "", "links.csv:3:5", contagion.ErrCell},
		{"no number", "", "supplier,buyer,amount\nA,B,NaN\n", "", "links.csv:2:5", contagion.ErrCell},
		{"infinite", "", "supplier,buyer,amount\nA,B,1e999\n", "", "links.csv:2:5", contagion.ErrCell},
		{"no amount", "", "supplier,buyer,amount\nA,B,\n", "", "links.csv:2:5", contagion.ErrCell},
		{"itself", "", "supplier,buyer,amount\nA,A,1\n", "", "links.csv:2:3", contagion.ErrSelf},
		{"unknown", "id\nA\n", good, "", "links.csv:2:3", contagion.ErrFirm},
		{"nobody", "", "supplier,buyer,amount\n,B,1\n", "", "links.csv:2:1", contagion.ErrCell},
		{"twice", "id\nA\nB\nA\n", good, "", "firms.csv:4:1", contagion.ErrTwice},
		{"negative size", "id,size\nA,-1\n", good, "", "firms.csv:2:3", contagion.ErrCell},
		{"owner in a circle", "id,owner\nA,B\nB,C\nC,B\n", good, "", "firms.csv:3:3", contagion.ErrOwners},
		{"owns itself", "id,owner\nB,\nA,A\n", good, "", "firms.csv:3:3", contagion.ErrOwners},
		{"unknown owner", "id,owner\nA,B\nB,X\n", good, "", "firms.csv:3:3", contagion.ErrFirm},
		{"need", "", "supplier,buyer,amount,essential\nA,B,1,maybe\n", "", "links.csv:2:7", contagion.ErrCell},
		{"class", "", "supplier,buyer,amount,type\nA,B,1,3\n", "", "links.csv:2:7", contagion.ErrCell},
		{"two sectors", "", "supplier,buyer,amount,supplier_sector\nA,B,1,s\nA,C,1,t\n", "", "links.csv:3:7", contagion.ErrCell},
		{"mixed", "", "supplier,buyer,amount\n青穗,B,1\n\xc4\xe3,B,1\n", "", "links.csv", contagion.ErrFile},
		{"neither", "", "supplier,buyer,amount\n\xff,B,1\n", "", "links.csv", contagion.ErrFile},
		{"a workbook", "", "PK\x03\x04", "", "links.csv", contagion.ErrFile},
		{"ragged", "", "supplier,buyer,amount\nA,B\n", "", "links.csv:2", contagion.ErrFile},
		{"inputs twice", "", good, "supplier_sector,buyer_sector,essential\na,b,yes\na,b,no\n", "inputs.csv:3:1", contagion.ErrCell},
		{"inputs of nobody", "", good, "supplier_sector,buyer_sector,essential\n,b,yes\n", "inputs.csv:2:1", contagion.ErrCell},
	} {
		_, err := readAll(c.firms, c.links, c.inputs)
		var f *fault.Error
		if !errors.Is(err, c.want) || !errors.Is(err, fault.Invalid) || !errors.As(err, &f) || !strings.HasPrefix(f.Place, c.place) {
			t.Errorf("%s: %v, want it at %s", c.name, err, c.place)
		}
	}
}

func TestBadDebtsSayWhere(t *testing.T) {
	t.Parallel()
	const assets = "id,external\nA,1\nB,2\n"
	for _, c := range []struct{ name, assets, debts, place string }{
		{"negative assets", "id,external\nA,-1\n", "debtor,creditor,amount\n", "a.csv:2:3"},
		{"twice", "id,external\nA,1\nA,1\n", "debtor,creditor,amount\n", "a.csv:3:1"},
		{"unknown", assets, "debtor,creditor,amount\nA,B,1\nA,X,1\n", "d.csv:3:3"},
		{"itself", assets, "debtor,creditor,amount\nA,A,1\n", "d.csv:2:3"},
		{"negative", assets, "debtor,creditor,amount\nA,B,-1\n", "d.csv:2:5"},
		{"no amount", assets, "debtor,creditor,amount\nA,B,\n", "d.csv:2:5"},
		{"no column", assets, "debtor,amount\n", "d.csv:1"},
	} {
		b, err := contagion.ReadBalances(contagion.Source{Name: "a.csv", R: strings.NewReader(c.assets)})
		if err == nil {
			_, err = contagion.ReadDebts(contagion.Source{Name: "d.csv", R: strings.NewReader(c.debts)}, b.Register)
		}
		var f *fault.Error
		if !errors.Is(err, fault.Invalid) || !errors.As(err, &f) || f.Place != c.place {
			t.Errorf("%s: %v, want it at %s", c.name, err, c.place)
		}
	}
	if _, err := contagion.ReadLoans(contagion.Source{Name: "l.csv", R: strings.NewReader("loan,firm,outstanding\nL,A,x\n")}); err == nil || !strings.HasPrefix(err.Error(), "l.csv:2:5") {
		t.Error(err)
	}
}

// The longest code that fits decides, the supplier's before the buyer's.
func TestInputsByPrefix(t *testing.T) {
	t.Parallel()
	in, err := contagion.ReadInputs(strings.NewReader("supplier_sector,buyer_sector,essential\n"+
		"C36,*,yes\nC3670,C38,negligible\n*,C38,no\nA,A0111,essential\n"), "inputs.csv", contagion.Negligible)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, pair := range [][2]string{{"C3612", "C38"}, {"C3670", "C3812"}, {"C3670", "A"}, {"B06", "C3812"}, {"A01", "A0111"}, {"A01", "A0112"}, {"", ""}} {
		got += fmt.Sprintf("%s>%s %s\n", pair[0], pair[1], in.Need(pair[0], pair[1]))
	}
	want := "C3612>C38 essential\nC3670>C3812 negligible\nC3670>A essential\nB06>C3812 non_essential\nA01>A0111 essential\nA01>A0112 negligible\n> negligible\n"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// An owner's trouble is that of what it owns, when asked for.
func TestGroupStrikesWhatIsOwned(t *testing.T) {
	t.Parallel()
	net, err := readAll("id,owner\nA,\nB,A\nC,B\nD,\n", "supplier,buyer,amount\nA,D,1\nB,D,1\n", "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := net.Group([]contagion.Shock{{FirmID: "A", Part: .5}, {FirmID: "C", Part: .8}})
	want := []contagion.Shock{{FirmID: "A", Part: .5}, {FirmID: "B", Part: .5}, {FirmID: "C", Part: .8}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
}

// What is not seen of a firm's sales goes on: who sells a tenth to the anchor loses a
// tenth.
func TestSizeDilutesTheShock(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]float64{"0": 1, "5": 1, "100": 0.1} {
		net, err := readAll("id,size\nS,"+size+"\nanchor,\n", "supplier,buyer,amount\nS,anchor,10\n", "")
		if err != nil {
			t.Fatal(err)
		}
		res, err := net.Run(t.Context(), []contagion.Shock{{FirmID: "anchor", Part: 1}}, contagion.Params{})
		if err != nil {
			t.Fatal(err)
		}
		if l, err := res.Of("S"); err != nil || math.Abs(l.Loss-want) > 1e-12 {
			t.Errorf("size %s: %+v %v", size, l, err)
		}
	}
}

func FuzzReadLinks(f *testing.F) {
	f.Add("id,sector,size,owner\nA,s,1,\nB,t,2,A\n", "supplier,buyer,amount,essential\nA,B,3,yes\n", "supplier_sector,buyer_sector,essential\ns,t,no\n")
	f.Add("", "\ufeffseller,customer,weight,type,supplierNACE,customerNACE\nA,B,1,2,s,t\n", "")
	f.Add("id\n\"A\n", "supplier,buyer,amount\nA,\"B\",1e308\nB,A,1e308\n", "")
	f.Fuzz(func(t *testing.T, firms, links, inputs string) {
		net, err := readAll(firms, links, inputs)
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Fatalf("an error that helps nobody: %v", err)
			}
			return
		}
		if net.Len() == 0 {
			return
		}
		res, err := net.Run(t.Context(), []contagion.Shock{{FirmID: net.Firm(0).ID, Part: 1}}, contagion.Params{MaxRounds: 50})
		if err != nil || !(res.Part >= 0 && res.Part <= 1) {
			t.Fatal(err, res)
		}
	})
}

func FuzzReadDebts(f *testing.F) {
	f.Add("id,external,outside,equity\nA,1,2,3\nB,0,,\n", "debtor,creditor,amount\nA,B,1\n", "loan,firm,outstanding\nL,A,1.50\n")
	f.Fuzz(func(t *testing.T, assets, debts, loans string) {
		if _, err := contagion.ReadLoans(contagion.Source{Name: "l", R: strings.NewReader(loans)}); err != nil && !errors.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		b, err := contagion.ReadBalances(contagion.Source{Name: "a", R: strings.NewReader(assets)})
		if err == nil {
			_, err = contagion.ReadDebts(contagion.Source{Name: "d", R: strings.NewReader(debts)}, b.Register)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}
