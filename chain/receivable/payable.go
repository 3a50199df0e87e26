package receivable

import (
	"cmp"
	"context"
	"slices"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
)

// Payable is a document on which a firm may propose a receivable today, with what is
// still free of it.
type Payable struct {
	DocumentID string        `json:"document_id"`
	Kind       chain.DocKind `json:"kind"`
	Number     string        `json:"number"`
	Goods      string        `json:"goods,omitempty"`
	Date       string        `json:"date"`
	Due        string        `json:"due,omitempty" doc:"latest day on which the receivable may be due, when a document names one"`
	Amount     money.Fen     `json:"amount" doc:"fen, of the document"`
	Free       money.Fen     `json:"free" doc:"fen that are neither paid nor taken back nor under another receivable"`
	Confirmed  bool          `json:"confirmed" doc:"a confirmation says that it is owed"`
}

// maxPayables bounds an answer: people choose from it.
const maxPayables = 500

// Payables are the documents on which obligorID may propose a receivable of creditorID:
// confirmed ones first, then those that are due first. What is paid, cancelled, promised
// to a funder, overdue or used up is left out, and one claim is one line however many
// documents tell of it.
func (s *Service) Payables(ctx context.Context, who Who, obligorID, creditorID string) ([]Payable, error) {
	k, err := s.desk(ctx, who.Tenant, obligorID, append(slices.Clone(who.Firms), creditorID)...)
	if err != nil {
		return nil, err
	}
	if !(Env{Who: who, Same: k.same}).speaks(k.obligor) {
		return nil, ErrNotYours.With("want", obligor)
	}
	if _, ok := k.firms[k.same(creditorID)]; !ok { // as with a firm that sold nothing to the obligor
		return []Payable{}, nil
	}
	b, err := k.book(ctx, creditorID)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, c := range b.claims {
		keys = append(keys, c.keys...)
	}
	if err := k.read(ctx, unique(keys)); err != nil {
		return nil, err
	}
	today := money.DateOf(s.now())
	out := []Payable{}
	for _, c := range b.claims {
		if len(c.docs) == 0 || c.usable("", "") != nil || c.due != 0 && c.due <= today {
			continue
		}
		first, others, err := k.taken(ctx, c)
		if err != nil {
			return nil, err
		}
		if free := c.limit() - first - others; free > 0 {
			out = append(out, c.payable(free))
		}
	}
	slices.SortFunc(out, func(x, y Payable) int {
		return cmp.Or(-cmp.Compare(truth(x.Confirmed), truth(y.Confirmed)), cmp.Compare(cmp.Or(x.Due, "9"), cmp.Or(y.Due, "9")),
			cmp.Compare(x.Date, y.Date), cmp.Compare(x.DocumentID, y.DocumentID))
	})
	return out[:min(len(out), maxPayables)], nil
}

// payable is the line of a claim: its invoice, or the confirmation where there is none.
func (c *claim) payable(free money.Fen) Payable {
	d := c.docs[0]
	for _, x := range c.docs[1:] {
		if x.Kind == chain.Invoice && d.Kind != chain.Invoice {
			d = x
		}
	}
	p := Payable{
		DocumentID: d.ID, Kind: d.Kind, Number: d.Number, Goods: d.Goods, Date: d.Date, Amount: d.Amount, Free: free, Confirmed: c.said != "",
	}
	if c.due != 0 {
		p.Due = c.due.String()
	}
	return p
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
