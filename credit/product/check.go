package product

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/loan/schedule"
)

// wrong is told of a mistake and of the path to its place.
type wrong func(why string, path ...any)

// check tells of everything that is wrong with one product.
func check(p Product, bad wrong) {
	checkBasics(p, bad)
	checkRepayment(p, bad)
	checkWho(p.Who, bad)
	checkNeeds(p, bad)
	checkPricing(p, bad)
	checkCaps(p.Caps, bad)
	checkPurposes(p, bad)
	checkFunders(p, bad)
	checkFees(p, bad)
	checkTranches(p, bad)
	checkClass(p, bad)
	checkRegulation(p, bad)
}

func checkBasics(p Product, bad wrong) {
	if !codeForm.MatchString(p.Code) {
		bad("a code has small letters, digits and underscores", "code")
	}
	checkName(p.Name, bad, "name")
	if p.SubjectKind != credit.PlotSubject && p.SubjectKind != credit.HerdSubject && p.SubjectKind != credit.FirmSubject {
		bad("subject_kind must be plot, herd or firm", "subject_kind")
	}
	if p.MinFen <= 0 {
		bad("min_fen must be above zero", "min_fen")
	}
	if p.MaxFen < p.MinFen {
		bad("max_fen must be at least min_fen", "max_fen")
	}
	if len(p.Terms) == 0 || slices.Min(p.Terms) < 1 || slices.Max(p.Terms) > 360 {
		bad("terms must list months between 1 and 360", "terms")
	}
	if p.BaseRateBP <= 0 {
		bad("base_rate_bp must be above zero", "base_rate_bp")
	}
	if p.MaxRateBP < p.BaseRateBP || p.MaxRateBP > 2400 {
		bad("max_rate_bp must be at least base_rate_bp and at most 2400", "max_rate_bp")
	}
	if p.PenaltyFactor < 100 || p.PenaltyFactor > 200 {
		bad("penalty_factor must be between 100 and 200", "penalty_factor")
	}
	if !p.Method.Known() || p.Method == schedule.Irregular {
		bad("method must be equal_instalments, equal_principal, interest_first, bullet or harvest", "method")
	}
	for i, w := range p.Ways {
		if !w.Known() || w == schedule.Irregular || slices.Index(p.Ways, w) != i {
			bad("ways lists equal_instalments, equal_principal, interest_first, bullet and harvest, each once", "ways", i)
		}
	}
	if len(p.Ways) > 0 && !slices.Contains(p.Ways, p.Method) {
		bad("ways must contain the method "+string(p.Method), "ways")
	}
	if !p.DayCount.Known() {
		bad("day_count must be 30/360, act/360, act/365 or act/act", "day_count")
	}
	if p.OfferDays < 0 || p.OfferDays > 180 {
		bad("offer_days is between 1 and 180", "offer_days")
	}
	if p.ThinkHours < 0 || p.ThinkHours > 168 {
		bad("think_hours is between 1 and 168, a week", "think_hours")
	}
	if p.CoolingDays < 0 || p.CoolingDays > 30 {
		bad("cooling_days is between 1 and 30", "cooling_days")
	}
	if p.Policy == "" {
		bad("name the policy that decides", "policy")
	}
	for i, c := range p.Channels {
		if !slices.Contains([]Channel{Phone, Counter, API, Portal}, c) || slices.Index(p.Channels, c) != i {
			bad("channels lists phone, counter, api and portal, each once", "channels", i)
		}
	}
}

