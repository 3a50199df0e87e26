package partner

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
)

// Quotes decides on the evidence that is kept; quote.Service is one.
type Quotes interface {
	Quote(ctx context.Context, who access.Actor, req quote.Request) (credit.Decision, error)
	Kept(ctx context.Context, who access.Actor, userID string) ([]quote.Snapshot, error)
}

func (f face) registerQuotes(a *route.API) {
	route.Register(a, route.Op{ID: "partner-snapshots", Method: http.MethodGet, Path: "/partner/borrowers/{id}/snapshots",
		Summary: "The evidence that is kept of the applications that the partner brought for a borrower", Tag: "partner"}, f.snapshots)
	route.Register(a, route.Op{ID: "partner-quote", Method: http.MethodPost, Path: "/partner/quotes",
		Summary: "Decide on evidence that is kept: what a borrower could have now", Tag: "partner"}, f.quote)
}

func (f face) snapshots(ctx context.Context, who access.Actor, in *byID) (*route.Body[route.List[quote.Snapshot]], error) {
	list, err := f.Quotes.Kept(ctx, who, in.ID)
	return route.Page(list, err, 0, func(quote.Snapshot) string { return "" })
}

type quoteIn struct {
	Body struct {
		SnapshotID string    `json:"snapshot_id" minLength:"1" maxLength:"64"`
		Asked      money.Fen `json:"asked,omitempty" minimum:"0" doc:"fen; 0 is what was asked for when the evidence was gathered"`
		TermMonths int       `json:"term_months,omitempty" minimum:"0" maximum:"360"`
		Raises     bool      `json:"raises,omitempty" doc:"also what would raise the limit"`
	}
}

func (f face) quote(ctx context.Context, who access.Actor, in *quoteIn) (*route.Body[credit.Decision], error) {
	d, err := f.Quotes.Quote(ctx, who, quote.Request{
		SnapshotID: in.Body.SnapshotID, Asked: in.Body.Asked, TermMonths: in.Body.TermMonths, Raises: in.Body.Raises, Action: route.Recorded(ctx),
	})
	if err != nil {
		return nil, err
	}
	return route.Answer(f.Desk.Localise(ctx, who, d, route.Lang(ctx)))
}
