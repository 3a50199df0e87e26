package strategy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/score"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
)

// Models finds the model that a tenant has in force by its name; nil or fault.NotFound
// when there is none.
type Models interface {
	Model(ctx context.Context, tenant, name string) (*score.Model, error)
}

// Frozen are the inputs of a decision as they were: with them it can be made again
// although catalogue and evidence have changed since.
type Frozen struct {
	Evidence []byte            // canonical JSON of credit.Evidence
	Product  []byte            // JSON of the product
	Policy   []byte            // the policy, with all that it extends
	Models   map[string][]byte // JSON of the models that the policy asked, by name
}

// Decide has a policy decide with the tenant's models, and gives what a replay needs
// but the evidence and the product, which the caller knows.
func (s *Service) Decide(ctx context.Context, tenant string, p *policy.Policy, ev credit.Evidence, prod product.Product, at time.Time) (credit.Decision, Frozen, error) {
	f := Frozen{Policy: p.Source}
	models, err := s.models(ctx, tenant, p)
	if err != nil {
		return credit.Decision{}, Frozen{}, err
	}
	for name, m := range models {
		if f.Models == nil {
			f.Models = make(map[string][]byte, len(models))
		}
		f.Models[name] = m.Bytes()
	}
	d, err := p.Decide(ev, prod, models, at)
	return d, f, err
}

// Raises says what would raise the limit that p gives.
func (s *Service) Raises(ctx context.Context, tenant string, p *policy.Policy, ev credit.Evidence, prod product.Product) ([]credit.Reason, error) {
	models, err := s.models(ctx, tenant, p)
	if err != nil {
		return nil, err
	}
	return p.Raises(ev, prod, models)
}

// models are those in force that a policy asks. One that nobody has is left out: the
// policy says what holds then.
func (s *Service) models(ctx context.Context, tenant string, p *policy.Policy) (policy.ModelSet, error) {
	names := p.Models()
	if s.cfg.Models == nil || len(names) == 0 {
		return nil, nil
	}
	set := make(policy.ModelSet, len(names))
	for _, name := range names {
		m, err := s.cfg.Models.Model(ctx, tenant, name)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", name, err)
		}
		if m != nil {
			set[name] = m
		}
	}
	return set, nil
}

// Replay decides again on frozen inputs. It needs no store, so that an auditor can run
// it on exported records.
func Replay(stored credit.Decision, f Frozen) (credit.Decision, error) {
	ev, err := credit.Read(f.Evidence)
	if err != nil {
		return credit.Decision{}, err
	}
	var prod product.Product
	if err := json.Unmarshal(f.Product, &prod); err != nil {
		return credit.Decision{}, fmt.Errorf("stored product: %w", err)
	}
	pol, err := policy.Parse("stored policy", f.Policy)
	if err != nil {
		return credit.Decision{}, err
	}
	models := make(policy.ModelSet, len(f.Models))
	for name, b := range f.Models {
		if models[name], err = score.Read(b); err != nil {
			return credit.Decision{}, fmt.Errorf("stored model %s: %w", name, err)
		}
	}
	d, err := pol.Decide(ev, prod, models, stored.MadeAt)
	if err == nil && len(stored.Raises) > 0 {
		d.Raises, err = pol.Raises(ev, prod, models)
	}
	d.ID, d.ApplicationID, d.Micros = stored.ID, stored.ApplicationID, stored.Micros
	d.EvidenceHash = credit.Hash(f.Evidence)
	return d, err
}

// Summary is what a decision comes to, and its reasons to refuse or refer.
func Summary(d credit.Decision) Gist {
	g := Gist{Outcome: d.Outcome, Limit: d.Limit, Rate: d.Rate, Codes: []string{}}
	for _, r := range d.Reasons {
		if r.Effect == policy.Refuse || r.Effect == policy.Refer {
			g.Codes = append(g.Codes, r.Code)
		}
	}
	return g
}

// Change is one decision that another version would have made differently.
type Change struct {
	DecisionID    string    `json:"decision_id"`
	ApplicationID string    `json:"application_id"`
	Subject       string    `json:"subject"`
	MadeAt        time.Time `json:"made_at"`
	Was           Gist      `json:"was"`
	Would         Gist      `json:"would"`
	Gone          []string  `json:"gone"` // codes that no longer speak
	New           []string  `json:"new"`  // codes that speak now
}

