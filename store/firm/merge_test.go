package firm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/furrowcredit/furrow/chain"
	parties "github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

// survivors returns for whom each firm counts.
func survivors(ctx context.Context, tb rapid.TB, s *firm.Store, ids []string) map[string]string {
	tb.Helper()
	firms, err := s.FirmsByID(ctx, "t", ids)
	if err != nil || len(firms) != len(ids) {
		tb.Fatal(err, len(firms))
	}
	out := map[string]string{}
	for _, p := range firms {
		out[p.ID] = p.Survivor()
	}
	return out
}

func change(firmID, otherID, by string, score float64) parties.Merge {
	return parties.Merge{
		Tenant: "t", FirmID: firmID, OtherID: otherID, ByID: by, ByName: "王" + by, At: now, Why: "looks the same", Score: score,
		Evidence: map[string]string{"name": "half width"},
	}
}

func TestMergeAndUndo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx, ids := firm.New(db), t.Context(), []string{"a", "b", "c"}
		if err := s.SaveFirms(ctx, []chain.Party{party("a", "", "甲厂"), party("b", "", "甲 厂"), party("c", "", "甲工厂")}); err != nil {
			t.Fatal(err)
		}
		before, err := s.Revision(ctx, "t")
		if err != nil {
			t.Fatal(err)
		}
		first, err := s.Merge(ctx, change("a", "b", "", 0.97)) // the machine keeps the older
		if err != nil {
			t.Fatal(err)
		}
		if after, err := s.Revision(ctx, "t"); err != nil || after == before {
			t.Error("a merge does not change the books", err)
		}
		if _, err := s.Merge(ctx, change("b", "a", "", 0.97)); !errors.Is(err, parties.ErrMergeDone) {
			t.Error(err)
		}
		if _, err := s.Merge(ctx, change("a", "c", "u", 0)); err != nil { // a person chooses
			t.Fatal(err)
		}
		if got := fmt.Sprint(survivors(ctx, t, s, ids)); got != "map[a:c b:c c:c]" {
			t.Error(got)
		}
		if _, err := s.Undo(ctx, parties.Merge{Tenant: "t", Undoes: first.ID, ByID: "u", ByName: "王", At: now}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(survivors(ctx, t, s, ids)); got != "map[a:c b:b c:c]" {
			t.Error(got)
		}
		if _, err := s.Undo(ctx, parties.Merge{Tenant: "t", Undoes: first.ID}); !errors.Is(err, parties.ErrMergeEnded) {
			t.Error(err)
		}
		log, err := s.History(ctx, "t", "a", 0)
		if err != nil || len(log) != 3 || log[0].Kind != parties.Undone || log[0].Undoes != first.ID || log[2].EndedBy != log[0].ID ||
			log[2].Evidence["name"] != "half width" || log[2].Score != 0.97 || log[2].Why != "looks the same" || !log[2].At.Equal(now) {
			t.Errorf("%v %+v", err, log)
		}
		for _, c := range []struct {
			m    parties.Merge
			want error
		}{
			{change("a", "a", "u", 0), parties.ErrMergeSelf},
			{change("a", "nobody", "u", 0), chain.ErrFirmNotFound},
		} {
			if _, err := s.Merge(ctx, c.m); !errors.Is(err, c.want) {
				t.Error(err)
			}
		}
		if _, err := s.Undo(ctx, parties.Merge{Tenant: "other", Undoes: first.ID}); !errors.Is(err, parties.ErrMergeNotFound) {
			t.Error(err)
		}
	})
}

// TestPersonWins: what a person decided holds against the machine, and a pair that is
// decided is not asked about again.
func TestPersonWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx, ids := firm.New(db), t.Context(), []string{"a", "b", "c", "d"}
		for _, id := range ids {
			if err := s.SaveFirms(ctx, []chain.Party{party(id, "", id)}); err != nil {
				t.Fatal(err)
			}
		}
		pairs := []parties.Pair{
			{FirmID: "b", OtherID: "a", Score: 0.6, Reasons: map[string]string{"core": "same"}, FoundAt: now},
			{FirmID: "a", OtherID: "d", Score: 0.8, FoundAt: now},
		}
		if err := s.Suggest(ctx, "t", pairs); err != nil {
			t.Fatal(err)
		}
		open, err := s.Suggestions(ctx, "t", 0)
		if err != nil || len(open) != 2 || open[0].OtherID != "d" || open[1].Reasons["core"] != "same" {
			t.Fatalf("%v %+v", err, open)
		}
		// a=b is sure, b=c less so: the split of a and c ends the latter.
		for _, m := range []parties.Merge{change("b", "a", "", 0.99), change("c", "b", "", 0.91)} {
			if _, err := s.Merge(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		split, err := s.Split(ctx, change("c", "a", "u", 0))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(survivors(ctx, t, s, ids)); got != "map[a:a b:a c:c d:d]" {
			t.Error(got)
		}
		for _, m := range []parties.Merge{change("c", "b", "", 1), change("c", "a", "", 1), change("b", "c", "u", 0)} {
			if _, err := s.Merge(ctx, m); !errors.Is(err, parties.ErrMergeDecided) {
				t.Errorf("%+v joins what a person parted: %v", m, err)
			}
		}
		if err := s.Suggest(ctx, "t", []parties.Pair{{FirmID: "a", OtherID: "c", Score: 1, FoundAt: now}}); err != nil {
			t.Fatal(err)
		}
		if open, err := s.Suggestions(ctx, "t", 0); err != nil || len(open) != 1 || open[0].OtherID != "d" {
			t.Errorf("%v %+v", err, open)
		}
		if _, err := s.Undo(ctx, parties.Merge{Tenant: "t", Undoes: split.ID, ByID: "u", At: now}); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(survivors(ctx, t, s, ids)); got != "map[a:a b:a c:a d:d]" {
			t.Error(got)
		}
		// Two people's merges hold c to a; nobody's split of the ends may cut them.
		for _, m := range []parties.Merge{change("b", "a", "u", 0), change("d", "b", "u", 0)} {
			if _, err := s.Merge(ctx, m); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Split(ctx, change("d", "a", "u2", 0)); !errors.Is(err, parties.ErrMergeDecided) {
			t.Error(err)
		}
		if _, err := s.Split(ctx, change("d", "b", "u2", 0)); err != nil {
			t.Errorf("a person cannot change what people said of the very two: %v", err)
		}
	})
}

