package collateral_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/storetest"
)

// Whatever is done in whatever order, with bookings that fail in between: no release or
// substitution breaks the cover, the memo accounts hold what the register does, nothing is
// held twice, every event is provable, and no fen of proceeds is made or lost.
func TestRandomActsKeepTheCover(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "furrow.db"))
	var n atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, db, fmt.Sprintf("bank-%d", n.Add(1)))
		herdID := ident.New()
		refs := w.herd(herdID, 8, 1_000_000)
		apps := []string{
			w.sign("herd_release", herdSubject(herdID), refs[:4], money.Fen(rapid.IntRange(0, 3_000_000).Draw(rt, "owed"))),
			w.sign("herd", herdSubject(herdID+"-2"), refs[4:5], 500_000),
		}
		var proceeds money.Fen
		acts := rapid.IntRange(3, 14).Draw(rt, "acts")
		for range acts {
			app := rapid.SampledFrom(apps).Draw(rt, "application")
			before := w.pool(app)
			held := before.Holds()
			var some []string
			for _, a := range held {
				if rapid.Bool().Draw(rt, "chosen") {
					some = append(some, a.ID)
				}
			}
			var take []collateral.Named
			for _, r := range refs {
				if rapid.IntRange(0, 3).Draw(rt, "taken") == 0 {
					take = append(take, collateral.Named{Kind: collateral.Animal, Ref: r, Parent: herdID})
				}
			}
			kind := rapid.SampledFrom([]string{"pledge", "release", "substitute", "sale", "realise", "loss", "worth", "repay", "days", "fail", "died"}).Draw(rt, "act")
			act := collateral.PoolAct{Kind: collateral.EventKind(kind), Assets: some, Take: take, Note: "x", Payer: "market"}
			var err error
			switch kind {
			case "worth":
				w.worth(rapid.SampledFrom(refs).Draw(rt, "animal"), money.Fen(rapid.IntRange(0, 2_000_000).Draw(rt, "low")))
				err = w.svc.HerdChanged(context.Background(), w.tenant, herdID)
			case "died":
				w.reason(rapid.SampledFrom(refs).Draw(rt, "animal"), collateral.Died)
				err = w.svc.HerdChanged(context.Background(), w.tenant, herdID)
			case "repay":
				w.mu.Lock()
				list := w.debts[app]
				list[0].Owed -= list[0].Owed * money.Fen(rapid.IntRange(0, 100).Draw(rt, "share")) / 100
				w.mu.Unlock()
				err = w.svc.LoanChanged(context.Background(), w.tenant, app)
			case "days":
				w.day(rapid.IntRange(1, 12).Draw(rt, "days"))
				err = w.svc.DayEnd(context.Background(), w.tenant)
			case "fail":
				w.fails = 1
				continue
			case "sale", "realise":
				act.Gross = money.Fen(rapid.IntRange(1, 3_000_000).Draw(rt, "gross"))
				if kind == "realise" {
					act.Costs = money.Fen(rapid.IntRange(0, 100_000).Draw(rt, "costs"))
				}
				_, err = w.do(app, act)
			default:
				_, err = w.do(app, act)
			}
			var f *fault.Error
			if err != nil && !errors.As(err, &f) {
				rt.Fatalf("%s: %v", kind, err)
			}
			after := w.pool(app)
			for _, x := range after.Proceeds[len(before.Proceeds):] {
				proceeds += x.Net()
			}
			check(rt, w, kind, err, before, after)
		}
		w.fails = 0
		if err := w.svc.DayEnd(context.Background(), w.tenant); err != nil {
			rt.Fatal(err)
		}
		var got money.Fen
		for _, x := range w.got {
			got += x
		}
		for _, x := range w.sent {
			got += x
		}
		if got != proceeds {
			rt.Fatalf("%s came in and %s reached loans and borrowers", proceeds, got)
		}
		once(rt, db, w.tenant)
		w.sound()
	})
}

// check says what an act may do to a pool. One that ended with errLine is kept: what it
// answered is that earlier proceeds have not reached their loan yet.
func check(rt *rapid.T, w *world, kind string, err error, before, after collateral.Pool) {
	d, _ := w.Debts(context.Background(), "", after.ApplicationID)
	var owed money.Fen
	for _, x := range d {
		owed += x.Owed
	}
	b, a := collateral.Measure(before, owed), collateral.Measure(after, owed)
	switch {
	case err != nil && !errors.Is(err, errLine) && (kind == "release" || kind == "substitute" || kind == "pledge") && a.Value != b.Value:
		rt.Fatalf("a refused %s moved %s to %s", kind, b.Value, a.Value)
	case err == nil && kind == "release" && owed > 0 && (a.Value*10_000 < owed*money.Fen(after.Terms.ReleaseBP) || a.Shortfall > 0):
		rt.Fatalf("after a release %s stays for %s", a.Value, owed)
	case err == nil && kind == "substitute" && (a.Value < b.Value || a.Advance < b.Advance):
		rt.Fatalf("a substitution took %s for %s", a.Value, b.Value)
	case owed > 0 && a.Shortfall > 0 && after.Call == nil && err == nil && kind != "worth" && kind != "died":
		rt.Fatalf("%s is missing and nobody was called", a.Shortfall)
	}
	for _, x := range collateral.Releasable(after, owed) {
		if collateral.FirstRepay(after, owed, []string{x.ID}) > 0 {
			rt.Fatalf("%s may leave, and may not", x.Label)
		}
	}
}

// once says that no animal is held twice, in the register and by itself.
func once(rt *rapid.T, db *store.DB, tenant string) {
	for _, q := range []string{
		`select ref from collateral_hold where tenant = $1 and ended_at is null order by ref`,
		`select animal_id from pledge where tenant = $1 and until is null order by animal_id`,
	} {
		list, err := store.Collect(context.Background(), db, func(r store.Row) (s string, err error) { return s, r.Scan(&s) }, q, tenant)
		if err != nil {
			rt.Fatal(err)
		}
		if len(slices.Compact(slices.Clone(list))) != len(list) {
			rt.Fatalf("held twice: %v", list)
		}
	}
}
