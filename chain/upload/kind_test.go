package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/fault"
	"github.com/furrowcredit/furrow/money"
	"github.com/furrowcredit/furrow/sheet"
)

// put checks and commits a CSV.
func put(t testing.TB, s *upload.Service, kind chain.DocKind, csv string) chain.Upload {
	t.Helper()
	u, err := s.Check(t.Context(), who, kind, "x.csv", []byte(csv))
	if err != nil {
		t.Fatal(err)
	}
	if u, err = s.Commit(t.Context(), who, u.ID, true); err != nil {
		t.Fatal(err)
	}
	return u
}

func remarked(u chain.Upload) []string {
	var out []string
	for _, e := range u.Errors {
		out = append(out, e.Cell+" "+e.Code)
	}
	return out
}

func TestInvoicesInFull(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	const head = "发票号码,发票代码,发票类型,合同编号,卖方名称,货物名称,数量,单位,价税合计,税额,开票日期,发票状态,被红冲的发票\n"
	u := put(t, s, chain.Invoice, head+
		"26372000000000000001,,数电专票,HT-1,丰岭合作社,玉米,\"1,250.5\",吨,\"11,300.00\",\"1,300.00\",2026-01-05,正常,\n"+
		"26372000000000000002,,全面数字化的电子发票（普通发票）,,丰岭合作社,玉米,-2,吨,(113.00),-13,2026-01-06,正常,26372000000000000001\n"+
		"00000007,3700000001,增值税专用发票,,丰岭合作社,豆粕,,,20,,2026-01-07,,\n"+
		"00000007,3700000002,增值税普通发票,,丰岭合作社,豆粕,,,30,,2026-01-07,,\n"+
		"00000008,3700000002,普票,,丰岭合作社,豆粕,,,0,,2026-01-08,已作废,\n"+
		"00000009,,,,丰岭合作社,,,,-5,,2026-01-08,,\n"+ // taken, with a warning
		"00000010,,,,丰岭合作社,,,,5,,2026-01-08,,00000009\n"+
		"00000011,,,,丰岭合作社,,,,5,6,2026-01-08,,\n"+
		"00000012,,收据,,丰岭合作社,,一些,,0,,2026-01-08,丢失,\n"+
		"123,,数电专票,,丰岭合作社,,,,5,,2026-01-08,,\n")
	want := []string{"I7 row.red_of", "I8 row.red_sign", "J9 cell.tax", "C10 cell.invoice_type", "G10 cell.quantity", "I10 cell.amount_zero", "L10 cell.invoice_status", "A11 cell.invoice_digital"}
	if d := cmp.Diff(want, remarked(u)); d != "" {
		t.Error(d)
	}
	docs, err := m.Documents(t.Context(), "t", "small", chain.Invoice)
	if err != nil {
		t.Fatal(err)
	}
	of := func(number string, amount money.Fen, date string) chain.Document {
		return chain.Document{Tenant: "t", Kind: chain.Invoice, Number: number, SellerID: "small", BuyerID: "anchor", Amount: amount, Date: date, UploadID: u.ID, AnchorID: "anchor"}
	}
	full, red := of("26372000000000000001", 1_130_000, "2026-01-05"), of("26372000000000000002", -11_300, "2026-01-06")
	full.Type, full.ContractNo, full.Goods, full.Quantity, full.Unit, full.Tax = chain.DigitalSpecialInvoice, "HT-1", "玉米", 1250.5, "吨", 130_000
	red.Type, red.Goods, red.Quantity, red.Unit, red.Tax, red.InvoiceNo = chain.DigitalGeneralInvoice, "玉米", -2, "吨", -1300, full.Number
	paper, other, void := of("00000007", 2000, "2026-01-07"), of("00000007", 3000, "2026-01-07"), of("00000008", 0, "2026-01-08")
	paper.Code, paper.Type, other.Code, other.Type, void.Code, void.Type = "3700000001", chain.SpecialInvoice, "3700000002", chain.GeneralInvoice, "3700000002", chain.GeneralInvoice
	paper.Goods, other.Goods, void.Goods, void.Void = "豆粕", "豆粕", "豆粕", true
	less, short := of("00000009", -500, "2026-01-08"), of("123", 500, "2026-01-08")
	short.Type = chain.DigitalSpecialInvoice
	if d := cmp.Diff([]chain.Document{full, red, paper, other, void, less, short}, docs, cmpopts.IgnoreFields(chain.Document{}, "ID", "Key")); d != "" {
		t.Error(d)
	}
	links, err := m.Links(t.Context(), "t", "small")
	if err != nil || len(links) != 1 || links[0].Invoiced != 1_130_000-11_300+5000-500+500 || links[0].Invoices != 6 {
		t.Errorf("%v %+v", err, links)
	}
	// The news that an invoice was cancelled is a row of its own; it can be undone.
	news := put(t, s, chain.Invoice, head+"26372000000000000001,,,,丰岭合作社,,,,11300,,2026-01-05,作废,\n")
	if links, _ = m.Links(t.Context(), "t", "small"); news.Good != 1 || links[0].Invoiced != 5000-11_300 {
		t.Errorf("a cancelled invoice counts: %+v %+v", news, links)
	}
}

