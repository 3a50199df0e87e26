package ledger_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/ledger"
	"github.com/furrowcredit/furrow/money"
)

var noon = time.Date(2026, 7, 1, 4, 0, 0, 0, time.UTC)

func name(zh, en string) map[string]string { return map[string]string{"zh-CN": zh, "en": en} }

var chart = ledger.Chart{
	{Code: "assets", Class: ledger.Asset, Heading: true, Name: name("资产", "Assets")},
	{Code: "money", Class: ledger.Asset, Heading: true, Parent: "assets", Name: name("货币资金", "Money")},
	{Code: "cash", Class: ledger.Asset, Parent: "money", Name: name("结算存款", "Settlement account")},
	{Code: "loan_principal", Class: ledger.Asset, Parent: "assets", Name: name("贷款本金", "Loan principal"), Limit: ledger.CreditsLimited},
	{Code: "borrower_credit", Class: ledger.Liability, Name: name("借款人预存款", "Money held for borrowers"), Limit: ledger.DebitsLimited},
}

// shelf is a store of entries that are there; of the rest of ledger.Store it has nothing.
type shelf struct {
	ledger.Store
	entries []ledger.Entry
}

func (s shelf) Entries(_ context.Context, _ string, f ledger.Filter) ([]ledger.Entry, error) {
	var out []ledger.Entry
	for _, e := range s.entries {
		if e.Seq > f.After && len(out) < f.Limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s shelf) Turnovers(_ context.Context, _ string, from, to money.Date) ([]ledger.Turnover, error) {
	sums := map[string]*ledger.Turnover{}
	var out []ledger.Turnover
	for _, e := range s.entries {
		for _, p := range e.Postings {
			if !e.Booked() || e.Date < from || to != 0 && e.Date > to {
				continue
			}
			if sums[p.Account] == nil {
				sums[p.Account] = &ledger.Turnover{Account: p.Account}
			}
			sums[p.Account].Debits += max(p.Amount, 0)
			sums[p.Account].Credits += max(-p.Amount, 0)
		}
	}
	for _, t := range sums {
		out = append(out, *t)
	}
	return out, nil
}

func entry(seq int64, day int, memo string, postings ...ledger.Posting) ledger.Entry {
	return ledger.Entry{Seq: seq, Tenant: "a", Key: "k", Kind: "draw", Item: "l", Date: money.DateOf(noon) + money.Date(day), Memo: memo, Postings: postings, At: noon}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	void := entry(2, 0, "", []ledger.Posting{}...)
	void.Op = ledger.Void
	book := ledger.New(shelf{entries: []ledger.Entry{
		entry(1, 0, "=1+1", ledger.Posting{Account: "loan_principal", Item: "l", Amount: 123456}, ledger.Posting{Account: "cash", Amount: -123456}), void,
	}}, chart, nil)
	var out bytes.Buffer
	if n, err := book.WriteJournal(context.Background(), &out, "a", "zh-CN", ledger.JournalRange{}); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	want := "\ufeff序号,编号,操作,业务,记账日期,入账时间,对象,摘要,科目,科目名称,明细,借方,贷方\r\n" +
		"1,k,,draw,2026-07-01,2026-07-01 12:00:00.000,l,'=1+1,loan_principal,贷款本金,l,1234.56,\r\n" +
		"1,k,,draw,2026-07-01,2026-07-01 12:00:00.000,l,'=1+1,cash,结算存款,,,1234.56\r\n" +
		"2,k,void,draw,2026-07-01,2026-07-01 12:00:00.000,l,,,,,,\r\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// Every memo comes back from the CSV as it went in, and none is a formula.
func FuzzJournal(f *testing.F) {
	for _, s := range []string{"", "=1", "'x", "a,b\r\n\"c\"", "麦", "\r", "\ufeff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, memo string) {
		book := ledger.New(shelf{entries: []ledger.Entry{entry(1, 0, memo, ledger.Posting{Account: memo, Amount: 1}, ledger.Posting{Account: "cash", Amount: -1})}}, chart, nil)
		var out bytes.Buffer
		if _, err := book.WriteJournal(context.Background(), &out, "a", "en", ledger.JournalRange{}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 3 {
			t.Fatal(rows, err)
		}
		got := rows[1][7]
		if got != "" && strings.ContainsRune("=+-@\t\r\n", rune(got[0])) {
			t.Fatalf("%q is a formula", got)
		}
		// A carriage return before a line feed is not kept by CSV.
		plain := func(s string) string { return strings.ReplaceAll(s, "\r", "") }
		if plain(strings.TrimPrefix(got, "'")) != plain(strings.TrimPrefix(memo, "'")) && plain(strings.TrimPrefix(got, "'")) != plain(memo) {
			t.Fatalf("%q became %q", memo, got)
		}
	})
}

func TestTrial(t *testing.T) {
	t.Parallel()
	p := func(account string, amount money.Fen) ledger.Posting {
		return ledger.Posting{Account: account, Amount: amount}
	}
	held := entry(4, 0, "", p("borrower_credit", 1), p("cash", -1))
	held.Op = ledger.Held
	book := ledger.New(shelf{entries: []ledger.Entry{
		entry(1, -5, "", p("cash", 1000), p("borrower_credit", -1000)),
		entry(2, 0, "", p("loan_principal", 300), p("cash", -300)),
		entry(3, 2, "", p("cash", 100), p("old", -100)), held,
	}}, chart, nil)
	today := money.DateOf(noon)
	trial, err := book.Trial(context.Background(), "a", today, today+1)
	if err != nil || !trial.OK() || trial.Debits != 300 || trial.Credits != 300 {
		t.Fatalf("%+v %v", trial, err)
	}
	type row struct {
		code                              string
		depth                             int
		opening, debits, credits, closing money.Fen
	}
	want := []row{
		{"assets", 0, 1000, 300, 300, 1000}, {"money", 1, 1000, 0, 300, 700}, {"cash", 2, 1000, 0, 300, 700},
		{"loan_principal", 1, 0, 300, 0, 300}, {"borrower_credit", 0, -1000, 0, 0, -1000},
	}
	for i, l := range trial.Lines {
		if got := (row{l.Code, l.Depth, l.Opening, l.Debits, l.Credits, l.Closing}); i >= len(want) || got != want[i] {
			t.Errorf("line %d is %+v", i, got)
		}
	}
	all, err := book.Trial(context.Background(), "a", 0, 0)
	if err != nil || !all.OK() || all.Lines[len(all.Lines)-1].Code != "old" {
		t.Errorf("%+v %v", all, err)
	}
	single, err := book.Trial(context.Background(), "a", 0, today-5)
	if err != nil || !single.OK() || len(single.Lines) != 4 {
		t.Errorf("%+v %v", single, err)
	}
}

func TestParseChartRefuses(t *testing.T) {
	t.Parallel()
	const cash = `{code: cash, class: asset, name: {zh-CN: 现金, en: Cash}`
	for name, text := range map[string]string{
		"class":            `{code: x, class: money, name: {zh-CN: 现金, en: Cash}}`,
		"name":             `{code: x, class: asset, name: {en: Cash}}`,
		"no code":          `{class: asset, name: {zh-CN: 现金, en: Cash}}`,
		"twice":            cash + "}, " + cash + "}",
		"limit":            cash + ", limit: none}",
		"parent":           cash + ", parent: nowhere}",
		"parent no head":   cash + "}, {code: y, class: asset, parent: cash, name: {zh-CN: 现金, en: Cash}}",
		"other class":      `{code: h, class: income, heading: true, name: {zh-CN: 现金, en: Cash}}, ` + cash + ", parent: h}",
		"circle":           cash + ", heading: true, parent: cash}",
		"currency":         cash + ", currency: USD}",
		"limit of heading": cash + ", heading: true, limit: debits_must_not_exceed_credits}",
	} {
		if _, err := ledger.ParseChart([]byte("accounts: [" + text + "]")); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if c, err := ledger.ParseChart([]byte("accounts: [" + cash + "}]")); err != nil || len(c) != 1 {
		t.Error(c, err)
	}
}

func FuzzParseChart(f *testing.F) {
	f.Add([]byte("accounts: [{code: cash, class: asset, name: {zh-CN: 现金, en: Cash}}]"))
	f.Add([]byte("accounts: [{code: a, parent: a, heading: true}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		chart, err := ledger.ParseChart(b)
		if err != nil {
			return
		}
		if _, err := ledger.New(shelf{}, chart, nil).Trial(context.Background(), "a", 0, 0); err != nil {
			t.Fatal(err)
		}
	})
}

// A balance that no longer fits is refused, and nothing of the entry stays.
func TestOverflow(t *testing.T) {
	t.Parallel()
	book := ledger.New(nil, chart, func() time.Time { return noon })
	e, err := book.Prepare(ledger.Entry{Tenant: "a", Key: "k", Date: money.DateOf(noon), Postings: []ledger.Posting{
		{Account: "borrower_credit", Amount: -1e15}, {Account: "cash", Amount: 1e15},
	}})
	if err != nil {
		t.Fatal(err)
	}
	hold := e
	hold.Op = ledger.Held
	for name, c := range map[string]struct {
		entry ledger.Entry
		fill  func(*ledger.Sheet)
	}{
		"debits": {e, func(s *ledger.Sheet) {
			s.Balances[ledger.Sub{Account: "cash"}] = ledger.Balance{Account: "cash", Amount: 4e18}
		}},
		"credits": {e, func(s *ledger.Sheet) {
			s.Balances[ledger.Sub{Account: "borrower_credit"}] = ledger.Balance{Account: "borrower_credit", Amount: -4e18}
		}},
		"turnover": {e, func(s *ledger.Sheet) {
			s.Days[ledger.Day{Account: "cash", Date: e.Date}] = ledger.Turnover{Account: "cash", Debits: 4e18}
		}},
		"turnover's end": {e, func(s *ledger.Sheet) {
			s.Days[ledger.Day{Account: "borrower_credit", Date: e.Date}] = ledger.Turnover{Credits: 4e18}
		}},
		"held debits": {hold, func(s *ledger.Sheet) {
			s.Balances[ledger.Sub{Account: "cash"}] = ledger.Balance{Account: "cash", HeldDebits: 4e18}
		}},
		"held credits": {hold, func(s *ledger.Sheet) {
			s.Balances[ledger.Sub{Account: "borrower_credit"}] = ledger.Balance{Account: "borrower_credit", HeldCredits: 4e18}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ledger.NewSheet(ledger.Head{Tenant: "a"})
			if _, err := s.Post([]ledger.Entry{c.entry}); err != nil {
				t.Fatalf("on an empty book: %v", err)
			}
			s = ledger.NewSheet(ledger.Head{Tenant: "a"})
			c.fill(s)
			if _, err := s.Post([]ledger.Entry{c.entry}); err == nil || err.Error() == "" || len(s.New) != 0 || len(s.Touched) != 0 || s.Head.Seq != 0 {
				t.Errorf("%v, %d entries", err, len(s.New))
			}
		})
	}
}

const (
	oldInput = "caa5d38396bb857dc192ed8c45216c24f1a85051052f4ab3fff69bfe9306a095"
	oldHash  = "1a05d1b063da489c9ffafc77431e72c2bb1b03ad03a143060dd2b1b612a7a965"
)

// What an entry of a book of long ago hashes to does not change.
func TestHashOfOld(t *testing.T) {
	t.Parallel()
	book := ledger.New(nil, chart, func() time.Time { return noon })
	e, err := book.Prepare(ledger.Entry{Tenant: "bank", Key: "k", Kind: "draw", Item: "l", Date: money.DateOf(noon), Memo: "m", Postings: []ledger.Posting{
		{Account: "loan_principal", Item: "l", Amount: 500}, {Account: "cash", Item: "l", Amount: -500},
	}})
	if err != nil {
		t.Fatal(err)
	}
	e = ledger.Seal(e, 1, "")
	if e.InputHash != oldInput || e.Hash != oldHash {
		t.Errorf("%s %s", e.InputHash, e.Hash)
	}
}
