package contract_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/furrowcredit/furrow/credit/contract"
)

func font(t testing.TB) *contract.Font {
	t.Helper()
	f, err := contract.FindFont("")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// text gives what a reader of a PDF finds in it.
func text(t *testing.T, pdf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (Debian package poppler-utils): %v", err)
	}
	return string(out)
}

func long() contract.Paper {
	var b strings.Builder
	b.WriteString("借款合同\n\n合同编号：0192\n一、额度与期限\n")
	b.WriteString(strings.Repeat("借款人可以随时提前结清，利息算到结清当日，不收违约金（见《中国人民银行公告〔2021〕第3号》）。", 4) + "\n")
	b.WriteString("期次\t到期日\t本金\t利息\t应还\n")
	for i := 1; i <= 120; i++ {
		fmt.Fprintf(&b, "%d\t2026-%02d-28\t1,234.56\t78.90\t1,313.46\n", i, i%12+1)
	}
	b.WriteString("二、其他\n牧民𠮷雅与㐂的合同。\n")
	return contract.Paper{
		Title: "借款合同", Text: b.String(), Header: "示范农村商业银行", Number: "0192", Footer: strings.Repeat("ab", 32),
		Page: "第 {n} 页，共 {all} 页", At: time.Date(2026, 2, 28, 16, 0, 0, 0, time.UTC),
	}
}

func TestPrintIsReadBackWhole(t *testing.T) {
	t.Parallel()
	pdf, err := font(t).Print(long())
	if err != nil {
		t.Fatal(err)
	}
	got := text(t, pdf)
	flat := strings.Join(strings.Fields(got), "")
	for _, line := range strings.Split(long().Text, "\n") {
		want := strings.ReplaceAll(strings.Join(strings.Fields(line), ""), "𠮷", "[U+20BB7]")
		if !strings.Contains(flat, want) {
			t.Errorf("the PDF lacks %q", line)
		}
	}
	pages := strings.Count(got, strings.Repeat("ab", 32))
	if pages < 3 || !strings.Contains(got, fmt.Sprintf("第 %d 页，共 %d 页", pages, pages)) {
		t.Errorf("%d pages have the footer", pages)
	}
	if heads := strings.Count(flat, "期次到期日本金利息应还"); heads < pages-1 {
		t.Errorf("the head of the table stands on %d of %d pages", heads, pages)
	}
	if len(pdf) > 200<<10 {
		t.Errorf("%d bytes: the font is not cut down to what is used", len(pdf))
	}
}

func TestPrintIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	f := font(t)
	first, err := f.Print(long())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if again, err := f.Print(long()); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("another file from the same words: %v", err)
		}
	}
}
