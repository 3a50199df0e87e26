package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/contagion"
	"github.com/furrowcredit/furrow/chain/reference"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/geo/crop"
	"github.com/furrowcredit/furrow/geo/register"
	"github.com/furrowcredit/furrow/iot/ingest"
	"github.com/furrowcredit/furrow/iot/species"
	"github.com/furrowcredit/furrow/server"
	"github.com/furrowcredit/furrow/server/operator"
	"github.com/furrowcredit/furrow/store/firm"
)

// queued hands applications to the runner, which is made after the service that
// submits them.
type queued struct{ a *App }

func (q queued) Assess(ctx context.Context, tenant, id string) error {
	return q.a.runner.Assess(ctx, tenant, id)
}

func (q queued) Reconsider(ctx context.Context, tenant string, ids []string, cause apply.Cause) error {
	return q.a.runner.Reconsider(ctx, tenant, ids, cause)
}

// touch has limits reconsidered on new evidence. The evidence is saved already: when it
// cannot be queued now, the next news of the subject does so.
func (a *App) touch(ctx context.Context, tenant string, f apply.Filter, cause apply.Cause) {
	if err := a.apps.Touch(ctx, tenant, f, cause); err != nil {
		a.cfg.Log.WarnContext(ctx, "limits are not reconsidered now", "cause", cause, "error", err)
	}
}

// tradeMoved has the limits of firms reconsidered when documents or merges have changed: a
// file of one anchor moves the shares of all its chain.
func (a *App) tradeMoved(ctx context.Context, tenant string) {
	a.touch(context.WithoutCancel(ctx), tenant, apply.Filter{Subject: credit.Subject{Kind: credit.FirmSubject}}, apply.NewStanding)
}

// profilesMoved has the limits of borrowers reconsidered of whom something was stated or uploaded.
func (a *App) profilesMoved(ctx context.Context, tenant string, userIDs []string) {
	for _, id := range userIDs {
		a.touch(context.WithoutCancel(ctx), tenant, apply.Filter{UserID: id}, apply.NewHistory)
	}
}

// alertMoved has the limits on a subject reconsidered when an alert opens or closes.
// Arrears are told by their loan.
func (a *App) alertMoved(ctx context.Context, x watch.Alert) {
	if x.SubjectKind == string(credit.HerdSubject) {
		a.revalue(pledged{tenant: x.Tenant, herd: x.SubjectID})
	}
	switch kind := credit.SubjectKind(x.SubjectKind); kind {
	case credit.PlotSubject, credit.HerdSubject, credit.FirmSubject:
		a.touch(ctx, x.Tenant, apply.Filter{Subject: credit.Subject{Kind: kind, ID: x.SubjectID}}, apply.NewAlert)
	}
}

// firstOperator makes the first person of an empty house.
func (a *App) firstOperator(ctx context.Context, gate *access.Gate) error {
	if a.cfg.OperatorPassword == "" {
		return nil
	}
	who := access.Actor{Tenant: a.cfg.Tenant, Role: access.Operator}
	users, err := gate.Users(ctx, who.Tenant)
	if err != nil || len(users) > 0 {
		return err
	}
	_, err = gate.AddUser(ctx, who, access.NewUser{
		Login: a.cfg.Operator, Password: a.cfg.OperatorPassword, Name: a.cfg.Operator, Role: access.Operator,
	})
	return err
}

// reportPlot has the report of one plot made soon.
func (a *App) reportPlot(ctx context.Context, tenant, plotID string) error {
	s := a.season()
	return a.runner.Report(ctx, tenant, s.Start, s.End, []string{plotID})
}

// plotChanged has the limits on a plot reconsidered and tells the open pages; the report is saved already, so a plot that
// cannot be read now is only not pushed.
func (a *App) plotChanged(plots geo.Store, pictures *images) func(tenant, plotID string) {
	return func(tenant, plotID string) {
		pictures.changed(tenant)
		a.revalue(pledged{tenant: tenant, plot: plotID})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		a.touch(ctx, tenant, apply.Filter{Subject: credit.Subject{Kind: credit.PlotSubject, ID: plotID}}, apply.NewReport)
		if p, err := plots.Plot(ctx, tenant, plotID); err == nil {
			a.hub.PlotChanged(tenant, p.OwnerID, plotID)
		}
	}
}

