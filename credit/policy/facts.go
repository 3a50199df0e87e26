package policy

import (
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/product"
	"github.com/furrowcredit/furrow/geo"
)

// Facts is what a condition of a policy can name. It is flat and has a value for
// everything, so that missing evidence can never break a rule: has_crop, has_herd and
// has_standing say whether it is there, and what is missing reads as zero, "" or, for
// an age, as [NeverDays]. Amounts are fen, shares 0..1, ages whole days.
type Facts struct {
	// The application.
	Asked        int `expr:"asked"`
	TermMonths   int `expr:"term_months"`
	MinLimit     int `expr:"min_limit"` // of the product
	MaxLimit     int `expr:"max_limit"`
	Debts        int `expr:"debts"`
	WorstOverdue int `expr:"worst_overdue"` // days
	// Limit is the limit that the policy's formula gave; 0 while that is computed.
	Limit int `expr:"limit"`

	// The subject.
	Pledged      bool     `expr:"pledged"`
	Overlaps     int      `expr:"overlaps"`      // pledged plots that share ground with this one
	OverlapShare float64  `expr:"overlap_share"` // the largest shared part
	Alerts       []string `expr:"alerts"`        // open alert kinds

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
	// What the chain found of it.
	InvoiceReused    bool `expr:"invoice_reused"`
	InvoiceWithdrawn bool `expr:"invoice_withdrawn"`
	CircularTrade    bool `expr:"circular_trade"`
	CashReturned     bool `expr:"cash_returned"`
	RelatedParties   bool `expr:"related_parties"`
	OverCapacity     bool `expr:"over_capacity"`
	UnmatchedFlow    bool `expr:"unmatched_flow"`
}

// NeverDays is the age of evidence that does not exist.
const NeverDays = 99999

// Gather lays evidence out flat. It reads no clock: ages count to ev.TakenAt.
func Gather(ev credit.Evidence, p product.Product) Facts {
	f := Facts{
		Asked: int(ev.Asked), TermMonths: ev.TermMonths,
		MinLimit: int(p.MinFen), MaxLimit: int(p.MaxFen),
		Debts: int(ev.Applicant.Debts), WorstOverdue: ev.Applicant.WorstOverdueDays,
		Pledged: ev.Pledged != "", Overlaps: len(ev.Overlaps), Alerts: ev.Alerts,
		ClearAge: NeverDays, HeardAge: NeverDays, CountAge: NeverDays,
	}
	for _, o := range ev.Overlaps {
		f.OverlapShare = max(f.OverlapShare, o.Share)
	}
	f.plot(ev)
	f.herd(ev)
	f.firm(ev)
	return f
}

func (f *Facts) plot(ev credit.Evidence) {
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
	for _, h := range c.Hazards {
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

func (f *Facts) herd(ev credit.Evidence) {
	h := ev.Herd
	if h == nil {
		return
	}
	f.HasHerd, f.HerdStatus, f.HerdReason = true, h.Status, h.Reason
	f.Registered, f.Verified, f.Outside, f.Silent, f.Unverified = h.Registered, h.Verified, h.Outside, h.Silent, h.Unverified
	if h.Registered > 0 {
		f.VerifiedShare = float64(h.Verified) / float64(h.Registered)
	}
	f.HerdValue, f.HerdValueLow = int(h.Value), int(h.ValueLow)
	f.HeardAge = days(h.LastHeard, ev.TakenAt)
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

func (f *Facts) firm(ev credit.Evidence) {
	s := ev.Standing
	if s == nil {
		return
	}
	f.HasStanding, f.FirmStatus, f.FirmReason = true, s.Status, s.Reason
	f.Invoiced, f.Proven, f.Counterparties, f.FirmConfidence = int(s.Invoiced12m), s.Proven, s.Counterparties, s.Confidence
	f.ProvenBP = int(min(max(s.Proven, 0), 1) * 10_000)
	f.Anchors = len(s.Anchors)
	for _, a := range s.Anchors {
		if f.AnchorTier == 0 || a.Tier < f.AnchorTier {
			f.AnchorTier = a.Tier
		}
		f.AnchorShare = max(f.AnchorShare, a.Share)
		f.AnchorMonths = max(f.AnchorMonths, a.Months)
	}
	var year, quarter int64
	for i, m := range s.Monthly {
		year += int64(m)
		if i >= len(s.Monthly)-3 {
			quarter += int64(m)
		}
		if m > 0 {
			f.ActiveMonths++
		}
	}
	if year > 0 {
		f.Recent = float64(quarter) * 4 / float64(year)
	}
	for _, x := range s.Findings {
		switch x.Kind {
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
}

func days(from *time.Time, to time.Time) int {
	if from == nil || from.IsZero() {
		return NeverDays
	}
	return max(0, int(to.Sub(*from)/(24*time.Hour)))
}
