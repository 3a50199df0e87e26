package trade_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/chain/flow"
	"github.com/furrowcredit/furrow/chain/network"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim/trade"
)

var end = time.Date(2026, 5, 31, 15, 0, 0, 0, time.UTC)

func TestFirmsAreMadeUp(t *testing.T) {
	t.Parallel()
	tr, err := trade.Make(1, end)
	if err != nil {
		t.Fatal(err)
	}
	codes, names := map[string]bool{}, map[string]bool{}
	for _, f := range slices.Concat(tr.Anchors, tr.Firms, tr.Dealers) {
		if v := party.Check(f.USCC); v.Status != party.Valid {
			t.Errorf("%s: %s", f.USCC, v.Detail)
		}
		if n := party.Split(f.Name); n.Region != trade.County || n.Core == "" || n.Form == "" {
			t.Errorf("%s splits to %+v", f.Name, n)
		}
		codes[f.USCC], names[party.Normalise(f.Name)] = true, true
	}
	if all := 2 + trade.Firms + trade.Dealers; len(codes) != all || len(names) != all {
		t.Errorf("%d codes and %d names", len(codes), len(names))
	}
}

// TestTruth uploads everything and looks: what is planted is found, nothing else.
func TestTruth(t *testing.T) {
	t.Parallel()
	for seed, end := range map[uint64]time.Time{20260: end, 7: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)} {
		tr, err := trade.Make(seed, end)
		if err != nil {
			t.Fatal(err)
		}
		ctx, m, now := t.Context(), &chaintest.Memory{}, func() time.Time { return end }
		for i, a := range tr.Anchors {
			p := chain.Party{ID: a.USCC, Tenant: "t", Name: a.Name, NameKey: party.Normalise(a.Name), USCC: a.USCC, AnchorOf: true, CreatedAt: end}
			if err := m.SaveFirms(ctx, []chain.Party{p}); err != nil {
				t.Fatal(i, err)
			}
		}
		desk := upload.New(upload.Config{Store: m, Now: now})
		documents := 0
		for _, f := range tr.Files {
			who := upload.Who{Tenant: "t", AnchorID: tr.Anchors[f.Anchor].USCC}
			u, err := desk.Check(ctx, who, f.Kind, f.Name, f.Body)
			if err != nil || u.Good != f.Rows || len(u.Errors) != 0 || f.Rows == 0 {
				t.Fatalf("%s: %v good %d of %d, %+v", f.Name, err, u.Good, f.Rows, u.Errors)
			}
			if _, err := desk.Commit(ctx, who, u.ID, false); err != nil {
				t.Fatal(err)
			}
			documents += f.Rows
		}
		if u, err := desk.Check(ctx, upload.Who{Tenant: "t", AnchorID: tr.Anchors[0].USCC}, tr.Draft.Kind, tr.Draft.Name, tr.Draft.Body); err != nil || u.Bad != tr.Draft.Bad || u.Bad != 4 {
			t.Errorf("draft: %v %+v", err, u)
		}
		firms, err := m.Firms(ctx, "t", chain.PartyFilter{Limit: 1000})
		twins := slices.DeleteFunc(slices.Clone(tr.Truth.Aliases), func(a trade.Alias) bool { return !a.Twin })
		if want := 2 + trade.Firms + trade.Dealers + len(twins); err != nil || len(firms) != want || len(twins) != 4 || len(tr.Truth.Aliases) != 5 {
			t.Errorf("%d firms in the books instead of %d, %v", len(firms), want, err)
		}
		suggested(t, firms, twins)
		code := map[string]string{}
		for _, f := range firms {
			code[f.ID] = f.USCC
		}
		flows := flow.NewNetwork(m, network.New(m, network.Options{Now: now}), now)
		found, err := flows.Findings(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != 3 || found[0].Kind != chain.InvoiceReused || found[1].Kind != chain.CircularTrade || found[2].Kind != chain.RelatedParties {
			t.Fatalf("seed %d: %+v", seed, found)
		}
		if f := found[2]; code[f.FirmIDs[0]] != tr.Truth.Related.Firms[0] || code[f.FirmIDs[1]] != tr.Truth.Related.Firms[1] || f.Evidence["ties"] != "phone, address" || len(f.Documents) == 0 {
			t.Errorf("%+v", f)
		}
		if f := found[0]; code[f.FirmIDs[0]] != tr.Truth.Reused.Seller || f.Documents[0].Number != tr.Truth.Reused.Number || len(f.Documents) != 2 {
			t.Errorf("%+v", f)
		}
		var ring, invoices []string
		for _, id := range found[1].FirmIDs {
			ring = append(ring, code[id])
		}
		for _, d := range found[1].Documents {
			invoices = append(invoices, d.Number)
		}
		slices.Sort(ring)
		if d := cmp.Diff(slices.Sorted(slices.Values(tr.Truth.Circle.Firms)), ring) + cmp.Diff(tr.Truth.Circle.Invoices, invoices); d != "" {
			t.Error(d)
		}
		for i, a := range tr.Anchors {
			var invoiced, sold money.Fen
			links, err := m.Links(ctx, "t", a.USCC)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range links {
				if l.SellerID == a.USCC {
					sold += l.Invoiced
				} else {
					invoiced += l.Invoiced
				}
			}
			if truth := tr.Truth.Totals[i]; invoiced != truth.Invoiced || sold != truth.Sold || sold == 0 {
				t.Errorf("anchor %d: %s bought and %s sold, truth %+v", i, invoiced, sold, truth)
			}
		}
		if seed != 20260 {
			continue
		}
		statuses := map[trade.Profile]map[string]int{}
		for _, f := range tr.Firms {
			p, err := m.FirmByUSCC(ctx, "t", f.USCC)
			if err != nil {
				t.Fatal(err)
			}
			s, err := flows.Standing(ctx, "t", p.ID)
			if err != nil {
				t.Fatal(err)
			}
			if statuses[f.Profile] == nil {
				statuses[f.Profile] = map[string]int{}
			}
			statuses[f.Profile][s.Status]++
			if f.Profile != trade.Listed && (len(s.Anchors) == 0 || s.Anchors[0].Tier != f.Tier) {
				t.Errorf("%s of tier %d: %+v", f.Name, f.Tier, s.Anchors)
			}
		}
		t.Logf("seed %d: %d documents, standing by profile %v", seed, documents, statuses)
		if s := statuses[trade.Steady]; s["known"] < 100 || s["unknown"] > 0 {
			t.Errorf("steady firms stand %v", s)
		}
		if s := statuses[trade.Listed]; s["known"]+s["low_confidence"] > 0 {
			t.Errorf("firms without documents stand %v", s)
		}
		for _, p := range []trade.Profile{trade.Ring, trade.Reuser} {
			if s := statuses[p]; s["known"] > 0 || s["low_confidence"] == 0 {
				t.Errorf("%s firms stand %v", p, s)
			}
		}
	}
}

