// Package feature lays evidence out as named figures: what a condition of a policy can
// name and what a score is trained on. One code gathers them for both, and each is told
// in the catalogue with unit, source, formula and direction ([List]).
//
// docs/formats/feature.md is the list in words.
package feature

import (
	"math"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
)

// ErrLater says that evidence is newer than the moment at which it is said to be taken.
var ErrLater = fault.New(fault.Invalid, "feature.later",
	"the evidence was taken at {taken}, but its part {part} is of {at}; take the evidence again")

// Skew is how far clocks of devices, satellites and this house may be apart.
const Skew = 10 * time.Minute

// NeverDays is the age of evidence that does not exist.
const NeverDays = 99999

// Facts is flat and has a value for everything, so that missing evidence can never break
// a rule: has_crop, has_herd and so on say whether a part is there, and what is missing
// reads as zero, "" or, for an age, as [NeverDays]. Amounts are fen, shares 0..1, ages
// whole days. [Feature.Value] tells missing from zero.
type Facts struct {
	// The application.
	Product      string `expr:"product"`
	Asked        int    `expr:"asked"`
	TermMonths   int    `expr:"term_months"`
	MinLimit     int    `expr:"min_limit"` // of the product
	MaxLimit     int    `expr:"max_limit"`
	Debts        int    `expr:"debts"`
	WorstOverdue int    `expr:"worst_overdue"` // days
	// Limit is the limit that the policy's formula gave; 0 while that is computed.
	Limit int `expr:"limit"`

	// The applicant.
	ApplicantKind string `expr:"applicant_kind"`
	Age           int    `expr:"age"` // years; 0 is not known
	Region        string `expr:"region"`
	Industry      string `expr:"industry"`
	HasHousehold  bool   `expr:"has_household"`
	HasGroup      bool   `expr:"has_group"`

	// The subject.
	Pledged      bool     `expr:"pledged"`
	Overlaps     int      `expr:"overlaps"`      // pledged plots that share ground with this one
	OverlapShare float64  `expr:"overlap_share"` // the largest shared part
	Alerts       []string `expr:"alerts"`        // open alert kinds
	AlertCount   int      `expr:"alert_count"`

	// The plot.
	HasCrop      bool    `expr:"has_crop"`
	CropStatus   string  `expr:"crop_status"` // "known", "low_confidence", "unknown", ""
	CropReason   string  `expr:"crop_reason"`
	CropDoubts   int     `expr:"crop_doubts"` // reasons of low confidence that concern this very plot
	Crop         string  `expr:"crop"`
	Declared     string  `expr:"declared"`
	Confidence   float64 `expr:"confidence"`
	Vigour       float64 `expr:"vigour"`
	Mu           float64 `expr:"mu"`
	AreaOff      float64 `expr:"area_off"` // |reported − registered| / registered area
	HasWorth     bool    `expr:"has_worth"`
	WorthLow     int     `expr:"worth_low"`
	WorthMiddle  int     `expr:"worth_middle"`
	ClearDates   int     `expr:"clear_dates"`
	ClearShare   float64 `expr:"clear_share"`
	ClearAge     int     `expr:"clear_age"` // days since the last clear image
	Flood        float64 `expr:"flood"`     // share of the plot, likewise the next
	Drought      float64 `expr:"drought"`
	VigourLoss   float64 `expr:"vigour_loss"`
	EarlyHarvest float64 `expr:"early_harvest"`
	Abandoned    float64 `expr:"abandoned"` // share that was left while the rest grew
	NeverSown    bool    `expr:"never_sown"`

	// The herd.
	HasHerd       bool    `expr:"has_herd"`
	HerdStatus    string  `expr:"herd_status"`
	HerdReason    string  `expr:"herd_reason"`
	Species       string  `expr:"species"`
	Registered    int     `expr:"registered"`
	Verified      int     `expr:"verified"`
	Outside       int     `expr:"outside"`
	Silent        int     `expr:"silent"`
	Unverified    int     `expr:"unverified"`
	Tagged        int     `expr:"tagged"` // what the tags alone verify
	VerifiedShare float64 `expr:"verified_share"`
	HerdValue     int     `expr:"herd_value"`
	HerdValueLow  int     `expr:"herd_value_low"`
	HeardAge      int     `expr:"heard_age"` // days since a tag was heard

	// What others counted of the herd, beside its tags.
	CountStatus   string  `expr:"count_status"` // "known", "low_confidence", "unknown", ""
	CountReason   string  `expr:"count_reason"`
	CountLow      int     `expr:"count_low"` // 0 without a count, as the next two
	CountHigh     int     `expr:"count_high"`
	CountEstimate float64 `expr:"count_estimate"`
	CountAge      int     `expr:"count_age"` // days since the last count

	// How its animals are, and what speaks against its tags.
	Fevers        int     `expr:"fevers"`
	Stills        int     `expr:"stills"`     // maybe dead
	Idles         int     `expr:"idles"`      // ruminate or graze far less than they use to
	SickShare     float64 `expr:"sick_share"` // all three, of the registered
	StillShare    float64 `expr:"still_share"`
	TwoTags       int     `expr:"two_tags"`
	TwoPlaces     int     `expr:"two_places"`
	Carriers      int     `expr:"carriers"`
	Impostors     int     `expr:"impostors"`      // devices that published as others
	ImpostorShare float64 `expr:"impostor_share"` // of the registered

	// The firm.
	HasStanding    bool    `expr:"has_standing"`
	FirmStatus     string  `expr:"firm_status"`
	FirmReason     string  `expr:"firm_reason"`
	Invoiced       int     `expr:"invoiced_12m"`
	Proven         float64 `expr:"proven"`
	ProvenBP       int     `expr:"proven_bp"` // proven in basis points, for formulas
	Counterparties int     `expr:"counterparties"`
	FirmConfidence float64 `expr:"firm_confidence"`
	Anchors        int     `expr:"anchors"`
	AnchorTier     int     `expr:"anchor_tier"`   // the nearest, 1 sells to the anchor itself; 0 none
	AnchorShare    float64 `expr:"anchor_share"`  // the largest
	AnchorMonths   int     `expr:"anchor_months"` // the longest tenure
	ActiveMonths   int     `expr:"active_months"` // of the last 12 with sales
	Recent         float64 `expr:"recent"`        // sales of the last 3 months against a quarter of the year; 1 = steady
	// Figures of its books; missing where the standing says null.
	TradeMonths    float64 `expr:"trade_months"`
	SalesVariation float64 `expr:"sales_variation"`
	SalesGrowth    float64 `expr:"sales_growth"`
	BuyerHHI       float64 `expr:"buyer_hhi"`
	SupplierHHI    float64 `expr:"supplier_hhi"`
	PaymentDays    float64 `expr:"payment_days"`
	PaidLate       float64 `expr:"paid_late"` // days past due
	ReturnShare    float64 `expr:"return_share"`
	VoidShare      float64 `expr:"void_share"`
	ShockLoss      float64 `expr:"shock_loss"`
	figures        uint16  // which of these are known, by [figure]

	// What the chain found of it.
	InvoiceReused    bool `expr:"invoice_reused"`
	InvoiceWithdrawn bool `expr:"invoice_withdrawn"`
	CircularTrade    bool `expr:"circular_trade"`
	CashReturned     bool `expr:"cash_returned"`
	RelatedParties   bool `expr:"related_parties"`
	OverCapacity     bool `expr:"over_capacity"`
	UnmatchedFlow    bool `expr:"unmatched_flow"`

	// The credit bureau.
	HasBureau     bool    `expr:"has_bureau"`
	Lenders       int     `expr:"lenders"`
	OpenLoans     int     `expr:"open_loans"`
	BureauBalance int     `expr:"bureau_balance"`
	MonthlyDue    int     `expr:"monthly_due"`
	CardUse       float64 `expr:"card_use"` // used of the limit; 0 without a card
	Guaranteed    int     `expr:"guaranteed"`
	OverdueNow    int     `expr:"overdue_now"`
	BureauOverdue int     `expr:"bureau_overdue"` // days, worst of 24 months
	OverdueMonths int     `expr:"overdue_months"`
	Queries       int     `expr:"queries_6m"`
	OldestMonths  int     `expr:"oldest_months"`
	Judgments     int     `expr:"judgments"`

	// The bank statement: whole months before the decision, the last 12 of them.
	HasBank         bool    `expr:"has_bank"`
	BankMonths      int     `expr:"bank_months"`
	Inflow          int     `expr:"inflow"` // mean a month
	Inflow12m       int     `expr:"inflow_12m"`
	Outflow         int     `expr:"outflow"`
	InflowVariation float64 `expr:"inflow_variation"`
	LowBalance      int     `expr:"low_balance"` // smallest of all days
	Returned        int     `expr:"returned"`

	// The forecast of sales.
	HasForecast        bool   `expr:"has_forecast"`
	ForecastReason     string `expr:"forecast_reason"`
	ForecastHistory    int    `expr:"forecast_history"`
	ForecastMonths     int    `expr:"forecast_months"` // to come, at most 12
	ForecastLow12m     int    `expr:"forecast_low_12m"`
	ForecastMiddle12m  int    `expr:"forecast_middle_12m"`
	ForecastLowTerm    int    `expr:"forecast_low_term"`
	ForecastMiddleTerm int    `expr:"forecast_middle_term"`
	ForecastWeakest    int    `expr:"forecast_weakest"` // middle of the weakest month

	// What is lent around the applicant.
	HasExposure   bool `expr:"has_exposure"`
	HouseholdDebt int  `expr:"household_debts"`
	GroupDebt     int  `expr:"group_debts"`
	AnchorDebt    int  `expr:"anchor_debts"`
	ProductDebt   int  `expr:"product_debts"`
	RegionDebt    int  `expr:"region_debts"`
	TotalDebt     int  `expr:"total_debts"`

	// The same by credit granted.
	HouseholdGranted int `expr:"household_granted"`
	GroupGranted     int `expr:"group_granted"`
	AnchorGranted    int `expr:"anchor_granted"`
	ProductGranted   int `expr:"product_granted"`
	RegionGranted    int `expr:"region_granted"`
	TotalGranted     int `expr:"total_granted"`

	// Of each part: age of its newest observation in days, uncertainty 0..1, why missing.
	CropAge             int     `expr:"crop_age"`
	CropUncertainty     float64 `expr:"crop_uncertainty"`
	CropMissing         string  `expr:"crop_missing"`
	HerdAge             int     `expr:"herd_age"`
	HerdUncertainty     float64 `expr:"herd_uncertainty"`
	HerdMissing         string  `expr:"herd_missing"`
	StandingAge         int     `expr:"standing_age"`
	StandingUncertainty float64 `expr:"standing_uncertainty"`
	StandingMissing     string  `expr:"standing_missing"`
	BureauAge           int     `expr:"bureau_age"`
	BureauUncertainty   float64 `expr:"bureau_uncertainty"`
	BureauMissing       string  `expr:"bureau_missing"`
	BankAge             int     `expr:"bank_age"`
	BankUncertainty     float64 `expr:"bank_uncertainty"`
	BankMissing         string  `expr:"bank_missing"`
	TurnoverAge         int     `expr:"turnover_age"`
	TurnoverUncertainty float64 `expr:"turnover_uncertainty"`
	TurnoverMissing     string  `expr:"turnover_missing"`
	ExposureMissing     string  `expr:"exposure_missing"`
}

