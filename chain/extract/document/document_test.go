package document_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/furrowcredit/furrow/chain/extract/document"
	"github.com/furrowcredit/furrow/sheet"
)

// tools skips a test where the programs are not installed, and fails under CI=true.
func tools(t *testing.T) {
	t.Helper()
	if missing := (document.Reader{}).Check(t.Context()); len(missing) > 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("missing: %+v", missing)
		}
		t.Skipf("missing: %+v (scripts/install run)", missing)
	}
}

// pdf writes pages, each an object stream of its own; extra goes into the trailer.
func pdf(extra string, resources string, objects []string, pages ...string) []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.4\n")
	object := func(text string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), text)
	}
	first := 4 + len(objects)
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf("%d 0 R ", first+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] >>", len(pages), kids))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	for _, o := range objects {
		object(o)
	}
	for i, p := range pages {
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents %d 0 R /Resources << /Font << /F 3 0 R >> %s >> >>", first+2*i+1, resources))
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(p), p))
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, extra, xref)
	return b.Bytes()
}

func page(lines ...string) string {
	s := "BT /F 18 Tf 20 150 Td 24 TL "
	for _, l := range lines {
		s += "(" + l + ") Tj T* "
	}
	return s + "ET"
}

func zipped(parts map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			panic(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

const word = `<?xml version="1.0"?><w:document xmlns:w="w" xmlns:mc="mc"><w:body>
<w:p><w:r><w:t>采购</w:t></w:r><w:r><w:t>合同</w:t></w:r></w:p>
<w:p><w:r><w:t>甲方：</w:t><w:tab/><w:t>青穗粮油</w:t><w:delText>旧名</w:delText></w:r></w:p>
<w:tbl><w:tr><w:tc><w:p><w:r><w:t>品名</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>金额</w:t></w:r></w:p></w:tc></w:tr>
<w:tr><w:tc><w:p><w:r><w:t>玉米</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>5 &lt; 6</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
<mc:AlternateContent><mc:Choice><w:p><w:t>一次</w:t></w:p></mc:Choice><mc:Fallback><w:p><w:t>一次</w:t></w:p></mc:Fallback></mc:AlternateContent>
</w:body></w:document>`

func TestKinds(t *testing.T) {
	t.Parallel()
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("甲方：青穗粮油\r\n乙方：禾垄")
	if err != nil {
		t.Fatal(err)
	}
	rows, text := [][]string{{"客户", "金额"}}, "客户\t金额\n"
	for i := range 3 * sheet.HeaderRows {
		rows = append(rows, []string{"青穗粮油", strconv.Itoa(i)})
		text += "青穗粮油\t" + strconv.Itoa(i) + "\n"
	}
	book, err := sheet.Write("客户", rows)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body       []byte
		kind, want string
	}{
		"utf-8": {[]byte("\xef\xbb\xbf甲方：青穗"), "text", "甲方：青穗"},
		"gbk":   {[]byte(gbk), "text", "甲方：青穗粮油\n乙方：禾垄"},
		"docx":  {zipped(map[string]string{"word/document.xml": word}), "docx", "采购合同\n甲方：\t青穗粮油\n品名 \t金额 \t\n玉米 \t5 < 6 \t\n一次\n"},
		"xlsx":  {book, "xlsx", text + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, rep, err := document.Reader{}.Read(t.Context(), name, c.body)
			if err != nil || rep.Kind != c.kind || d.Text != c.want || len(d.SHA256) != 64 {
				t.Errorf("%v %+v\n%q\n%q", err, rep, d.Text, c.want)
			}
		})
	}
}

