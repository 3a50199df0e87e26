// Package job does the work behind the requests on River: assessing applications,
// making crop reports, passing new scenes on to the plots beneath them, scanning the
// chain for fraud and the day end. The same workers run inside `furrow demo` and
// `furrow serve` on SQLite, and on any number of `furrow worker` machines on
// PostgreSQL.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/furrowcredit/furrow/credit/apply"
)

// Runner puts jobs into the queue and works them. TTx is the transaction type of
// the driver; only app knows that it is *sql.Tx.
type Runner[TTx any] struct {
	client *river.Client[TTx]
	works  bool
}

// Options of New.
type Options struct {
	// Work says whether this process works jobs or only adds them.
	Work bool
	// Workers is how many jobs run at the same time; 0 means 4.
	Workers int
	Log     *slog.Logger
}

// New prepares the queue. Nothing runs before Start.
func New[TTx any](driver riverdriver.Driver[TTx], w Work, opt Options) (*Runner[TTx], error) {
	r := &Runner[TTx]{works: opt.Work}
	cfg := &river.Config{
		Logger:              opt.Log,
		JobTimeout:          15 * time.Minute,
		FetchPollInterval:   200 * time.Millisecond, // SQLite and database/sql cannot be notified by other processes
		FetchCooldown:       20 * time.Millisecond,  // a farmer waits for the answer
		MaxAttempts:         8,
		SkipUnknownJobCheck: true, // a process that only adds jobs knows no workers
	}
	if opt.Work {
		n := opt.Workers
		if n == 0 {
			n = 4
		}
		cfg.Queues = map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: n},
			bulk:               {MaxWorkers: 1},
		}
		cfg.Workers = workers(w, r.insert)
		cfg.PeriodicJobs = periodic(w)
	}
	client, err := river.NewClient(driver, cfg)
	if err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	r.client = client
	return r, nil
}

// bulk is the queue of long jobs, so that an applicant never waits behind them.
const bulk = "bulk"

// Start works jobs until Stop; it returns at once.
func (r *Runner[TTx]) Start(ctx context.Context) error {
	if !r.works {
		return nil
	}
	if err := r.client.Start(ctx); err != nil {
		return fmt.Errorf("job: %w", err)
	}
	return nil
}

// Stop lets running jobs end until ctx does, then cancels them. A cancelled job is
// tried again at the next start.
func (r *Runner[TTx]) Stop(ctx context.Context) error {
	if !r.works {
		return nil
	}
	if err := r.client.Stop(ctx); err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("job: %w", err)
	}
	return nil
}

// Assess queues the decision of an application.
func (r *Runner[TTx]) Assess(ctx context.Context, tenant, applicationID string) error {
	return r.insert(ctx, assessArgs{tenant, applicationID}, "")
}

// gathering is how long evidence on one application is gathered before its limit is
// looked at again. Together with the pace of the scheduler it stays far under a minute.
const gathering = 5 * time.Second

// Reconsider queues a new look at the limits of applications. What comes in within a few
// seconds is looked at once; what comes while it is being looked at is looked at again.
func (r *Runner[TTx]) Reconsider(ctx context.Context, tenant string, applicationIDs []string, cause apply.Cause) error {
	const most = 1000 // at once
	until := time.Now().UTC().Truncate(gathering).Add(gathering)
	for ids := range slices.Chunk(applicationIDs, most) {
		list := make([]river.InsertManyParams, len(ids))
		for i, id := range ids {
			list[i].Args = reconsiderArgs{tenant, id, until, cause}
		}
		if _, err := r.client.InsertMany(ctx, list); err != nil {
			return fmt.Errorf("job: queue %s: %w", reconsiderArgs{}.Kind(), err)
		}
	}
	return nil
}

// Report queues the crop reports of plots; no ids means every plot of the tenant.
func (r *Runner[TTx]) Report(ctx context.Context, tenant string, from, to time.Time, plotIDs []string) error {
	queue := ""
	if len(plotIDs) != 1 { // one plot is a farmer who waits
		queue = bulk
	}
	return r.insert(ctx, reportArgs{tenant, from, to, plotIDs}, queue)
}

// Scan queues the search for fraud in the chain of a tenant.
func (r *Runner[TTx]) Scan(ctx context.Context, tenant string) error {
	return r.insert(ctx, scanArgs{tenant}, bulk)
}

// Twins queues the comparison of the newest firms of a tenant with the others.
func (r *Runner[TTx]) Twins(ctx context.Context, tenant string) error {
	return r.insert(ctx, twinsArgs{tenant}, bulk)
}

// DayEnd queues the day end of a calendar date, "2026-05-31".
func (r *Runner[TTx]) DayEnd(ctx context.Context, tenant, date string) error {
	return r.insert(ctx, dayEndArgs{tenant, date}, bulk)
}

func (r *Runner[TTx]) insert(ctx context.Context, args river.JobArgs, queue string) error {
	if _, err := r.client.Insert(ctx, args, &river.InsertOpts{Queue: queue}); err != nil {
		return fmt.Errorf("job: queue %s: %w", args.Kind(), err)
	}
	return nil
}

// Counts says how many jobs are in each state.
func (r *Runner[TTx]) Counts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	for _, s := range rivertype.JobStates() {
		params := river.NewJobListParams().States(s).First(1000)
		for {
			page, err := r.client.JobList(ctx, params)
			if err != nil {
				return nil, fmt.Errorf("job: %w", err)
			}
			if len(page.Jobs) == 0 {
				break
			}
			counts[string(s)] += len(page.Jobs)
			if len(page.Jobs) < 1000 || page.LastCursor == nil {
				break
			}
			params = params.After(page.LastCursor)
		}
	}
	return counts, nil
}
