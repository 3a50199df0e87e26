package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/chain/contagion"
)

// contagionOptions are the flags of chain contagion.
type contagionOptions struct {
	model                         string
	links, firms, inputs, need    string
	liabilities, assets, loans    string
	shocks                        shockFlag
	each, group, asJSON           bool
	alpha, beta, tolerance, least float64
	rounds, limit                 int
}

// shockFlag collects --shock ID=PART.
type shockFlag []contagion.Shock

// String is the empty default.
func (s *shockFlag) String() string { return "" }

// Set reads ID or ID=PART.
func (s *shockFlag) Set(text string) error {
	id, part := text, 1.0
	if at := strings.LastIndexByte(text, '='); at >= 0 {
		var err error
		if part, err = strconv.ParseFloat(text[at+1:], 64); err != nil || !(part > 0 && part <= 1) {
			return fmt.Errorf("%q: after = comes the part that is lost, above 0 and at most 1", text)
		}
		id = text[:at]
	}
	if id == "" {
		return fmt.Errorf("%q names no firm", text)
	}
	*s = append(*s, contagion.Shock{FirmID: id, Part: part})
	return nil
}

func contagionFlags(std stdio) (*flag.FlagSet, *contagionOptions) {
	fs := newFlags("chain contagion", "--model esri --links F.csv[.gz] (--shock ID[=PART]... | --each) [--firms F] [--inputs F] [--loans F] [--json]\n"+
		"       furrow chain contagion --model en|rv|debtrank|single --liabilities F.csv[.gz] --assets F --shock ID[=PART]... [--json]", std)
	o := &contagionOptions{}
	fs.StringVar(&o.model, "model", "esri", "esri (supply), debtrank or single (equity), en or rv (payments)")
	fs.StringVar(&o.links, "links", "", "CSV: supplier, buyer, amount, and maybe essential, supplier_sector, buyer_sector; - for standard input")
	fs.StringVar(&o.firms, "firms", "", "CSV: id, and maybe sector, size, owner (default: the firms of the links)")
	fs.StringVar(&o.inputs, "inputs", "", "CSV: supplier_sector, buyer_sector, essential; for links that do not say it")
	fs.StringVar(&o.need, "need", "non_essential", "inputs that neither file tells: essential, non_essential, negligible")
	fs.StringVar(&o.liabilities, "liabilities", "", "CSV: debtor, creditor, amount; - for standard input")
	fs.StringVar(&o.assets, "assets", "", "CSV: id, external, and maybe outside, equity")
	fs.StringVar(&o.loans, "loans", "", "CSV: loan, firm, outstanding (yuan): which loans are in danger")
	fs.Var(&o.shocks, "shock", "firm and the part that it loses, such as F1=0.5; again for more firms")
	fs.BoolVar(&o.each, "each", false, "the index of every firm, were it to stop alone")
	fs.BoolVar(&o.group, "group", false, "a shock to a firm hits the firms that it owns")
	fs.Float64Var(&o.alpha, "alpha", 1, "rv: what is left of the outside assets of a firm that fails, 0 to 1")
	fs.Float64Var(&o.beta, "beta", 1, "rv: what is left of what its debtors pay, 0 to 1")
	fs.Float64Var(&o.tolerance, "tolerance", 1e-10, "change at which rounds end")
	fs.IntVar(&o.rounds, "rounds", 0, "stop after so many rounds (default: when nothing changes)")
	fs.Float64Var(&o.least, "least", 0.01, "leave out firms and loans that lose a smaller part")
	fs.IntVar(&o.limit, "limit", 50, "firms listed; 0 for all")
	fs.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return fs, o
}

// runChainContagion reckons what a shock does to the firms of a network.
func runChainContagion(ctx context.Context, args []string, std stdio) error {
	fs, o := contagionFlags(std)
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	supply := o.model == "esri"
	switch {
	case len(rest) > 0:
		return errUsage.With("why", "what is "+rest[0]+"? Files are given by flags")
	case !supply && o.model != "en" && o.model != "rv" && o.model != "debtrank" && o.model != "single":
		return errUsage.With("why", "--model is esri, debtrank, single, en or rv")
	case supply && (o.links == "" || o.liabilities != "" || o.assets != ""):
		return errUsage.With("why", "esri wants --links, and neither --liabilities nor --assets")
	case !supply && (o.liabilities == "" || o.assets == "" || o.links != ""):
		return errUsage.With("why", o.model+" wants --liabilities and --assets, and no --links")
	case !supply && (o.each || o.group || o.loans != "" || o.firms != "" || o.inputs != ""):
		return errUsage.With("why", "--each, --group, --loans, --firms and --inputs go with esri")
	case o.each == (len(o.shocks) > 0) && supply:
		return errUsage.With("why", "give --shock or --each")
	case o.model != "rv" && (o.alpha != 1 || o.beta != 1):
		return errUsage.With("why", "--alpha and --beta go with rv")
	case !(o.alpha >= 0 && o.alpha <= 1 && o.beta >= 0 && o.beta <= 1):
		return errUsage.With("why", "--alpha and --beta are 0 to 1")
	case !(o.tolerance > 0 && o.tolerance < 1) || o.rounds < 0 || o.limit < 0 || !(o.least >= 0 && o.least <= 1):
		return errUsage.With("why", "--tolerance is above 0 and below 1, --least 0 to 1, --rounds and --limit 0 or more")
	}
	p := contagion.Params{Tolerance: o.tolerance, MaxRounds: o.rounds}
	if supply {
		return supplyContagion(ctx, o, p, std)
	}
	return debtContagion(ctx, o, p, std)
}