// figure is the bit of a figure of the books that may be unknown.
type figure uint16

const (
	tradeMonths figure = 1 << iota
	salesVariation
	salesGrowth
	buyerHHI
	supplierHHI
	paymentDays
	paidLate
	returnShare
	voidShare
	shockLoss
)

// Terms are what features need of a product.
type Terms struct{ Min, Max money.Fen }

// Gather lays evidence out flat. It reads no clock: ages count to ev.TakenAt, and
// months after it count for nothing. [Check] refuses parts that are later.
func Gather(ev credit.Evidence, terms Terms) Facts {
	var f Facts
	f.Fill(&ev, terms)
	return f
}

// Fill is Gather into f, for callers that keep one.
func (f *Facts) Fill(ev *credit.Evidence, terms Terms) {
	a := &ev.Applicant
	*f = Facts{
		Product: ev.Product, Asked: int(ev.Asked), TermMonths: ev.TermMonths,
		MinLimit: int(terms.Min), MaxLimit: int(terms.Max),
		Debts: int(a.Debts), WorstOverdue: a.WorstOverdueDays,
		ApplicantKind: a.Kind, Age: a.Age, Region: a.Region, Industry: a.Industry,
		HasHousehold: a.Household != "", HasGroup: a.Group != "",
		Pledged: ev.Pledged != "", Overlaps: len(ev.Overlaps), Alerts: ev.Alerts, AlertCount: len(ev.Alerts),
		ClearAge: NeverDays, HeardAge: NeverDays, CountAge: NeverDays,
		CropAge: NeverDays, HerdAge: NeverDays, StandingAge: NeverDays,
		BureauAge: NeverDays, BankAge: NeverDays, TurnoverAge: NeverDays,
	}
	for i := range ev.Overlaps {
		f.OverlapShare = max(f.OverlapShare, ev.Overlaps[i].Share)
	}
	f.plot(ev)
	f.herd(ev)
	f.firm(ev)
	f.bureau(ev)
	f.bank(ev)
	f.turnover(ev)
	f.exposure(ev)
	f.sources(ev)
}

