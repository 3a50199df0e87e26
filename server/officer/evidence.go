package officer

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/server/route"
	"github.com/furrowcredit/furrow/server/view"
)

// What can be wrong with the query of a list.
var (
	ErrBBox   = fault.New(fault.Invalid, "request.bbox", "write the bounds as west,south,east,north in degrees, such as 115.2,37.1,115.9,37.6")
	ErrCursor = fault.New(fault.Invalid, "request.cursor", "the cursor is wrong; start from the first page")
)

// PlotLine is a plot in a list or on the map.
type PlotLine struct {
	Plot       geo.Plot         `json:"plot"`
	Status     geo.Status       `json:"status"` // unknown without a report
	Crop       string           `json:"crop"`
	Confidence float64          `json:"confidence"`
	Mu         float64          `json:"mu"`
	Hazards    []geo.HazardKind `json:"hazards"`
	Pledged    bool             `json:"pledged"`
}

type plotsIn struct {
	BBox  string `query:"bbox" doc:"west,south,east,north in degrees"`
	After string `query:"after" doc:"cursor"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (f face) plots(ctx context.Context, who access.Actor, in *plotsIn) (*route.Body[route.List[PlotLine]], error) {
	bound, err := parseBBox(in.BBox)
	if err != nil {
		return nil, err
	}
	plots, err := f.Plots.Plots(ctx, who.Tenant, geo.PlotFilter{Bound: bound, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(plots))
	for i, p := range plots {
		ids[i] = p.ID
	}
	reports, err := f.Plots.LatestReports(ctx, who.Tenant, ids)
	if err != nil {
		return nil, err
	}
	pledged, err := f.Desk.PledgedPlots(ctx, who.Tenant)
	if err != nil {
		return nil, err
	}
	lines := make([]PlotLine, len(plots))
	for i, p := range plots {
		lines[i] = PlotLine{Plot: p, Status: geo.Unknown, Mu: p.Mu(), Pledged: slices.Contains(pledged, p.ID)}
		if r, ok := reports[p.ID]; ok {
			lines[i].Status, lines[i].Crop, lines[i].Confidence, lines[i].Hazards = r.Status, r.Crop, r.Confidence, view.Hazards(r)
		}
	}
	return route.Page(lines, nil, in.Limit, func(l PlotLine) string { return l.Plot.ID })
}

func parseBBox(s string) (*orb.Bound, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) != 4 {
		return nil, ErrBBox.At("query.bbox")
	}
	var v [4]float64
	for i, p := range parts {
		x, err := strconv.ParseFloat(p, 64)
		if err != nil || !(x >= -180 && x <= 180) {
			return nil, ErrBBox.At("query.bbox")
		}
		v[i] = x
	}
	if v[0] > v[2] || v[1] > v[3] {
		return nil, ErrBBox.At("query.bbox")
	}
	return &orb.Bound{Min: orb.Point{v[0], v[1]}, Max: orb.Point{v[2], v[3]}}, nil
}

// PlotPage is a plot with all that is known of it.
type PlotPage struct {
	Plot          geo.Plot        `json:"plot"`
	Report        *geo.CropReport `json:"report,omitempty"` // absent until the first one is made
	Overlaps      []geo.Overlap   `json:"overlaps"`
	Alerts        []watch.Alert   `json:"alerts"`
	ApplicationID string          `json:"application_id"` // that the plot is pledged to, or ""
}

func (f face) plot(ctx context.Context, who access.Actor, in *ByID) (*route.Body[PlotPage], error) {
	var p PlotPage
	var err error
	if p.Plot, err = f.Plots.Plot(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	report, err := f.Plots.LatestReport(ctx, who.Tenant, in.ID)
	switch {
	case err == nil:
		p.Report = &report
	case !errors.Is(err, geo.ErrReportAbsent):
		return nil, err
	}
	if p.Overlaps, err = f.Overlaps.Overlaps(ctx, who.Tenant, p.Plot.Polygon, p.Plot.ID); err != nil {
		return nil, err
	}
	if p.Alerts, err = f.alertsOf(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	p.ApplicationID, err = f.Desk.PledgeOf(ctx, who.Tenant, credit.Subject{Kind: credit.PlotSubject, ID: in.ID})
	return route.Answer(p, err)
}

func (f face) alertsOf(ctx context.Context, tenant, subjectID string) ([]watch.Alert, error) {
	return f.Alerts.List(ctx, tenant, watch.Filter{SubjectID: subjectID})
}

type firmsIn struct {
	Query   string `query:"q" maxLength:"100" doc:"part of a name, or a credit code"`
	Anchors bool   `query:"anchors" doc:"only anchor enterprises"`
	After   string `query:"after" doc:"cursor"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (f face) firms(ctx context.Context, who access.Actor, in *firmsIn) (*route.Body[route.List[chain.Party]], error) {
	items, err := f.Firms.Firms(ctx, who.Tenant, chain.PartyFilter{
		Query: in.Query, Anchors: in.Anchors, After: in.After, Limit: in.Limit,
	})
	return route.Page(items, err, in.Limit, func(p chain.Party) string { return p.ID })
}

// FirmPage is a firm with all that is known of it.
type FirmPage struct {
	Firm          chain.Party         `json:"firm"`
	Standing      chain.Standing      `json:"standing"`
	Neighbourhood chain.Neighbourhood `json:"neighbourhood"`
	Documents     []chain.Document    `json:"documents"` // the latest 50
	Alerts        []watch.Alert       `json:"alerts"`
}

const (
	hops            = 2
	latestDocuments = 50
)

func (f face) firm(ctx context.Context, who access.Actor, in *ByID) (*route.Body[FirmPage], error) {
	var p FirmPage
	var err error
	if p.Firm, err = f.Firms.Firm(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if p.Standing, err = f.Standings.Standing(ctx, who.Tenant, in.ID); err != nil {
		return nil, err
	}
	if p.Neighbourhood, err = f.Chain.Neighbourhood(ctx, who.Tenant, in.ID, hops); err != nil {
		return nil, err
	}
	if p.Documents, err = f.Firms.Documents(ctx, who.Tenant, in.ID, ""); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.Documents, func(a, b chain.Document) int { return strings.Compare(b.Date, a.Date) })
	p.Documents = p.Documents[:min(len(p.Documents), latestDocuments)]
	p.Alerts, err = f.alertsOf(ctx, who.Tenant, in.ID)
	return route.Answer(p, err)
}

type auditIn struct {
	After string `query:"after" doc:"cursor"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (f face) audit(ctx context.Context, who access.Actor, in *auditIn) (*route.Body[route.List[access.Entry]], error) {
	var after int64
	if in.After != "" {
		n, err := strconv.ParseInt(in.After, 10, 64)
		if err != nil || n < 0 {
			return nil, ErrCursor.At("query.after")
		}
		after = n
	}
	items, err := f.Trail.Entries(ctx, who.Tenant, after, in.Limit)
	return route.Page(items, err, in.Limit, func(e access.Entry) string { return strconv.FormatInt(e.Seq, 10) })
}