// counter is a number of /metrics that only grows.
type counter struct {
	name, help string
	value      func() int64
}

func expose(r *prometheus.Registry, counters []counter) {
	for _, m := range counters {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.name, Help: m.help},
			func() float64 { return float64(m.value()) }))
	}
}

// countIngest shows the counters of the pipeline in /metrics.
func (a *App) countIngest(r *prometheus.Registry) {
	c := &a.pipeline.Counters
	expose(r, []counter{
		{"furrow_ingest_messages_total", "MQTT messages taken and acknowledged.", c.Messages.Load},
		{"furrow_ingest_readings_total", "Readings saved.", c.Readings.Load},
		{"furrow_ingest_headcounts_total", "Counts of heads saved.", c.Headcounts.Load},
		{"furrow_ingest_quarantined_total", "Payloads refused and kept.", c.Quarantined.Load},
		{"furrow_ingest_dropped_total", "Payloads refused beyond what is kept of one device.", c.Dropped.Load},
		{"furrow_ingest_spooled_total", "Readings kept in the spool while their store was down.", c.Spooled.Load},
		{"furrow_ingest_recovered_total", "Readings that went from the spool to the store.", c.Recovered.Load},
		{"furrow_ingest_impostors_total", "Messages that a device published as another.", c.Impostors.Load},
		{"furrow_ingest_batches_total", "Writes to the series store.", c.Batches.Load},
		{"furrow_ingest_retries_total", "Failed writes tried again.", c.Retries.Load},
	})
	gauge := func(name, help string, value func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("furrow_ingest_store_down", "1 while readings go to the spool.", func() float64 {
		if a.pipeline.Down() {
			return 1
		}
		return 0
	})
	gauge("furrow_ingest_spool_bytes", "What waits in the spool.", func() float64 { return float64(a.spool.Bytes()) })
	gauge("furrow_ingest_spool_damaged", "Files of the spool with damaged records.", func() float64 { return float64(a.spool.Damaged()) })
	if a.broker != nil {
		gauge("furrow_broker_connections", "Devices connected to the embedded broker.", func() float64 { return float64(a.broker.Connections()) })
	}
	r.MustRegister(refusals{a.pipeline})
}

// refusals counts what was refused by the code of its reason.
type refusals struct{ *ingest.Pipeline }

var refused = prometheus.NewDesc("furrow_ingest_refused_total", "What was refused, kept or not, by reason.", []string{"code"}, nil)

// Describe implements prometheus.Collector.
func (refusals) Describe(ch chan<- *prometheus.Desc) { ch <- refused }

// Collect implements prometheus.Collector.
func (p refusals) Collect(ch chan<- prometheus.Metric) {
	for code, n := range p.Counters.Reasons() {
		ch <- prometheus.MustNewConstMetric(refused, prometheus.CounterValue, float64(n), code)
	}
}

// noRail refuses to move money where no bank is connected.
type noRail struct{}

var errNoRail = fault.New(fault.Unavailable, "pay.no_rail", "no bank is connected; the operator must configure a payment rail")

func (noRail) Send(context.Context, pay.Order) (pay.Receipt, error) { return pay.Receipt{}, errNoRail }
func (noRail) Query(context.Context, string) (pay.Receipt, error) {
	return pay.Receipt{}, pay.ErrUnseen
}

func (c Config) rail() pay.Rail {
	if c.Rail == nil {
		return noRail{}
	}
	return c.Rail
}

// loanOf finds the loan that stands on a subject, so that an alert names it.
func loanOf(loans *loan.Service) func(context.Context, string, string) (string, error) {
	return func(ctx context.Context, tenant, subjectID string) (string, error) {
		open, err := loans.Loans(ctx, tenant, loan.Filter{
			SubjectID: subjectID, States: []loan.State{loan.Active, loan.Overdue}, Limit: 1,
		})
		if err != nil || len(open) == 0 {
			return "", err
		}
		return open[0].ID, nil
	}
}

// firmNames finds what firms are called, for alerts on them.
func firmNames(firms chain.Store) func(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
	return func(ctx context.Context, tenant string, ids []string) (map[string]string, error) {
		found, err := firms.FirmsByID(ctx, tenant, ids)
		names := make(map[string]string, len(found))
		for _, p := range found {
			names[p.ID] = p.Name
		}
		return names, err
	}
}

// firmLoans lists what firms owe, for a shock to their chain.
func firmLoans(loans *loan.Service) func(ctx context.Context, tenant string) ([]contagion.Exposure, error) {
	return func(ctx context.Context, tenant string) ([]contagion.Exposure, error) {
		var out []contagion.Exposure
		f := loan.Filter{States: []loan.State{loan.Active, loan.Overdue}, Limit: 500}
		for {
			page, err := loans.Loans(ctx, tenant, f)
			if err != nil {
				return nil, err
			}
			for _, l := range page {
				if l.Subject.Kind == credit.FirmSubject {
					out = append(out, contagion.Exposure{LoanID: l.ID, FirmID: l.Subject.ID, Outstanding: l.Outstanding})
				}
			}
			if len(page) < f.Limit {
				return out, nil
			}
			f.Before = page[len(page)-1].ID
		}
	}
}

// readPlots reads land registers; declared crops become codes of the catalogue.
func readPlots(crops *crop.Catalogue) func(r io.Reader, name string) ([]geo.Plot, []operator.Refused, error) {
	return func(r io.Reader, name string) ([]geo.Plot, []operator.Refused, error) {
		res, err := register.Load(r, name, register.Options{Split: true})
		if err != nil {
			return nil, nil, err
		}
		res.NameCrops(crops)
		out := make([]operator.Refused, len(res.Refusals))
		for i, x := range res.Refusals {
			out[i] = operator.Refused{Place: fmt.Sprintf("feature %d", x.Feature), Err: x.Err}
			if x.Part > 0 {
				out[i].Place += fmt.Sprintf(", part %d", x.Part)
			}
		}
		return res.Plots, out, nil
	}
}

func importChain(s *firm.Store) func(context.Context, string, map[string]io.Reader) (reference.Report, error) {
	return func(ctx context.Context, tenant string, files map[string]io.Reader) (reference.Report, error) {
		sources := make([]reference.Source, 0, len(files))
		for _, name := range slices.Sorted(maps.Keys(files)) {
			sources = append(sources, reference.Source{Name: name, R: files[name]})
		}
		return reference.Service{Store: s}.Import(ctx, tenant, sources, nil)
	}
}

func cropWords(c *crop.Catalogue) []server.Word {
	var out []server.Word
	for _, x := range c.Crops() {
		out = append(out, server.Word{Code: x.Code, ZH: x.Zh, EN: x.En})
	}
	return out
}

func speciesWords(c *species.Catalogue) []server.Word {
	var out []server.Word
	for _, x := range c.All() {
		out = append(out, server.Word{Code: x.Code, ZH: x.Name["zh-CN"], EN: x.Name["en"]})
	}
	return out
}

func goodsWords(c *purchase.Catalogue) []server.Word {
	out := make([]server.Word, len(c.Goods))
	for i, x := range c.Goods {
		out[i] = server.Word{Code: x.Code, ZH: x.Name["zh-CN"], EN: x.Name["en"]}
	}
	return out
}

func unitWords(c *purchase.Catalogue) []server.Word {
	out := make([]server.Word, len(c.Units))
	for i, x := range c.Units {
		out[i] = server.Word{Code: x.Code, ZH: x.Name["zh-CN"], EN: x.Name["en"]}
	}
	return out
}