func (f *Facts) plot(ev *credit.Evidence) {
	c := ev.Crop
	if c == nil {
		return
	}
	f.HasCrop, f.CropStatus, f.CropReason = true, string(c.Status), c.Reason
	f.Crop, f.Declared, f.Confidence, f.Vigour, f.Mu = c.Crop, c.Declared, c.Confidence, c.Vigour, c.Mu
	f.CropDoubts = c.Doubts()
	f.ClearDates = c.ClearDates
	if c.TotalDates > 0 {
		f.ClearShare = float64(c.ClearDates) / float64(c.TotalDates)
	}
	if ev.AreaM2 > 0 {
		f.AreaOff = max(c.AreaM2-ev.AreaM2, ev.AreaM2-c.AreaM2) / ev.AreaM2
	}
	if c.Worth != nil {
		f.HasWorth, f.WorthLow, f.WorthMiddle = true, int(c.Worth.Low), int(c.Worth.Middle)
	}
	f.ClearAge = days(c.LastClear, ev.TakenAt)
	f.CropAge = f.ClearAge
	for i := range c.Hazards {
		h := &c.Hazards[i]
		switch h.Kind {
		case geo.Flood:
			f.Flood = max(f.Flood, h.Share)
		case geo.Drought:
			f.Drought = max(f.Drought, h.Share)
		case geo.VigourLoss:
			f.VigourLoss = max(f.VigourLoss, h.Share)
		case geo.EarlyHarvest:
			f.EarlyHarvest = max(f.EarlyHarvest, h.Share)
		case geo.Abandoned:
			f.Abandoned = max(f.Abandoned, h.Share)
		case geo.NeverSown:
			f.NeverSown = true
		}
	}
}

