package chain

import (
	"context"

	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// ErrPartnersAfter is a place to go on from that no page of partners gave.
var ErrPartnersAfter = fault.New(fault.Invalid, "partners.after", "the place {after} to go on from is not one that a page gave; start from the first page")

// PartnerSort is an order of partners.
type PartnerSort string

// Orders of partners; each ends with the ids.
const (
	ByInvoiced PartnerSort = "invoiced" // most first
	ByName     PartnerSort = "name"
	ByTenure   PartnerSort = "tenure" // the one with the oldest document first, those without any last
)

// PartnerFilter selects the firms that sell to a firm; zero fields do not restrict.
type PartnerFilter struct {
	FirmID string
	Buyers bool   // those that buy from it instead
	Query  string // a part of the normalised name, or the start of the credit code
	Sort   PartnerSort
	After  string // Next of the page before, of the same order
	Limit  int    // 0 means 100; at most 1000
}

// Partner is a firm that trades with another, and their trade.
type Partner struct {
	Firm Party
	Link Link
}

// PartnerPage is a part of the partners of a firm.
type PartnerPage struct {
	Partners []Partner
	Total    int       // of all pages
	Invoiced money.Fen // with all partners, whatever the filter: the whole of which each has a share
	Next     string    // "" after the last page
}

// Partners lists whom a firm trades with, for people who look at one page of many
// thousands. Implemented in store/firm.
type Partners interface {
	// Partners returns ErrPartnersAfter. A merger of firms is one partner; what two of
	// them report twice counts once in its link.
	Partners(ctx context.Context, tenant string, f PartnerFilter) (PartnerPage, error)
}
