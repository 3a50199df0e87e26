package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/app"
	"github.com/furrowcredit/furrow/credit/model"
	"github.com/furrowcredit/furrow/money"
)

// modelFlags are what all tools of the register take.
type modelFlags struct {
	fs     *flag.FlagSet
	dsn    func() string
	tenant *string
	asJSON *bool
	by     *string
}

func newModelFlags(name, use string, std stdio) modelFlags {
	fs := newFlags(name, use+" [--db DSN | --data DIR] [--tenant T] [--json]", std)
	return modelFlags{
		fs: fs, dsn: booksFlags(fs), tenant: fs.String("tenant", env("FURROW_TENANT", "bank"), "the bank (FURROW_TENANT)"),
		asJSON: fs.Bool("json", false, "print one JSON object"),
	}
}

// named adds the person who acts: the register keeps the name, and the one who added a
// model may not review it.
func (f modelFlags) named() modelFlags {
	f.by = f.fs.String("by", "", "your login: the one who added a model may not review it")
	return f
}

func (f modelFlags) who() (access.Actor, error) {
	if *f.by == "" {
		return access.Actor{}, errUsage.With("why", "say with --by who you are")
	}
	return access.Actor{UserID: "cli:" + *f.by, Name: *f.by, Tenant: *f.tenant}, nil
}

// version splits NAME@VERSION.
func (f modelFlags) version(rest []string) (name, version string, err error) {
	if len(rest) == 1 {
		if name, version, ok := strings.Cut(rest[0], "@"); ok && name != "" && version != "" {
			return name, version, nil
		}
	}
	return "", "", errUsage.With("why", "name one model as NAME@VERSION")
}

// runModelList shows the register, and which reviews are late.
func runModelList(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model list", "[--name NAME] [--status S] [--applicant KIND]", std)
	name := f.fs.String("name", "", "one model")
	status := f.fs.String("status", "", "draft, in_review, published or retired")
	kind := f.fs.String("applicant", "", "farmer, herder, firm or any")
	if rest, err := parseArgs(f.fs, args); err != nil || len(rest) > 0 {
		return cmpErr(err, errUsage.With("why", "give flags only"))
	}
	return app.WithModels(ctx, f.dsn(), func(s *model.Service) error {
		list, err := s.List(ctx, *f.tenant, model.Filter{Name: *name, Status: model.Status(*status), Applicant: *kind})
		if err != nil {
			return err
		}
		if *f.asJSON {
			return printJSON(std.Out, map[string]any{"models": append([]model.ScoreModel{}, list...)})
		}
		for _, e := range list {
			_, _ = fmt.Fprintf(std.Out, "%-24s %-10s %-8s %-12s %s\n", e.Name+"@"+e.Version, e.Status, e.Applicant, e.Dimension, e.Owner)
			if e.Overdue {
				_, _ = fmt.Fprintf(std.Out, "  warning: nobody reviewed it since %s; do so with furrow model review\n", e.ReviewDue.AddDate(0, -model.ReviewMonths, 0).Format(time.DateOnly))
			}
		}
		return nil
	})
}

// cmpErr is the first error that is one.
func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// runModelAdd puts a model into the register as a draft.
func runModelAdd(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model add", "MODEL.json --by LOGIN --owner WHO --applicant KIND [--dimension D] [--scores S.csv] [--folds TEXT] [--made-by WHO] [--made-at DAY]", std).named()
	owner := f.fs.String("owner", "", "who answers for the model")
	kind := f.fs.String("applicant", "", "farmer, herder, firm or any")
	dimension := f.fs.String("dimension", "", "owner, firm, industry, enhancement, scene or whole (default: the model's)")
	scores := f.fs.String("scores", "", "CSV with a column points: the scores of the training rows, to measure drift against")
	folds := f.fs.String("folds", "", "how it was measured: 5 folds, seed 42, groups county")
	madeBy := f.fs.String("made-by", "", "who made it")
	madeAt := f.fs.String("made-at", "", "the day it was made")
	rest, err := parseArgs(f.fs, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errUsage.With("why", "name one file of a model")
	}
	who, err := f.who()
	if err != nil {
		return err
	}
	if *madeAt != "" {
		if _, err := money.ParseDate(*madeAt); err != nil {
			return err
		}
	}
	file, err := os.ReadFile(rest[0])
	if err != nil {
		return errUsage.With("why", "the model cannot be read: "+err.Error())
	}
	in := model.New{Owner: *owner, Applicant: *kind, Dimension: *dimension, Folds: *folds, By: *madeBy, At: *madeAt}
	if *scores != "" {
		if in.Scores, err = readPoints(*scores); err != nil {
			return err
		}
	}
	return app.WithModels(ctx, f.dsn(), func(s *model.Service) error {
		e, err := s.Add(ctx, who, file, in)
		return f.print(std, e, err)
	})
}

// readPoints reads the column points of a CSV file.
func readPoints(path string) ([]int, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, model.ErrPoints.With("why", err.Error())
	}
	defer func() { _ = file.Close() }() // read only
	return model.ReadPoints(path, file)
}

// print shows an entry after a step.
func (f modelFlags) print(std stdio, e model.ScoreModel, err error) error {
	if err != nil {
		return err
	}
	if *f.asJSON {
		return printJSON(std.Out, e)
	}
	_, err = fmt.Fprintf(std.Out, "%s is %s\n", e.ID, e.Status)
	return err
}