func (f *Facts) herd(ev *credit.Evidence) {
	h := ev.Herd
	if h == nil {
		return
	}
	f.HasHerd, f.HerdStatus, f.HerdReason, f.Species = true, h.Status, h.Reason, h.Species
	f.Registered, f.Verified, f.Outside, f.Silent, f.Unverified = h.Registered, h.Verified, h.Outside, h.Silent, h.Unverified
	if h.Registered > 0 {
		f.VerifiedShare = float64(h.Verified) / float64(h.Registered)
	}
	f.HerdValue, f.HerdValueLow = int(h.Value), int(h.ValueLow)
	f.HeardAge = days(h.LastHeard, ev.TakenAt)
	f.HerdAge = f.HeardAge
	f.Tagged = h.Tagged
	f.CountStatus, f.CountReason, f.CountAge = h.Count.Status, h.Count.Reason, days(h.Count.LastAt, ev.TakenAt)
	if h.Count.Status == "" {
		f.CountReason = "no_counts" // evidence from before counts
	}
	if h.Count.Status == "known" || h.Count.Status == "low_confidence" {
		f.CountLow, f.CountHigh, f.CountEstimate = h.Count.Low, h.Count.High, h.Count.Estimate
	}
	f.Fevers, f.Stills, f.Idles = h.Health.Fever, h.Health.Still, h.Health.Idle
	f.TwoTags, f.TwoPlaces, f.Carriers, f.Impostors = h.Integrity.TwoTags, h.Integrity.TwoPlaces, h.Integrity.Carrier, h.Integrity.Impostors
	if h.Registered > 0 {
		all := float64(h.Registered)
		f.SickShare = min(1, float64(f.Fevers+f.Stills+f.Idles)/all)
		f.StillShare, f.ImpostorShare = float64(f.Stills)/all, float64(f.Impostors)/all
	}
}

