package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim/county"
)

// Seed is the number from which the demo county is drawn.
const Seed = 20260

// Options of Settle.
type Options struct {
	URL      string // of the product, "http://127.0.0.1:8080"
	MQTT     string // of its broker, "tcp://127.0.0.1:1883"
	Operator string // login of the first operator
	Password string // of the operator, and given to everybody
	Dir      string // where the truth and the devices' credentials are written
	County   *county.County
	Clock    *Clock // of the product
	// Statement is the bank's file of a day.
	Statement func(ctx context.Context, day money.Date) ([]byte, error)
	Progress  func(step string, done, total int)
}

// settler plays the county's first day.
type settler struct {
	Options
	town
	farmers []Person
	herders []Person
	owners  []Person          // of small firms
	plots   map[string]string // plot id by the county's key
	ids     map[string]string // person id by login

	firms  map[string]string            // firm id by its owner's login
	busy   map[int]bool                 // owners of plots who do something already
	lent   map[string]apply.Application // loans of the past by their fate
	seller string                       // id of the shop that directed money may go to
	drawn  money.Date                   // when the loans of the past were drawn
}

// Settle fills an empty house: people, land, loans of the past, herds, trade and
// applications in every state. It takes a minute or two.
func Settle(ctx context.Context, opt Options) error {
	s := &settler{
		Options: opt,
		town:    town{base: opt.URL + "/api/v1", password: opt.Password, open: map[string]*client{}},
		plots:   map[string]string{}, ids: map[string]string{},
		firms: map[string]string{}, busy: map[int]bool{}, lent: map[string]apply.Application{},
	}
	for _, step := range []func(context.Context) error{
		s.past, s.lookAgain, s.land, s.ranches, s.trade, s.present, s.lending,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("sim: %w", err)
		}
	}
	return s.writeTruth()
}

// halfYear is how long ago the loans of the past were drawn: crop loans run for at
// least six months, so they fell due three weeks ago.
const halfYear = 203 * 24 * time.Hour

// past plays what happened half a year ago: people register with their land, some
// borrow on the winter wheat, and at the due date some repay and some do not.
func (s *settler) past(ctx context.Context) error {
	defer func() { s.Clock.Return(); s.asleep() }()
	then := time.Now().Add(-halfYear)
	s.Clock.Travel(then)
	if err := s.people(ctx); err != nil {
		return err
	}
	if err := s.models(ctx); err != nil {
		return err
	}
	if err := s.register(ctx); err != nil {
		return err
	}
	if err := s.report(ctx, s.Clock.Now()); err != nil {
		return err
	}

	// The plot that is pledged twice has its first pledge now.
	// An offer that nobody takes lapses.
	ends := []string{"stays", "repaid", "repaid", "overdue", "overdue", "partly"}
	lapsed := false
	var lent []apply.Application
	var fate []string
	for _, p := range s.candidates("wheat_maize") {
		if len(lent) == len(ends) {
			break
		}
		months := 6
		if ends[len(lent)] == "stays" {
			months = 12
		}
		until := apply.Active
		if len(lent) == 1 && !lapsed {
			until = apply.Offered
		}
		s.busy[p.Owner] = true
		app, err := s.borrow(ctx, ask{
			login: s.farmers[p.Owner].Login, subject: credit.Subject{Kind: credit.PlotSubject, ID: s.plots[p.Key]},
			product: "crop", yuan: 1000 + int64(p.AreaM2/geo.M2PerMu)*300, months: months, purpose: "购买玉米种子和化肥", until: until,
		})
		if err != nil {
			return err
		}
		lapsed = lapsed || app.State == apply.Offered
		if app.State == apply.Active {
			fate = append(fate, ends[len(lent)])
			lent = append(lent, app)
		}
		s.Progress("loans", len(lent), len(ends))
	}
	s.drawn = money.DateOf(s.Clock.Now())
	if err := s.season(ctx); err != nil {
		return err
	}

	s.asleep()
	s.Clock.Travel(then.AddDate(0, 6, -2)) // just before the loans fall due
	for i, app := range lent {
		var err error
		switch login := s.login(app.UserID); fate[i] {
		case "repaid":
			err = s.repay(ctx, login, app.LoanID, 1)
		case "partly":
			err = s.repay(ctx, login, app.LoanID, 0.4)
		}
		if err != nil {
			return err
		}
	}
	return s.months(ctx)
}

// candidates are the sound plots of a crop, the one that is pledged twice first.
func (s *settler) candidates(crop string) []county.Plot {
	var first, rest []county.Plot
	for i, p := range s.County.Plots {
		last := i == len(s.County.Plots)-1 // the second pledge of the same ground
		switch {
		case p.Crop != crop || len(p.Incidents) > 0 || last:
		case p.Overlaps != "":
			first = append(first, p)
		case p.AreaM2 > 12*geo.M2PerMu:
			rest = append(rest, p)
		}
	}
	return append(first, rest...)
}

func (s *settler) login(userID string) string {
	for login, id := range s.ids {
		if id == userID {
			return login
		}
	}
	return ""
}

