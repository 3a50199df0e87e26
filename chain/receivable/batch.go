package receivable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/ident"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// What can be wrong with a file of proposals.
var (
	ErrColumns   = fault.New(fault.Invalid, "receivable.columns", "the columns {columns} are missing; use the template")
	ErrBatchRows = fault.New(fault.TooLarge, "receivable.batch_rows", "a file has at most {max} receivables; split it")
	ErrSupplier  = fault.New(fault.Invalid, "receivable.supplier", "there is no firm {name} in the books; check its name or give its credit code")
	ErrTwoFirms  = fault.New(fault.Invalid, "receivable.two_firms", "several firms are called {name}; give the credit code")
	ErrNameless  = fault.New(fault.Invalid, "receivable.nameless", "give the name of the supplier or its credit code")
	ErrYuan      = fault.New(fault.Invalid, "receivable.yuan", "write the amount in yuan with at most two decimals, such as 1,234.56")
	ErrDay       = fault.New(fault.Invalid, "receivable.day", "write the date as 2026-02-28")
)

// MaxRows bounds a file of proposals; it is written in one piece.
const MaxRows = 10_000

// maxErrors bounds the remarks that are given.
const maxErrors = 1000

type column struct {
	field, zh, en string
	names         []string
	required      bool
	sample        string
}

func columns() []column {
	return []column{
		{"supplier", "供应商名称", "supplier", []string{"供应商", "债权人", "卖方名称", "销售方名称", "收款方", "name"}, false, "青穗县丰岭粮油有限公司"},
		{"uscc", "统一社会信用代码", "uscc", []string{"信用代码", "供应商信用代码", "销售方税号", "税号"}, false, "91990000MA0TEMPE3R"},
		{"invoice", "发票号码", "invoice_no", []string{"发票号", "单据号", "确认单号", "发票或确认单号", "number"}, true, "26372000000000000001"},
		{"amount", "金额", "amount", []string{"凭证金额", "应付金额", "确认金额"}, true, "128,500.00"},
		{"due", "到期日", "due", []string{"付款日期", "到期日期", "应付日期"}, false, "2026-11-30"},
		{"note", "备注", "note", []string{"说明"}, false, ""},
	}
}

// Template is an XLSX with the header and one made-up row.
func Template() ([]byte, error) {
	var head, sample []string
	for _, c := range columns() {
		head, sample = append(head, c.zh), append(sample, c.sample)
	}
	return sheet.Write("应收账款", [][]string{head, sample})
}

// Batch is what a file of proposals came to. With errors nothing is written.
type Batch struct {
	ID      string           `json:"id"`
	Rows    int              `json:"rows"`
	Bad     int              `json:"bad"`
	Amount  money.Fen        `json:"amount"`
	Written bool             `json:"written"`
	Errors  []chain.RowError `json:"errors"`
}

// row is one line of the file; places maps a field to its cell.
type row struct {
	number                        int
	supplier, uscc, invoice, note string
	amount, due                   string
	places                        map[string]string
	header                        map[string]string
	creditor                      string
}

// ProposeFile reads a CSV or XLSX of proposals and draws them all up, or none when a
// row is wrong; with dry it only says what would be. Without a key the file is its own:
// sent again it changes nothing. It returns the errors of sheet.Read, ErrColumns and
// ErrBatchRows for the file as a whole; those of a row are in the answer.
func (s *Service) ProposeFile(ctx context.Context, who Who, obligorID, key string, body []byte, dry bool) (Batch, error) {
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	if key == "" {
		key = "file:" + digest
	}
	key, err := keyOf(who, key)
	if err != nil {
		return Batch{}, err
	}
	rows, from1904, err := readRows(body)
	if err != nil {
		return Batch{}, err
	}
	id := sha256.Sum256([]byte(key))
	b := Batch{ID: "B" + hex.EncodeToString(id[:8]), Rows: len(rows), Errors: []chain.RowError{}}
	hash := obligorID + " " + digest
	for range tries {
		done, err := s.store.Done(ctx, who.Tenant, []string{rowKey(key, rows[0])})
		if err != nil {
			return Batch{}, err
		}
		if d, ok := done[rowKey(key, rows[0])]; ok {
			return s.repeated(ctx, who, b, d, hash)
		}
		k, err := s.desk(ctx, who.Tenant, obligorID, who.Firms...)
		if err != nil {
			return Batch{}, err
		}
		if err := k.resolve(ctx, rows); err != nil {
			return Batch{}, err
		}
		b.Amount, b.Bad, b.Errors = 0, 0, []chain.RowError{}
		changes, err := k.proposals(ctx, who, &b, rows, from1904, key, hash)
		if err != nil || dry || b.Bad > 0 {
			return b, err
		}
		err = s.store.Append(ctx, changes)
		if err == nil {
			b.Written = true
			return b, nil
		}
		if !errors.Is(err, ErrStale) {
			return Batch{}, err
		}
	}
	return Batch{}, ErrBusy
}