// TestMergesKeepClusters: whatever is merged, split and undone, each firm is in one
// cluster, whose survivor counts for itself and is held to it by merges; and undoing
// the last change restores what was before.
func TestMergesKeepClusters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if db.Kind() != "sqlite" {
			t.Skip("hundreds of sequences take half a minute; the SQL is that of the tests above")
		}
		ctx, run := t.Context(), 0
		rapid.Check(t, func(t *rapid.T) {
			run++
			s := firm.New(db)
			var ids []string
			for i := range 6 {
				ids = append(ids, fmt.Sprintf("%06d-%d", run, i))
				if err := s.SaveFirms(ctx, []chain.Party{party(ids[i], "", "")}); err != nil {
					t.Fatal(err)
				}
			}
			var log []parties.Merge
			for range rapid.IntRange(1, 8).Draw(t, "changes") {
				was := survivors(ctx, t, s, ids)
				m := change(rapid.SampledFrom(ids).Draw(t, "firm"), rapid.SampledFrom(ids).Draw(t, "other"),
					rapid.SampledFrom([]string{"", "", "u"}).Draw(t, "by"), rapid.Float64Range(0, 1).Draw(t, "score"))
				var (
					done parties.Merge
					err  error
				)
				switch what := rapid.SampledFrom([]string{"merge", "merge", "split", "undo"}).Draw(t, "what"); {
				case what == "merge":
					done, err = s.Merge(ctx, m)
				case what == "split":
					m.ByID = "u"
					done, err = s.Split(ctx, m)
				case len(log) > 0:
					m.Undoes = rapid.SampledFrom(log).Draw(t, "undoes").ID
					done, err = s.Undo(ctx, m)
				default:
					continue
				}
				now := survivors(ctx, t, s, ids)
				if err != nil {
					if !maps.Equal(was, now) {
						t.Fatalf("%v changed %v to %v", err, was, now)
					}
					continue
				}
				sound(ctx, t, s, ids, now)
				log = append(log, done)
				if done.Kind != parties.Undone && rapid.Bool().Draw(t, "take back") {
					if _, err := s.Undo(ctx, parties.Merge{Tenant: "t", Undoes: done.ID, ByID: "u", At: done.At}); err != nil {
						t.Fatalf("undoing the last change: %v", err)
					}
					if again := survivors(ctx, t, s, ids); !maps.Equal(was, again) {
						t.Fatalf("%s of %s and %s undone: %v, was %v", done.Kind, done.FirmID, done.OtherID, again, was)
					}
				}
			}
		})
	})
}

func sound(ctx context.Context, t *rapid.T, s *firm.Store, ids []string, survivor map[string]string) {
	for id, to := range survivor {
		if survivor[to] != to {
			t.Fatalf("%s counts for %s, which counts for %s", id, to, survivor[to])
		}
	}
	held := map[string]string{}
	for _, id := range ids {
		held[id] = id
	}
	seen := map[string]bool{}
	for _, id := range ids {
		log, err := s.History(ctx, "t", id, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range log {
			if m.Kind != parties.Merged || m.EndedBy != "" || seen[m.ID] {
				continue
			}
			seen[m.ID] = true
			from, to := held[m.FirmID], held[m.OtherID]
			for k, v := range held {
				if v == from {
					held[k] = to
				}
			}
		}
	}
	for _, a := range ids {
		for _, b := range ids {
			if (held[a] == held[b]) != (survivor[a] == survivor[b]) {
				t.Fatalf("merges say %v, survivors say %v", held, survivor)
			}
		}
	}
}