func TestContractsPaymentsConfirmations(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	c := put(t, s, chain.Contract, "合同编号,卖方名称,合同金额（万元）,签订日期,合同到期日\nHT-1,丰岭合作社,12.5,2026-01-05,2029-12-31\nHT-2,丰岭合作社,12.5,2026-01-05,2099-12-31\nHT-3,丰岭合作社,500元,2026-01-05,\n")
	o := put(t, s, chain.Order, "订单号,合同编号,卖方名称,数量,单位,订单金额,订单日期\nPO-1,HT-1,丰岭合作社,3,吨,100,2026-01-06\nPO-2,,丰岭合作社,3,吨,-100,2026-01-06\n")
	p := put(t, s, chain.Payment, "流水号,对应发票,卖方名称,付款金额,付款日期\nFK1,I1,丰岭合作社,100,2026-02-01\nFK2,I1,丰岭合作社,-30.5,2026-02-02\nFK3,I1,丰岭合作社,0,2026-02-02\n")
	q := put(t, s, chain.Confirmation, "确认单号,对应发票,卖方名称,确认金额,确认日期,付款到期日\nQR1,I1,丰岭合作社,￥100,2026-02-01,2026-08-01\n")
	var got []string
	for _, u := range []chain.Upload{c, o, p, q} {
		got = append(got, remarked(u)...)
	}
	if d := cmp.Diff([]string{"E3 cell.date_future", "F3 cell.amount_not_positive", "D4 cell.amount_zero"}, got); d != "" {
		t.Error(d)
	}
	links, err := m.Links(t.Context(), "t", "small")
	want := []chain.Link{{SellerID: "small", BuyerID: "anchor", Seller: "丰岭合作社", Buyer: "青穗粮油集团有限公司", Contracts: 2, Orders: 1, Payments: 2, Confirmations: 1,
		Ordered: 12_550_000, Paid: 6950, FirstDate: "2026-01-05", LastDate: "2026-02-02"}}
	if d := cmp.Diff(want, links); err != nil || d != "" {
		t.Error(err, d)
	}
	docs, err := m.Documents(t.Context(), "t", "small", chain.Confirmation)
	if err != nil || len(docs) != 1 || docs[0].Due != "2026-08-01" || docs[0].InvoiceNo != "I1" {
		t.Errorf("%v %+v", err, docs)
	}
}

func TestParties(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	u := put(t, s, chain.Suppliers, "供应商名称,角色,实际控制人,地址,行业代码,经营范围,成立日期,注册资本,曾用名,简称\n"+
		"丰岭合作社,,王禾,青穗县一号,c1310,粮食收购,1998-03-01,500万元,丰岭粮站；岭上粮站,丰岭\n"+
		"青穗经销部,经销商,,,,,,,,\n坏行业,供应商,,,甲,,,,,\n坏角色,朋友,,,,,,,,\n")
	if d := cmp.Diff([]string{"E4 cell.industry_code", "B5 cell.role"}, remarked(u)); d != "" {
		t.Error(d)
	}
	p, err := m.Firm(t.Context(), "t", "small")
	want := chain.Party{ID: "small", Tenant: "t", Name: "丰岭合作社", NameKey: "丰岭合作社", CreatedAt: today, Controller: "王禾", Address: "青穗县一号", IndustryCode: "C1310",
		Scope: "粮食收购", Founded: "1998-03-01", Capital: 500_000_000, FormerNames: []string{"丰岭粮站", "岭上粮站"}, ShortNames: []string{"丰岭"}}
	if d := cmp.Diff(want, p); err != nil || d != "" {
		t.Error(err, d)
	}
	links, err := m.Links(t.Context(), "t", "anchor")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range links {
		got = append(got, l.Seller+">"+l.Buyer)
	}
	if d := cmp.Diff([]string{"青穗粮油集团有限公司>青穗经销部", "丰岭合作社>青穗粮油集团有限公司"}, got); d != "" {
		t.Error(d)
	}
}