func rowKey(key string, r row) string { return fmt.Sprintf("%s#%d", key, r.number) }

// repeated answers as the first time.
func (s *Service) repeated(ctx context.Context, who Who, b Batch, d Done, hash string) (Batch, error) {
	if d.Hash != hash {
		return Batch{}, ErrKeyReused
	}
	err := s.eachOf(ctx, who, b.ID, func(r Receivable) error {
		b.Amount += r.Amount
		return nil
	})
	b.Written = true
	return b, err
}

// eachOf walks the receivables of a batch.
func (s *Service) eachOf(ctx context.Context, who Who, batch string, f func(Receivable) error) error {
	for filter := (Filter{Batch: batch, Limit: 500}); ; {
		list, err := s.Owed(ctx, who, filter)
		if err != nil {
			return err
		}
		for _, r := range list {
			if err := f(r); err != nil {
				return err
			}
		}
		if len(list) < filter.Limit {
			return nil
		}
		filter.Before = list[len(list)-1].ID
	}
}

func readRows(body []byte) (rows []row, from1904 bool, err error) {
	t, err := sheet.Read(body, func(t *sheet.Table) bool { _, _, ok := header(t); return ok })
	if err != nil {
		return nil, false, err
	}
	first, at, ok := header(t)
	if !ok {
		var names []string
		for _, c := range columns() {
			if c.required || c.field == "supplier" {
				names = append(names, c.zh)
			}
		}
		return nil, false, ErrColumns.With("columns", strings.Join(names, ", "))
	}
	if len(t.Rows) == first+1 {
		return nil, false, sheet.ErrEmpty
	}
	if len(t.Rows)-first-1 > MaxRows {
		return nil, false, ErrBatchRows.With("max", MaxRows)
	}
	for _, x := range t.Rows[first+1:] {
		r := row{number: x.Number, places: map[string]string{}, header: map[string]string{}}
		cell := func(field string) string {
			i, ok := at[field]
			if !ok {
				return ""
			}
			r.places[field] = fmt.Sprintf("%c%d", 'A'+i, x.Number) // 26 columns are looked at
			r.header[field] = strings.TrimSpace(t.Rows[first].Cells[i])
			if i >= len(x.Cells) {
				return ""
			}
			return strings.TrimSpace(strings.Map(printable, x.Cells[i]))
		}
		r.supplier, r.uscc, r.invoice, r.note = cell("supplier"), cell("uscc"), cell("invoice"), cell("note")
		r.amount, r.due = cell("amount"), cell("due")
		rows = append(rows, r)
	}
	return rows, t.From1904, nil
}

func printable(r rune) rune {
	if r == '\ufeff' || r == '\u200b' || unicode.IsControl(r) && !unicode.IsSpace(r) {
		return -1
	}
	return r
}

// header finds the first row that names the required columns and the supplier.
func header(t *sheet.Table) (index int, at map[string]int, ok bool) {
	for i, r := range t.Rows[:min(len(t.Rows), sheet.HeaderRows)] {
		at := map[string]int{}
		for j, cell := range r.Cells[:min(len(r.Cells), 26)] {
			name := strings.ToLower(strings.Trim(strings.Join(strings.Fields(norm.NFKC.String(cell)), ""), "*:"))
			name, _, _ = strings.Cut(name, "(")
			for _, c := range columns() {
				if _, taken := at[c.field]; !taken && (name == c.zh || name == c.en || slices.Contains(c.names, name)) {
					at[c.field] = j
				}
			}
		}
		_, invoice := at["invoice"]
		_, amount := at["amount"]
		_, supplier := at["supplier"]
		_, code := at["uscc"]
		if invoice && amount && (supplier || code) {
			return i, at, true
		}
	}
	return 0, nil, false
}