// Cell counts decisions by what they were and what they would be.
type Cell struct {
	Was   credit.Outcome `json:"was"`
	Would credit.Outcome `json:"would"`
	Count int            `json:"count"`
}

// Comparison is a version beside what was, or would be, decided without it.
type Comparison struct {
	Decisions   int       `json:"decisions"`
	Same        int       `json:"same"` // outcome, limit and rate alike
	Failed      int       `json:"failed"`
	FirstError  string    `json:"first_error,omitempty"`
	Outcomes    []Cell    `json:"outcomes"`
	LimitWas    money.Fen `json:"limit_was"` // sum of what was offered
	LimitWould  money.Fen `json:"limit_would"`
	Raised      int       `json:"raised"`
	Lowered     int       `json:"lowered"`
	Changes     []Change  `json:"changes"` // those that change most, the largest change of limit first
	ChangesLeft int       `json:"changes_left"`
}

// mostChanges are told one by one.
const mostChanges = 200

func (c *Comparison) add(x Change) {
	c.Decisions++
	c.LimitWas += offered(x.Was)
	c.LimitWould += offered(x.Would)
	i := slices.IndexFunc(c.Outcomes, func(o Cell) bool { return o.Was == x.Was.Outcome && o.Would == x.Would.Outcome })
	if i < 0 {
		c.Outcomes = append(c.Outcomes, Cell{Was: x.Was.Outcome, Would: x.Would.Outcome})
		i = len(c.Outcomes) - 1
	}
	c.Outcomes[i].Count++
	switch before, after := offered(x.Was), offered(x.Would); {
	case after > before:
		c.Raised++
	case after < before:
		c.Lowered++
	case x.Was.Outcome == x.Would.Outcome && x.Was.Rate == x.Would.Rate:
		c.Same++
		return
	}
	x.Gone, x.New = without(x.Was.Codes, x.Would.Codes), without(x.Would.Codes, x.Was.Codes)
	c.Changes = append(c.Changes, x)
	if len(c.Changes) >= 2*mostChanges {
		c.cut()
	}
}

func (c *Comparison) fail(err error) {
	c.Decisions++
	if c.Failed++; c.FirstError == "" {
		c.FirstError = err.Error()
	}
}

// cut keeps the changes that are told.
func (c *Comparison) cut() {
	slices.SortStableFunc(c.Changes, func(a, b Change) int {
		if d := cmp.Compare(size(b), size(a)); d != 0 {
			return d
		}
		return cmp.Compare(a.DecisionID, b.DecisionID)
	})
	if n := len(c.Changes); n > mostChanges {
		c.ChangesLeft += n - mostChanges
		c.Changes = c.Changes[:mostChanges]
	}
}

func (c *Comparison) done() Comparison {
	c.cut()
	slices.SortFunc(c.Outcomes, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Was, b.Was), cmp.Compare(a.Would, b.Would))
	})
	if c.Outcomes == nil {
		c.Outcomes = []Cell{}
	}
	if c.Changes == nil {
		c.Changes = []Change{}
	}
	return *c
}

func offered(g Gist) money.Fen {
	if g.Outcome == credit.Refuse {
		return 0
	}
	return g.Limit
}

func size(c Change) money.Fen {
	d := offered(c.Would) - offered(c.Was)
	return max(d, -d)
}

func without(a, b []string) []string {
	out := []string{}
	for _, x := range a {
		if !slices.Contains(b, x) {
			out = append(out, x)
		}
	}
	return out
}

// Haunting compares a shadow with what was decided, over all it saw.
func (s *Service) Haunting(ctx context.Context, tenant, id string) (Comparison, error) {
	if _, err := s.cfg.Store.Version(ctx, tenant, id); err != nil {
		return Comparison{}, err
	}
	var c Comparison
	for before := ""; ; {
		page, err := s.cfg.Store.Ghosts(ctx, tenant, id, before, 500)
		if err != nil {
			return Comparison{}, err
		}
		for _, g := range page {
			if g.Error != "" {
				c.fail(errors.New(g.Error))
				continue
			}
			c.add(Change{DecisionID: g.DecisionID, ApplicationID: g.ApplicationID, MadeAt: g.At, Was: g.Was, Would: g.Would})
		}
		if len(page) < 500 {
			return c.done(), nil
		}
		before = page[len(page)-1].DecisionID
	}
}

