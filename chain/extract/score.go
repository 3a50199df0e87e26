package extract

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/furrowcredit/furrow/fault"
)

// ErrLine is returned for a line that is not a sentence with a pair.
var ErrLine = fault.New(fault.Invalid, "extract.line", "write one JSON object a line, with at least text, head and tail")

// Pair is a sentence with two firms in it and what is known to join them.
type Pair struct {
	Split string
	Text  string
	Head  string
	Tail  string
	// Labels are relations by the names of this package or of FinRE. None at all means
	// that the sentence is not labelled.
	Labels []string
}

// maxLine bounds a line of a file of sentences.
const maxLine = 1 << 20

// ReadPairs reads JSON lines of {text, head, tail} with rel (one label of a pair; several
// lines of the same pair are one with several labels) and split. It returns ErrLine with
// its place.
func ReadPairs(r io.Reader, name string) ([]Pair, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	var out []Pair
	index := map[[4]string]int{}
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var row struct{ Split, Head, Tail, Rel, Text string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, ErrLine.At("%s:%d", name, n).Because(err)
		}
		if row.Text == "" || row.Head == "" || row.Tail == "" {
			return nil, ErrLine.At("%s:%d", name, n)
		}
		key := [4]string{row.Split, row.Text, row.Head, row.Tail}
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, Pair{Split: row.Split, Text: row.Text, Head: row.Head, Tail: row.Tail})
		}
		if row.Rel != "" && !slices.Contains(out[i].Labels, row.Rel) {
			out[i].Labels = append(out[i].Labels, row.Rel)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, ErrLine.At("%s", name).Because(err)
	}
	return out, nil
}

// label is what a name of a relation means, and whether head and tail are swapped.
type label struct {
	relation Relation
	swapped  bool
}

// labels of FinRE. Its supply-type relations are given in both directions, so that they
// say that two firms trade, not who sells.
var labels = map[string]label{
	"订单": {Supply, false}, "交易": {Trade, false}, "签约": {Contract, false}, "合作": {Cooperation, false},
	"收购": {Acquire, false}, "被收购": {Acquire, true}, "持股": {Hold, false}, "被持股": {Hold, true},
}

func labelOf(name string) (label, bool) {
	if l, ok := labels[name]; ok {
		return l, true
	}
	r := Relation(name)
	return label{r, false}, r.Known()
}

// Count is how often a relation was said and is true.
type Count struct {
	Predicted int     `json:"predicted"`
	Right     int     `json:"right"`
	Labelled  int     `json:"labelled"`
	Precision float64 `json:"precision"` // of the predictions; 0 without any
	Recall    float64 `json:"recall"`    // of the labels
	F1        float64 `json:"f1"`
}

func (c *Count) finish() {
	if c.Predicted > 0 {
		c.Precision = float64(c.Right) / float64(c.Predicted)
	}
	if c.Labelled > 0 {
		c.Recall = float64(c.Right) / float64(c.Labelled)
	}
	if c.Right > 0 {
		c.F1 = 2 * c.Precision * c.Recall / (c.Precision + c.Recall)
	}
}

// Score is how well facts agree with labels. A pair counts once for each relation that
// is predicted or labelled for it. Supply is the micro average over the supply-type
// relations supply, trade, contract and cooperation, each of which must be the very one.
type Score struct {
	Pairs     int                `json:"pairs"`
	Relations map[Relation]Count `json:"relations"`
	Supply    Count              `json:"supply"`
	// AnySupply forgives one supply-type relation for another.
	AnySupply Count `json:"any_supply"`
}

var supplyType = []Relation{Supply, Trade, Contract, Cooperation}

// Judge counts the facts of each pair against its labels. Direction counts only where
// the labels tell it: for acquire and hold. Facts that are only planned or less sure than
// from are no predictions.
func Judge(pairs []Pair, facts [][]Fact, from float64) Score {
	counts := map[Relation]*Count{}
	for _, r := range Relations() {
		counts[r] = &Count{}
	}
	s := Score{Pairs: len(pairs), Relations: map[Relation]Count{}}
	for i, p := range pairs {
		said, known := predicted(p, facts[i], from), labelled(p)
		for _, r := range said {
			counts[r].Predicted++
			if slices.Contains(known, r) {
				counts[r].Right++
			}
		}
		for _, r := range known {
			counts[r].Labelled++
		}
		isSupply := func(r Relation) bool { return slices.Contains(supplyType, r) }
		saidAny, knownAny := slices.ContainsFunc(said, isSupply), slices.ContainsFunc(known, isSupply)
		if saidAny {
			s.AnySupply.Predicted++
		}
		if knownAny {
			s.AnySupply.Labelled++
		}
		if saidAny && knownAny {
			s.AnySupply.Right++
		}
	}
	for r, c := range counts {
		if slices.Contains(supplyType, r) {
			s.Supply.Predicted += c.Predicted
			s.Supply.Right += c.Right
			s.Supply.Labelled += c.Labelled
		}
		c.finish()
		s.Relations[r] = *c
	}
	s.Supply.finish()
	s.AnySupply.finish()
	return s
}

func predicted(p Pair, facts []Fact, from float64) []Relation {
	var out []Relation
	for _, f := range facts {
		forth, back := f.Head == p.Head && f.Tail == p.Tail, f.Head == p.Tail && f.Tail == p.Head
		undirected := slices.Contains(supplyType, f.Relation)
		if f.Planned || f.Confidence < from || slices.Contains(out, f.Relation) || !forth && (!back || !undirected) {
			continue
		}
		out = append(out, f.Relation)
	}
	return out
}

func labelled(p Pair) []Relation {
	var out []Relation
	for _, name := range p.Labels {
		if l, ok := labelOf(name); ok && !l.swapped && !slices.Contains(out, l.relation) {
			out = append(out, l.relation)
		}
	}
	return out
}

// Pairs extracts from every pair on its own, with both names given.
func Pairs(ctx context.Context, e Extractor, pairs []Pair, o *Outcome) ([][]Fact, error) {
	out := make([][]Fact, len(pairs))
	for i, p := range pairs {
		facts, outcome, err := e.Extract(ctx, Document{Text: p.Text, Names: []string{p.Head, p.Tail}})
		if err != nil {
			return nil, fmt.Errorf("extract: sentence %d: %w", i+1, err)
		}
		o.Add(outcome)
		if outcome.Empty != "" {
			o.Drop("sentence_" + outcome.Empty)
		}
		out[i] = facts
	}
	return out, nil
}
