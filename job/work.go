package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/scene"
	"github.com/furrowcredit/furrow/money"
)

// Work is what the workers call. A process that only adds jobs leaves it empty.
type Work struct {
	Applications interface {
		// Assess decides an application on its evidence.
		Assess(ctx context.Context, tenant, applicationID string) (apply.Application, error)
		// Reconsider moves the limit of an application to what its evidence carries now.
		Reconsider(ctx context.Context, tenant, applicationID string, cause apply.Cause) (apply.Application, error)
	}
	Asked   apply.Store
	Plots   geo.Store
	Reports interface {
		// Make returns one report for each plot, in order.
		Make(ctx context.Context, plots []geo.Plot, season geo.Season) ([]geo.CropReport, error)
	}
	Chain interface {
		Findings(ctx context.Context, tenant string) ([]chain.Finding, error)
	}
	Twins interface {
		// Suggest keeps pairs of firms that may be one and returns how many.
		Suggest(ctx context.Context, tenant string) (int, error)
	}
	// Alerts is told of what reports and scans show: *watch.Desk.
	Alerts interface {
		Plot(ctx context.Context, p geo.Plot, r geo.CropReport) error
		Findings(ctx context.Context, tenant string, found []chain.Finding) error
	}
	Loans interface {
		// DayEnd books up to one calendar date; a date that is booked already changes nothing.
		DayEnd(ctx context.Context, tenant string, date money.Date) (loan.DayEndReport, error)
	}
	// Holds ends holds of the ledger at their time; nil leaves them to the next posting.
	Holds interface {
		// ExpireDue ends those whose time is over and says how many.
		ExpireDue(ctx context.Context) (int, error)
	}
	// Scenes gives the satellite scenes that there are now.
	Scenes func(ctx context.Context) ([]scene.Item, error)
	Passes geo.Passes
	// PlotChanged is told of each plot with a new report.
	PlotChanged func(tenant, plotID string)
	// Season is the season that a plot is judged on today.
	Season func() geo.Season
}

// workers binds the work to the queue; add puts further jobs into it.
func workers(w Work, add func(context.Context, river.JobArgs, string) error) *river.Workers {
	all := river.NewWorkers()
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[assessArgs]) error {
		return final(w.assess(ctx, j.Args))
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[reconsiderArgs]) error {
		_, err := w.Applications.Reconsider(ctx, j.Args.Tenant, j.Args.Application, j.Args.Cause)
		return final(err)
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[reportArgs]) error {
		return final(w.report(ctx, j.Args))
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[scenesArgs]) error {
		return final(w.scenes(ctx, j.Args, add))
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[scanArgs]) error {
		return final(w.scan(ctx, j.Args))
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[twinsArgs]) error {
		_, err := w.Twins.Suggest(ctx, j.Args.Tenant)
		return final(err)
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, j *river.Job[dayEndArgs]) error {
		date, err := money.ParseDate(j.Args.Date)
		if err == nil {
			_, err = w.Loans.DayEnd(ctx, j.Args.Tenant, date)
		}
		return final(err)
	}))
	river.AddWorker(all, river.WorkFunc(func(ctx context.Context, _ *river.Job[expireArgs]) error {
		_, err := w.Holds.ExpireDue(ctx)
		return final(err)
	}))
	return all
}

// final cancels a job whose error another try cannot mend.
func final(err error) error {
	for _, kind := range []error{fault.Invalid, fault.NotFound, fault.Conflict, fault.Forbidden} {
		if errors.Is(err, kind) {
			return river.JobCancel(err)
		}
	}
	return err
}

type assessArgs struct {
	Tenant      string `json:"tenant"`
	Application string `json:"application"`
}

func (assessArgs) Kind() string { return "assess" }

// assess makes sure that a plot has its report before the decision reads it.
func (w Work) assess(ctx context.Context, a assessArgs) error {
	app, err := w.Asked.Application(ctx, a.Tenant, a.Application)
	if err != nil {
		return err
	}
	if app.Subject.Kind == credit.PlotSubject {
		_, err := w.Plots.LatestReport(ctx, a.Tenant, app.Subject.ID)
		if errors.Is(err, geo.ErrReportAbsent) {
			season := w.Season()
			err = w.report(ctx, reportArgs{a.Tenant, season.Start, season.End, []string{app.Subject.ID}})
		}
		if err != nil {
			return err
		}
	}
	_, err = w.Applications.Assess(ctx, a.Tenant, a.Application)
	return err
}

// reconsiderArgs asks for one look at what came in until Until: it is worked then, so
// that it sees all of it, and only once.
type reconsiderArgs struct {
	Tenant      string      `json:"tenant" river:"unique"`
	Application string      `json:"application" river:"unique"`
	Until       time.Time   `json:"until" river:"unique"`
	Cause       apply.Cause `json:"cause"` // of the first
}

