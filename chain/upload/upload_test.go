package upload_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"github.com/furrowcredit/furrow/sheet"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/chain"
	"github.com/furrowcredit/furrow/chain/chaintest"
	"github.com/furrowcredit/furrow/chain/party"
	"github.com/furrowcredit/furrow/chain/upload"
	"github.com/furrowcredit/furrow/internal/realdata"
)

var who = upload.Who{Tenant: "t", AnchorID: "anchor", UserID: "u", UserName: "采购员"}

// code18 makes a valid credit code of a made-up firm.
func code18(n int) string {
	org := fmt.Sprintf("MA%06d", n)
	body := "91990000" + org + string(party.OrgCheckChar(org))
	return body + string(party.CheckChar(body))
}

func desk(t testing.TB) (*upload.Service, *chaintest.Memory) {
	t.Helper()
	m := &chaintest.Memory{}
	if err := m.SaveFirms(t.Context(), []chain.Party{
		{ID: "anchor", Tenant: "t", Name: "青穗粮油集团有限公司", USCC: code18(1), AnchorOf: true, CreatedAt: today},
		{ID: "other", Tenant: "t", Name: "云垄食品集团有限公司", USCC: code18(2), AnchorOf: true, CreatedAt: today},
		{ID: "small", Tenant: "t", Name: "丰岭合作社", CreatedAt: today},
	}); err != nil {
		t.Fatal(err)
	}
	return upload.New(upload.Config{Store: m, Now: func() time.Time { return today }}), m
}

