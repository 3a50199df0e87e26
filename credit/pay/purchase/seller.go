package purchase

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
)

// Enrolment is what an officer proposes of a seller.
type Enrolment struct {
	FirmID     string
	Regions    []string
	Categories []string
	Account    string
	Bank       string
	From, To   money.Date
}

// Enrol proposes a firm as a seller; a second officer approves it. ErrSellerFirm,
// ErrSellerFields, ErrSellerKnown.
func (s *Service) Enrol(ctx context.Context, who access.Actor, e Enrolment) (Seller, error) {
	firm, err := s.cfg.Firms.Firm(ctx, who.Tenant, e.FirmID)
	if err != nil {
		return Seller{}, err
	}
	if firm.USCC == "" {
		return Seller{}, ErrSellerFirm.At("body.firm_id")
	}
	now := s.now()
	x := Seller{
		ID: ident.New(), Tenant: who.Tenant, FirmID: firm.ID, USCC: firm.USCC, Name: firm.Name, State: Proposed,
		ProposedBy: who.UserID, ChangedBy: who.UserID, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.fill(&x, e); err != nil {
		return Seller{}, err
	}
	return s.cfg.Store.SaveSeller(ctx, x)
}

// fill puts what was proposed into x.
func (s *Service) fill(x *Seller, e Enrolment) error {
	incomplete := func(place, why string) error { return ErrSellerFields.At("body.%s", place).With("why", why) }
	x.Account, x.Bank = strings.ReplaceAll(e.Account, " ", ""), strings.TrimSpace(e.Bank)
	digits := strings.IndexFunc(x.Account, func(r rune) bool { return r < '0' || r > '9' }) < 0
	switch {
	case !digits || len(x.Account) < 8 || len(x.Account) > 32:
		return incomplete("account", "a bank account has 8 to 32 digits")
	case x.Bank == "" || len(x.Bank) > 200:
		return incomplete("bank", "name the bank that keeps the account")
	case len(e.Categories) == 0:
		return incomplete("categories", "name what it may sell")
	case e.From == 0 || e.To < e.From:
		return incomplete("to", "it may sell from a day to a later one")
	}
	for i, c := range e.Categories {
		if !slices.ContainsFunc(s.cfg.Goods.Categories, func(x Category) bool { return x.Code == c }) {
			return incomplete(fmt.Sprintf("categories[%d]", i), "there is no category "+c)
		}
	}
	var wrong string
	regions(e.Regions, func(why string) { wrong = why })
	if wrong != "" {
		return incomplete("regions", wrong)
	}
	x.Categories, x.Regions, x.From, x.To = e.Categories, e.Regions, e.From, e.To
	return nil
}

// Amend proposes other terms: the seller is paid nothing until a second officer approves
// them, because a changed account is how money goes astray.
func (s *Service) Amend(ctx context.Context, who access.Actor, id string, e Enrolment) (Seller, error) {
	x, err := s.cfg.Store.Seller(ctx, who.Tenant, id)
	if err != nil {
		return Seller{}, err
	}
	if err := s.fill(&x, e); err != nil {
		return Seller{}, err
	}
	x.State, x.ProposedBy, x.ApprovedBy, x.Reason = Proposed, who.UserID, "", ""
	return s.saveSeller(ctx, who, x)
}

func (s *Service) saveSeller(ctx context.Context, who access.Actor, x Seller) (Seller, error) {
	x.ChangedBy, x.UpdatedAt = who.UserID, s.now()
	return s.cfg.Store.SaveSeller(ctx, x)
}

// Approve enrols a proposed seller: ErrSellerState, ErrSecond for who proposed it.
func (s *Service) Approve(ctx context.Context, who access.Actor, id string) (Seller, error) {
	x, err := s.cfg.Store.Seller(ctx, who.Tenant, id)
	switch {
	case err != nil:
		return Seller{}, err
	case x.State != Proposed:
		return Seller{}, ErrSellerState.With("state", x.State)
	case x.ProposedBy == who.UserID:
		return Seller{}, ErrSecond
	}
	x.State, x.ApprovedBy = Enrolled, who.UserID
	return s.saveSeller(ctx, who, x)
}

// Suspend stops orders from and payments to a seller at once; ErrReason. What is being
// paid already is not stopped.
func (s *Service) Suspend(ctx context.Context, who access.Actor, id, reason string) (Seller, error) {
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > 2000 {
		return Seller{}, ErrReason.At("body.reason")
	}
	x, err := s.cfg.Store.Seller(ctx, who.Tenant, id)
	if err != nil {
		return Seller{}, err
	}
	if x.State == Suspended {
		return Seller{}, ErrSellerState.With("state", x.State)
	}
	x.State, x.Reason = Suspended, reason
	return s.saveSeller(ctx, who, x)
}

// Reinstate proposes a suspended seller again; a second officer approves it.
func (s *Service) Reinstate(ctx context.Context, who access.Actor, id string) (Seller, error) {
	x, err := s.cfg.Store.Seller(ctx, who.Tenant, id)
	if err != nil {
		return Seller{}, err
	}
	if x.State != Suspended {
		return Seller{}, ErrSellerState.With("state", x.State)
	}
	x.State, x.ProposedBy, x.ApprovedBy = Proposed, who.UserID, ""
	return s.saveSeller(ctx, who, x)
}

// Seller returns ErrSellerNotFound.
func (s *Service) Seller(ctx context.Context, tenant, id string) (Seller, error) {
	return s.cfg.Store.Seller(ctx, tenant, id)
}

// Sellers lists sellers, newest first.
func (s *Service) Sellers(ctx context.Context, tenant string, f SellerFilter) ([]Seller, error) {
	return s.cfg.Store.Sellers(ctx, tenant, f)
}

// Offer is one kind of goods as a buyer may have it now.
type Offer struct {
	Goods    Goods     `json:"goods"`
	Low      money.Fen `json:"low"` // of the band in force
	High     money.Fen `json:"high"`
	Source   string    `json:"source"`
	InSeason bool      `json:"in_season"`
	Months   []int     `json:"months"` // empty: all the year
	// Most is how much more may be ordered now; nil where it is not bounded.
	Most    *Quantity `json:"most,omitempty"`
	Sellers []string  `json:"sellers"` // ids of those who may sell it here
}

// Shelf is what may be bought under an application.
type Shelf struct {
	Free    money.Fen    `json:"free"` // of the limit
	Rule    string       `json:"rule"` // "", "buyer" or "receipt": what the payment waits for
	Offers  []Offer      `json:"offers"`
	Sellers []ShelfEntry `json:"sellers"`
}

// ShelfEntry is a seller as buyers see it.
type ShelfEntry struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Categories []string `json:"categories"`
}

