package farmer

import (
	"context"
	"net/http"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/receivable"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// Receivables is what a holder does with receivables; chain/receivable.Service does it.
type Receivables interface {
	Do(ctx context.Context, who receivable.Who, id, key string, c receivable.Command) (receivable.Receivable, error)
	Get(ctx context.Context, who receivable.Who, id string) (receivable.Receivable, error)
	Events(ctx context.Context, who receivable.Who, id string) ([]receivable.Event, error)
	Held(ctx context.Context, who receivable.Who, f receivable.Filter) ([]receivable.Receivable, error)
	Today() money.Date
}

// HolderDesk is the side of those who hold receivables: owners of small firms, and
// anchors that others owe.
type HolderDesk struct {
	Receivables Receivables
	Firms       chain.Store
	// FirmsOf are the firms that a person speaks for.
	FirmsOf func(ctx context.Context, who access.Actor) ([]string, error)
}

// owned are the firms of a borrower.
func (f face) owned(ctx context.Context, who access.Actor) ([]string, error) {
	firms, err := f.Firms.Firms(ctx, who.Tenant, chain.PartyFilter{OwnerID: who.UserID, Limit: 1000})
	ids := make([]string, len(firms))
	for i, x := range firms {
		ids[i] = x.ID
	}
	return ids, err
}

func (f face) registerReceivables(a *route.API, op func(id, method, path, summary string) route.Op) {
	HolderDesk{f.Receivables, f.Firms, f.owned}.Register(a, "/receivables", op)
}

// Register adds the operations of a holder below a path.
func (d HolderDesk) Register(a *route.API, path string, op func(id, method, path, summary string) route.Op) {
	get, post := http.MethodGet, http.MethodPost
	one := path + "/{id}"
	route.Register(a, op("holdings", get, path, "Receivables that I hold or held, newest first"), d.list)
	route.Register(a, op("holding", get, one, "A receivable as far as it is mine"), d.get)
	route.Register(a, op("holding-events", get, one+"/events", "What I did with it"), d.events)
	route.Register(a, op("holding-accept", post, one+"/accept", "Take a receivable that the anchor confirmed"), d.act(receivable.Accept))
	route.Register(a, op("holding-cancel", post, one+"/cancel", "Decline it, or cancel it together with the anchor"), d.act(receivable.Cancel))
	route.Register(a, op("holding-split", post, one+"/split", "Split a part"), d.split)
	route.Register(a, op("holding-transfer", post, one+"/transfer", "Pass a part on to another firm"), d.transfer)
	route.Register(a, op("holding-set-off", post, one+"/set-off", "Set a part off against what I owe the anchor"), d.some(receivable.SetOff))
	route.Register(a, op("holding-ask", post, one+"/ask", "Ask the bank to finance a part"), d.some(receivable.Ask))
	route.Register(a, op("holding-unask", post, one+"/unask", "Take a request for finance back"), d.act(receivable.Unask))
}

func (d HolderDesk) who(ctx context.Context, who access.Actor) (receivable.Who, error) {
	firms, err := d.FirmsOf(ctx, who)
	return view.ForFirms(who, firms...), err
}

type holdingsIn struct{ view.ReceivableQuery }

func (d HolderDesk) list(ctx context.Context, who access.Actor, in *holdingsIn) (*route.Body[route.List[view.ReceivableLine]], error) {
	filter, err := in.Filter(d.Receivables.Today())
	if err != nil {
		return nil, err
	}
	me, err := d.who(ctx, who)
	if err != nil {
		return nil, err
	}
	list, err := d.Receivables.Held(ctx, me, filter)
	return d.lines().Page(ctx, who, list, err, in.Limit)
}

func (d HolderDesk) get(ctx context.Context, who access.Actor, in *ByID) (*route.Body[view.ReceivableLine], error) {
	me, err := d.who(ctx, who)
	if err != nil {
		return nil, err
	}
	r, err := d.Receivables.Get(ctx, me, in.ID)
	return d.lines().One(ctx, who, r, err)
}

func (d HolderDesk) lines() view.Receivables {
	return view.Receivables{Firms: d.Firms, Today: d.Receivables.Today()}
}

func (d HolderDesk) events(ctx context.Context, who access.Actor, in *ByID) (*route.Body[route.List[receivable.Event]], error) {
	me, err := d.who(ctx, who)
	if err != nil {
		return nil, err
	}
	events, err := d.Receivables.Events(ctx, me, in.ID)
	return route.Page(events, err, 0, func(receivable.Event) string { return "" })
}

func (d HolderDesk) do(ctx context.Context, who access.Actor, id, key string, c receivable.Command) (*route.Body[view.ReceivableLine], error) {
	me, err := d.who(ctx, who)
	if err != nil {
		return nil, err
	}
	r, err := d.Receivables.Do(ctx, me, id, key, c)
	return d.lines().One(ctx, who, r, err)
}

// ActKey makes an act on a receivable happen once.
type ActKey struct {
	ByID
	Key string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"128" doc:"a new one for each act, the same one for each retry"`
}

type holdingActIn struct {
	ActKey
	Body struct {
		PartID string `json:"part_id,omitempty" maxLength:"64" doc:"the root when absent"`
		Note   string `json:"note,omitempty" maxLength:"500"`
	}
}

func (d HolderDesk) act(kind receivable.Kind) func(context.Context, access.Actor, *holdingActIn) (*route.Body[view.ReceivableLine], error) {
	return func(ctx context.Context, who access.Actor, in *holdingActIn) (*route.Body[view.ReceivableLine], error) {
		return d.do(ctx, who, in.ID, in.Key, receivable.Command{Kind: kind, PartID: in.Body.PartID, Note: in.Body.Note})
	}
}

type holdingSomeIn struct {
	ActKey
	Body struct {
		PartID string    `json:"part_id,omitempty" maxLength:"64" doc:"the root when absent"`
		Amount money.Fen `json:"amount,omitempty" minimum:"1" doc:"fen; all that is free when absent"`
		Note   string    `json:"note,omitempty" maxLength:"500"`
	}
}

func (d HolderDesk) some(kind receivable.Kind) func(context.Context, access.Actor, *holdingSomeIn) (*route.Body[view.ReceivableLine], error) {
	return func(ctx context.Context, who access.Actor, in *holdingSomeIn) (*route.Body[view.ReceivableLine], error) {
		b := in.Body
		return d.do(ctx, who, in.ID, in.Key, receivable.Command{Kind: kind, PartID: b.PartID, Amount: b.Amount, Note: b.Note})
	}
}

type holdingSplitIn struct {
	ActKey
	Body struct {
		PartID  string      `json:"part_id,omitempty" maxLength:"64" doc:"the root when absent"`
		Amounts []money.Fen `json:"amounts" minItems:"1" maxItems:"100" doc:"fen, of each new part; the rest stays"`
	}
}

func (d HolderDesk) split(ctx context.Context, who access.Actor, in *holdingSplitIn) (*route.Body[view.ReceivableLine], error) {
	return d.do(ctx, who, in.ID, in.Key, receivable.Command{Kind: receivable.Split, PartID: in.Body.PartID, Amounts: in.Body.Amounts})
}

type holdingTransferIn struct {
	ActKey
	Body struct {
		PartID string    `json:"part_id,omitempty" maxLength:"64" doc:"the root when absent"`
		To     string    `json:"to" minLength:"1" maxLength:"64" doc:"credit code or id of the firm"`
		Amount money.Fen `json:"amount,omitempty" minimum:"1" doc:"fen; all that is free when absent"`
		Note   string    `json:"note,omitempty" maxLength:"500"`
	}
}

func (d HolderDesk) transfer(ctx context.Context, who access.Actor, in *holdingTransferIn) (*route.Body[view.ReceivableLine], error) {
	b := in.Body
	return d.do(ctx, who, in.ID, in.Key, receivable.Command{Kind: receivable.Transfer, PartID: b.PartID, To: b.To, Amount: b.Amount, Note: b.Note})
}
