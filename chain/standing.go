package chain

import (
	"time"

	"github.com/furrowcredit/furrow/money"
)

// AnchorReach is an anchor that a firm's sales lead to.
type AnchorReach struct {
	AnchorID string
	Name     string
	Tier     int      // 1 sells to the anchor itself
	Buyers   []string // those of the firm from which the nearest ways go on, by id
}

// AnchorShare is a firm's trade with one anchor.
type AnchorShare struct {
	AnchorID string    `json:"anchor_id"`
	Name     string    `json:"name"`
	Tier     int       `json:"tier"` // 1 sells to the anchor itself
	Invoiced money.Fen `json:"invoiced"`
	Share    float64   `json:"share"`  // of the firm's invoiced sales, 0..1
	Months   int       `json:"months"` // tenure: calendar months with trade
}

// TradeMonth is a calendar month of a firm's trade, tax included. A month without any
// document is there with zeros; Partial marks the first and last month when they
// are not whole.
type TradeMonth struct {
	Month     string    `json:"month"`     // "2026-05"
	Sales     money.Fen `json:"sales"`     // valid invoices written, less what red-letter ones took back in the month
	Verified  money.Fen `json:"verified"`  // of the sales: with order, delivery and payment
	Purchases money.Fen `json:"purchases"` // valid invoices received, likewise
	Invoices  int       `json:"invoices"`  // valid invoices written, red-letter ones not counted
	Void      int       `json:"void"`      // cancelled invoices written
	Partial   bool      `json:"partial,omitempty"`
}

// Figure is a number of a standing with where it comes from. Value is null when it
// is not known, and Reason says why.
type Figure struct {
	Value     *float64 `json:"value"`
	Reason    string   `json:"reason,omitempty"`
	Documents int      `json:"documents"` // how many it rests on
	Uploads   int      `json:"uploads"`   // from how many files
	From      string   `json:"from,omitempty"`
	To        string   `json:"to,omitempty"` // dates of the first and last of them
}

// StandingFigures are what the books tell about a firm beside its turnover.
// docs/formats/flow.md has the formulas.
type StandingFigures struct {
	Dependence    Figure `json:"dependence"`     // share of sales that the largest anchor stands for, 0..1
	Tenure        Figure `json:"tenure"`         // months since the first document
	Variation     Figure `json:"variation"`      // of monthly sales: standard deviation by mean; 0 is steady
	Growth        Figure `json:"growth"`         // of sales over the same months a year before; 0.1 is 10 % more
	BuyerHHI      Figure `json:"buyer_hhi"`      // concentration of buyers, 0..1; 1 is a single one
	SupplierHHI   Figure `json:"supplier_hhi"`   // of suppliers
	PaymentDays   Figure `json:"payment_days"`   // from invoice to payment, median by amount
	OverdueDays   Figure `json:"overdue_days"`   // from the due date to payment, median by amount; negative is early
	ReturnShare   Figure `json:"return_share"`   // amount taken back by red-letter invoices, of sales
	ReturnedCount Figure `json:"returned_count"` // red-letter invoices of all valid ones
	VoidShare     Figure `json:"void_share"`     // cancelled invoices of all
}

// FlowShares are the parts of the invoiced amount, 0..1, behind which a flow stands.
type FlowShares struct {
	Invoiced  money.Fen `json:"invoiced"` // less what was taken back: the whole of which the shares are parts
	Invoices  int       `json:"invoices"`
	Trade     float64   `json:"trade"`     // contract or order
	Logistics float64   `json:"logistics"` // delivery
	Money     float64   `json:"money"`     // payment
	Credit    float64   `json:"credit"`    // confirmation by the buyer
	NotDue    float64   `json:"not_due"`   // not paid, and not to be expected yet
	Proven    float64   `json:"proven"`    // trade and logistics, and paid or not due
	AllFive   float64   `json:"all_five"`  // trade, logistics, money and credit
}

// ContagionExposure is what a shock to its chain would do to a firm.
type ContagionExposure struct {
	Scenario string    `json:"scenario"`
	Loss     float64   `json:"loss"` // part of its turnover, 0..1
	Method   string    `json:"method"`
	MadeAt   time.Time `json:"made_at"`
}

// Standing is the chain evidence of one firm: a fact for credit.
type Standing struct {
	FirmID         string        `json:"firm_id"`
	Status         string        `json:"status"` // "known", "low_confidence", "unknown"
	Reason         string        `json:"reason,omitempty"`
	Anchors        []AnchorShare `json:"anchors"`
	Invoiced12m    money.Fen     `json:"invoiced_12m"`
	Monthly        []money.Fen   `json:"monthly"` // invoiced sales of the last 12 months, oldest first
	Proven         float64       `json:"proven"`  // share of invoiced amount with order, delivery and payment
	Counterparties int           `json:"counterparties"`
	Findings       []Finding     `json:"findings"`
	Confidence     float64       `json:"confidence"`
	Method         string        `json:"method"`
	MadeAt         time.Time     `json:"made_at"`

	Series            []TradeMonth       `json:"series"` // up to 36 calendar months, oldest first, none left out
	Figures           StandingFigures    `json:"figures"`
	Flows             FlowShares         `json:"flows"` // of the last 12 months
	ConfidenceReasons []string           `json:"confidence_reasons"`
	Contagion         *ContagionExposure `json:"contagion,omitempty"`
}