// aFolder is said of a folder that is given in place of a file.
const aFolder = "it is a folder; name one file in it"

// read opens a file and hands it to a reader.
func read[T any](name string, std stdio, reader func(contagion.Source) (T, error)) (out T, err error) {
	if name == "-" {
		return reader(contagion.Source{Name: name, R: std.In})
	}
	f, err := os.Open(name)
	if err != nil {
		return out, contagion.ErrFile.With("why", "look at its name and who may read it").At("%s", name)
	}
	defer func() { _ = f.Close() }() // it is only read
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return out, contagion.ErrFile.With("why", aFolder).At("%s", name)
	}
	return reader(contagion.Source{Name: name, R: f})
}

func readSupply(o *contagionOptions, std stdio) (*contagion.Network, error) {
	need, ok := map[string]contagion.Need{
		"essential": contagion.Essential, "non_essential": contagion.Useful, "negligible": contagion.Negligible,
	}[o.need]
	if !ok {
		return nil, errUsage.With("why", "--need is essential, non_essential or negligible")
	}
	var err error
	inputs := contagion.NewInputs(need)
	if o.inputs != "" {
		inputs, err = read(o.inputs, std, func(s contagion.Source) (*contagion.Inputs, error) {
			return contagion.ReadInputs(s.R, s.Name, need)
		})
		if err != nil {
			return nil, err
		}
	}
	var reg *contagion.Register
	if o.firms != "" {
		if reg, err = read(o.firms, std, contagion.ReadFirms); err != nil {
			return nil, err
		}
	}
	var links []contagion.Link
	reg, err = read(o.links, std, func(s contagion.Source) (r *contagion.Register, err error) {
		r, links, err = contagion.ReadLinks(s, reg, inputs)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	return contagion.NewNetwork(reg.Firms, links)
}

// firmIndex is the index of one firm.
type firmIndex struct {
	FirmID string  `json:"firm_id"`
	Sector string  `json:"sector,omitempty"`
	Index  float64 `json:"index"`
}

func supplyContagion(ctx context.Context, o *contagionOptions, p contagion.Params, std stdio) error {
	net, err := readSupply(o, std)
	if err != nil {
		return err
	}
	if o.each {
		return eachFirm(ctx, net, o, p, std)
	}
	shocks := []contagion.Shock(o.shocks)
	if o.group {
		if shocks, err = net.Group(shocks); err != nil {
			return err
		}
	}
	res, err := net.Run(ctx, shocks, p)
	if err != nil {
		return err
	}
	losses := res.Losses(o.least, o.limit)
	var loans *contagion.Endangered
	if o.loans != "" {
		list, err := read(o.loans, std, contagion.ReadLoans)
		if err != nil {
			return err
		}
		e := res.Endangered(list, o.least)
		loans = &e
	}
	if o.asJSON {
		out := map[string]any{
			"model": o.model, "firms": net.Len(), "links": net.Links(), "volume": net.Volume(), "index": res.Part, "amount": res.Amount,
			"touched": res.Firms, "rounds": res.Rounds, "converged": res.Converged, "losses": losses,
		}
		if loans != nil {
			out["loans"] = loans
		}
		return printJSON(std.Out, out)
	}
	_, _ = fmt.Fprintf(std.Out, "%d firms, %d links: %.6g of %.6g is lost (index %.6f), %d firms touched, %d rounds%s\n",
		net.Len(), net.Links(), res.Amount, net.Volume(), res.Part, res.Firms, res.Rounds, unfinished(res.Converged))
	for _, l := range losses {
		_, _ = fmt.Fprintf(std.Out, "%-24s %6.2f %%  %14.2f  %-6s %s\n", l.FirmID, 100*l.Loss, l.Amount, l.Cause.Kind, strings.Join(l.Cause.Path, " > "))
	}
	if loans != nil {
		_, _ = fmt.Fprintf(std.Out, "%d loans in danger: %s of %s yuan; %d of firms that the network does not have\n",
			len(loans.Loans), loans.Hit, loans.Outstanding, len(loans.Unknown))
		for _, d := range loans.Loans {
			_, _ = fmt.Fprintf(std.Out, "%-24s %-24s %6.2f %%  %14s of %14s\n", d.LoanID, d.FirmID, 100*d.Loss, d.Hit, d.Outstanding)
		}
	}
	return nil
}

func unfinished(converged bool) string {
	if converged {
		return ""
	}
	return "; stopped by --rounds before the end"
}

func eachFirm(ctx context.Context, net *contagion.Network, o *contagionOptions, p contagion.Params, std stdio) error {
	step := max(net.Len()/100, 1)
	progress := func(done int) {
		if terminal(std.Err) && done%step == 0 {
			_, _ = fmt.Fprintf(std.Err, "firms: %d of %d\n", done, net.Len())
		}
	}
	index, converged, err := net.Each(ctx, p, progress)
	if err != nil {
		return err
	}
	list := make([]firmIndex, len(index))
	for i, v := range index {
		f := net.Firm(uint32(i))
		list[i] = firmIndex{f.ID, f.Sector, v}
	}
	if o.asJSON {
		return printJSON(std.Out, map[string]any{
			"model": o.model, "firms": net.Len(), "links": net.Links(), "volume": net.Volume(), "converged": converged, "index": list,
		})
	}
	for _, f := range list {
		_, _ = fmt.Fprintf(std.Out, "%s,%v\n", f.FirmID, f.Index)
	}
	return nil
}

// firmDebt is what a model of debts says of a firm.
type firmDebt struct {
	FirmID string   `json:"firm_id"`
	Owed   *float64 `json:"owed,omitempty"`
	Paid   *float64 `json:"paid,omitempty"`
	Failed *bool    `json:"failed,omitempty"`
	Stress *float64 `json:"stress,omitempty"` // part of the equity lost
	Equity float64  `json:"equity"`
}

// debtContagion lists every firm of the assets: the models of debts are for systems
// that are looked at whole.
func debtContagion(ctx context.Context, o *contagionOptions, p contagion.Params, std stdio) error {
	b, err := read(o.assets, std, contagion.ReadBalances)
	if err != nil {
		return err
	}
	debts, err := read(o.liabilities, std, func(s contagion.Source) ([]contagion.Debt, error) { return contagion.ReadDebts(s, b.Register) })
	if err != nil {
		return err
	}
	out := map[string]any{"model": o.model, "firms": len(b.Firms), "debts": len(debts)}
	var list []firmDebt
	var head string
	if o.model == "debtrank" || o.model == "single" {
		run := contagion.DebtRank
		if o.model == "single" {
			run = contagion.SingleHit
		}
		equity := b.Worth(debts)
		loss, err := b.Losses(equity, o.shocks)
		if err != nil {
			return err
		}
		d, err := run(ctx, equity, loss, debts, p)
		if err != nil {
			return err
		}
		for i, f := range b.Firms {
			list = append(list, firmDebt{FirmID: f.ID, Stress: &d.Stress[i], Equity: d.Equity[i]})
		}
		out["index"], out["rounds"], out["converged"] = d.Index, d.Rounds, d.Converged
		head = fmt.Sprintf("%d firms, %d debts: the spreading adds %.6f of what is lent, %d rounds%s", len(b.Firms), len(debts), d.Index, d.Rounds, unfinished(d.Converged))
	} else {
		loss, err := b.Losses(b.External, o.shocks)
		if err != nil {
			return err
		}
		sys := contagion.System{Assets: make([]float64, len(loss)), Outside: b.Outside, Debts: debts}
		for i := range loss {
			sys.Assets[i] = b.External[i] - loss[i]
		}
		c, err := clearing(ctx, sys, contagion.Costs{Assets: o.alpha, Paid: o.beta}, p)
		if err != nil {
			return err
		}
		failed, unpaid := 0, 0.0
		for i, f := range b.Firms {
			list = append(list, firmDebt{FirmID: f.ID, Owed: &c.Owed[i], Paid: &c.Paid[i], Failed: &c.Failed[i], Equity: c.Equity[i]})
			unpaid += c.Owed[i] - c.Paid[i]
			if c.Failed[i] {
				failed++
			}
		}
		out["failed"], out["unpaid"], out["rounds"], out["converged"] = failed, unpaid, c.Rounds, c.Converged
		head = fmt.Sprintf("%d firms, %d debts: %d firms fail, %.6g stays unpaid, %d rounds%s", len(b.Firms), len(debts), failed, unpaid, c.Rounds, unfinished(c.Converged))
	}
	if out["results"] = list; o.asJSON {
		return printJSON(std.Out, out)
	}
	_, _ = fmt.Fprintln(std.Out, head)
	printDebts(std.Out, list)
	return nil
}

// clearing is exact; with --rounds it is what has come through by then.
func clearing(ctx context.Context, sys contagion.System, costs contagion.Costs, p contagion.Params) (*contagion.Clearing, error) {
	if p.MaxRounds > 0 {
		return contagion.ClearRounds(ctx, sys, costs, p)
	}
	return contagion.Clear(ctx, sys, costs)
}

func printDebts(w io.Writer, list []firmDebt) {
	for _, f := range list {
		if f.Stress != nil {
			_, _ = fmt.Fprintf(w, "%-24s stress %8.6f  equity %14.6f\n", f.FirmID, *f.Stress, f.Equity)
			continue
		}
		state := "pays"
		if *f.Failed {
			state = "fails"
		}
		_, _ = fmt.Fprintf(w, "%-24s %-5s %14.6f of %14.6f  equity %14.6f\n", f.FirmID, state, *f.Paid, *f.Owed, f.Equity)
	}
}
