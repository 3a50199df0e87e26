package ledger

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/furrowcredit/furrow/money"
)

// journalHeads are the first rows of a journal by language: a row for each posting, with its
// entry in front. Other languages get English.
var journalHeads = map[string][]string{
	"zh-CN": {"序号", "编号", "操作", "业务", "记账日期", "入账时间", "对象", "摘要", "科目", "科目名称", "明细", "借方", "贷方"},
	"en":    {"seq", "key", "op", "kind", "date", "posted_at", "item", "memo", "account", "account_name", "sub_account", "debit", "credit"},
}

// JournalRange says which entries a journal has: bank dates, both included; zero fields do
// not restrict.
type JournalRange struct {
	From, To money.Date
	Item     string
}

// WriteJournal writes the entries of a tenant in order as CSV that spreadsheets open:
// UTF-8 with a byte order mark, CRLF, amounts in yuan. It holds a page of entries at a time
// and says how many there were.
func (s *Service) WriteJournal(ctx context.Context, w io.Writer, tenant, lang string, r JournalRange) (entries int64, err error) {
	head, ok := journalHeads[lang]
	if !ok {
		lang = "en"
		head = journalHeads[lang]
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return 0, err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(head); err != nil {
		return 0, err
	}
	f := Filter{From: r.From, To: r.To, Item: r.Item, Limit: 1000}
	for {
		page, err := s.store.Entries(ctx, tenant, f)
		if err != nil {
			return entries, err
		}
		for _, e := range page {
			if err := out.WriteAll(s.journalRows(e, lang)); err != nil {
				return entries, err
			}
			f.After = e.Seq
			entries++
		}
		if len(page) < f.Limit {
			return entries, out.Error()
		}
	}
}

func (s *Service) journalRows(e Entry, lang string) [][]string {
	head := []string{
		strconv.FormatInt(e.Seq, 10), e.Key, string(e.Op), e.Kind, e.Date.String(), e.At.In(money.China).Format("2006-01-02 15:04:05.000"), e.Item, e.Memo,
	}
	for i := range head {
		head[i] = Cell(head[i])
	}
	if len(e.Postings) == 0 {
		return [][]string{append(head, "", "", "", "", "")}
	}
	rows := make([][]string, len(e.Postings))
	for i, p := range e.Postings {
		debit, credit := "", ""
		if p.Amount > 0 {
			debit = p.Amount.String()
		} else {
			credit = (-p.Amount).String()
		}
		rows[i] = append(head[:len(head):len(head)], Cell(p.Account), Cell(s.accounts[p.Account].Name[lang]), Cell(p.Item), debit, credit)
	}
	return rows
}

// Cell is s as a spreadsheet shows it and does not compute it: what would begin a formula
// gets an apostrophe in front, and so does what begins with one.
func Cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n'", rune(s[0])) {
		return "'" + s
	}
	return s
}