// TestErrorFile: the rows with mistakes come back with what is wrong; mended, they are sent
// again as they are.
func TestErrorFile(t *testing.T) {
	t.Parallel()
	s, _ := desk(t)
	u, err := s.Check(t.Context(), who, chain.Order, "x.csv", []byte("备注,订单号,供应商名称,金额,订单日期\n甲,PO1,甲厂,10,2026-01-01\n乙,PO2,乙厂,x,2026-02-30\n丙,PO3,,5,2026-01-01\n"))
	if err != nil || u.Bad != 2 {
		t.Fatalf("%v %+v", err, u)
	}
	var out bytes.Buffer
	words := func(e chain.RowError) string { return e.Code }
	if err := s.WriteErrors(t.Context(), who, u.ID, &out, "错误说明", words); err != nil {
		t.Fatal(err)
	}
	got, err := sheet.Read(out.Bytes(), func(*sheet.Table) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	want := []sheet.Row{
		{Number: 1, Cells: []string{"备注", "订单号", "供应商名称", "金额", "订单日期", "错误说明"}},
		{Number: 2, Cells: []string{"乙", "PO2", "乙厂", "x", "2026-02-30", "金额: cell.amount; 订单日期: cell.date_not_exist"}},
		{Number: 3, Cells: []string{"丙", "PO3", "", "5", "2026-01-01", "供应商名称: row.no_partner"}},
	}
	if d := cmp.Diff(want, got.Rows); d != "" {
		t.Error(d)
	}
	again, err := s.Check(t.Context(), who, chain.Order, "again.xlsx", out.Bytes())
	if err != nil || again.Bad != 2 || len(again.Errors) != 3 {
		t.Errorf("%v %+v", err, again)
	}
	clean, err := s.Check(t.Context(), who, chain.Order, "x.csv", []byte("订单号,供应商名称,金额,订单日期\nPO1,甲厂,10,2026-01-01\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteErrors(t.Context(), who, clean.ID, &out, "", words); !errors.Is(err, upload.ErrNoErrors) {
		t.Error(err)
	}
}

func orders(n int, amount string) string {
	var b strings.Builder
	b.WriteString("订单号,供应商名称,金额,订单日期\n")
	for i := range n {
		fmt.Fprintf(&b, "PO%d,第%d厂,%s,2026-01-01\n", i, i%97, amount)
	}
	return b.String()
}

// TestManyRows: more rows than are judged at once, repeated ones far apart, the file sent
// again, and what stands between two uploads.
func TestManyRows(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	const n = 10_000
	file := orders(n, "10") + "PO3,第3厂,10,2026-01-01\nPO4,第4厂,11,2026-01-01\n"
	u, err := s.CheckFile(t.Context(), who, chain.Order, "x.csv", strings.NewReader(file))
	if err != nil || u.Rows != n+2 || u.Good != n || u.Known != 1 || u.Bad != 1 || u.RowsTotal != n+2 || u.SameAs != "" {
		t.Fatalf("%v %+v", err, u)
	}
	// Another upload brings a row of this one in between, and one with another amount.
	between := put(t, s, chain.Order, "订单号,供应商名称,金额,订单日期\nPO7,第7厂,10,2026-01-01\nPO8,第8厂,12,2026-01-01\n")
	if u, err = s.Commit(t.Context(), who, u.ID, true); err != nil || u.Good != n-2 || u.Known != 2 || u.Bad != 2 {
		t.Fatalf("%v %+v", err, u)
	}
	if links, err := m.Links(t.Context(), "t", "anchor"); err != nil || len(links) != 97 {
		t.Errorf("%v: %d links", err, len(links))
	}
	again, err := s.Check(t.Context(), who, chain.Order, "again.csv", []byte(file))
	if err != nil || again.SameAs != u.ID || again.Good != 0 {
		t.Errorf("%v %+v", err, again)
	}
	if _, err := s.Undo(t.Context(), who, between.ID); !errors.Is(err, chain.ErrUploadNeeded) {
		t.Errorf("undone although another rests on it: %v", err)
	}
	for _, id := range []string{u.ID, between.ID} {
		if _, err := s.Undo(t.Context(), who, id); err != nil {
			t.Error(err)
		}
	}
	if links, err := m.Links(t.Context(), "t", "anchor"); err != nil || len(links) != 0 {
		t.Errorf("%v: %d links are left", err, len(links))
	}
}

// gate holds a store's documents back until it is opened.
type gate struct {
	*chaintest.Memory
	open chan struct{}
}

func (g gate) KnownDocuments(ctx context.Context, tenant string, docs []chain.Document) ([]chain.KnownDocument, error) {
	<-g.open
	return g.Memory.KnownDocuments(ctx, tenant, docs)
}

// TestWorkGoesOn: a check that takes long can be watched, and ends by itself.
func TestWorkGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file  string
		state chain.UploadState
		code  string
	}{
		"good":            {orders(5, "10"), chain.UploadChecked, ""},
		"breaks off late": {orders(5000, "10") + "\"", chain.UploadRefused, "sheet.quotes"},
	} {
		_, m := desk(t)
		g := gate{m, make(chan struct{})}
		s := upload.New(upload.Config{Store: g, Now: func() time.Time { return today }, Patience: -1})
		u, err := s.Check(t.Context(), who, chain.Order, "x.csv", []byte(c.file))
		if err != nil || u.State != chain.UploadChecking {
			t.Fatalf("%s: %v %+v", name, err, u)
		}
		seen, err := s.Get(t.Context(), who, u.ID)
		if err != nil || seen.State != chain.UploadChecking {
			t.Errorf("%s: %v %+v", name, err, seen)
		}
		if _, err := s.Commit(t.Context(), who, u.ID, true); !errors.Is(err, chain.ErrUploadState) {
			t.Errorf("%s: committed while it is checked: %v", name, err)
		}
		close(g.open)
		upload.Wait(s, u.ID)
		seen, err = s.Get(t.Context(), who, u.ID)
		if err != nil || seen.State != c.state || c.code != "" && (len(seen.Errors) != 1 || seen.Errors[0].Code != c.code) {
			t.Errorf("%s: %v %+v", name, err, seen)
		}
		if list, err := s.List(t.Context(), who, "", 0); err != nil || len(list) != 1 || list[0].State != c.state {
			t.Errorf("%s: %v %+v", name, err, list)
		}
		if c.state != chain.UploadChecked {
			continue
		}
		if u, err = s.Commit(t.Context(), who, u.ID, true); err != nil || u.State != chain.UploadCommitting && u.State != chain.UploadCommitted {
			t.Errorf("%s: %v %+v", name, err, u)
		}
		upload.Wait(s, u.ID)
		if seen, err = s.Get(t.Context(), who, u.ID); err != nil || seen.State != chain.UploadCommitted || seen.Good != 5 {
			t.Errorf("%s: %v %+v", name, err, seen)
		}
	}
}

