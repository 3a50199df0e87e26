package firm_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/store"
	"github.com/furrowcredit/furrow/store/firm"
	"github.com/furrowcredit/furrow/store/storetest"
)

func TestFingerprints(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := firm.New(db), t.Context()
		day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
		var all []chain.Fingerprint
		var hashes []string
		for i := range 450 {
			hashes = append(hashes, fmt.Sprintf("%064x", i))
			all = append(all, chain.Fingerprint{Hash: hashes[i], Publisher: "甲", Published: day})
		}
		other := chain.Fingerprint{Hash: hashes[7], Publisher: "乙", Published: day.AddDate(0, 0, 1)}
		for _, c := range []struct {
			tenant string
			list   []chain.Fingerprint
			want   int
		}{{"t", append(all, all[3]), 450}, {"t", append(all[:10:10], other), 1}, {"other", all[:5], 5}, {"t", nil, 0}} {
			if n, err := s.SaveFingerprints(ctx, c.tenant, c.list); err != nil || n != c.want {
				t.Errorf("%d of %d added, want %d: %v", n, len(c.list), c.want, err)
			}
		}
		again := all[7]
		again.Published = day.AddDate(1, 0, 0)
		if n, err := s.SaveFingerprints(ctx, "t", []chain.Fingerprint{again}); err != nil || n != 0 {
			t.Error("published twice", n, err)
		}
		got, err := s.Fingerprints(ctx, "t", []string{hashes[7], strings.Repeat("f", 64), hashes[7]})
		if d := cmp.Diff([]chain.Fingerprint{other, all[7]}, got); err != nil || d != "" {
			t.Error(err, d)
		}
		if got, err := s.Fingerprints(ctx, "t", hashes); err != nil || len(got) != 451 {
			t.Error(len(got), err)
		}
		if got, err := s.Fingerprints(ctx, "other", hashes[5:]); err != nil || len(got) != 0 {
			t.Error(len(got), err)
		}
	})
}
