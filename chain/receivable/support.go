package receivable

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Basis names a document that shows the debt, by its id or its number. With amount 0
// it stands for as much as is needed and free.
type Basis struct {
	DocumentID string    `json:"document_id,omitempty"`
	Number     string    `json:"number,omitempty"`
	Amount     money.Fen `json:"amount,omitempty"`
}

// Proposal is a receivable that an obligor wants to confirm. Without a due date it
// gets the usual term.
type Proposal struct {
	CreditorID string     `json:"creditor_id"`
	Amount     money.Fen  `json:"amount"`
	Due        money.Date `json:"due,omitzero"`
	Documents  []Basis    `json:"documents"`
	Note       string     `json:"note,omitempty"`
}

// claim is one invoice, or a confirmation that names no invoice, with all that bears
// on how much of it is still owed.
type claim struct {
	keys      []string // more than one when two firms with the invoice were found to be one
	docs      []chain.Document
	invoiced  money.Fen
	back      money.Fen // by red-letter invoices
	paid      money.Fen
	confirmed money.Fen
	said      string // date and id of the confirmation that counts: the last
	void      bool
	funder    string
	due       money.Date // the earliest that a document names
}

// limit is how much receivables may stand for in all: what was invoiced and neither
// taken back nor paid, and no more than the buyer confirmed where it did.
func (c *claim) limit() money.Fen {
	if c.void {
		return 0
	}
	base := c.invoiced
	if base == 0 {
		base = c.confirmed
	}
	base -= c.back + c.paid
	if c.confirmed > 0 {
		base = min(base, c.confirmed)
	}
	return max(base, 0)
}

