package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/credit"
	"github.com/furrowcredit/furrow/credit/apply"
	"github.com/furrowcredit/furrow/credit/collateral"
	"github.com/furrowcredit/furrow/credit/loan"
	"github.com/furrowcredit/furrow/credit/pay"
	"github.com/furrowcredit/furrow/credit/pay/purchase"
	"github.com/furrowcredit/furrow/geo"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sim/county"
)

// fates of loans that a bank would know from half a year, besides those of crop loans:
// paid interest by interest, deferred by two officers, months overdue, and lost.
var fates = []string{"current", "deferred", "overdue", "lost"}

// sellers enrols a shop of farm inputs; another one waits for the second officer.
func (s *settler) sellers(ctx context.Context) error {
	operator, err := s.as(ctx, s.Operator)
	if err != nil {
		return err
	}
	first, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	for i, name := range []string{"青穗惠农农资供应站", "丰登种业经营部"} {
		org := fmt.Sprintf("MA%06d", 379_001+i) // beyond the firms of the trade
		code := "91990100" + org + string(party.OrgCheckChar(org))
		var firm chain.Party
		err := operator.post(ctx, "/operator/firms", map[string]any{
			"uscc": code + string(party.CheckChar(code)), "name": name, "industry": "批发零售", "region": county.Region,
		}, &firm)
		if err != nil {
			return err
		}
		err = operator.post(ctx, "/operator/users", map[string]string{
			"login": sellerLogin(i), "password": s.Password, "name": name, "role": "anchor", "firm_id": firm.ID,
		}, nil)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		var seller purchase.Seller
		err = first.post(ctx, "/officer/sellers", map[string]any{
			"firm_id": firm.ID, "regions": []string{county.Region[:4]}, "categories": []string{"seed", "fertiliser", "pesticide", "film"},
			"account": fmt.Sprintf("62228888%08d", i+1), "bank": "青穗县农村商业银行",
			"from": money.DateOf(now).String(), "to": money.DateOf(now.AddDate(3, 0, 0)).String(),
		}, &seller)
		if err != nil {
			return err
		}
		if i > 0 {
			break
		}
		second, err := s.as(ctx, secondLogin)
		if err != nil {
			return err
		}
		if err := second.post(ctx, "/officer/sellers/"+seller.ID+"/approve", nil, nil); err != nil {
			return err
		}
		s.seller = seller.ID
	}
	return nil
}

func sellerLogin(i int) string { return fmt.Sprintf("seller%02d", i+1) }

// vouch states who a borrower is and, once they agreed to it, enters a clean report of the
// credit bureau.
func (s *settler) vouch(ctx context.Context, login string) error {
	user := s.ids[login]
	borrower, err := s.as(ctx, login)
	if err != nil {
		return err
	}
	if err := allow(ctx, borrower, "bureau"); err != nil {
		return err
	}
	officer, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	err = officer.call(ctx, "PUT", "/officer/borrowers/"+user, map[string]any{
		"kind": "person", "birth_year": s.Clock.Now().Year() - 44, "region": county.Region, "industry": "A01",
	}, nil)
	if err != nil {
		return err
	}
	return officer.post(ctx, "/officer/borrowers/"+user+"/bureau", credit.Bureau{
		At: s.Clock.Now().UTC().Truncate(24 * time.Hour), Lenders: 1, OpenLoans: 1, Balance: 1_200_000, MonthlyDue: 40_000, Queries6m: 1, OldestMonths: 70,
	}, nil)
}

// spare are sound plots of holders who do nothing else in the demo, the last ones first.
func (s *settler) spare(n int) []county.Plot {
	var out []county.Plot
	all := s.candidates("wheat_maize")
	for i := len(all) - 1; i >= 0 && len(out) < n; i-- {
		if !s.busy[all[i].Owner] {
			s.busy[all[i].Owner] = true
			out = append(out, all[i])
		}
	}
	return out
}

// season lends on lines and one loan of the county's relief, half a year ago.
func (s *settler) season(ctx context.Context) error {
	if err := s.sellers(ctx); err != nil {
		return err
	}
	for i, p := range s.spare(len(fates)) {
		a := ask{
			login: s.farmers[p.Owner].Login, subject: credit.Subject{Kind: credit.PlotSubject, ID: s.plots[p.Key]},
			product: "micro", yuan: 20_000, months: 12, purpose: "购买种子、化肥和柴油", until: apply.Active, most: 2_000_000,
		}
		if fates[i] == "lost" { // the county's pool answers for it, and pays its interest
			a.product, a.paper = "relief", s.Clock.Now().Add(-time.Hour)
		}
		if err := s.vouch(ctx, a.login); err != nil {
			return err
		}
		app, err := s.borrow(ctx, a)
		if err != nil {
			return err
		}
		if app.State == apply.Active {
			s.lent[fates[i]] = app
		}
		s.Progress("lines", i+1, len(fates))
	}
	return nil
}