func (reconsiderArgs) Kind() string { return "reconsider" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (r reconsiderArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{ScheduledAt: r.Until, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

type reportArgs struct {
	Tenant string    `json:"tenant"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Plots  []string  `json:"plots"`
}

func (reportArgs) Kind() string { return "report" }

// batch is how many plots are read from the scenes at once.
const batch = 500

func (w Work) report(ctx context.Context, a reportArgs) error {
	season := geo.Season{Name: fmt.Sprintf("%s/%s", a.From.Format(time.DateOnly), a.To.Format(time.DateOnly)), Start: a.From, End: a.To}
	if len(a.Plots) > 0 {
		plots := make([]geo.Plot, 0, len(a.Plots))
		for _, id := range a.Plots {
			p, err := w.Plots.Plot(ctx, a.Tenant, id)
			if err != nil {
				return err
			}
			plots = append(plots, p)
		}
		peers, err := w.peers(ctx, a.Tenant, plots)
		if err != nil {
			return err
		}
		return w.make(ctx, a.Tenant, plots, peers, season)
	}
	for after := ""; ; {
		plots, err := w.Plots.Plots(ctx, a.Tenant, geo.PlotFilter{After: after, Limit: batch})
		if err != nil || len(plots) == 0 {
			return err
		}
		if err := w.make(ctx, a.Tenant, plots, nil, season); err != nil {
			return err
		}
		after = plots[len(plots)-1].ID
	}
}

// peers are plots that the given ones are held against: those around the first, for
// weather comes over neighbours alike, and for each declared crop some of its county.
func (w Work) peers(ctx context.Context, tenant string, plots []geo.Plot) ([]geo.Plot, error) {
	const (
		degrees, most = 0.03, 150 // about 3 km
		enough        = 40        // of one crop in one county
	)
	type kind struct{ region, crop string }
	known, have := map[string]bool{}, map[kind]int{}
	count := func(p geo.Plot) { known[p.ID] = true; have[kind{p.Region, p.Crop}]++ }
	for _, p := range plots {
		count(p)
	}
	var peers []geo.Plot
	add := func(f geo.PlotFilter) error {
		found, err := w.Plots.Plots(ctx, tenant, f)
		for _, p := range found {
			if !known[p.ID] {
				count(p)
				peers = append(peers, p)
			}
		}
		return err
	}
	bound := plots[0].Polygon.Bound().Pad(degrees)
	if err := add(geo.PlotFilter{Bound: &bound, Limit: most}); err != nil {
		return nil, err
	}
	for _, p := range plots {
		if k := (kind{p.Region, p.Crop}); p.Region != "" && p.Crop != "" && have[k] < enough {
			if err := add(geo.PlotFilter{Region: k.region, Crop: k.crop, Limit: enough}); err != nil {
				return nil, err
			}
			have[k] = enough // the county has no more, or enough
		}
	}
	return peers, nil
}

// make reports on plots; their peers are only looked at.
func (w Work) make(ctx context.Context, tenant string, plots, peers []geo.Plot, season geo.Season) error {
	reports, err := w.Reports.Make(ctx, slices.Concat(plots, peers), season)
	if err != nil {
		return err
	}
	for i, r := range reports[:len(plots)] {
		if err := w.Plots.SaveReport(ctx, tenant, r); err != nil {
			return err
		}
		if err := w.Alerts.Plot(ctx, plots[i], r); err != nil {
			return err
		}
		w.PlotChanged(tenant, r.PlotID)
	}
	return nil
}

type scanArgs struct {
	Tenant string `json:"tenant"`
}

func (scanArgs) Kind() string { return "scan" }

func (w Work) scan(ctx context.Context, a scanArgs) error {
	findings, err := w.Chain.Findings(ctx, a.Tenant)
	if err != nil {
		return err
	}
	if err := w.Alerts.Findings(ctx, a.Tenant, findings); err != nil {
		return err
	}
	_, err = w.Twins.Suggest(ctx, a.Tenant)
	return err
}

type twinsArgs struct {
	Tenant string `json:"tenant"`
}

func (twinsArgs) Kind() string { return "twins" }

type dayEndArgs struct {
	Tenant string `json:"tenant"`
	Date   string `json:"date"`
}

func (dayEndArgs) Kind() string { return "day_end" }

// expiring is how often it is looked for holds whose time is over.
const expiring = time.Minute

type expireArgs struct{}

func (expireArgs) Kind() string { return "expire_holds" }

// periodic are the jobs that come by themselves, once for all processes.
func periodic(w Work) []*river.PeriodicJob {
	if w.Holds == nil {
		return nil
	}
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(expiring), func() (river.JobArgs, *river.InsertOpts) {
		return expireArgs{}, &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: expiring}}
	}, &river.PeriodicJobOpts{RunOnStart: true})}
}