func TestPDF(t *testing.T) {
	t.Parallel()
	tools(t)
	many := make([]string, 200)
	for i := range many {
		many[i] = page(fmt.Sprintf("Invoice number %d of Qingsui Grain", i+1))
	}
	d, rep, err := document.Reader{}.Read(t.Context(), "long.pdf", pdf("", "", nil, many...))
	if err != nil || rep.Kind != "pdf" || strings.Count(d.Text, "\f") != 200 || !strings.Contains(d.Text, "number 200 of") {
		t.Errorf("%v %+v %d pages", err, rep, strings.Count(d.Text, "\f"))
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	tools(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text.pdf")
	if err := os.WriteFile(text, pdf("", "", nil, page("INVOICE 20260315", "TOTAL 1250.00")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "200", "-jpeg", "-singlefile", text, filepath.Join(dir, "page")).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	picture, err := os.ReadFile(filepath.Join(dir, "page.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	embedded := fmt.Sprintf("<< /Type /XObject /Subtype /Image /Width 1112 /Height 556 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream", len(picture), picture)
	for name, c := range map[string]struct {
		kind string
		body []byte
	}{
		"scan":  {"scan", pdf("", "/XObject << /I 4 0 R >>", []string{embedded}, "q 400 0 0 200 0 0 cm /I Do Q")},
		"image": {"image", picture},
	} {
		d, rep, err := document.Reader{}.Read(t.Context(), name, c.body)
		if err != nil || rep.Kind != c.kind || !strings.Contains(d.Text, "20260315") || !strings.Contains(d.Text, "1250.00") {
			t.Errorf("%s: %v %+v %q", name, err, rep, d.Text)
		}
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	tools(t)
	bomb := `<w:document><w:body><w:p><w:t>` + strings.Repeat("0", 60<<20) + `</w:t></w:p></w:body></w:document>`
	encrypted := pdf("/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O ("+strings.Repeat("o", 32)+") /U ("+strings.Repeat("u", 32)+") >>", "", nil, page("secret"))
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"nothing":        {nil, document.ErrEmpty},
		"white space":    {[]byte(" \n "), document.ErrEmpty},
		"binary":         {[]byte("ab\x00\x01cd"), document.ErrFormat},
		"old Word":       {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), document.ErrOldWord},
		"another ZIP":    {zipped(map[string]string{"a.txt": "a"}), document.ErrFormat},
		"broken ZIP":     {[]byte("PK\x03\x04rubbish"), document.ErrDamaged},
		"bomb":           {zipped(map[string]string{"word/document.xml": bomb}), document.ErrTooLarge},
		"deep":           {zipped(map[string]string{"word/document.xml": strings.Repeat("<a>", 100_000)}), document.ErrDamaged},
		"cut XML":        {zipped(map[string]string{"word/document.xml": word[:300]}), document.ErrDamaged},
		"broken PDF":     {[]byte("%PDF-1.4 rubbish"), document.ErrDamaged},
		"encrypted PDF":  {encrypted, document.ErrEncrypted},
		"broken picture": {[]byte("\x89PNG\r\n\x1a\nrubbish"), document.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d, _, err := (document.Reader{}).Read(t.Context(), name, c.body); !errors.Is(err, c.want) {
				t.Errorf("%v, %d bytes of text, want %v", err, len(d.Text), c.want)
			}
		})
	}
}

func TestProgramsThatFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	slow := filepath.Join(dir, "slow")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nexec sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	body := pdf("", "", nil, page("text"))
	_, _, err := document.Reader{PDFToText: slow, Timeout: 50 * time.Millisecond}.Read(t.Context(), "a.pdf", body)
	if !errors.Is(err, document.ErrSlow) {
		t.Errorf("slow: %v", err)
	}
	absent := document.Reader{PDFToText: filepath.Join(dir, "absent")}
	_, _, err = absent.Read(t.Context(), "a.pdf", body)
	if !errors.Is(err, document.ErrTool) || !strings.Contains(err.Error(), "poppler-utils") {
		t.Errorf("absent: %v", err)
	}
	if missing := absent.Check(t.Context()); len(missing) == 0 || missing[0].Package != "poppler-utils" {
		t.Errorf("%+v", missing)
	}
}

// FuzzRead covers what is read in this process; PDFs and pictures go to a program that is
// not there.
func FuzzRead(f *testing.F) {
	f.Add([]byte("甲方：青穗"))
	f.Add(zipped(map[string]string{"word/document.xml": word}))
	f.Add([]byte("%PDF-1.4"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := document.Reader{PDFToText: "/absent", PDFToPPM: "/absent", Tesseract: "/absent"}
		d, rep, err := r.Read(t.Context(), "x", body)
		if err == nil && rep.Kind == "" {
			t.Error("no kind")
		}
		if strings.ToValidUTF8(d.Text, "") != d.Text {
			t.Error("text is not UTF-8")
		}
	})
}