// months pays the interest of what is current and of what will be deferred.
func (s *settler) months(ctx context.Context) error {
	for _, fate := range []string{"current", "deferred"} {
		app, ok := s.lent[fate]
		if !ok {
			continue
		}
		login := s.login(app.UserID)
		who, err := s.as(ctx, login)
		if err != nil {
			return err
		}
		var page struct {
			Loan   loan.Loan  `json:"loan"`
			Payoff loan.Quote `json:"payoff"`
		}
		if err := who.get(ctx, "/farmer/loans/"+app.LoanID, &page); err != nil {
			return err
		}
		interest := page.Payoff.Total - page.Loan.Outstanding
		if interest <= 0 {
			continue
		}
		amount := interest
		if fate == "current" {
			amount = interest + page.Loan.Outstanding/4 // and a quarter before it is due
		}
		if err := who.post(ctx, "/farmer/loans/"+app.LoanID+"/repay", map[string]money.Fen{"amount": amount}, nil); err != nil {
			return err
		}
	}
	return nil
}

// lending plays what the desk has to do today: acts on loans by two officers, orders of
// directed money in several states, a margin call, the bank's statement.
func (s *settler) lending(ctx context.Context) error {
	steps := []func(context.Context) error{s.acts, s.orders, s.shared, s.marginCall, s.reconcile}
	for i, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
		s.Progress("loan desk", i+1, len(steps))
	}
	return nil
}

// propose has one officer propose an event on a loan; agree has the other approve it.
func (s *settler) propose(ctx context.Context, loanID string, event map[string]any, why string, agree bool) error {
	first, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	var p struct {
		ID string `json:"id"`
	}
	if err := first.post(ctx, "/officer/loans/"+loanID+"/proposals", map[string]any{"event": event, "reason": why}, &p); err != nil || !agree {
		return err
	}
	second, err := s.as(ctx, secondLogin)
	if err != nil {
		return err
	}
	return second.post(ctx, "/officer/loan-proposals/"+p.ID+"/approve", map[string]string{"note": "已核对材料，同意"}, nil)
}

func (s *settler) acts(ctx context.Context) error {
	today := money.DateOf(s.Clock.Now())
	if app, ok := s.lent["deferred"]; ok {
		officer, err := s.as(ctx, officerLogin)
		if err != nil {
			return err
		}
		var page struct {
			Schedule []loan.Instalment `json:"schedule"`
		}
		if err := officer.get(ctx, "/officer/loans/"+app.LoanID, &page); err != nil {
			return err
		}
		for _, row := range page.Schedule {
			if row.DueOn <= today {
				continue
			}
			change := map[string]string{"from": row.DueOn.String(), "to": row.DueOn.AddMonths(3).String()}
			err := s.propose(ctx, app.LoanID, map[string]any{"kind": "reschedule", "change": change}, "秋粮受潮待售，还款日顺延三个月", true)
			if err != nil {
				return err
			}
			break
		}
	}
	if app, ok := s.lent["overdue"]; ok { // it waits for the second officer
		change := map[string]string{"from": today.String(), "to": (today + 30).String()}
		if err := s.propose(ctx, app.LoanID, map[string]any{"kind": "pause_penalty", "change": change}, "借款人住院，建议暂停罚息一个月", false); err != nil {
			return err
		}
	}
	app, ok := s.lent["lost"]
	if !ok {
		return nil
	}
	if err := s.propose(ctx, app.LoanID, map[string]any{"kind": "write_off"}, "经催收无财产可供执行，申请核销", true); err != nil {
		return err
	}
	officer, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	return officer.post(ctx, "/officer/loans/"+app.LoanID+"/events", map[string]any{"kind": "recovery", "amount": 50_000}, nil)
}

// orders buys with directed money: one order is paid after its delivery, and in part given
// back, one is confirmed, one waits for the seller.
func (s *settler) orders(ctx context.Context) error {
	for i, p := range s.spare(2) {
		if err := s.order(ctx, p, [][]string{{"refunded"}, {"submitted", "confirmed"}}[i]); err != nil {
			return err
		}
	}
	return nil
}