func (f *Facts) firm(ev *credit.Evidence) {
	s := ev.Standing
	if s == nil {
		return
	}
	f.HasStanding, f.FirmStatus, f.FirmReason = true, s.Status, s.Reason
	f.Invoiced, f.Proven, f.Counterparties, f.FirmConfidence = int(s.Invoiced12m), s.Proven, s.Counterparties, s.Confidence
	f.ProvenBP = int(min(max(s.Proven, 0), 1) * 10_000)
	f.Anchors = len(s.Anchors)
	for i := range s.Anchors {
		a := &s.Anchors[i]
		if f.AnchorTier == 0 || a.Tier < f.AnchorTier {
			f.AnchorTier = a.Tier
		}
		f.AnchorShare = max(f.AnchorShare, a.Share)
		f.AnchorMonths = max(f.AnchorMonths, a.Months)
	}
	var year, quarter int64
	for i, m := range s.Monthly {
		if m > 0 {
			f.ActiveMonths++
		}
		year += int64(m)
		if i >= len(s.Monthly)-3 {
			quarter += int64(m)
		}
	}
	if year > 0 {
		f.Recent = float64(quarter) * 4 / float64(year)
	}
	f.books(s)
	for i := range s.Findings {
		switch s.Findings[i].Kind {
		case chain.InvoiceReused:
			f.InvoiceReused = true
		case chain.InvoiceWithdrawn:
			f.InvoiceWithdrawn = true
		case chain.CircularTrade:
			f.CircularTrade = true
		case chain.CashReturned:
			f.CashReturned = true
		case chain.RelatedParties:
			f.RelatedParties = true
		case chain.OverCapacity:
			f.OverCapacity = true
		case chain.UnmatchedFlow:
			f.UnmatchedFlow = true
		}
	}
	if !s.MadeAt.IsZero() {
		f.StandingAge = days(&s.MadeAt, ev.TakenAt)
	}
}

func (f *Facts) books(s *chain.Standing) {
	x := &s.Figures
	f.figure(&f.TradeMonths, x.Tenure.Value, tradeMonths)
	f.figure(&f.SalesVariation, x.Variation.Value, salesVariation)
	f.figure(&f.SalesGrowth, x.Growth.Value, salesGrowth)
	f.figure(&f.BuyerHHI, x.BuyerHHI.Value, buyerHHI)
	f.figure(&f.SupplierHHI, x.SupplierHHI.Value, supplierHHI)
	f.figure(&f.PaymentDays, x.PaymentDays.Value, paymentDays)
	f.figure(&f.PaidLate, x.OverdueDays.Value, paidLate)
	f.figure(&f.ReturnShare, x.ReturnShare.Value, returnShare)
	f.figure(&f.VoidShare, x.VoidShare.Value, voidShare)
	if s.Contagion != nil {
		f.figure(&f.ShockLoss, &s.Contagion.Loss, shockLoss)
	}
}