// BackTest has a version decide about the frozen evidence of the past, and compares it
// with what the champion of now says of the same evidence, so that every difference is
// the version's. It ends with ctx.
func (s *Service) BackTest(ctx context.Context, tenant, id string, f HistoryFilter) (Comparison, error) {
	v, err := s.cfg.Store.Version(ctx, tenant, id)
	if err != nil {
		return Comparison{}, err
	}
	candidate, err := s.check(ctx, tenant, v.Source)
	if err != nil {
		return Comparison{}, err
	}
	force, err := s.force.Get(ctx, tenant)
	if err != nil {
		return Comparison{}, err
	}
	now := candidate // of a policy that is new there is nothing to compare with
	if p, err := force.champions.Policy(v.Name); err == nil {
		now = p
	}
	f.Policy = v.Name
	var c Comparison
	err = s.cfg.History.History(ctx, tenant, f, func(r Record) error {
		x, err := s.both(ctx, tenant, now, candidate, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			c.fail(fmt.Errorf("decision %s: %w", r.Decision.ID, err))
			return nil
		}
		c.add(x)
		return nil
	})
	return c.done(), err
}

func (s *Service) both(ctx context.Context, tenant string, champion, candidate *policy.Policy, r Record) (Change, error) {
	ev, err := credit.Read(r.Evidence)
	if err != nil {
		return Change{}, err
	}
	var prod product.Product
	if err := json.Unmarshal(r.Product, &prod); err != nil {
		return Change{}, err
	}
	was, _, err := s.Decide(ctx, tenant, champion, ev, prod, r.Decision.MadeAt)
	if err != nil {
		return Change{}, err
	}
	would, _, err := s.Decide(ctx, tenant, candidate, ev, prod, r.Decision.MadeAt)
	if err != nil {
		return Change{}, err
	}
	return Change{
		DecisionID: r.Decision.ID, ApplicationID: r.Decision.ApplicationID, Subject: string(ev.Subject.Kind), MadeAt: r.Decision.MadeAt,
		Was: Summary(was), Would: Summary(would),
	}, nil
}

// Try has a text decide about given evidence, in the words of lang, and keeps nothing:
// the test bench of an editor. It returns policy.ErrFile.
func (s *Service) Try(ctx context.Context, tenant, source string, ev credit.Evidence, prod product.Product, lang string) (credit.Decision, error) {
	set, p, err := s.among(ctx, tenant, source)
	if err != nil {
		return credit.Decision{}, err
	}
	d, _, err := s.Decide(ctx, tenant, p, ev, prod, s.now())
	if err != nil {
		return credit.Decision{}, err
	}
	if d.Raises, err = s.Raises(ctx, tenant, p, ev, prod); err != nil {
		return credit.Decision{}, err
	}
	return set.Localise(d, lang), nil
}

// Beside has the shadows of a choice decide about the same evidence, and keeps what
// they say. A shadow that fails is kept as that, and harms nobody.
func (s *Service) Beside(ctx context.Context, tenant string, c Choice, ev credit.Evidence, prod product.Product, d credit.Decision) error {
	if len(c.Shadows) == 0 {
		return nil
	}
	ghosts := make([]Ghost, 0, len(c.Shadows))
	for _, shadow := range c.Shadows {
		g := Ghost{DecisionID: d.ID, VersionID: shadow.VersionID, ApplicationID: d.ApplicationID, Was: Summary(d), At: d.MadeAt}
		would, _, err := s.Decide(ctx, tenant, shadow.Policy, ev, prod, d.MadeAt)
		if err != nil {
			g.Error = err.Error()
		} else {
			g.Would = Summary(would)
		}
		ghosts = append(ghosts, g)
	}
	return s.cfg.Store.Haunt(ctx, tenant, ghosts)
}