// resolve finds the suppliers of all rows with two questions.
func (k *desk) resolve(ctx context.Context, rows []row) error {
	var codes, names []string
	for _, r := range rows {
		if code := party.Clean(r.uscc); code != "" {
			codes = append(codes, code)
		} else if name := party.Normalise(r.supplier); name != "" {
			names = append(names, name)
		}
	}
	byCode, err := k.s.firms.FirmsByUSCC(ctx, k.tenant, unique(codes))
	if err != nil {
		return err
	}
	byName, err := k.s.firms.FirmsByName(ctx, k.tenant, unique(names))
	if err != nil {
		return err
	}
	var found []string
	for i, r := range rows {
		if f, ok := byCode[party.Clean(r.uscc)]; ok && r.uscc != "" {
			rows[i].creditor = f.ID
		} else if list := byName[party.Normalise(r.supplier)]; r.uscc == "" && len(list) > 0 {
			rows[i].creditor = list[0].Survivor()
			for _, f := range list[1:] {
				if f.Survivor() != list[0].Survivor() {
					rows[i].creditor = many
				}
			}
		}
		if rows[i].creditor != many {
			found = append(found, rows[i].creditor)
		}
	}
	return k.load(ctx, found)
}

// many stands for several firms of one name.
const many = "*"

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// proposals makes the changes of all rows, and the remarks on the bad ones.
func (k *desk) proposals(ctx context.Context, who Who, b *Batch, rows []row, from1904 bool, key, hash string) ([]Change, error) {
	if err := k.prepare(ctx, rows); err != nil {
		return nil, err
	}
	changes := make([]Change, 0, len(rows))
	for _, r := range rows {
		p, field, err := r.proposal(from1904)
		var ch Change
		if err == nil {
			ch, err = k.propose(ctx, who, p, b.ID, rowKey(key, r), hash)
		}
		var bad *fault.Error
		switch {
		case err == nil:
			changes = append(changes, ch)
			b.Amount += p.Amount
			continue
		case !errors.As(err, &bad), errors.Is(err, ErrNotYours):
			return nil, err // the database, or not this firm's business at all
		}
		if b.Bad++; len(b.Errors) < maxErrors {
			b.Errors = append(b.Errors, r.remark(bad, field))
		}
	}
	return changes, nil
}

// prepare reads what all rows need with few questions.
func (k *desk) prepare(ctx context.Context, rows []row) error {
	var creditors []string
	named := map[string][]Basis{}
	for _, r := range rows {
		if _, ok := k.firms[r.creditor]; ok {
			creditors = append(creditors, r.creditor)
			named[r.creditor] = append(named[r.creditor], r.basis()...)
		}
	}
	if err := k.fetch(ctx, creditors); err != nil {
		return err
	}
	return k.warm(ctx, named)
}

// basis are the documents that a row names.
func (r row) basis() (list []Basis) {
	for _, n := range strings.FieldsFunc(r.invoice, func(x rune) bool { return unicode.IsSpace(x) || strings.ContainsRune(",，、;；", x) }) {
		list = append(list, Basis{Number: n})
	}
	return list
}

// proposal reads the cells; field is where an error lies.
func (r row) proposal(from1904 bool) (p Proposal, field string, err error) {
	p = Proposal{CreditorID: r.creditor, Note: r.note}
	switch {
	case r.supplier == "" && r.uscc == "":
		return p, "supplier", ErrNameless
	case r.creditor == many:
		return p, "supplier", ErrTwoFirms.With("name", r.supplier)
	case r.creditor == "" && r.uscc != "":
		return p, "uscc", ErrSupplier.With("name", r.uscc)
	case r.creditor == "":
		return p, "supplier", ErrSupplier.With("name", r.supplier)
	}
	if p.Amount, err = yuan(r.amount); err != nil {
		return p, "amount", err
	}
	if r.due != "" {
		day, ok := sheet.Day(norm.NFKC.String(r.due), from1904)
		if !ok || day.IsZero() {
			return p, "due", ErrDay
		}
		p.Due = money.NewDate(day.Year(), day.Month(), day.Day())
	}
	p.Documents = r.basis()
	return p, "", nil
}