func (f *Facts) figure(to, from *float64, bit figure) {
	if from != nil && !math.IsNaN(*from) && !math.IsInf(*from, 0) {
		*to = *from
		f.figures |= uint16(bit)
	}
}

func (f *Facts) bureau(ev *credit.Evidence) {
	b := ev.Bureau
	if b == nil {
		return
	}
	f.HasBureau = true
	f.Lenders, f.OpenLoans, f.BureauBalance, f.MonthlyDue = b.Lenders, b.OpenLoans, int(b.Balance), int(b.MonthlyDue)
	if b.CardLimit > 0 {
		f.CardUse = float64(b.CardUsed) / float64(b.CardLimit)
	}
	f.Guaranteed, f.OverdueNow, f.BureauOverdue = int(b.Guaranteed), int(b.OverdueNow), b.WorstOverdueDays
	f.OverdueMonths, f.Queries, f.OldestMonths, f.Judgments = b.OverdueMonths, b.Queries6m, b.OldestMonths, b.Judgments
	f.BureauAge = days(&b.At, ev.TakenAt)
}

// bank reads the last 12 whole months before the decision's own month.
func (f *Facts) bank(ev *credit.Evidence) {
	b := ev.Bank
	if b == nil {
		return
	}
	var now [7]byte
	this := month(now[:0], ev.TakenAt)
	last := len(b.Months)
	for last > 0 && b.Months[last-1].Month >= string(this) {
		last--
	}
	months := b.Months[max(0, last-12):last]
	f.BankAge = days(&b.At, ev.TakenAt)
	if len(months) == 0 {
		return
	}
	f.HasBank, f.BankMonths, f.LowBalance = true, len(months), int(months[0].Low)
	var in, out, squares float64
	for i := range months {
		m := &months[i]
		in += float64(m.In)
		out += float64(m.Out)
		f.LowBalance = min(f.LowBalance, int(m.Low))
		f.Returned += m.Returned
	}
	n := float64(len(months))
	mean := in / n
	for i := range months {
		squares += (float64(months[i].In) - mean) * (float64(months[i].In) - mean)
	}
	f.Inflow, f.Inflow12m, f.Outflow = int(mean), int(in), int(out/n)
	if mean > 0 {
		f.InflowVariation = math.Sqrt(squares/n) / mean
	}
}

// turnover adds up the months from the decision's own on.
func (f *Facts) turnover(ev *credit.Evidence) {
	t := ev.Turnover
	if t == nil {
		return
	}
	f.ForecastReason, f.ForecastHistory = t.Reason, t.History
	if t.Status != "known" {
		return
	}
	var now [7]byte
	this := month(now[:0], ev.TakenAt)
	var year, term shortfall
	for i := range t.Months {
		m := &t.Months[i]
		if m.Month < string(this) || f.ForecastMonths == 12 {
			continue
		}
		low, middle := int(max(0, m.Low)), int(max(0, m.Middle))
		if f.ForecastMonths == 0 || middle < f.ForecastWeakest {
			f.ForecastWeakest = middle
		}
		year.add(middle - low)
		f.ForecastMiddle12m += middle
		if f.ForecastMonths < ev.TermMonths {
			term.add(middle - low)
			f.ForecastMiddleTerm += middle
		}
		f.ForecastMonths++
	}
	f.ForecastLow12m, f.ForecastLowTerm = year.below(f.ForecastMiddle12m), term.below(f.ForecastMiddleTerm)
	f.HasForecast = f.ForecastMonths > 0
}

// shortfall adds up how far months may fall below their middle. Not all of them fall to
// their lows at once, nor independently of each other: the errors of two months are
// taken to correlate by one half, half way between the two, so that the variance of the
// sum is half of (Σd)² and half of Σd².
type shortfall struct{ sum, squares float64 }

func (s *shortfall) add(d int) {
	s.sum += float64(d)
	s.squares += float64(d) * float64(d)
}

