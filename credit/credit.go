// Package credit turns evidence into a limit with reasons. It reads the three
// reports (geo.CropReport, iot.HerdReport, chain.Standing) and nothing else of
// their rooms; it knows no SQL and no HTTP.
//
// The root package has the shared values; policy, product, apply, loan, ledger,
// pay and watch are the methods.
package credit

import (
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/iot"
	"github.com/furrowcredit/furrow/money"
)

// SubjectKind says what stands behind an application.
type SubjectKind string

// Kinds of subject.
const (
	PlotSubject SubjectKind = "plot"
	HerdSubject SubjectKind = "herd"
	FirmSubject SubjectKind = "firm"
)

// Subject is what the applicant borrows on.
type Subject struct {
	Kind SubjectKind `json:"kind" enum:"plot,herd,firm"`
	ID   string      `json:"id"`
}

// Applicant is who borrows, as known at the time.
type Applicant struct {
	UserID string `json:"user_id"`
	Name   string `json:"name"`
	// Debts are the balances of the applicant's other loans here.
	Debts money.Fen `json:"debts"`
	// WorstOverdueDays of the last 24 months here.
	WorstOverdueDays int `json:"worst_overdue_days"`

	Kind      string `json:"kind,omitempty" enum:"person,firm"`
	Age       int    `json:"age,omitempty"`       // years; 0 is not known
	Region    string `json:"region,omitempty"`    // county, six digits of GB/T 2260
	Industry  string `json:"industry,omitempty"`  // code of GB/T 4754
	Household string `json:"household,omitempty"` // who share a purse
	Group     string `json:"group,omitempty"`     // who stand for each other: a joint-liability or related group
}

// Evidence is the frozen snapshot that a decision sees. Missing evidence is nil.
// Its canonical JSON is hashed; the same bytes always give the same decision.
type Evidence struct {
	Applicant Applicant `json:"applicant"`
	Subject   Subject   `json:"subject"`
	Product   string    `json:"product"` // product code
	Asked     money.Fen `json:"asked"`
	// TermMonths is the term asked for.
	TermMonths int `json:"term_months"`
	// AreaM2 is the registered area of a plot now; 0 for other subjects.
	AreaM2   float64         `json:"area_m2"`
	Crop     *geo.CropReport `json:"crop,omitempty"`
	Herd     *iot.HerdReport `json:"herd,omitempty"`
	Standing *chain.Standing `json:"standing,omitempty"`
	Overlaps []geo.Overlap   `json:"overlaps"` // with plots that are pledged already
	Alerts   []string        `json:"alerts"`   // open alert kinds on the subject
	Pledged  string          `json:"pledged"`  // application that holds the subject already, or ""
	TakenAt  time.Time       `json:"taken_at"`

	Bureau   *Bureau   `json:"bureau,omitempty"`
	Bank     *Bank     `json:"bank,omitempty"`
	Turnover *Turnover `json:"turnover,omitempty"`
	// Surroundings are what the turnover was tried against.
	Surroundings *chain.Surroundings `json:"surroundings,omitempty"`
	Exposure     *Exposures          `json:"exposure,omitempty"`
	// Consents are those under which the parts were read.
	Consents []Consent `json:"consents,omitempty"`
	// Sources tell of each part where it comes from, or why it is missing.
	Sources []Source `json:"sources,omitempty"`
}

// Outcome of a decision.
type Outcome string

// Outcomes.
const (
	Offer  Outcome = "offer"
	Refer  Outcome = "refer" // a person decides
	Refuse Outcome = "refuse"
)

// Reason is one rule's say, in order of weight.
type Reason struct {
	Code   string            `json:"code"`    // key of its translations: "crop.not_seen"
	Effect string            `json:"effect"`  // "refuse", "refer", "lower", "raise", "info"
	Msg    string            `json:"message"` // in English; faces translate by code and args
	Args   map[string]string `json:"args,omitempty"`
	Amount money.Fen         `json:"amount"` // change of the limit, if any
}

// Decision is an immutable answer.
type Decision struct {
	ID            string     `json:"id"`
	ApplicationID string     `json:"application_id"`
	Outcome       Outcome    `json:"outcome"`
	Limit         money.Fen  `json:"limit"`
	Rate          money.Rate `json:"rate"` // a year, simple; 1e-8 units
	TermMonths    int        `json:"term_months"`
	Score         int        `json:"score"` // 0..1000
	Reasons       []Reason   `json:"reasons"`
	EvidenceHash  string     `json:"evidence_hash"` // SHA-256 of the snapshot, hex
	Policy        string     `json:"policy"`        // name@version:hash
	MadeAt        time.Time  `json:"made_at"`
	Micros        int64      `json:"micros"` // time the policy took

	// Scores are those of the models that the policy names, in its order.
	Scores []Score `json:"scores,omitempty"`
	// Allowances are what each rule of the limit allows; Limit is the smallest, rounded.
	Allowances []Allowance `json:"allowances,omitempty"`
	// Raises are what would raise the limit, the most first.
	Raises []Reason `json:"raises,omitempty"`
}

// Allowance is the limit that one rule would allow by itself.
type Allowance struct {
	Code    string            `json:"code"`
	Amount  money.Fen         `json:"amount"`
	Binding bool              `json:"binding"` // none allows less
	Msg     string            `json:"message"`
	Args    map[string]string `json:"args,omitempty"`
}

// Score is what one model says of the applicant.
type Score struct {
	Model     string  `json:"model"`     // name@version:hash
	Dimension string  `json:"dimension"` // "owner", "firm", "industry", "enhancement", "scene", or "" for the whole
	Points    int     `json:"points"`    // more is better
	PD        float64 `json:"pd"`        // probability of default within the model's horizon
	PDLow     float64 `json:"pd_low"`    // its 90 % interval
	PDHigh    float64 `json:"pd_high"`
	// Reasons are the features that cost most points, the most first.
	Reasons []ScoreReason `json:"reasons"`
}

// ScoreReason is a feature that costs points against the best that it could give.
type ScoreReason struct {
	Feature string  `json:"feature"`
	Bin     string  `json:"bin"` // the range or the values, or "missing"
	Points  float64 `json:"points"`
}
