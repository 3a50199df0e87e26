package apply

import (
	"context"
	"time"

	"github.com/paulmach/orb"

	"github.com/furrowcredit/furrow/access"
	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/consent"
	"github.com/furrowcredit/furrow/credit/contract"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/policy"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/credit/profile"
	"github.com/furrowcredit/furrow/credit/quote"
	"github.com/furrowcredit/furrow/credit/strategy"
	"github.com/furrowcredit/furrow/credit/watch"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

// Request is what a borrower asks for.
type Request struct {
	Subject    credit.Subject `json:"subject"`
	Product    string         `json:"product" doc:"product code"`
	Asked      money.Fen      `json:"asked" doc:"fen"`
	TermMonths int            `json:"term_months"`
	Purpose    string         `json:"purpose,omitempty"`
	// Consents are what the borrower agreed to in asking.
	Consents []consent.Agreement `json:"consents,omitempty"`
	// Channel, Device and By are how the request came; without By the actor itself sent it.
	Channel product.Channel `json:"-"`
	Device  string          `json:"-"`
	By      access.Actor    `json:"-"`
	// StatedOn is the day of a paper that is entered later, Why it was; an operator's right.
	StatedOn money.Date `json:"stated_on,omitzero"`
	Why      string     `json:"-"`
	key      string     // of an imported row
}

// Detail is everything about one application. What does not exist yet is nil.
type Detail struct {
	Application Application      `json:"application"`
	Product     product.Product  `json:"product"`
	Decision    *credit.Decision `json:"decision,omitempty"`
	Evidence    *credit.Evidence `json:"evidence,omitempty"` // as frozen for the decision
	// Withdrawn are the consents that the evidence was read under and that were taken back
	// since, by id, with the time. The decision stands; nothing is read under them again.
	Withdrawn map[string]time.Time `json:"withdrawn,omitempty"`
	Steps     []Step               `json:"steps"`
	Review    *Review              `json:"review,omitempty"`   // of the decision, when the borrower asked for one
	Contract  *Contract            `json:"contract,omitempty"` // once signed
	Sureties  []Guarantor          `json:"sureties"`           // who answers besides the borrower
	ExpiresAt *time.Time           `json:"expires_at,omitempty"`
	Loan      *loan.Loan           `json:"loan,omitempty"` // the newest
	// Loans are all under a limit that is drawn again and again, newest first.
	Loans []loan.Loan `json:"loans,omitempty"`
	// Drawn is what is owed of the limit, Available what can be drawn now.
	Drawn     money.Fen `json:"drawn"`
	Available money.Fen `json:"available"`
	// LimitChanges are the moves of the limit since it was offered, oldest first.
	LimitChanges []LimitChange     `json:"limit_changes"`
	Schedule     []loan.Instalment `json:"schedule"` // of the loan; before that, as if drawn on the day of the offer
}

// ReplayResult compares a stored decision with what its stored inputs give now.
type ReplayResult struct {
	Same     bool            `json:"same"`
	Stored   credit.Decision `json:"stored"`
	Replayed credit.Decision `json:"replayed"`
}

// What the service needs of other rooms. Their own services and stores fit.
type (
	// Plots finds a plot: geo.Store.
	Plots interface {
		Plot(ctx context.Context, tenant, id string) (geo.Plot, error)
	}
	// Overlaps finds what a polygon shares with other plots: *geo.Plots.
	Overlaps interface {
		Overlaps(ctx context.Context, tenant string, poly orb.Polygon, exceptID string) ([]geo.Overlap, error)
	}
	// PlotReports finds the newest report: geo.Store. geo.ErrReportAbsent means not yet.
	PlotReports interface {
		LatestReport(ctx context.Context, tenant, plotID string) (geo.CropReport, error)
	}
	// Herds finds a herd: iot.Store.
	Herds interface {
		Herd(ctx context.Context, tenant, id string) (iot.Herd, error)
		Animals(ctx context.Context, tenant, herdID string) ([]iot.Animal, error)
	}
	// HerdReports makes the report of now: the engine of iot/watch.
	HerdReports interface {
		Report(ctx context.Context, tenant, herdID string) (iot.HerdReport, error)
	}
	// Firms finds a firm: chain.Store.
	Firms interface {
		Firm(ctx context.Context, tenant, id string) (chain.Party, error)
	}
	// Standings makes the standing of now: the network of chain.
	Standings interface {
		Standing(ctx context.Context, tenant, firmID string) (chain.Standing, error)
		// Surroundings are what moves around the firm that stands so.
		Surroundings(ctx context.Context, tenant string, s chain.Standing) (chain.Surroundings, error)
	}
	// Consents takes what borrowers agree to: *consent.Book.
	Consents interface {
		Give(ctx context.Context, tenant, userID string, given []consent.Agreement, how consent.How) error
		Standing(ctx context.Context, tenant, userID, purpose string) ([]credit.Consent, error)
		History(ctx context.Context, tenant, userID string) ([]consent.Act, error)
	}
	// Profiles tells who a borrower is, and what was uploaded of them: profile.Store.
	Profiles interface {
		Borrower(ctx context.Context, tenant, userID string) (profile.Borrower, error)
		Newest(ctx context.Context, tenant, userID string, k profile.Kind) (profile.History, error)
		Histories(ctx context.Context, tenant, userID string) ([]profile.History, error)
		Exposure(ctx context.Context, tenant string, a profile.Around) (credit.Exposures, error)
	}
	// Alerts lists alerts: *watch.Desk.
	Alerts interface {
		List(ctx context.Context, tenant string, f watch.Filter) ([]watch.Alert, error)
	}
	// Policies say who decides, and decide: strategy.Service.
	Policies interface {
		Choose(ctx context.Context, tenant, name string, who credit.Applicant) (strategy.Choice, error)
		Decide(ctx context.Context, tenant string, p *policy.Policy, ev credit.Evidence, prod product.Product, at time.Time) (credit.Decision, strategy.Frozen, error)
		Raises(ctx context.Context, tenant string, p *policy.Policy, ev credit.Evidence, prod product.Product) ([]credit.Reason, error)
		Beside(ctx context.Context, tenant string, c strategy.Choice, ev credit.Evidence, prod product.Product, d credit.Decision) error
		Localise(ctx context.Context, tenant string, d credit.Decision, lang string) (credit.Decision, error)
	}
	// Snapshots keeps evidence for quotes: quote.Store.
	Snapshots interface {
		Put(ctx context.Context, snapshots []quote.Snapshot) error
	}
	// Queue has applications decided soon, in the background: job.
	Queue interface {
		Assess(ctx context.Context, tenant, applicationID string) error
		// Reconsider has the limit of one looked at again soon.
		Reconsider(ctx context.Context, tenant string, applicationIDs []string, cause Cause) error
	}
	// Notifier is told of every change after it is saved; it must not block.
	Notifier interface {
		ApplicationChanged(a Application)
	}
)

// Record is what is saved along with a move. Nil fields are not there.
type Record struct {
	Decision *credit.Decision
	Frozen   *strategy.Frozen // inputs of Decision
	Contract *Contract
	// Rivals are plots on the same ground: while one of them is pledged, the move to
	// Signed is ErrPledged.
	Rivals []string
	// Animals of a herd are pledged one by one with the move to Signed, wherever they
	// go later: iot.ErrPledged while one of them is pledged elsewhere.
	Animals []string
	// Seen says how the limit of Decision counts.
	Seen *profile.Seen
	// Document is the PDF that Signature is on, kept once under its hash. The store puts the
	// signature at the end of the tenant's chain by Seal.
	Document  []byte
	Signature *contract.Signature
	Seal      func(s contract.Signature, nr int64, hash string) (contract.Signature, error)
	// Key is the public key of the house, PEM, kept once under KeyID; "" without a house.
	KeyID, Key string
	// Surety is who signs, when it is not the borrower; or who declines, when, and why.
	Surety   int
	Declined *time.Time
	Reason   string
	// Review is a request for a person's review, or its end.
	Review *Review
	// Source of Decision; "" is Asked.
	Source string
	// Change of the limit that Decision brings.
	Change *LimitChange
	// Collateral opens the pool of what is pledged with the move to Signed, or ends it with
	// the application. A decorator of the Store sets it.
	Collateral *collateral.Change
}