// TestDeadProcess: what a process left behind is taken back or given up.
func TestDeadProcess(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	u, err := s.Check(t.Context(), who, chain.Order, "x.csv", []byte(orders(3, "10")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		left, found chain.UploadState
		touched     time.Time
	}{
		{chain.UploadCommitting, chain.UploadCommitting, time.Now()},
		{chain.UploadCommitting, chain.UploadChecked, time.Now().Add(-time.Hour)},
		{chain.UploadChecking, chain.UploadChecking, time.Now()},
		{chain.UploadChecking, chain.UploadRefused, time.Now().Add(-time.Hour)},
	} {
		now, err := m.Upload(t.Context(), "t", u.ID)
		if err != nil {
			t.Fatal(err)
		}
		from := now.State
		now.State, now.TouchedAt = c.left, c.touched
		if err := m.MoveUpload(t.Context(), now, from); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), who, u.ID); err != nil || got.State != c.found {
			t.Errorf("%s is found as %s, want %s: %v", c.left, got.State, c.found, err)
		}
	}
}

func TestMissingColumnsAreNamed(t *testing.T) {
	t.Parallel()
	s, _ := desk(t)
	_, err := s.Check(t.Context(), who, chain.Invoice, "x.csv", []byte("发票号码,卖方名称\n1,甲厂\n"))
	var f *fault.Error
	if !errors.Is(err, upload.ErrHeader) || !errors.As(err, &f) || f.Args["columns"] != "金额, 开票日期" {
		t.Errorf("%v", err)
	}
}