// step runs one step on one version.
func (f modelFlags) step(ctx context.Context, args []string, std stdio, do func(s *model.Service, who access.Actor, name, version string) (model.ScoreModel, error)) error {
	rest, err := parseArgs(f.fs, args)
	if err != nil {
		return err
	}
	name, version, err := f.version(rest)
	if err != nil {
		return err
	}
	who, err := f.who()
	if err != nil {
		return err
	}
	return app.WithModels(ctx, f.dsn(), func(s *model.Service) error {
		e, err := do(s, who, name, version)
		return f.print(std, e, err)
	})
}

// runModelSubmit hands a draft in for review.
func runModelSubmit(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model submit", "NAME@VERSION --by LOGIN", std).named()
	return f.step(ctx, args, std, func(s *model.Service, who access.Actor, name, version string) (model.ScoreModel, error) {
		return s.Submit(ctx, who, name, version)
	})
}

// runModelReview records what a second person found.
func runModelReview(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model review", "NAME@VERSION --by LOGIN --note TEXT [--return]", std).named()
	note := f.fs.String("note", "", "what you looked at and found")
	back := f.fs.Bool("return", false, "it is not fit for use")
	return f.step(ctx, args, std, func(s *model.Service, who access.Actor, name, version string) (model.ScoreModel, error) {
		verdict := model.Approve
		if *back {
			verdict = model.Return
		}
		return s.Review(ctx, who, name, version, verdict, *note)
	})
}

// runModelPublish puts a reviewed version in use.
func runModelPublish(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model publish", "NAME@VERSION --by LOGIN", std).named()
	return f.step(ctx, args, std, func(s *model.Service, who access.Actor, name, version string) (model.ScoreModel, error) {
		return s.Publish(ctx, who, name, version)
	})
}

// runModelRetire takes a version out of use.
func runModelRetire(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model retire", "NAME@VERSION --by LOGIN", std).named()
	return f.step(ctx, args, std, func(s *model.Service, who access.Actor, name, version string) (model.ScoreModel, error) {
		return s.Retire(ctx, who, name, version)
	})
}

// runModelMonitor says how a version fares on the decisions made with it. The answer
// is no when there is something to look at.
func runModelMonitor(ctx context.Context, args []string, std stdio) error {
	f := newModelFlags("model monitor", "NAME@VERSION [--from DAY] [--to DAY]", std)
	from := f.fs.String("from", "", "first day of decisions (default: three years before the last)")
	to := f.fs.String("to", "", "last day of decisions (default: today)")
	rest, err := parseArgs(f.fs, args)
	if err != nil {
		return err
	}
	name, version, err := f.version(rest)
	if err != nil {
		return err
	}
	last := money.DateOf(time.Now())
	if *to != "" {
		if last, err = money.ParseDate(*to); err != nil {
			return err
		}
	}
	first := last.AddMonths(-36)
	if *from != "" {
		if first, err = money.ParseDate(*from); err != nil {
			return err
		}
	}
	if first > last {
		return errUsage.With("why", "--from is after --to")
	}
	return app.WithModels(ctx, f.dsn(), func(s *model.Service) error {
		m, err := s.Monitor(ctx, *f.tenant, name, version, first.Start(), (last + 1).Start())
		if err != nil {
			return err
		}
		if *f.asJSON {
			err = printJSON(std.Out, m)
		} else {
			printMonitoring(std.Out, m)
		}
		if err == nil && slices.ContainsFunc(m.Warnings, func(w string) bool { return w != "too_few" }) {
			return errNo
		}
		return err
	})
}

func printMonitoring(w io.Writer, m model.ModelMonitoring) {
	share := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return strconv.FormatFloat(100**v, 'f', 1, 64) + " %"
	}
	_, _ = fmt.Fprintf(w, "%s: %d decisions, %d loans, %d with an outcome\n", m.Model, m.Decisions, m.Loans, m.Observed)
	if m.ScorePSI != nil {
		_, _ = fmt.Fprintf(w, "PSI of the scores %.3f against %s: %s\n", *m.ScorePSI, m.Baseline, m.Drift)
	}
	for _, in := range m.Inputs {
		_, _ = fmt.Fprintf(w, "  CSI %.3f %-6s %s\n", in.CSI, in.Drift, in.Input)
	}
	_, _ = fmt.Fprintf(w, "%-16s %9s %6s %8s %8s %10s %10s %s\n", "points", "decisions", "loans", "overdue", "observed", "predicted", "bad", "calibrated")
	for _, b := range m.Bands {
		edge := func(v *int) string {
			if v == nil {
				return "…"
			}
			return strconv.Itoa(*v)
		}
		_, _ = fmt.Fprintf(w, "%-16s %9d %6d %8d %8d %10s %10s %s\n", edge(b.Low)+" to "+edge(b.High), b.Decisions, b.Loans, b.Overdue, b.Observed, share(b.Predicted), share(b.Rate), b.Calibrate)
	}
	_, _ = fmt.Fprintf(w, "in all predicted %s, went bad %s\n", share(m.Predicted), share(m.Rate))
	for _, warn := range m.Warnings {
		_, _ = fmt.Fprintf(w, "warning: %s\n", warn)
	}
}
