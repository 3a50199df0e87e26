package anchor

import (
	"context"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Supplier is a firm that sells to the anchor.
type Supplier struct {
	Firm           chain.Party `json:"firm"`
	Link           chain.Link  `json:"link"`
	StandingStatus string      `json:"standing_status,omitempty" doc:"known, low_confidence or unknown; absent when it was not asked for"`
}

// SupplierPage is a part of the anchor's suppliers.
type SupplierPage struct {
	Items    []Supplier `json:"items"`
	Next     string     `json:"next,omitempty" doc:"pass it as after to go on"`
	Total    int        `json:"total" doc:"suppliers on all pages"`
	Invoiced money.Fen  `json:"invoiced" doc:"fen, by all suppliers whatever the search: the whole of which each has a share"`
}

// suppliersIn asks for a page. Standings are worked out one by one, from all documents of
// each firm, so that a page with them is no longer than a person reads.
type suppliersIn struct {
	Query    string            `query:"q" maxLength:"100" doc:"a part of the name, or the start of the credit code"`
	Sort     chain.PartnerSort `query:"sort" enum:"invoiced,name,tenure" default:"invoiced" doc:"most invoiced first, by name, or the oldest trade first"`
	Standing bool              `query:"standing" default:"true" doc:"false leaves out where each stands, which large pages must"`
	After    string            `query:"after" maxLength:"500" doc:"next of the page before"`
	Limit    int               `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"at most 100 with standings"`
}

// maxStandings bounds what one question works out.
const maxStandings = 100

func (f face) suppliers(ctx context.Context, who access.Actor, in *suppliersIn) (*route.Body[SupplierPage], error) {
	if in.Standing {
		in.Limit = min(in.Limit, maxStandings)
	}
	page, err := f.Partners.Partners(ctx, who.Tenant, chain.PartnerFilter{FirmID: who.FirmID, Query: in.Query, Sort: in.Sort, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := SupplierPage{Items: make([]Supplier, len(page.Partners)), Next: page.Next, Total: page.Total, Invoiced: page.Invoiced}
	for i, p := range page.Partners {
		out.Items[i] = Supplier{Firm: p.Firm, Link: p.Link}
		if !in.Standing {
			continue
		}
		standing, err := f.Standings.Standing(ctx, who.Tenant, p.Firm.ID)
		if err != nil {
			return nil, err
		}
		out.Items[i].StandingStatus = standing.Status
	}
	return route.Answer(out, nil)
}

// SupplierName is a supplier to choose.
type SupplierName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	USCC string `json:"uscc" doc:"empty when it is not known"`
}

type supplierNamesIn struct {
	Query string `query:"q" maxLength:"100" doc:"a part of the name, or the start of the credit code; none gives those that invoiced most"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	// Buyers asks for the other side of the trade.
	Buyers bool `query:"buyers" doc:"firms that buy from the anchor instead of its suppliers"`
}

func (f face) supplierNames(ctx context.Context, who access.Actor, in *supplierNamesIn) (*route.Body[route.List[SupplierName]], error) {
	page, err := f.Partners.Partners(ctx, who.Tenant, chain.PartnerFilter{FirmID: who.FirmID, Query: in.Query, Buyers: in.Buyers, Sort: chain.ByInvoiced, Limit: in.Limit})
	names := make([]SupplierName, len(page.Partners))
	for i, p := range page.Partners {
		names[i] = SupplierName{p.Firm.ID, p.Firm.Name, p.Firm.USCC}
	}
	return route.Page(names, err, 0, nil)
}
