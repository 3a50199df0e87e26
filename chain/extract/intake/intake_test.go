package intake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/extract"
	"github.com/furrowcredit/furrow/chain/extract/document"
	"github.com/furrowcredit/furrow/chain/extract/intake"
	"github.com/furrowcredit/furrow/chain/extract/rule"
	"github.com/furrowcredit/furrow/chain/party"
)

var now = time.Date(2026, 5, 31, 8, 0, 0, 0, time.UTC)

// firms is a register of one tenant.
type firms []chain.Party

func (f firms) Firms(_ context.Context, tenant string, q chain.PartyFilter) ([]chain.Party, error) {
	var out []chain.Party
	for _, p := range f {
		if tenant == "t" && p.ID > q.After {
			out = append(out, p)
		}
	}
	return out, nil
}

func (f firms) FirmsByUSCC(context.Context, string, []string) (map[string]chain.Party, error) {
	return nil, errors.New("not asked for")
}

func (f firms) FirmsByName(_ context.Context, tenant string, keys []string) (map[string][]chain.Party, error) {
	out := map[string][]chain.Party{}
	for _, p := range f {
		for _, name := range slices.Concat([]string{p.Name}, p.FormerNames, p.ShortNames) {
			if key := party.Normalise(name); tenant == "t" && slices.Contains(keys, key) {
				out[key] = append(out[key], p)
			}
		}
	}
	return out, nil
}

// books keeps what is saved; each key once.
type books struct {
	extract.Store
	claims map[string]extract.Claim
	err    error
}

func (b *books) SaveClaims(_ context.Context, claims []extract.Claim) (added int, err error) {
	for _, c := range claims {
		if _, there := b.claims[c.Key]; !there && b.err == nil {
			b.claims[c.Key] = c
			added++
		}
	}
	return added, b.err
}

func service(kept *books) *intake.Service {
	return intake.New(intake.Config{
		Reader: document.Reader{}, Extractor: rule.New(), Store: kept, Now: func() time.Time { return now },
		Firms: firms{
			{ID: "a", Name: "山东甲禾粮油有限公司", ShortNames: []string{"甲禾粮油"}}, {ID: "b", Name: "河南乙丰面业有限公司", FormerNames: []string{"河南旧丰面粉有限公司"}},
			{ID: "c1", Name: "丙谷米业有限公司"}, {ID: "c2", Name: "丙谷米业有限公司"},
			{ID: "d1", Name: "丁穗农场有限公司"}, {ID: "d2", Name: "丁穗农场有限公司", MergedInto: "d1"},
		},
	})
}

func TestTake(t *testing.T) {
	t.Parallel()
	kept := &books{claims: map[string]extract.Claim{}}
	s := service(kept)
	text := "山东甲禾粮油有限公司向河南旧丰面粉有限公司采购小麦。山东甲禾粮油有限公司向丙谷米业有限公司采购大米。" +
		"山东甲禾粮油有限公司向丁穗农场有限公司采购玉米。山东甲禾粮油有限公司向湖南戊田茶业有限公司采购茶叶。甲禾粮油（山东）有限公司向河南乙丰面业有限公司采购面粉。"
	r, err := s.Take(t.Context(), "t", "采购.txt", "", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range kept.claims {
		got[c.Fact.Head+" "+c.Fact.Tail] = c.HeadID + " " + c.TailID + " " + string(c.State) + " " + c.Reason
	}
	want := map[string]string{
		"河南旧丰面粉有限公司 山东甲禾粮油有限公司":   "b a accepted ", // by a former name
		"丙谷米业有限公司 山东甲禾粮油有限公司":     " a pending head_ambiguous",
		"丁穗农场有限公司 山东甲禾粮油有限公司":     "d1 a accepted ", // two that are one
		"湖南戊田茶业有限公司 山东甲禾粮油有限公司":   " a pending head_new",
		"河南乙丰面业有限公司 甲禾粮油（山东）有限公司": "b a accepted ", // written in another order
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r.Accepted != 3 || r.Waiting != 2 || r.Known != 0 || r.Kind != "text" || r.Outcome.Kept != 5 || len(r.SHA256) != 64 || len(r.Claims) != 5 {
		t.Errorf("%+v", r)
	}
	if again, err := s.Take(t.Context(), "t", "采购.txt", "", []byte(text)); err != nil || again.Known != 5 {
		t.Errorf("the same document again: %+v %v", again, err)
	}
	if other, err := s.Take(t.Context(), "other", "采购.txt", "", []byte(text)); err != nil || other.Accepted != 0 {
		t.Errorf("another tenant knows the firms: %+v %v", other, err)
	}
	if c := &s.Counters; c.Documents.Load() != 3 || c.Accepted.Load() != 3 || c.Refused.Load() != 0 {
		t.Error("counted", c.Documents.Load(), c.Accepted.Load(), c.Refused.Load())
	}
}

func TestNothingIsLostInSilence(t *testing.T) {
	t.Parallel()
	kept := &books{claims: map[string]extract.Claim{}}
	s := service(kept)
	r, err := s.Take(t.Context(), "t", "天气.txt", "", []byte("明天有雨，注意收麦。"))
	if err != nil || r.Outcome.Empty == "" || s.Counters.Empty.Load() != 1 {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := s.Take(t.Context(), "t", "x.pdf", "", nil); !errors.Is(err, document.ErrEmpty) || s.Counters.Refused.Load() != 1 {
		t.Error(err)
	}
	kept.err = errors.New("no disk")
	if _, err := s.Take(t.Context(), "t", "y.txt", "", []byte("山东甲禾粮油有限公司向河南乙丰面业有限公司采购小麦。")); !errors.Is(err, kept.err) {
		t.Error(err)
	}
}

// FuzzTake: whatever a text is, it is taken or refused with a reason.
func FuzzTake(f *testing.F) {
	f.Add("山东甲禾粮油有限公司向河南乙丰面业有限公司采购小麦。")
	f.Add("甲禾粮油\t乙丰面业\n")
	f.Fuzz(func(t *testing.T, text string) {
		kept := &books{claims: map[string]extract.Claim{}}
		r, err := service(kept).Take(t.Context(), "t", "x.txt", "", []byte(text))
		if err != nil {
			return
		}
		if r.Accepted+r.Waiting != r.Outcome.Kept || r.Outcome.Kept == 0 && r.Outcome.Empty == "" {
			t.Errorf("%+v", r)
		}
		for _, c := range r.Claims {
			if !strings.Contains(text, c.Fact.Quote) {
				t.Errorf("%q does not say %q", text, c.Fact.Quote)
			}
		}
	})
}