// claimKey is stable: it uses the ids that the document was written with, so that a
// merge of firms does not make an invoice new.
func claimKey(d chain.Document, number string) string {
	h := sha256.New()
	for _, part := range []string{d.SellerID, d.BuyerID, number} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// book is what is claimed between one seller and one buyer.
type book struct {
	claims  map[string]*claim // by number of the invoice (chain.NumberKey)
	of      map[string]*claim // by id of a document
	numbers map[string]string // number of a document: its id, the last in date order
	docs    map[string]chain.Document
}

// open reads the documents of a pair. Codes of invoices are left out of the keys,
// because red letters, payments and confirmations name the number only: two invoices of
// one seller to one buyer with one number count as one, which supports less, never more.
func open(docs []chain.Document) *book {
	b := &book{claims: map[string]*claim{}, of: map[string]*claim{}, numbers: map[string]string{}, docs: map[string]chain.Document{}}
	slices.SortFunc(docs, func(x, y chain.Document) int { return cmp.Or(cmp.Compare(x.Date, y.Date), cmp.Compare(x.ID, y.ID)) })
	for _, d := range docs {
		switch {
		case d.Kind == chain.Invoice && d.Amount > 0:
			c := b.claim(d, d.Number)
			c.void = c.void || d.Void
			c.invoiced = max(c.invoiced, d.Amount) // the same invoice twice is one
			if d.Funder != "" {
				c.funder = d.Funder
			}
			b.basis(c, d)
		case d.Void:
		case d.Kind == chain.Invoice && d.InvoiceNo != "":
			b.claim(d, d.InvoiceNo).back -= d.Amount
		case d.Kind == chain.Payment && d.InvoiceNo != "":
			b.claim(d, d.InvoiceNo).paid += d.Amount
		case d.Kind == chain.Confirmation && d.Amount > 0:
			number := d.InvoiceNo
			if number == "" {
				number = d.Number
			}
			c := b.claim(d, number)
			if at := d.Date + d.ID; at > c.said {
				c.said, c.confirmed = at, d.Amount
			}
			b.basis(c, d)
		}
	}
	for _, c := range b.claims {
		slices.Sort(c.keys)
	}
	return b
}

func (b *book) claim(d chain.Document, number string) *claim {
	k := chain.NumberKey(number)
	c := b.claims[k]
	if c == nil {
		c = &claim{}
		b.claims[k] = c
	}
	if key := claimKey(d, k); !slices.Contains(c.keys, key) {
		c.keys = append(c.keys, key)
	}
	return c
}

// basis notes a document on which a receivable can stand.
func (b *book) basis(c *claim, d chain.Document) {
	b.of[d.ID], b.docs[d.ID], b.numbers[chain.NumberKey(d.Number)] = c, d, d.ID
	c.docs = append(c.docs, d)
	if day, err := money.ParseDate(d.Due); err == nil && (c.due == 0 || day < c.due) {
		c.due = day
	}
}

func (b *book) find(x Basis) (*claim, chain.Document, bool) {
	id := x.DocumentID
	if id == "" {
		id = b.numbers[chain.NumberKey(x.Number)]
	}
	c, ok := b.of[id]
	return c, b.docs[id], ok
}

// usable says what keeps a claim from standing behind a receivable, if anything. A
// funder that was promised the invoice is in the way of everybody but itself.
func (c *claim) usable(number, funder string) error {
	switch {
	case c.void:
		return ErrVoid.With("number", number)
	case c.funder != "" && c.funder != funder:
		return ErrPledged.With("number", number).With("funder", c.funder)
	}
	return nil
}

// desk reads firms and documents once for one request.
type desk struct {
	s       *Service
	tenant  string
	obligor string
	firms   map[string]chain.Party
	books   map[string]*book     // by creditor
	used    map[string]money.Fen // by key; what this request takes included
}

func (s *Service) desk(ctx context.Context, tenant, obligor string, firms ...string) (*desk, error) {
	k := &desk{
		s: s, tenant: tenant, obligor: obligor,
		firms: map[string]chain.Party{}, books: map[string]*book{}, used: map[string]money.Fen{},
	}
	return k, k.load(ctx, append(firms, obligor))
}

// load asks for the firms that are not known yet.
func (k *desk) load(ctx context.Context, ids []string) error {
	var missing []string
	for _, id := range ids {
		if _, ok := k.firms[id]; !ok && id != "" {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	if missing = slices.Compact(missing); len(missing) == 0 {
		return nil
	}
	found, err := k.s.firms.FirmsByID(ctx, k.tenant, missing)
	if err != nil {
		return err
	}
	var survivors []string
	for _, f := range found {
		k.firms[f.ID] = f
		survivors = append(survivors, f.MergedInto)
	}
	return k.load(ctx, survivors)
}

// same is the firm that a firm was found to be, or itself.
func (k *desk) same(id string) string {
	if f, ok := k.firms[id]; ok && f.MergedInto != "" {
		return f.MergedInto
	}
	return id
}

// fetch reads the documents of many creditors with few questions.
func (k *desk) fetch(ctx context.Context, creditors []string) error {
	var missing []string
	for _, id := range creditors {
		if _, ok := k.books[id]; !ok && id != "" {
			missing = append(missing, id)
		}
	}
	if missing = unique(missing); len(missing) == 0 {
		return nil
	}
	docs, err := k.s.papers.Between(ctx, k.tenant, k.obligor, missing)
	if err != nil {
		return err
	}
	ids := make([]string, 0, 2*len(docs))
	for _, d := range docs {
		ids = append(ids, d.BuyerID, d.SellerID)
	}
	if err := k.load(ctx, ids); err != nil {
		return err
	}
	of := map[string][]chain.Document{}
	for _, d := range docs {
		if k.same(d.BuyerID) == k.same(k.obligor) {
			of[k.same(d.SellerID)] = append(of[k.same(d.SellerID)], d)
		}
	}
	for _, id := range missing {
		k.books[id] = open(of[k.same(id)])
	}
	return nil
}

func (k *desk) book(ctx context.Context, creditor string) (*book, error) {
	err := k.fetch(ctx, []string{creditor})
	return k.books[creditor], err
}

// warm reads how much is taken of the claims that documents name.
func (k *desk) warm(ctx context.Context, named map[string][]Basis) error {
	var keys []string
	for creditor, list := range named {
		b := k.books[creditor]
		for _, x := range list {
			if c, _, ok := b.find(x); ok {
				keys = append(keys, c.keys...)
			}
		}
	}
	return k.read(ctx, unique(keys))
}

// read asks for what is not known yet.
func (k *desk) read(ctx context.Context, keys []string) error {
	var missing []string
	for _, key := range keys {
		if _, ok := k.used[key]; !ok {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	used, err := k.s.store.Used(ctx, k.tenant, missing)
	for _, key := range missing {
		k.used[key] = used[key]
	}
	return err
}

// taken is how much receivables stand for of a claim already, under its first key and
// under the others.
func (k *desk) taken(ctx context.Context, c *claim) (first, others money.Fen, err error) {
	if err := k.read(ctx, c.keys); err != nil {
		return 0, 0, err
	}
	for _, key := range c.keys[1:] {
		others += k.used[key]
	}
	return k.used[c.keys[0]], others, nil
}

// support finds what a proposal stands on. It returns ErrNoDocument, ErrDocument,
// ErrVoid, ErrPledged, ErrStretched or ErrUnsupported.
func (k *desk) support(ctx context.Context, p Proposal) ([]Support, []Use, error) {
	b, err := k.book(ctx, p.CreditorID)
	if err != nil {
		return nil, nil, err
	}
	if len(p.Documents) == 0 {
		return nil, nil, ErrNoDocument
	}
	var supports []Support
	var uses []Use
	left := p.Amount
	for i, x := range p.Documents {
		c, d, ok := b.find(x)
		if !ok {
			return nil, nil, ErrDocument.With("number", x.Number+x.DocumentID)
		}
		if err := c.usable(d.Number, ""); err != nil {
			return nil, nil, err
		}
		if c.due != 0 && p.Due > c.due {
			return nil, nil, ErrStretched.With("number", d.Number).With("due", c.due)
		}
		first, others, err := k.taken(ctx, c)
		if err != nil {
			return nil, nil, err
		}
		for _, u := range uses { // the same invoice named twice
			if u.Key == c.keys[0] {
				first += u.Amount
			}
		}
		free := max(c.limit()-first-others, 0)
		take := x.Amount
		if take == 0 {
			take = min(left, free)
		}
		last := i == len(p.Documents)-1
		if take < 0 || take > free || take > left || (last && take < left) {
			return nil, nil, ErrUnsupported.With("number", d.Number).With("free", free).With("amount", left)
		}
		if take == 0 {
			continue
		}
		left -= take
		supports = append(supports, Support{DocumentID: d.ID, Kind: string(d.Kind), Number: d.Number, Key: c.keys[0], Amount: take})
		uses = append(uses, Use{Key: c.keys[0], Number: d.Number, Amount: take, Limit: c.limit() - others})
	}
	for _, u := range uses {
		k.used[u.Key] += u.Amount
	}
	return supports, uses, nil
}

// recheck looks at the documents of a proposal again: what was cancelled, taken back or
// paid in the meantime supports no confirmation. It asks for no more of them.
func (k *desk) recheck(ctx context.Context, r Receivable) ([]Use, error) {
	b, err := k.book(ctx, r.CreditorID)
	if err != nil {
		return nil, err
	}
	uses := make([]Use, 0, len(r.Documents))
	for _, d := range r.Documents {
		c, _, ok := b.find(Basis{DocumentID: d.DocumentID})
		if !ok {
			return nil, ErrDocument.With("number", d.Number)
		}
		if err := c.usable(d.Number, ""); err != nil {
			return nil, err
		}
		var others money.Fen
		if _, _, err := k.taken(ctx, c); err != nil {
			return nil, err
		}
		for _, key := range c.keys {
			if key != d.Key {
				others += k.used[key]
			}
		}
		uses = append(uses, Use{Key: d.Key, Number: d.Number, Limit: c.limit() - others})
	}
	return uses, nil
}

// unpromised refuses to finance what another funder was promised.
func (k *desk) unpromised(ctx context.Context, r Receivable, funder string) error {
	b, err := k.book(ctx, r.CreditorID)
	if err != nil {
		return err
	}
	var docs []chain.Document
	for _, d := range r.Documents {
		c, _, ok := b.find(Basis{DocumentID: d.DocumentID})
		if !ok {
			return ErrDocument.With("number", d.Number)
		}
		if err := c.usable(d.Number, funder); err != nil {
			return err
		}
		docs = append(docs, c.docs...)
	}
	if k.s.promises == nil {
		return nil
	}
	number, other, err := k.s.promises.Promised(ctx, r.Tenant, funder, docs)
	if err == nil && other != "" {
		return ErrPledged.With("number", number).With("funder", other)
	}
	return err
}

// Propose draws up a receivable of the actor's firm.
func (s *Service) Propose(ctx context.Context, who Who, obligorID, key string, p Proposal) (Receivable, error) {
	key, err := keyOf(who, key)
	if err != nil {
		return Receivable{}, err
	}
	hash, err := ident.Hash(struct {
		Obligor string
		Proposal
	}{obligorID, p})
	if err != nil {
		return Receivable{}, err
	}
	return s.sure(ctx, who, key, hash, func() (Receivable, error) {
		k, err := s.desk(ctx, who.Tenant, obligorID, append(slices.Clone(who.Firms), p.CreditorID)...)
		if err != nil {
			return Receivable{}, err
		}
		change, err := k.propose(ctx, who, p, "", key, hash)
		if err != nil {
			return Receivable{}, err
		}
		return change.After, s.store.Append(ctx, []Change{change})
	})
}

// propose checks a proposal and makes its change.
func (k *desk) propose(ctx context.Context, who Who, p Proposal, batch, key, hash string) (Change, error) {
	now := k.s.now()
	today := money.DateOf(now)
	if !(Env{Who: who, Same: k.same}).speaks(k.obligor) {
		return Change{}, ErrNotYours.With("want", obligor)
	}
	if p.Due == 0 {
		p.Due = today.AddMonths(k.s.rules.TermMonths)
	}
	creditor, ok := k.firms[k.same(p.CreditorID)]
	switch {
	case !ok:
		return Change{}, chain.ErrFirmNotFound
	case p.Amount <= 0 || p.Amount > MaxAmount:
		return Change{}, ErrAmount.With("max", MaxAmount)
	case utf8.RuneCountInString(p.Note) > maxText:
		return Change{}, ErrNote.With("max", maxText)
	case k.same(p.CreditorID) == k.same(k.obligor):
		return Change{}, ErrOwnDebt
	}
	if err := k.s.rules.check(today, p.Due, p.Note); err != nil {
		return Change{}, err
	}
	if err := verified(creditor); err != nil {
		return Change{}, err
	}
	supports, uses, err := k.support(ctx, p)
	if err != nil {
		return Change{}, err
	}
	id := ident.New()
	ch, err := changed(Receivable{Tenant: k.tenant}, Event{
		ReceivableID: id, Seq: 1, Kind: Propose, At: now.UTC().Truncate(time.Millisecond),
		UserID: who.UserID, UserName: who.Name, FirmID: k.same(k.obligor), Note: strings.TrimSpace(p.Note),
		Terms: &Terms{
			Number: number(today, id), ObligorID: k.same(k.obligor), CreditorID: k.same(p.CreditorID),
			Amount: p.Amount, Due: p.Due, Documents: supports, Batch: batch,
		},
	}, key, hash)
	ch.Uses = uses
	return ch, err
}

// number is what people call a receivable: the day and the random part of its id.
func number(day money.Date, id string) string {
	return "AR" + strings.ReplaceAll(day.String(), "-", "") + strings.ToUpper(id[len(id)-12:])
}
