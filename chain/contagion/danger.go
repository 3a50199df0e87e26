package contagion

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/furrowcredit/furrow/money"
)

// Exposure is what a firm owes on a loan.
type Exposure struct {
	LoanID      string
	FirmID      string
	Outstanding money.Fen
}

// Danger is a loan whose firm is hit. Hit is the part of the outstanding amount that
// goes with the firm's loss: what is at stake, not what will be written off.
type Danger struct {
	LoanID      string    `json:"loan_id"`
	FirmID      string    `json:"firm_id"`
	Name        string    `json:"name,omitempty"` // of the firm; left to whoever knows the firms
	Outstanding money.Fen `json:"outstanding"`
	Loss        float64   `json:"loss"` // of the firm, 0 to 1
	Hit         money.Fen `json:"hit"`
	Cause       Cause     `json:"cause"`
}

// Endangered are the loans that a shock puts in danger, the largest hit first.
type Endangered struct {
	Loans       []Danger  `json:"loans"`
	Outstanding money.Fen `json:"outstanding"` // of these loans
	Hit         money.Fen `json:"hit"`
	Unknown     []string  `json:"unknown"` // loans of firms that the network does not have: nothing is said about them
}

// Endangered lists the loans of firms that lose at least a part of their output.
func (r *Result) Endangered(loans []Exposure, least float64) Endangered {
	return endangered(loans, func(firmID string) (float64, Cause, bool) {
		i, ok := r.net.Find(firmID)
		if !ok || r.loss(i) == 0 || r.loss(i) < least {
			return 0, Cause{}, ok
		}
		return r.loss(i), r.explain(i).Cause, true
	})
}

func endangered(loans []Exposure, of func(firmID string) (loss float64, cause Cause, known bool)) Endangered {
	e := Endangered{Loans: []Danger{}, Unknown: []string{}}
	for _, l := range loans {
		loss, cause, known := of(l.FirmID)
		if !known {
			e.Unknown = append(e.Unknown, l.LoanID)
		}
		if !known || loss == 0 {
			continue
		}
		hit := money.Fen(math.RoundToEven(loss * float64(l.Outstanding)))
		e.Loans = append(e.Loans, Danger{LoanID: l.LoanID, FirmID: l.FirmID, Outstanding: l.Outstanding, Loss: loss, Hit: hit, Cause: cause})
		e.Outstanding += l.Outstanding
		e.Hit += hit
	}
	slices.SortFunc(e.Loans, func(a, b Danger) int {
		return cmp.Or(cmp.Compare(b.Hit, a.Hit), cmp.Compare(b.Loss, a.Loss), cmp.Compare(a.LoanID, b.LoanID))
	})
	return e
}

// Fact is what an alert on an endangered firm says. Evidence has the figures as text:
// shock, loss, cause, from, path, outstanding and hit (yuan), loans.
type Fact struct {
	FirmID   string
	LoanIDs  []string
	Severity string // "warning"; "critical" from half of the output on
	Loss     float64
	Hit      money.Fen
	Evidence map[string]string
}

// Facts turns endangered loans into the facts of alerts, one for each firm, the largest
// hit first. origin names the shock, such as the anchor that stopped.
func Facts(origin string, e Endangered) []Fact {
	at := map[string]int{}
	var out []Fact
	var owed []money.Fen
	for _, d := range e.Loans {
		k, ok := at[d.FirmID]
		if !ok {
			k = len(out)
			at[d.FirmID] = k
			f := Fact{FirmID: d.FirmID, Loss: d.Loss, Severity: "warning", Evidence: map[string]string{
				"shock": origin, "loss": fmt.Sprintf("%.4f", d.Loss), "cause": d.Cause.Kind, "path": strings.Join(d.Cause.Path, " > "),
			}}
			if d.Loss >= 0.5 {
				f.Severity = "critical"
			}
			if d.Cause.From != "" {
				f.Evidence["from"] = d.Cause.From
			}
			out, owed = append(out, f), append(owed, 0)
		}
		out[k].LoanIDs = append(out[k].LoanIDs, d.LoanID)
		out[k].Hit += d.Hit
		owed[k] += d.Outstanding
	}
	for k := range out {
		out[k].Evidence["loans"] = strings.Join(out[k].LoanIDs, ", ")
		out[k].Evidence["outstanding"] = owed[k].String()
		out[k].Evidence["hit"] = out[k].Hit.String()
	}
	slices.SortStableFunc(out, func(a, b Fact) int { return cmp.Or(cmp.Compare(b.Hit, a.Hit), cmp.Compare(a.FirmID, b.FirmID)) })
	return out
}