var (
	codeForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}$`)
	regionForm   = regexp.MustCompile(`^[1-9][0-9]{1,5}$`)
	industryForm = regexp.MustCompile(`^[A-T][0-9]{0,4}$`)
)

func checkName(name map[string]string, bad wrong, path ...any) {
	if name["zh-CN"] == "" || name["en"] == "" {
		bad("give it a name in zh-CN and en", path...)
	}
}

func checkWho(w Who, bad wrong) {
	for i, k := range w.Kinds {
		if k != "person" && k != "firm" {
			bad("kinds lists person and firm", "who", "kinds", i)
		}
	}
	for i, c := range w.Regions {
		if !regionForm.MatchString(c) {
			bad("a region has two to six digits, as in GB/T 2260", "who", "regions", i)
		}
	}
	for i, c := range w.Industries {
		if !industryForm.MatchString(c) {
			bad("an industry is a letter and up to four digits, as in GB/T 4754", "who", "industries", i)
		}
	}
	if w.MinAge < 0 || w.MaxAge < 0 || w.MaxAge > 0 && w.MaxAge < w.MinAge {
		bad("max_age must be at least min_age", "who", "max_age")
	}
	if w.AnchorTier < 0 || w.AnchorMonths < 0 {
		bad("anchor_tier and anchor_months cannot be below zero", "who")
	}
}

// parts of the evidence that a product can read, and the subject that each is of.
var parts = map[string]credit.SubjectKind{
	"crop": credit.PlotSubject, "herd": credit.HerdSubject, "standing": credit.FirmSubject,
	"turnover": credit.FirmSubject, "bureau": "", "bank": "",
}

func checkNeeds(p Product, bad wrong) {
	for i, n := range p.Evidence {
		kind, known := parts[n.Part]
		switch {
		case !known:
			bad("part must be crop, herd, standing, bureau, bank or turnover", "evidence", i, "part")
		case kind != "" && kind != p.SubjectKind:
			bad(fmt.Sprintf("a %s has no %s", p.SubjectKind, n.Part), "evidence", i, "part")
		case slices.IndexFunc(p.Evidence, func(o Need) bool { return o.Part == n.Part }) != i:
			bad("the part "+n.Part+" stands twice", "evidence", i, "part")
		}
		if n.MaxAgeDays < 0 {
			bad("max_age_days cannot be below zero", "evidence", i, "max_age_days")
		}
		if !(n.MinConfidence >= 0 && n.MinConfidence <= 1) {
			bad("min_confidence is between 0 and 1", "evidence", i, "min_confidence")
		}
	}
	if i := slices.IndexFunc(p.Evidence, func(n Need) bool { return n.Part == "turnover" }); i >= 0 && !p.Reads("standing") {
		bad("the part turnover is foretold from standing; list that too", "evidence", i, "part")
	}
	checkFormula(p, bad)
}

func checkFormula(p Product, bad wrong) {
	if p.Formula == nil {
		return
	}
	f, known := formulas[p.Formula.Name]
	if !known {
		bad("the formula must be one of "+strings.Join(Formulas(), ", "), "formula", "name")
		return
	}
	for _, name := range f.params {
		if p.Formula.Params[name] <= 0 {
			bad("the formula "+p.Formula.Name+" takes "+name+" above zero", "formula", "params", name)
		}
		if name == "advance_bp" && p.Formula.Params[name] > 100_000 {
			bad("advance_bp is at most 100000, ten times the evidence", "formula", "params", name)
		}
	}
	for name := range p.Formula.Params {
		if !slices.Contains(f.params, name) {
			bad("the formula "+p.Formula.Name+" takes "+strings.Join(f.params, " and "), "formula", "params", name)
		}
	}
	if f.part != "" && !p.Reads(f.part) {
		bad("the formula "+p.Formula.Name+" needs the part "+f.part+" in evidence", "formula", "name")
	}
}

func checkPricing(p Product, bad wrong) {
	bands, rows := p.Pricing.Bands, p.Pricing.Rows
	if len(bands) == 0 && len(rows) == 0 {
		return
	}
	if len(bands) == 0 || bands[len(bands)-1].From != 0 {
		bad("the last band must start at 0", "pricing", "bands")
	}
	names := map[string]bool{}
	for i, b := range bands {
		if b.Name == "" || names[b.Name] {
			bad("give each band a name of its own", "pricing", "bands", i, "name")
		}
		if b.From < 0 || b.From > 1000 || i > 0 && b.From >= bands[i-1].From {
			bad("bands start between 0 and 1000, the best first", "pricing", "bands", i, "from")
		}
		names[b.Name] = true
	}
	for i, r := range rows {
		if !names[r.Band] {
			bad("there is no band "+r.Band, "pricing", "rows", i, "band")
		}
		if r.FromMonths < 1 || r.ToMonths < r.FromMonths {
			bad("to_months must be at least from_months, and that at least 1", "pricing", "rows", i, "to_months")
		}
		if r.BP <= 0 || r.BP > p.MaxRateBP {
			bad("bp must be above zero and at most max_rate_bp", "pricing", "rows", i, "bp")
		}
		for j, c := range r.Regions {
			if !regionForm.MatchString(c) {
				bad("a region has two to six digits, as in GB/T 2260", "pricing", "rows", i, "regions", j)
			}
		}
		for j, o := range rows[:i] {
			if overlap(r, o) {
				bad(fmt.Sprintf("row %d overlaps row %d: one loan would have two prices", i+1, j+1), "pricing", "rows", i)
			}
		}
	}
	for _, b := range bands {
		for _, term := range p.Terms {
			covers := func(r PriceRow) bool {
				return r.Band == b.Name && len(r.Regions) == 0 && term >= r.FromMonths && term <= r.ToMonths
			}
			if !slices.ContainsFunc(rows, covers) {
				bad(fmt.Sprintf("no row gives the price of band %s at %d months everywhere", b.Name, term), "pricing", "rows")
			}
		}
	}
}

// overlap says whether two rows of the same rank hold for one loan.
func overlap(a, b PriceRow) bool {
	if a.Band != b.Band || a.FromMonths > b.ToMonths || b.FromMonths > a.ToMonths || (len(a.Regions) == 0) != (len(b.Regions) == 0) {
		return false
	}
	if len(a.Regions) == 0 {
		return true
	}
	for _, x := range a.Regions {
		for _, y := range b.Regions {
			if strings.HasPrefix(x, y) || strings.HasPrefix(y, x) {
				return true
			}
		}
	}
	return false
}

func checkCaps(caps []Cap, bad wrong) {
	for i, c := range caps {
		if !slices.Contains([]string{"household", "group", "anchor", "product", "region", "total"}, c.On) {
			bad("on must be household, group, anchor, product, region or total", "caps", i, "on")
		} else if slices.IndexFunc(caps, func(o Cap) bool { return o.On == c.On }) != i {
			bad("the cap on "+c.On+" stands twice", "caps", i, "on")
		}
		if c.MaxFen <= 0 {
			bad("max_fen must be above zero", "caps", i, "max_fen")
		}
		if c.Counts != "" && c.Counts != CreditGranted && c.Counts != LoansOutstanding {
			bad("counts must be granted or drawn", "caps", i, "counts")
		}
	}
}

func checkPurposes(p Product, bad wrong) {
	for i, x := range p.Purposes {
		if !codeForm.MatchString(x.Code) {
			bad("a code has small letters, digits and underscores", "purposes", i, "code")
		} else if slices.IndexFunc(p.Purposes, func(o Purpose) bool { return o.Code == x.Code }) != i {
			bad("the purpose "+x.Code+" stands twice", "purposes", i, "code")
		}
		checkName(x.Name, bad, "purposes", i, "name")
		if p.Directed && len(x.Goods) == 0 {
			bad("directed money needs the goods that it may buy", "purposes", i)
		}
		for j, g := range x.Goods {
			if !codeForm.MatchString(g) {
				bad("a category of goods has small letters, digits and underscores", "purposes", i, "goods", j)
			}
		}
	}
	switch {
	case p.Delivery != "" && p.Delivery != BuyerDelivery && p.Delivery != ReceiptDelivery:
		bad("delivery must be buyer or receipt", "delivery")
	case p.Delivery != "" && !p.Directed:
		bad("only directed money waits for a delivery", "delivery")
	}
	if p.Directed && len(p.Purposes) == 0 {
		bad("directed money needs purposes", "directed")
	}
}

func checkFunders(p Product, bad wrong) {
	var sum, partners int64
	for i, f := range p.Funders {
		if f.Code == "" || slices.IndexFunc(p.Funders, func(o Funder) bool { return o.Code == f.Code }) != i {
			bad("give each funder a code of its own", "funders", i, "code")
		}
		if f.Kind != "own" && f.Kind != "partner" {
			bad("kind must be own or partner", "funders", i, "kind")
		}
		if f.ShareBP <= 0 || f.ShareBP > 10_000 {
			bad("share_bp is between 1 and 10000", "funders", i, "share_bp")
			return
		}
		sum += f.ShareBP
		if f.Kind == "partner" {
			partners += f.ShareBP
		}
	}
	if len(p.Funders) > 0 && sum != 10_000 {
		bad(fmt.Sprintf("the shares of the funders must sum to 10000, these sum to %d", sum), "funders")
	}
	if partners > 0 && partners < PartnerShareBP {
		bad(fmt.Sprintf("partners must give at least %d of 10000 of a joint loan (银保监办发〔2021〕24号)", PartnerShareBP), "funders")
	}
}

func checkClass(p Product, bad wrong) {
	if p.Class != "" && !slices.Contains([]Class{Credit, Pledge, SupplyChain, Guarantee}, p.Class) {
		bad("class must be credit, pledge, supply_chain or guarantee", "class")
	}
	if r := p.Release; r != nil {
		if r.CoverBP < 10_000 {
			bad("cover_bp must be at least 10000: what stays covers what is owed", "release", "cover_bp")
		}
		if r.ProofDays < 1 {
			bad("proof_days must be at least 1", "release", "proof_days")
		}
		if r.By != "officer" && r.By != "system" {
			bad("by must be officer or system", "release", "by")
		}
		if p.Class != Pledge {
			bad("only a product of class pledge has things to release", "release")
		}
	}
	if p.Class == Guarantee && p.Surety == nil {
		bad("a product of class guarantee needs a surety", "class")
	}
	checkSurety(p, bad)
	if s := p.Subsidy; s != nil {
		checkName(s.Name, bad, "subsidy", "name")
		if s.Code == "" || s.ShareBP <= 0 || s.ShareBP > 10_000 || s.MaxFen <= 0 || s.MaxMonths <= 0 {
			bad("a subsidy has a code, a share_bp up to 10000, max_fen and max_months above zero", "subsidy")
		}
	}
	if r := p.RiskPool; r != nil {
		checkName(r.Name, bad, "risk_pool", "name")
		if r.Code == "" || r.ShareBP <= 0 || r.ShareBP > 10_000 || r.CapFen <= 0 {
			bad("a risk pool has a code, a share_bp up to 10000 and cap_fen above zero", "risk_pool")
		}
	}
	var borne int64
	if p.Surety != nil {
		borne += p.Surety.ShareBP
	}
	if p.RiskPool != nil {
		borne += p.RiskPool.ShareBP
	}
	if borne > 10_000 {
		bad("surety and risk pool bear more than the whole loss", "risk_pool")
	}
}

func checkSurety(p Product, bad wrong) {
	s := p.Surety
	if s == nil {
		return
	}
	if s.ShareBP <= 0 || s.ShareBP > 10_000 {
		bad("share_bp is between 1 and 10000", "surety", "share_bp")
		return
	}
	if s.TriggerDays < 0 || s.TriggerDays > 3650 || (s.Code != "" || s.TriggerDays > 0) && s.Kind != "company" {
		bad("a company has a code and trigger_days up to 3650, others have neither", "surety", "trigger_days")
	}
	switch s.Kind {
	case "company":
		checkName(s.Name, bad, "surety", "name")
		if int64(p.MaxFen)/10_000*s.ShareBP > int64(s.NetAssetsFen)/10_000*SuretyShareBP {
			bad("a guarantee company answers for one debtor with at most a tenth of its net_assets_fen (融资担保公司监督管理条例第十六条)", "surety", "net_assets_fen")
		}
	case "joint":
		if s.MinParties < 2 || s.MaxParties < s.MinParties {
			bad("households that stand for each other are min_parties to max_parties, at least 2", "surety", "min_parties")
		}
	case "person":
	default:
		bad("kind must be company, joint or person", "surety", "kind")
	}
}

func checkRegulation(p Product, bad wrong) {
	if p.Regulation == "" {
		return
	}
	if !p.Regulation.Known() {
		bad("regulation must be consumer, productive, farmer_micro or poverty_relief", "regulation")
		return
	}
	b := p.Regulation.Bound()
	because := " (" + b.Article["zh-CN"] + ")"
	if b.HouseholdFen > 0 && p.MaxFen > b.HouseholdFen {
		bad("max_fen may be at most "+fmt.Sprint(int64(b.HouseholdFen))+because, "max_fen")
	}
	if len(p.Terms) > 0 && b.Months > 0 && slices.Max(p.Terms) > b.Months {
		bad(fmt.Sprintf("a term may have at most %d months", b.Months)+because, "terms")
	}
	bullet := p.Method == loan.Bullet || p.Method == loan.InterestFirst ||
		slices.Contains(p.Ways, loan.Bullet) || slices.Contains(p.Ways, loan.InterestFirst)
	if len(p.Terms) > 0 && b.BulletMonths > 0 && bullet && slices.Max(p.Terms) > b.BulletMonths {
		bad(fmt.Sprintf("with principal repaid at once a term may have at most %d months", b.BulletMonths)+because, "terms")
	}
	if b.Unsecured && (p.Class != Credit || p.Surety != nil) {
		bad("nothing may be pledged and nobody else may answer: class credit, no surety"+because, "class")
	}
}
