// Package rule finds facts about trade without a model: directed phrases within a
// sentence, contracts between a party A and a party B, and tables of main customers and
// suppliers. It would rather find nothing than something that the text does not say.
package rule

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain/extract"
)

// Name and Version are what the facts of this package carry.
const (
	Name    = "rule"
	Version = "1"
)

// plannedFactor lowers the confidence of what is only planned.
const plannedFactor = 0.6

// maxPairs bounds the pairs of firms that are tried in one sentence: a list of two
// hundred names is a table that lost its lines.
const maxPairs = 400

// Extractor finds facts by rules. It is safe for use by several goroutines.
type Extractor struct{ phrases []phrase }

var _ extract.Extractor = (*Extractor)(nil)

// New returns an extractor.
func New() *Extractor { return &Extractor{phrases: phrases()} }

// Extract implements extract.Extractor. It fails only when ctx ends.
func (e *Extractor) Extract(ctx context.Context, d extract.Document) ([]extract.Fact, extract.Outcome, error) {
	var o extract.Outcome
	if strings.TrimSpace(d.Text) == "" {
		o.Close(0, "no_text")
		return nil, o, nil
	}
	var mentions []mention
	if len(d.Names) > 0 {
		mentions = known(d.Text, d.Names)
	} else {
		mentions = discover(d.Text)
	}
	var found []extract.Fact
	found = append(found, tables(d, &o)...)
	found = append(found, contract(d, &o)...)
	at := 0
	for i, s := range sentences(d.Text) {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, o, ctx.Err()
		}
		for at < len(mentions) && mentions[at].at.start < s.start { // a name across two sentences is none
			at++
		}
		end := at
		for end < len(mentions) && mentions[end].at.end <= s.end {
			end++
		}
		if end-at >= 2 {
			found = e.sentence(found, d.Text, s, mentions[at:end], &o)
		}
	}
	facts := extract.Verify(d, found, &o)
	empty := "no_relation"
	if len(mentions) < 2 {
		empty = "no_firms"
	}
	o.Close(len(facts), empty)
	return facts, o, nil
}

// sentence adds the facts of one sentence.
func (e *Extractor) sentence(found []extract.Fact, text string, s span, mentions []mention, o *extract.Outcome) []extract.Fact {
	said := text[s.start:s.end]
	places := make([]span, len(mentions))
	for i, m := range mentions {
		places[i] = span{m.at.start - s.start, m.at.end - s.start}
	}
	from, pairs := len(found), 0
	for i := range mentions {
		for j := i + 1; j < len(mentions) && pairs < maxPairs; j++ {
			if mentions[i].name == mentions[j].name {
				continue
			}
			pairs++
			for _, p := range e.phrases {
				end := p.find(said, places[i], places[j])
				if end < 0 {
					continue
				}
				around := clause(said, places[i].start, end)
				negated, planned := mood(said, around, places)
				if negated {
					o.Found++
					o.Drop("negated")
					continue
				}
				found = keepBest(found, from, p.fact(text, s, span{places[i].start, end}, around, mentions[i].name, mentions[j].name, planned))
			}
		}
	}
	return found
}

// find returns where the phrase ends with its firms at a and b, or -1.
func (p *phrase) find(text string, a, b span) int {
	end := p.pattern.match(text, a, b)
	if end < 0 {
		return -1
	}
	if len(p.lead) > 0 && !endsIn(text[:a.start], p.lead...) {
		return -1
	}
	between, after := text[a.end:b.start], text[b.end:max(end, b.end)]
	if p.through {
		after = text[b.end:clause(text, b.end, max(end, b.end)).end]
	}
	for _, w := range p.not {
		if strings.Contains(between, w) || strings.Contains(after, w) {
			return -1
		}
	}
	near := text[b.end:min(len(text), b.end+24)]
	for _, w := range p.part {
		if strings.Contains(near, w) {
			return -1
		}
	}
	if p.alone && endsIn(text[:a.start], "与", "和", "同", "跟", "及", "、", "向") {
		return -1
	}
	if p.whole && beginsWith(text[b.end:], "旗下", "第一", "大股东", "控股", "股东", "所属", "下属", "子公司", "全资", "的子公司", "的股东", "的大股东", "的控股", "的全资", "持有", "所持") {
		return -1
	}
	return end
}

func endsIn(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasSuffix(text, w) })
}

func beginsWith(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, w) })
}

// fact makes the fact of a match in the sentence s of text.
func (p *phrase) fact(text string, s, match, around span, a, b string, planned bool) extract.Fact {
	head, tail := a, b
	if p.head == 2 {
		head, tail = b, a
	}
	said := text[s.start:s.end]
	quote := span{s.start + around.start, s.start + around.end}
	if n := len(strings.TrimSpace(said)); utf8.RuneCountInString(said) <= 200 && n > 0 {
		lead := strings.Index(said, strings.TrimSpace(said))
		quote = span{s.start + lead, s.start + lead + n}
	}
	f := extract.Fact{
		Head: head, Relation: p.relation, Tail: tail, Quote: text[quote.start:quote.end], Start: quote.start, End: quote.end,
		Planned: planned, Confidence: p.confidence, Extractor: Name, Version: Version,
	}
	if planned {
		f.Confidence *= plannedFactor
	}
	rest := said[match.start:]
	if list := amounts(rest); len(list) > 0 {
		f.Qualifiers.Amount, f.Qualifiers.Currency = list[0].fen, list[0].currency
	}
	if f.Qualifiers.Date = day(said[:match.start]); f.Qualifiers.Date == "" {
		f.Qualifiers.Date = day(rest)
	}
	if p.relation == extract.Hold || p.relation == extract.Acquire || p.relation == extract.Supply {
		f.Qualifiers.Share = share(said[match.start:])
	}
	if p.product {
		f.Qualifiers.Product = goods(said[match.end:around.end])
	}
	return f
}

// goods is what a clause names after its verb.
func goods(text string) string {
	text = strings.TrimLeft(strings.TrimSpace(text), "了的过 ")
	for _, stop := range []string{"、", "等", "的", "（", "(", "合同", "项目", "协议", "。"} {
		if i := strings.Index(text, stop); i > 0 {
			text = text[:i]
		}
	}
	text = strings.TrimFunc(text, func(r rune) bool { return clauseMark(r) || r == '“' || r == '”' || r == ' ' })
	if n := utf8.RuneCountInString(text); n < 1 || n > 20 {
		return ""
	}
	return text
}

// keepBest adds f unless a surer fact says the same of the same pair in this sentence,
// which begins at from; a contract that was signed says more than cooperation.
func keepBest(found []extract.Fact, from int, f extract.Fact) []extract.Fact {
	for i := from; i < len(found); i++ {
		g := found[i]
		same := g.Relation == f.Relation && (g.Head == f.Head && g.Tail == f.Tail || !f.Relation.Directed() && g.Head == f.Tail && g.Tail == f.Head)
		if !same {
			continue
		}
		if f.Confidence > g.Confidence {
			found[i] = f
		}
		return found
	}
	return append(found, f)
}