func TestTemplatesHaveNoErrors(t *testing.T) {
	t.Parallel()
	for _, kind := range upload.Kinds() {
		s, _ := desk(t)
		body, err := upload.Template(kind)
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.Check(t.Context(), who, kind, "模板.xlsx", body)
		if err != nil || u.Rows != 1 || u.Good != 1 || len(u.Errors) != 0 {
			t.Errorf("%s: %v %+v", kind, err, u.Errors)
		}
		if u, err = s.Commit(t.Context(), who, u.ID, false); err != nil || u.State != chain.UploadCommitted {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if _, err := upload.Template("cheques"); !errors.Is(err, upload.ErrKind) {
		t.Error(err)
	}
}

// TestErrorsNameTheCell walks the mistakes that people make.
func TestErrorsNameTheCell(t *testing.T) {
	t.Parallel()
	s, _ := desk(t)
	body, err := sheet.Write("发票", [][]string{
		{"青穗集团 2026 年发票"},
		{"发票号码", "销售方名称", "销售方税号", "价税合计（元）", "开票日期", "备注"},
		{"1001", "禾垄有限公司", code18(10), "1,000.00", "2026-02-28", "ok"},
		{"1002", "禾垄有限公司", code18(10), "一千", "2026-02-30", ""},
		{"", "禾垄有限公司", "91990000MA0000101", "#REF!", "2026/2/28", ""},
		{"1004", "", "", "5", "2027-01-01", ""},
		{"1001", "禾垄有限公司", "", "1000", "2026-02-28", "the same row again"},
		{"1001", "禾垄有限公司", "", "2000", "2026-02-28", "another amount"},
		{"1005", "青穗粮油集团有限公司", "", "1", "2026-02-28", "sells to itself"},
		{"9.1990000000000E+17", "又一有限公司", "91350100M0001TGQXM", "1", "2026-02-28", ""},
		{"1006", "改名有限公司", code18(10), "１２３", "２０２６年２月２８日", ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.Check(t.Context(), who, chain.Invoice, "C:\\x\\发票.xlsx", body)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range u.Errors {
		got = append(got, fmt.Sprintf("%d %s %s %s %v", e.Row, e.Cell, e.Column, e.Code, e.Warning))
		if e.Msg == "" {
			t.Errorf("%+v says nothing", e)
		}
	}
	want := []string{
		"4 D4 价税合计（元） cell.amount false",
		"4 E4 开票日期 cell.date_not_exist false",
		"5 A5 发票号码 cell.required false",
		"5 C5 销售方税号 cell.uscc false",
		"5 D5 价税合计（元） cell.excel_error false",
		"6 E6 开票日期 cell.date_future false",
		"8 D8 价税合计（元） row.twice false",
		"9 B9 销售方名称 row.same_firm false",
		"10 A10 发票号码 cell.rounded false",
		"10 C10 销售方税号 cell.uscc_suspicious true",
		"11 B11 销售方名称 row.name_differs true",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if u.Rows != 9 || u.Good != 2 || u.Known != 1 || u.Bad != 6 {
		t.Errorf("rows %d good %d known %d bad %d", u.Rows, u.Good, u.Known, u.Bad)
	}
}

func workbook(t testing.TB, rows ...[]string) []byte {
	t.Helper()
	body, err := sheet.Write("x", rows)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestCommitSkipUndo(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	ctx := t.Context()
	body := workbook(t, []string{"订单号", "供应商名称", "金额", "订单日期"},
		[]string{"PO1", "丰岭合作社", "10", "2026-01-01"}, []string{"PO2", "新厂", "20", "2026-01-02"}, []string{"PO3", "坏厂", "x", "2026-01-03"})
	u, err := s.Check(ctx, who, chain.Order, "a.xlsx", body)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := m.FirmByName(ctx, "t", "新厂"); !errors.Is(err, chain.ErrFirmNotFound) {
		t.Errorf("the dry run wrote %v", p)
	}
	if _, err := s.Commit(ctx, who, u.ID, false); !errors.Is(err, upload.ErrHasErrors) {
		t.Errorf("committed with bad rows: %v", err)
	}
	u, err = s.Commit(ctx, who, u.ID, true)
	if err != nil || u.Good != 2 || u.Bad != 1 || u.State != chain.UploadCommitted || u.DoneAt == nil {
		t.Fatalf("%v %+v", err, u)
	}
	docs, err := m.Documents(ctx, "t", "anchor", chain.Order)
	if err != nil {
		t.Fatal(err)
	}
	want := []chain.Document{
		{Tenant: "t", Kind: chain.Order, Number: "PO1", SellerID: "small", BuyerID: "anchor", Amount: 1000, Date: "2026-01-01", UploadID: u.ID, AnchorID: "anchor"},
		{Tenant: "t", Kind: chain.Order, Number: "PO2", BuyerID: "anchor", Amount: 2000, Date: "2026-01-02", UploadID: u.ID, AnchorID: "anchor"},
	}
	if d := cmp.Diff(want, docs, cmpopts.IgnoreFields(chain.Document{}, "ID", "Key"),
		cmpopts.IgnoreFields(chain.Document{}, "SellerID")); d != "" {
		t.Error(d)
	}
	if docs[0].SellerID != "small" {
		t.Error("the supplier was not found by its name")
	}
	if _, err := m.FirmByName(ctx, "t", "坏厂"); !errors.Is(err, chain.ErrFirmNotFound) {
		t.Error("a bad row made a firm")
	}
	if again, err := s.Commit(ctx, who, u.ID, true); err != nil || again.Good != 2 {
		t.Errorf("committing twice: %v", err)
	}
	// The same file and a file with one more row.
	second, err := s.Check(ctx, who, chain.Order, "a.xlsx", body)
	if err != nil || second.Known != 2 || second.Good != 0 || second.SHA256 != u.SHA256 {
		t.Errorf("same file: %v %+v", err, second)
	}
	differs, err := s.Check(ctx, who, chain.Order, "b.csv", []byte("订单号,供应商名称,金额,订单日期\npo 1,丰岭合作社,11,2026-01-01\nPO4,丰岭合作社,4,2026-01-01\n"))
	if err != nil || differs.Bad != 1 || differs.Good != 1 || differs.Errors[0].Code != "row.differs" || differs.Errors[0].Args["amount"] != "10.00" {
		t.Errorf("%v %+v", err, differs)
	}
	if u, err = s.Undo(ctx, who, u.ID); err != nil || u.State != chain.UploadUndone {
		t.Fatal(err)
	}
	if docs, _ = m.Documents(ctx, "t", "anchor", ""); len(docs) != 0 {
		t.Errorf("left after undo: %v", docs)
	}
	if _, err := m.FirmByName(ctx, "t", "新厂"); !errors.Is(err, chain.ErrFirmNotFound) {
		t.Error("undo left the firm that the upload brought")
	}
	if _, err := m.Firm(ctx, "t", "small"); err != nil {
		t.Error("undo took a firm that was there before")
	}
	if _, err := s.Undo(ctx, who, u.ID); !errors.Is(err, chain.ErrUploadState) {
		t.Error(err)
	}
	if _, err := s.Commit(ctx, who, u.ID, true); !errors.Is(err, chain.ErrUploadState) {
		t.Error(err)
	}
	// Nothing of this is another anchor's business.
	stranger := upload.Who{Tenant: "t", AnchorID: "other"}
	if _, err := s.Get(ctx, stranger, u.ID); !errors.Is(err, chain.ErrUploadNotFound) {
		t.Error(err)
	}
	if list, err := s.List(ctx, stranger, "", 0); err != nil || len(list) != 0 {
		t.Error(err, list)
	}
	if list, err := s.List(ctx, who, "", 0); err != nil || len(list) != 3 {
		t.Error(err, list)
	}
	if _, err := s.Check(ctx, upload.Who{Tenant: "t", AnchorID: "small"}, chain.Order, "a.xlsx", body); !errors.Is(err, upload.ErrNotAnchor) {
		t.Error(err)
	}
}

// TestPromisedTwice: the second funder of an invoice must reach the books.
func TestPromisedTwice(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	head := "发票号码,销售方名称,价税合计,开票日期,融资机构\n"
	for i, funder := range []string{"甲保理", "甲保理", "乙银行"} {
		u, err := s.Check(t.Context(), who, chain.Invoice, "x.csv", []byte(head+"1001,丰岭合作社,1000,2026-01-01,"+funder))
		if err != nil || u.Bad != 0 || (u.Known == 1) != (i == 1) {
			t.Fatalf("%v %+v", err, u)
		}
		if _, err := s.Commit(t.Context(), who, u.ID, false); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := m.Documents(t.Context(), "t", "small", "")
	if err != nil || len(docs) != 2 {
		t.Fatal(err, docs)
	}
	links, err := m.Links(t.Context(), "t", "small")
	if err != nil || len(links) != 1 || links[0].Invoiced != 100_000 || links[0].Invoices != 1 {
		t.Error("an invoice counts twice", links)
	}
}

func TestSidesOfTheTrade(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	body := workbook(t, []string{"seller", "seller_uscc", "buyer", "buyer uscc", "no", "total", "date"},
		[]string{"甲厂", "", "", "", "1", "10", "2026-01-01"},           // to the anchor
		[]string{"", "", "经销店", "", "2", "10", "2026-01-01"},          // from the anchor
		[]string{"乙厂", "", "甲厂", "", "3", "10", "2026-01-01"},         // further up the chain
		[]string{"甲厂", "", "青穗粮油集团有限公司", "", "4", "10", "2026-01-01"}, // the anchor by name
		[]string{"甲厂", "", "", code18(1), "5", "10", "2026-01-01"},    // the anchor by code
		[]string{"", code18(99), "", "", "6", "10", "2026-01-01"},     // a code that nobody knows
		[]string{"", "", "", "", "7", "10", "2026-01-01"},
	)
	u, err := s.Check(t.Context(), who, chain.Payment, "x.xlsx", body)
	if err != nil {
		t.Fatal(err)
	}
	if u.Good != 5 || u.Bad != 2 || u.Errors[0].Code != "cell.required" || u.Errors[1].Code != "row.no_partner" {
		t.Errorf("%+v", u)
	}
	if _, err := s.Commit(t.Context(), who, u.ID, true); err != nil {
		t.Fatal(err)
	}
	links := map[string]int{}
	if err := m.AllLinks(t.Context(), "t", func(l chain.Link) error {
		links[l.Seller+">"+l.Buyer] = l.Payments
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int{"甲厂>青穗粮油集团有限公司": 3, "青穗粮油集团有限公司>经销店": 1, "乙厂>甲厂": 1}, links); d != "" {
		t.Error(d)
	}
}

func TestSuppliersFillInWhatIsMissing(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	u, err := s.Check(t.Context(), who, chain.Suppliers, "x.csv",
		[]byte("供应商名称,统一社会信用代码,法人,电话,地区\n丰岭合作社,"+code18(7)+",王禾,0539-1,青穗县\n丰岭合作社,"+code18(7)+",,,"))
	if err != nil || u.Good != 1 || u.Known != 1 {
		t.Fatalf("%v %+v", err, u)
	}
	if _, err := s.Commit(t.Context(), who, u.ID, false); err != nil {
		t.Fatal(err)
	}
	p, err := m.Firm(t.Context(), "t", "small")
	want := chain.Party{ID: "small", Tenant: "t", Name: "丰岭合作社", NameKey: "丰岭合作社", USCC: code18(7), LegalRep: "王禾", Phone: "0539-1", Region: "青穗县", CreatedAt: today}
	if d := cmp.Diff(want, p); err != nil || d != "" {
		t.Error(err, d)
	}
}

// TestRealCodes uploads real firms: all are taken, and the codes of the early
// pilot series with a warning.
func TestRealCodes(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(realdata.Dir(t, "chain"), "uscc.csv"))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := desk(t)
	u, err := s.Check(t.Context(), who, chain.Suppliers, "uscc.csv", raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range u.Errors {
		if !e.Warning || e.Code != "cell.uscc_suspicious" || e.Column != "uscc" {
			t.Errorf("%+v", e)
		}
	}
	if u.Rows != 80 || u.Good != 80 || len(u.Errors) != 3 {
		t.Errorf("%d rows, %d good, %d remarks", u.Rows, u.Good, len(u.Errors))
	}
}

func TestFilesThatAreNoTable(t *testing.T) {
	t.Parallel()
	s, _ := desk(t)
	good := workbook(t, []string{"订单号", "供应商名称", "金额", "订单日期"}, []string{"PO1", "甲厂", "10", "2026-01-01"}, []string{"PO2", "甲厂", "10", "2026-01-01"})
	merged := edit(t, good, func(f *excelize.File) error { return f.MergeCell("x", "B2", "B3") })
	bomb := swapZeros(t, good, "xl/sharedStrings.xml", 400)
	head := "订单号,供应商名称,金额,订单日期\n"
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"empty":                 {nil, sheet.ErrEmpty},
		"blank":                 {[]byte(" \n\n"), sheet.ErrEmpty},
		"header only":           {[]byte(head), sheet.ErrEmpty},
		"merged cells":          {merged, sheet.ErrMerged},
		"truncated xlsx":        {good[:len(good)/2], sheet.ErrDamaged},
		"zip of something else": {zipped(t, "hello.txt", "hello"), sheet.ErrFormat},
		"zip bomb":              {bomb, sheet.ErrUnpacks},
		"old excel":             {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), sheet.ErrOldExcel},
		"image":                 {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff"), sheet.ErrFormat},
		"bytes":                 {[]byte("a,b\n\x00\x00"), sheet.ErrFormat},
		"missing column":        {[]byte("订单号,供应商名称,订单日期\n1,甲,2026-01-01"), upload.ErrHeader},
		"column twice":          {[]byte("订单号,供应商名称,金额,订单金额,订单日期\n1,甲,1,1,2026-01-01"), upload.ErrHeaderTwice},
		"no header":             {[]byte("1,甲,1,2026-01-01\n2,甲,1,2026-01-01\n"), upload.ErrHeader},
		"stray quote":           {[]byte(head + "1,甲\"厂\",1,2026-01-01\n2,\"甲,1"), sheet.ErrQuotes},
		"mixed encodings":       {[]byte(head + "1,甲厂,1,2026-01-01\n2,\xbc\xd7\xb3\xa7,1,2026-01-01\n"), sheet.ErrMixed},
		"a line without end":    {[]byte(head + strings.Repeat("1", 2<<20)), sheet.ErrLongLine},
	} {
		_, err := s.Check(t.Context(), who, chain.Order, name, c.body)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "merged cells" && !strings.Contains(err.Error(), "B2:B3") {
			t.Errorf("does not name the range: %v", err)
		}
	}
	if list, err := s.List(t.Context(), who, "", 0); err != nil || len(list) != 0 {
		t.Errorf("kept %v", list)
	}
	titled := edit(t, workbook(t, []string{"title"}, []string{"订单号", "供应商名称", "金额", "订单日期"}, []string{"PO1", "甲厂", "10", "2026-01-01"}),
		func(f *excelize.File) error { return f.MergeCell("x", "A1", "D1") })
	if _, err := s.Check(t.Context(), who, chain.Order, "titled", titled); err != nil {
		t.Errorf("a merged title is in the way: %v", err)
	}
}

func edit(t testing.TB, body []byte, change func(*excelize.File) error) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	if err := errors.Join(change(f), f.Write(&out)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipped(t testing.TB, name, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSpreadsheetCells reads numbers, dates and hidden sheets as Excel writes them.
func TestSpreadsheetCells(t *testing.T) {
	t.Parallel()
	s, m := desk(t)
	body := edit(t, workbook(t, []string{"notes"}), func(f *excelize.File) error {
		_, err := f.NewSheet("data")
		err = errors.Join(err, f.SetSheetVisible("x", false))
		err = errors.Join(err, f.SetSheetRow("data", "B3", &[]any{"订单号", "卖方", "金额（万元）", "订单日期"}))
		err = errors.Join(err, f.SetSheetRow("data", "B5", &[]any{20260001, "甲厂", 12.85, time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC)}))
		return errors.Join(err, f.SetSheetRow("data", "B6", &[]any{"PO", "甲厂", -1, "30.2.2026"}))
	})
	u, err := s.Check(t.Context(), who, chain.Order, "x.xlsx", body)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range u.Errors {
		got = append(got, e.Cell+" "+e.Code)
	}
	if d := cmp.Diff([]string{"D6 cell.amount_not_positive", "E6 cell.date"}, got); d != "" {
		t.Error(d)
	}
	if _, err := s.Commit(t.Context(), who, u.ID, true); err != nil {
		t.Fatal(err)
	}
	docs, _ := m.Documents(t.Context(), "t", "anchor", "")
	if len(docs) != 1 || docs[0].Number != "20260001" || docs[0].Amount != 12_850_000 || docs[0].Date != "2026-02-28" {
		t.Errorf("%+v", docs)
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const csv = "订单号,供应商名称,金额,订单日期\n\n1,\"甲\n厂\",1,2026-01-01\n\n2,，乙厂﨑㐀,x,2026-01-01\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(csv)
	if err != nil {
		t.Fatal(err)
	}
	utf16 := []byte{0xff, 0xfe}
	for _, r := range csv {
		utf16 = append(utf16, byte(r), byte(r>>8))
	}
	for name, body := range map[string][]byte{
		"utf-8": []byte(csv), "bom": []byte("\ufeff" + csv), "gb18030": []byte(gb), "utf-16": utf16,
		"crlf": []byte(strings.ReplaceAll(csv, "\n", "\r\n")), "tabs": []byte(strings.ReplaceAll(csv, ",", "\t")),
		"semicolons": []byte(strings.ReplaceAll(csv, ",", ";")),
	} {
		s, m := desk(t)
		u, err := s.Check(t.Context(), who, chain.Order, "x.csv", body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(u.Errors) != 1 || u.Errors[0].Cell != "C5" {
			t.Errorf("%s: %+v", name, u.Errors)
		}
		if _, err := s.Commit(t.Context(), who, u.ID, true); err != nil {
			t.Error(err)
		}
		if _, err := m.FirmByName(t.Context(), "t", "甲厂"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	body, err := upload.Template(chain.Order)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte("订单号,供应商名称,金额,订单日期\nPO1,甲厂,10,2026-01-01\n"))
	f.Add([]byte("number\tseller\tamount\tdate\n\"a\nb\"\tx\t1\t46081\n"))
	s, _ := desk(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := s.Check(t.Context(), who, chain.Order, "x", body)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if u.Good+u.Known+u.Bad != u.Rows {
			t.Errorf("%d rows in, %d+%d+%d out", u.Rows, u.Good, u.Known, u.Bad)
		}
	})
}