// order has the holder of a plot order under one loan, each order to its end.
func (s *settler) order(ctx context.Context, p county.Plot, ends []string) error {
	login := s.farmers[p.Owner].Login
	if err := s.vouch(ctx, login); err != nil { // sellers are those of the county on record
		return err
	}
	app, err := s.borrow(ctx, ask{
		login: login, subject: credit.Subject{Kind: credit.PlotSubject, ID: s.plots[p.Key]}, product: "inputs",
		yuan: min(800*int64(p.AreaM2/geo.M2PerMu), 60_000), months: 9, purpose: "购买化肥", until: apply.Signed,
	})
	if err != nil || app.State != apply.Signed {
		return err
	}
	buyer, err := s.as(ctx, login)
	if err != nil {
		return err
	}
	seller, err := s.as(ctx, sellerLogin(0))
	if err != nil {
		return err
	}
	for _, end := range ends {
		var shelf purchase.Shelf
		if err := buyer.get(ctx, "/farmer/applications/"+app.ID+"/shelf", &shelf); err != nil {
			return err
		}
		line, ok := wanted(shelf)
		if !ok { // nothing is sold now
			return nil
		}
		var o purchase.Order
		err := buyer.post(ctx, "/farmer/purchases", map[string]any{"application_id": app.ID, "seller_id": s.seller, "lines": []any{line}}, &o)
		if err != nil {
			return err
		}
		if end == "submitted" {
			continue
		}
		sale := "/anchor/sales/" + o.ID
		if err := seller.post(ctx, sale+"/confirm", nil, nil); err != nil {
			return err
		}
		if end == "confirmed" {
			continue
		}
		receipt := sha256.Sum256([]byte("receipt of " + o.ID))
		if err := seller.post(ctx, sale+"/deliver", map[string]string{"receipt_hash": hex.EncodeToString(receipt[:])}, &o); err != nil {
			return err
		}
		err = seller.post(ctx, sale+"/refund", map[string]any{
			"lines": []map[string]any{{"nr": 1, "amount": o.Amount / 10}}, "reason": "退回未拆封的一成",
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// wanted is a line of the shelf that costs no more than a few thousand yuan.
func wanted(shelf purchase.Shelf) (map[string]any, bool) {
	for _, o := range shelf.Offers {
		if !o.InSeason || len(o.Sellers) == 0 || o.Goods.Category != "fertiliser" && o.Goods.Category != "seed" {
			continue
		}
		price := (o.Low + o.High) / 2
		const most = 40_000 // fen, of one order
		n := min(most, shelf.Free/4) / max(price, 1)
		if o.Most != nil {
			n = min(n, money.Fen(int64(*o.Most)/100/4))
		}
		if n > 0 {
			return map[string]any{"goods": o.Goods.Code, "quantity": fmt.Sprint(int64(n)), "price": price}, true
		}
	}
	return nil, false
}

// shared lends to a firm that starts up: a guarantee company and the county's pool answer
// for it, the treasury pays half of the interest.
func (s *settler) shared(ctx context.Context) error {
	owner := s.owners[3]
	if err := s.vouch(ctx, owner.Login); err != nil {
		return err
	}
	_, err := s.borrow(ctx, ask{
		login: owner.Login, subject: credit.Subject{Kind: credit.FirmSubject, ID: s.firms[owner.Login]}, product: "startup",
		yuan: 100_000, months: 12, purpose: "购买加工设备", until: apply.Active, surety: "县融资担保公司",
	})
	return err
}

// marginCall has a herd valued again, lower, by two officers.
func (s *settler) marginCall(ctx context.Context) error {
	first, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	second, err := s.as(ctx, secondLogin)
	if err != nil {
		return err
	}
	var pools struct {
		Items []collateral.Answer `json:"items"`
	}
	if err := first.get(ctx, "/officer/collateral?open=true&user_id="+s.ids[s.herders[2].Login], &pools); err != nil {
		return err
	}
	for _, p := range pools.Items {
		var values []collateral.GivenValue
		for _, a := range p.Pool.Assets {
			v := a.Value
			if a.Status == collateral.Held && v.Known {
				values = append(values, collateral.GivenValue{
					AssetID: a.ID, Low: v.Low * 45 / 100, Middle: v.Middle / 2, High: v.High * 55 / 100, Source: "县畜牧站价格通报（演示）",
				})
			}
		}
		if p.Pool.Product != "herd" || len(values) == 0 {
			continue
		}
		var done collateral.Answer
		path := "/officer/applications/" + p.Pool.ApplicationID + "/collateral/value"
		if err := first.post(ctx, path, map[string]any{"values": values, "note": "羊价下跌"}, &done); err != nil || done.Proposal == nil {
			return err
		}
		return second.post(ctx, "/officer/collateral-proposals/"+done.Proposal.ID+"/agree", nil, nil)
	}
	return nil
}

// reconcile brings the bank's statement of the day on which the loans of the past were
// drawn; a fee is on it that the books do not know.
func (s *settler) reconcile(ctx context.Context) error {
	officer, err := s.as(ctx, officerLogin)
	if err != nil {
		return err
	}
	body, err := s.Statement(ctx, s.drawn)
	if err != nil {
		return err
	}
	fee := pay.Line{Date: s.drawn, Direction: pay.Out, Amount: 3500, Ref: "FEE0001", Party: "青穗县农村商业银行", Memo: "账户管理费"}
	body = append(body, strings.Join(fee.Cells(), ",")+"\n"...)
	day := s.drawn.String()
	return officer.upload(ctx, "/officer/statements", map[string]string{"day": day}, "bank-"+day+".csv", body, nil)
}