// below is the low of a sum with that middle.
func (s *shortfall) below(middle int) int {
	return max(0, middle-int(math.Ceil(math.Sqrt((s.sum*s.sum+s.squares)/2))))
}

func (f *Facts) exposure(ev *credit.Evidence) {
	x := ev.Exposure
	if x == nil {
		return
	}
	f.HasExposure = true
	f.HouseholdDebt, f.GroupDebt, f.AnchorDebt = int(x.Household), int(x.Group), int(x.Anchor)
	f.ProductDebt, f.RegionDebt, f.TotalDebt = int(x.Product), int(x.Region), int(x.Total)
	g := &x.Granted
	f.HouseholdGranted, f.GroupGranted = int(max(g.Household, x.Household)), int(max(g.Group, x.Group))
	f.AnchorGranted, f.ProductGranted = int(max(g.Anchor, x.Anchor)), int(max(g.Product, x.Product))
	f.RegionGranted, f.TotalGranted = int(max(g.Region, x.Region)), int(max(g.Total, x.Total))
}

func (f *Facts) sources(ev *credit.Evidence) {
	for i := range ev.Sources {
		s := &ev.Sources[i]
		var age *int
		var unsure *float64
		var why *string
		switch s.Part {
		case "crop":
			age, unsure, why = &f.CropAge, &f.CropUncertainty, &f.CropMissing
		case "herd":
			age, unsure, why = &f.HerdAge, &f.HerdUncertainty, &f.HerdMissing
		case "standing":
			age, unsure, why = &f.StandingAge, &f.StandingUncertainty, &f.StandingMissing
		case "bureau":
			age, unsure, why = &f.BureauAge, &f.BureauUncertainty, &f.BureauMissing
		case "bank":
			age, unsure, why = &f.BankAge, &f.BankUncertainty, &f.BankMissing
		case "turnover":
			age, unsure, why = &f.TurnoverAge, &f.TurnoverUncertainty, &f.TurnoverMissing
		case "exposure":
			f.ExposureMissing = s.Missing
			continue
		default:
			continue
		}
		*unsure, *why = s.Uncertainty, s.Missing
		if s.At != nil {
			*age = days(s.At, ev.TakenAt)
		}
	}
}

// Check refuses evidence of which a part was seen after ev.TakenAt, by more than [Skew]:
// with it a decision, or a row of training, would know what nobody could. It returns
// ErrLater. Bank statements and bureau reports count by their day.
func Check(ev *credit.Evidence) error {
	limit := ev.TakenAt.Add(Skew)
	var err error
	see := func(part string, at *time.Time) {
		if err == nil && at != nil && at.After(limit) {
			err = ErrLater.With("part", part).With("taken", ev.TakenAt.UTC().Format(time.RFC3339)).With("at", at.UTC().Format(time.RFC3339))
		}
	}
	if c := ev.Crop; c != nil {
		see("crop", c.LastClear)
	}
	if h := ev.Herd; h != nil {
		see("herd", h.LastHeard)
		see("herd", h.Count.LastAt)
	}
	if s := ev.Standing; s != nil {
		see("standing", &s.MadeAt)
	}
	if ev.Bureau != nil {
		see("bureau", &ev.Bureau.At)
	}
	if b := ev.Bank; b != nil {
		see("bank", &b.At)
	}
	for i := range ev.Sources {
		see(ev.Sources[i].Part, ev.Sources[i].At)
	}
	for i := range ev.Consents {
		see("consent", &ev.Consents[i].GivenAt)
	}
	return err
}

// month appends the calendar month of an instant in Asia/Shanghai, which has kept UTC+8
// since 1991.
func month(b []byte, at time.Time) []byte {
	return at.UTC().Add(8*time.Hour).AppendFormat(b, "2006-01")
}

func days(from *time.Time, to time.Time) int {
	if from == nil || from.IsZero() {
		return NeverDays
	}
	return max(0, int(to.Sub(*from)/(24*time.Hour)))
}
