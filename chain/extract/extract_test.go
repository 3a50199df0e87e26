package extract_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/furrowcredit/furrow/chain/extract"
)

func ExampleVerify() {
	d := extract.Document{Text: "甲禾向乙丰采购小麦。"}
	var o extract.Outcome
	facts := extract.Verify(d, []extract.Fact{
		{Head: "乙丰", Relation: extract.Supply, Tail: "甲禾", Quote: "甲禾向乙丰采购小麦", Start: -1, Confidence: 0.8},
		{Head: "丙谷", Relation: extract.Supply, Tail: "甲禾", Quote: "甲禾向乙丰采购小麦", Confidence: 0.8},
	}, &o)
	fmt.Println(len(facts), facts[0].Start, o.Dropped)
	// Output: 1 0 map[head:1]
}

func TestVerify(t *testing.T) {
	t.Parallel()
	d := extract.Document{Text: "甲禾向乙丰采购小麦。乙丰向甲禾供货。", Subject: "丁穗农业"}
	good := extract.Fact{Head: "乙丰", Relation: extract.Supply, Tail: "甲禾", Quote: "甲禾向乙丰采购小麦", Start: 0, End: len("甲禾向乙丰采购小麦"), Confidence: 0.8}
	change := func(f func(*extract.Fact)) extract.Fact {
		g := good
		f(&g)
		return g
	}
	for name, c := range map[string]struct {
		fact   extract.Fact
		reason string
	}{
		"good":                 {good, ""},
		"a relation it made":   {change(func(f *extract.Fact) { f.Relation = "friend" }), "relation"},
		"a head it made":       {change(func(f *extract.Fact) { f.Head = "丙谷" }), "head"},
		"no tail":              {change(func(f *extract.Fact) { f.Tail = " " }), "tail"},
		"with itself":          {change(func(f *extract.Fact) { f.Tail = "乙丰" }), "self"},
		"no quote":             {change(func(f *extract.Fact) { f.Quote = "" }), "quote"},
		"a quote it made":      {change(func(f *extract.Fact) { f.Quote = "甲禾向乙丰买小麦" }), "quote"},
		"a place far out":      {change(func(f *extract.Fact) { f.Start, f.End = 5000, 6000 }), ""},
		"a place between":      {change(func(f *extract.Fact) { f.Start, f.End = 1, 3 }), ""},
		"the subject is known": {change(func(f *extract.Fact) { f.Tail = "丁穗农业" }), ""},
	} {
		var o extract.Outcome
		kept := extract.Verify(d, []extract.Fact{c.fact}, &o)
		if c.reason != "" && (len(kept) != 0 || o.Dropped[c.reason] != 1) || c.reason == "" && (len(kept) != 1 || d.Text[kept[0].Start:kept[0].End] != kept[0].Quote) {
			t.Errorf("%s: %+v %+v", name, kept, o)
		}
	}
	var o extract.Outcome
	surer := change(func(f *extract.Fact) { f.Confidence = 0.9 })
	if kept := extract.Verify(d, []extract.Fact{good, surer}, &o); len(kept) != 1 || kept[0].Confidence != 0.9 || o.Dropped["double"] != 1 || o.Found != 2 {
		t.Errorf("%+v %+v", kept, o)
	}
}

type fails struct{}

func (fails) Resolve(context.Context, string, string) (extract.Match, error) {
	return extract.Match{}, errors.New("the store is down")
}

type all map[string]extract.Match

func (a all) Resolve(_ context.Context, _, name string) (extract.Match, error) { return a[name], nil }