// suggested holds the pairs that a person is asked about against those that were planted.
func suggested(t *testing.T, firms []chain.Party, twins []trade.Alias) {
	t.Helper()
	pairs, err := party.FindTwins(t.Context(), firms, len(firms), end)
	if err != nil {
		t.Fatal(err)
	}
	name, uscc := map[string]string{}, map[string]string{}
	for _, f := range firms {
		name[f.ID], uscc[f.ID] = f.Name, f.USCC
	}
	got, want := []string{}, []string{}
	for _, p := range pairs {
		a, b := p.FirmID, p.OtherID
		if uscc[a] == "" {
			a, b = b, a
		}
		got = append(got, uscc[a]+" "+name[b])
	}
	for _, a := range twins {
		want = append(want, a.USCC+" "+a.Name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("suggested pairs: %s", d)
	}
}

func TestSameSeedSameFiles(t *testing.T) {
	t.Parallel()
	a, err := trade.Make(3, end)
	if err != nil {
		t.Fatal(err)
	}
	b, err := trade.Make(3, end)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a.Truth, b.Truth, cmp.AllowUnexported(trade.Firm{})); d != "" {
		t.Error(d)
	}
	for i := range a.Files {
		if a.Files[i].Anchor == 1 && !bytes.Equal(a.Files[i].Body, b.Files[i].Body) {
			t.Errorf("%s differs", a.Files[i].Name)
		}
	}
	dir := t.TempDir()
	if err := a.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"truth.json", "anchor1/suppliers.xlsx", "anchor2/payments.csv"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}