// Shelf lists the goods of a product with prices, months and sellers for who asks.
func (s *Service) Shelf(ctx context.Context, who access.Actor, applicationID, lang string) (Shelf, error) {
	f, d, err := s.facts(ctx, who, applicationID, "", lang, "")
	if err != nil {
		return Shelf{}, err
	}
	if !d.Product.Directed {
		return Shelf{}, ErrNotDirected.At("path.id")
	}
	shelf := Shelf{Free: max(f.free, 0), Rule: string(d.Product.Delivery), Offers: []Offer{}, Sellers: []ShelfEntry{}}
	var open []Seller
	for before := ""; ; {
		page, err := s.cfg.Store.Sellers(ctx, who.Tenant, SellerFilter{States: []SellerState{Enrolled}, Before: before, Limit: 500})
		if err != nil {
			return Shelf{}, err
		}
		if len(page) == 0 {
			break
		}
		for _, x := range page {
			if f.today >= x.From && f.today <= x.To && within(f.buyer.County, x.Regions) {
				open = append(open, x)
				shelf.Sellers = append(shelf.Sellers, ShelfEntry{x.ID, x.Name, x.Categories})
			}
		}
		before = page[len(page)-1].ID
	}
	var allowed []string
	for _, p := range d.Product.Purposes {
		allowed = append(allowed, p.Goods...)
	}
	for _, g := range s.cfg.Goods.Goods {
		if slices.Contains(allowed, g.Category) {
			shelf.Offers = append(shelf.Offers, f.offer(g, open))
		}
	}
	return shelf, nil
}

func (f *facts) offer(g Goods, open []Seller) Offer {
	o := Offer{Goods: g, Months: g.Months(f.buyer.County, f.ground.Crops), Sellers: []string{}}
	if band, ok := g.Price(f.buyer.County, f.today); ok {
		o.Low, o.High, o.Source = band.Low, band.High, band.Source
	}
	o.InSeason = len(o.Months) == 0 || slices.Contains(o.Months, f.month())
	if most, bounded := f.most(g); bounded {
		left := max(most-f.had[g.Code], 0)
		o.Most = &left
	}
	for _, x := range open {
		if slices.Contains(x.Categories, g.Category) {
			o.Sellers = append(o.Sellers, x.ID)
		}
	}
	return o
}

// most is what the ground or the herd can take of goods within a year.
func (f *facts) most(g Goods) (most Quantity, bounded bool) {
	base := f.ground.Mu
	switch g.Per {
	case "":
		return 0, false
	case PerHead:
		base = float64(f.ground.Heads)
	}
	most = Quantity(base * float64(g.Most))
	if g.Whole && base > 0 {
		most = max(most/100, 1) * 100
	}
	return most, true
}
