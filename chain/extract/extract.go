// Package extract holds what documents say about trade between firms: facts with the
// text that proves them, who found them, and what a person decided about them. Its
// sub-packages read documents (document), find facts by rules (rule), read receipts and
// invoices (receipt) and ask a language model (endpoint).
package extract

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/money"
)

// Document is the text and the tables of one file.
type Document struct {
	Name   string
	SHA256 string // of the file, hex
	// Text is UTF-8. Tables of a workbook or a DOCX are in it as well, one row a line
	// and its cells parted by tabs, so that every fact can quote it.
	Text string
	// Subject is the firm that speaks ("the company"), when the caller knows it.
	Subject string
	// Names are firms known to be in the text. When there are any, no others are
	// looked for.
	Names []string
	// Scanned marks text that was read off a picture and may have wrong characters.
	Scanned bool
}

// Relation is what joins two firms.
type Relation string

// Relations. Head and tail of the directed ones are named in this order.
const (
	Supply      Relation = "supply"      // seller of goods or services, buyer
	Trade       Relation = "trade"       // seller of an asset or of shares, buyer
	Contract    Relation = "contract"    // both signed; who sells is not said
	Cooperation Relation = "cooperation" // both
	Acquire     Relation = "acquire"     // who takes over, who is taken over
	Hold        Relation = "hold"        // who holds shares, of whom
)

// Relations are all of them.
func Relations() []Relation {
	return []Relation{Supply, Trade, Contract, Cooperation, Acquire, Hold}
}

// Directed tells whether head and tail play different parts.
func (r Relation) Directed() bool { return r != Contract && r != Cooperation }

// Known tells whether it is one of the relations above.
func (r Relation) Known() bool { return slices.Contains(Relations(), r) }

// Qualifiers are what is said beside a relation; zero values were not said.
type Qualifiers struct {
	Amount   money.Fen `json:"amount,omitempty"`
	Currency string    `json:"currency,omitempty"` // "CNY"; amounts of others are in hundredths of their unit
	Date     string    `json:"date,omitempty"`     // "2026-05-31", "2026-05" or "2026"
	Share    float64   `json:"share,omitempty"`    // 0.25 for 25 %: of the reporting firm's sales or purchases, or of shares
	Product  string    `json:"product,omitempty"`
	Term     string    `json:"term,omitempty"` // as written
	Number   string    `json:"number,omitempty"`
}

// Fact is one relation that a document states.
type Fact struct {
	Head       string     `json:"head"`
	Relation   Relation   `json:"relation"`
	Tail       string     `json:"tail"`
	Qualifiers Qualifiers `json:"qualifiers"`
	// Quote stands at bytes Start to End of the document's text.
	Quote string `json:"quote"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	// Planned marks what is intended, rumoured or conditional.
	Planned    bool    `json:"planned,omitempty"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Extractor  string  `json:"extractor"`
	Version    string  `json:"version"`
}

// Outcome says what came of a document, so that nothing is lost in silence.
type Outcome struct {
	Found   int            `json:"found"`             // before any was dropped
	Kept    int            `json:"kept"`              //
	Dropped map[string]int `json:"dropped,omitempty"` // by reason
	Empty   string         `json:"empty,omitempty"`   // why nothing was kept: no_text, no_firms, no_relation, all_dropped
	// Fallback is why another extractor than the one asked for did the work.
	Fallback string   `json:"fallback,omitempty"`
	Notes    []string `json:"notes,omitempty"`
}

// Drop counts one fact that is not kept.
func (o *Outcome) Drop(reason string) {
	if o.Dropped == nil {
		o.Dropped = map[string]int{}
	}
	o.Dropped[reason]++
}

// Add joins the outcome of a part of the same document.
func (o *Outcome) Add(part Outcome) {
	o.Found += part.Found
	o.Kept += part.Kept
	for reason, n := range part.Dropped {
		if o.Dropped == nil {
			o.Dropped = map[string]int{}
		}
		o.Dropped[reason] += n
	}
	if o.Fallback == "" {
		o.Fallback = part.Fallback
	}
	o.Notes = append(o.Notes, part.Notes...)
}

// Close says why nothing was kept, if nothing was; empty is the reason when nothing was
// found either.
func (o *Outcome) Close(kept int, empty string) {
	o.Kept, o.Empty = kept, ""
	switch {
	case kept > 0:
	case o.Found > 0 || len(o.Dropped) > 0:
		o.Empty = "all_dropped"
	default:
		o.Empty = empty
	}
}

// Extractor finds facts. The outcome counts what it did not keep. An error means that
// it did not do its work at all.
type Extractor interface {
	Extract(ctx context.Context, d Document) ([]Fact, Outcome, error)
}

// Verify keeps the facts that the document bears out: a relation that is known, two firms
// that both occur in the text (or are its subject) and are not one, a quote that stands where the fact says
// or, when the offsets are wrong, anywhere. The others are dropped and counted by reason
// in o: relation, self, quote, head, tail, double.
func Verify(d Document, facts []Fact, o *Outcome) []Fact {
	kept := make([]Fact, 0, len(facts))
	best := map[string]int{}
	for _, f := range facts {
		o.Found++
		if reason := check(d, &f); reason != "" {
			o.Drop(reason)
			continue
		}
		key := f.identity()
		if i, ok := best[key]; ok {
			o.Drop("double")
			if f.Confidence > kept[i].Confidence {
				kept[i] = f
			}
			continue
		}
		best[key] = len(kept)
		kept = append(kept, f)
	}
	return kept
}

func check(d Document, f *Fact) string {
	text := d.Text
	f.Head, f.Tail = strings.TrimSpace(f.Head), strings.TrimSpace(f.Tail)
	switch {
	case !f.Relation.Known():
		return "relation"
	case f.Head == "" || !d.names(f.Head):
		return "head"
	case f.Tail == "" || !d.names(f.Tail):
		return "tail"
	case party.Normalise(f.Head) == party.Normalise(f.Tail):
		return "self"
	case f.Quote == "":
		return "quote"
	}
	if f.Start < 0 || f.End > len(text) || f.Start > f.End || text[f.Start:f.End] != f.Quote {
		f.Start = strings.Index(text, f.Quote)
		if f.Start < 0 {
			return "quote"
		}
		f.End = f.Start + len(f.Quote)
	}
	return ""
}

// names tells whether the document speaks of a firm.
func (d Document) names(firm string) bool { return firm == d.Subject || strings.Contains(d.Text, firm) }

// identity is what makes two facts of a document one: the pair, the relation, and what
// tells two contracts between the same firms apart.
func (f Fact) identity() string {
	head, tail := party.Normalise(f.Head), party.Normalise(f.Tail)
	if !f.Relation.Directed() && head > tail {
		head, tail = tail, head
	}
	return strings.Join([]string{head, string(f.Relation), tail, f.Qualifiers.Number, f.Qualifiers.Date, f.Qualifiers.Product, f.Qualifiers.Amount.String()}, "\x1f")
}

// Reasons lists the reasons of a count in order, for people.
func Reasons(counts map[string]int) []string { return slices.Sorted(maps.Keys(counts)) }