// people registers everybody.
func (s *settler) people(ctx context.Context) error {
	holders := 0
	for _, p := range s.County.Plots {
		holders = max(holders, p.Owner+1)
	}
	s.farmers = group("farmer", "borrower", holders, 0)
	s.herders = group("herder", "borrower", 4, holders)
	s.owners = group("owner", "borrower", 8, holders+4)
	all := []Person{
		{Login: officerLogin, Name: personName(holders + 20), Role: "officer"},
		{Login: auditorLogin, Name: personName(holders + 21), Role: "auditor"},
		{Login: secondLogin, Name: personName(holders + 22), Role: "officer"},
	}
	all = append(append(append(all, s.farmers...), s.herders...), s.owners...)
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	for i, p := range all {
		var out Person
		err := operator.post(ctx, "/operator/users", map[string]string{
			"login": p.Login, "password": s.Password, "name": p.Name, "role": p.Role,
		}, &out)
		if err != nil {
			return err
		}
		s.ids[p.Login] = out.ID
		s.Progress("people", i+1, len(all))
	}
	return nil
}

// register brings the plots into the register.
func (s *settler) register(ctx context.Context) error {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	for i, p := range s.County.Plots {
		var out geo.Plot
		err := operator.post(ctx, "/operator/plots", map[string]any{
			"owner_id": s.ids[s.farmers[p.Owner].Login], "name": p.Name, "region": county.Region, "crop": p.Declared, "polygon": p.Polygon,
		}, &out)
		if err != nil {
			return fmt.Errorf("plot %s: %w", p.Key, err)
		}
		s.plots[p.Key] = out.ID
		s.Progress("plots", i+1, len(s.County.Plots))
	}
	return nil
}

// report has the crop reports of all plots made for the thirteen months before end.
func (s *settler) report(ctx context.Context, end time.Time) error {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	s.Progress("crop reports", 0, 1)
	err = operator.post(ctx, "/operator/reports", map[string]string{
		"season_start": end.AddDate(-1, -1, 0).Format(time.DateOnly), "season_end": end.Format(time.DateOnly),
	}, nil)
	if err != nil {
		return err
	}
	if err := s.idle(ctx, s.Operator, 5*time.Minute); err != nil {
		return fmt.Errorf("crop reports: %w", err)
	}
	s.Progress("crop reports", 1, 1)
	return nil
}

// land brings the register to today: fresh reports, and the day end that was not run
// while the loans of the past fell due.
func (s *settler) land(ctx context.Context) error {
	if err := s.report(ctx, time.Now()); err != nil {
		return err
	}
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	today := money.DateOf(time.Now()).String()
	if err := operator.post(ctx, "/operator/dayend", map[string]string{"date": today}, nil); err != nil {
		return err
	}
	return s.idle(ctx, s.Operator, time.Minute)
}

// present plays today's applications on land, one for each way they can go.
func (s *settler) present(ctx context.Context) error {
	n := len(s.County.Plots)
	type want struct {
		plot  county.Plot
		until apply.State
		less  money.Fen
	}
	asks := []want{
		{plot: s.County.Plots[n-1], until: apply.Active}, // pledged by another holder already: refused
		{plot: s.with(geo.NeverSown), until: apply.Active},
		{plot: s.with(geo.EarlyHarvest), until: apply.Offered},
		{plot: s.with(geo.Flood), until: apply.Offered},
		{plot: s.with(geo.Drought), until: apply.Offered},
	}
	wanted := []apply.State{apply.Offered, apply.Withdrawn, apply.Signed, apply.Active, apply.Active, apply.Offered}
	sound := append(s.candidates("cotton"), s.candidates("rice")...)
	for i, until := range wanted {
		asks = append(asks, want{plot: sound[i], until: until})
	}
	n = len(wanted)
	asks = append(asks, want{plot: sound[n], until: apply.Active, less: 87}) // ends in 13 fen: the bank refuses it
	for i, a := range asks {
		if _, err := s.plant(ctx, a.plot, "crop", a.until, a.less); err != nil {
			return err
		}
		s.Progress("applications", i+1, len(asks))
	}
	for _, plot := range sound[n+1:] { // one in parts, whose second waits for the crop
		a, err := s.plant(ctx, plot, "crop_season", apply.Active, 0)
		if err != nil || a.State == apply.Active {
			return err
		}
	}
	return nil
}

// plant has the owner of a plot borrow for winter wheat on it.
func (s *settler) plant(ctx context.Context, plot county.Plot, product string, until apply.State, less money.Fen) (apply.Application, error) {
	return s.borrow(ctx, ask{
		login: s.farmers[plot.Owner].Login, subject: credit.Subject{Kind: credit.PlotSubject, ID: s.plots[plot.Key]},
		product: product, yuan: 1000 + int64(plot.AreaM2/geo.M2PerMu)*300, months: 9, purpose: "购买冬小麦种子、化肥和农机服务", until: until, less: less,
	})
}

// with is the first plot to which something was done.
func (s *settler) with(kind geo.HazardKind) county.Plot {
	for _, p := range s.County.Plots {
		for _, i := range p.Incidents {
			if i.Kind == kind && p.AreaM2 > 8*geo.M2PerMu {
				return p
			}
		}
	}
	return s.County.Plots[0]
}

// writeTruth writes what is true of the land, for whoever checks the answers.
func (s *settler) writeTruth() (err error) {
	f, err := os.Create(filepath.Join(s.Dir, "truth-land.json"))
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return s.County.WriteTruth(f)
}