// yuan reads an amount as people write it. A spreadsheet keeps 1234.56 as
// 1234.5599999999999 now and then: noise far below a fen is rounded away.
func yuan(s string) (money.Fen, error) {
	t := strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(s)), ""))
	t = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(t, "¥"), "CNY"), "元")
	t = strings.ReplaceAll(t, ",", "")
	if f, err := money.ParseFen(t); err == nil {
		return f, nil
	}
	whole, frac, _ := strings.Cut(t, ".")
	if len(whole) > 15 || len(frac) < 6 || len(frac) > 24 || strings.ContainsAny(t, "/E_X") {
		return 0, ErrYuan
	}
	v, ok := new(big.Rat).SetString(t)
	if !ok {
		return 0, ErrYuan
	}
	f, err := money.ParseFen(v.FloatString(2))
	off := new(big.Rat).Sub(v, big.NewRat(int64(f), 100))
	if err != nil || off.Abs(off).Cmp(big.NewRat(1, 1_000_000)) > 0 {
		return 0, ErrYuan
	}
	return f, nil
}

// remark puts a fault at its cell.
func (r row) remark(f *fault.Error, field string) chain.RowError {
	value := map[string]string{"supplier": r.supplier, "uscc": r.uscc, "invoice": r.invoice, "amount": r.amount, "due": r.due, "note": r.note}
	if field == "" {
		field = fieldOf(f.Code)
	}
	return chain.RowError{Row: r.number, Column: r.header[field], Cell: r.places[field], Value: value[field], Code: f.Code, Msg: f.Msg, Args: f.Args}
}

// fieldOf is the column that a refusal of a proposal is about; "" is the whole row.
func fieldOf(code string) string {
	switch code {
	case ErrAmount.Code, ErrUnsupported.Code:
		return "amount"
	case ErrDue.Code, ErrTerm.Code, ErrStretched.Code:
		return "due"
	case ErrReason.Code, ErrNote.Code:
		return "note"
	case ErrNoDocument.Code, ErrDocument.Code, ErrVoid.Code, ErrPledged.Code:
		return "invoice"
	case ErrUnverified.Code, ErrOwnDebt.Code, chain.ErrFirmNotFound.Code:
		return "supplier"
	}
	return ""
}

// ConfirmBatch confirms all proposals of a batch, or none. The same key again gives
// the same answer.
func (s *Service) ConfirmBatch(ctx context.Context, who Who, batch, key string) (Batch, error) {
	key, err := keyOf(who, key)
	if err != nil {
		return Batch{}, err
	}
	for range tries {
		b := Batch{ID: batch, Written: true, Errors: []chain.RowError{}}
		changes, err := s.confirmations(ctx, who, &b, key)
		if err != nil {
			return Batch{}, err
		}
		if len(changes) == 0 {
			if b.Rows == 0 {
				return Batch{}, ErrNotFound
			}
			return b, nil
		}
		err = s.store.Append(ctx, changes)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, ErrStale) {
			return Batch{}, err
		}
	}
	return Batch{}, ErrBusy
}

// confirmations makes the changes of what is still proposed; b counts these and what
// the key has confirmed before.
func (s *Service) confirmations(ctx context.Context, who Who, b *Batch, key string) ([]Change, error) {
	var list []Receivable
	var keys []string
	err := s.eachOf(ctx, who, b.ID, func(r Receivable) error {
		list, keys = append(list, r), append(keys, key+"#"+r.ID)
		return nil
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	done, err := s.store.Done(ctx, who.Tenant, keys)
	if err != nil {
		return nil, err
	}
	k, err := s.desk(ctx, who.Tenant, list[0].ObligorID, who.Firms...)
	if err != nil {
		return nil, err
	}
	var creditors []string
	named := map[string][]Basis{}
	for _, r := range list {
		creditors = append(creditors, r.CreditorID)
		for _, d := range r.Documents {
			named[r.CreditorID] = append(named[r.CreditorID], Basis{DocumentID: d.DocumentID})
		}
	}
	if err := k.load(ctx, creditors); err != nil {
		return nil, err
	}
	if err := k.fetch(ctx, creditors); err != nil {
		return nil, err
	}
	if err := k.warm(ctx, named); err != nil {
		return nil, err
	}
	env := Env{Who: who, Now: s.now(), Rules: s.rules, NewID: ident.New, Same: k.same}
	var changes []Change
	for i, r := range list {
		_, before := done[keys[i]]
		if r.State != Proposed && !before {
			continue
		}
		b.Rows++
		b.Amount += r.Amount
		if before {
			continue
		}
		ch, err := s.change(r, Command{Kind: Confirm}, env, keys[i], b.ID)
		if err != nil {
			return nil, err
		}
		if ch.Uses, err = k.recheck(ctx, r); err != nil {
			return nil, err
		}
		changes = append(changes, ch)
	}
	return changes, nil
}