func TestClaims(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 20, 8, 0, 0, 0, time.UTC)
	d := extract.Document{Name: "a", SHA256: "1", Text: "甲乙"}
	firms := all{
		"甲": {Status: extract.Known, FirmID: "a", Score: 1}, "乙": {Status: extract.Known, FirmID: "b", Score: 1}, "丙": {Status: extract.New},
		"丁": {Status: extract.Ambiguous, Score: 0.5}, "戊": {Status: extract.Known, FirmID: "e", Score: 0.7}, "甲（旧名）": {Status: extract.Known, FirmID: "a", Score: 1},
	}
	fact := func(head, tail string, confidence float64, planned bool) extract.Fact {
		return extract.Fact{Head: head, Relation: extract.Supply, Tail: tail, Quote: "甲乙", Confidence: confidence, Planned: planned, Extractor: "rule", Version: "1"}
	}
	for name, c := range map[string]struct {
		fact   extract.Fact
		state  extract.State
		reason string
	}{
		"sure":              {fact("甲", "乙", 0.9, false), extract.Accepted, ""},
		"unsure":            {fact("甲", "乙", 0.6, false), extract.Pending, "low_confidence"},
		"unsure of a name":  {fact("甲", "戊", 0.9, false), extract.Pending, "low_confidence"},
		"planned":           {fact("甲", "乙", 0.9, true), extract.Pending, "planned"},
		"new firm":          {fact("丙", "乙", 0.9, false), extract.Pending, "head_new"},
		"one of many firms": {fact("甲", "丁", 0.9, false), extract.Pending, "tail_ambiguous"},
	} {
		var o extract.Outcome
		claims, err := extract.Claims(t.Context(), firms, "t", d, []extract.Fact{c.fact}, &o, now)
		if err != nil || len(claims) != 1 || claims[0].State != c.state || claims[0].Reason != c.reason || (claims[0].DecidedAt != nil) != (c.state == extract.Accepted) {
			t.Errorf("%s: %v %+v", name, err, claims)
		}
	}
	var o extract.Outcome
	scan := d
	scan.Scanned = true
	claims, err := extract.Claims(t.Context(), firms, "t", scan, []extract.Fact{fact("甲", "乙", 0.9, false)}, &o, now)
	if err != nil || len(claims) != 1 || claims[0].Reason != "scanned" {
		t.Errorf("%v %+v", err, claims)
	}
	claims, err = extract.Claims(t.Context(), firms, "t", d, []extract.Fact{fact("甲", "甲（旧名）", 0.9, false)}, &o, now)
	if err != nil || len(claims) != 0 || o.Dropped["self"] != 1 || o.Empty != "all_dropped" {
		t.Errorf("%v %+v %+v", err, claims, o)
	}
	if _, err := extract.Claims(t.Context(), fails{}, "t", d, []extract.Fact{fact("甲", "乙", 1, false)}, &o, now); err == nil {
		t.Error("a resolver that fails is not heard")
	}
	// The same statement has the same key whoever found it; another one has another.
	key := func(f extract.Fact) string {
		claims, err := extract.Claims(t.Context(), firms, "t", d, []extract.Fact{f}, &o, now)
		if err != nil || len(claims) != 1 {
			t.Fatal(err)
		}
		return claims[0].Key
	}
	same, other := fact("甲", "乙", 0.3, false), fact("乙", "甲", 0.9, false)
	same.Extractor = "endpoint"
	if base := key(fact("甲", "乙", 0.9, false)); key(same) != base || key(other) == base {
		t.Error("keys do not tell statements apart")
	}
}

func TestReadPairsAndJudge(t *testing.T) {
	t.Parallel()
	pairs, err := extract.ReadPairs(strings.NewReader(`{"split":"a","head":"甲","tail":"乙","rel":"订单","text":"甲乙"}
{"split":"a","head":"甲","tail":"乙","rel":"合作","text":"甲乙"}

{"split":"a","head":"丙","tail":"乙","rel":"收购","text":"丙乙"}
{"split":"a","head":"乙","tail":"丙","rel":"被收购","text":"丙乙"}
{"head":"丁","tail":"乙","text":"丁乙"}
`), "x")
	if err != nil || len(pairs) != 4 || len(pairs[0].Labels) != 2 || pairs[3].Labels != nil {
		t.Fatal(pairs, err)
	}
	fact := func(head string, r extract.Relation, tail string) extract.Fact {
		return extract.Fact{Head: head, Relation: r, Tail: tail, Confidence: 0.9}
	}
	planned := fact("丁", extract.Contract, "乙")
	planned.Planned = true
	s := extract.Judge(pairs, [][]extract.Fact{
		{fact("乙", extract.Supply, "甲"), fact("甲", extract.Trade, "乙")}, // direction of supply is not labelled
		{fact("丙", extract.Acquire, "乙")},
		{fact("丙", extract.Acquire, "乙")}, // the other way round: no prediction for (乙, 丙)
		{planned},
	}, 0.5)
	if d := cmp.Diff(extract.Count{Predicted: 2, Right: 1, Labelled: 2, Precision: 0.5, Recall: 0.5, F1: 0.5}, s.Supply); d != "" {
		t.Error(d)
	}
	if a := s.Relations[extract.Acquire]; a.Predicted != 1 || a.Right != 1 || a.Labelled != 1 {
		t.Errorf("%+v", a)
	}
	if a := s.AnySupply; a.Predicted != 1 || a.Right != 1 {
		t.Errorf("%+v", a)
	}
	for _, bad := range []string{"{", `{"text":"a","head":"b"}`, `[]`} {
		if _, err := extract.ReadPairs(strings.NewReader(bad), "x"); !errors.Is(err, extract.ErrLine) || !strings.Contains(err.Error(), "x:1") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzReadPairs(f *testing.F) {
	f.Add(`{"split":"a","head":"甲","tail":"乙","rel":"订单","text":"甲乙"}`)
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := extract.ReadPairs(strings.NewReader(text), "x")
		for _, p := range pairs {
			if err == nil && (p.Text == "" || p.Head == "" || p.Tail == "") {
				t.Error(p)
			}
		}
	})
}
